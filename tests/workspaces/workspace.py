"""A workspace to start in: a clean copy of the project, with terminals.

What it does not do is download: in the place of ``pip install`` the new environment is shown the
packages of the one that the tests run in.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import sysconfig
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any

import ports
import psutil
import yaml

from core.settings import PROJECT_ROOT

GITPOD = ".gitpod.yml"
DEVCONTAINER = ".devcontainer/devcontainer.json"
ONA = ".ona/automations.yaml"
PORT = 8501
LIFECYCLE = [
    *("onCreateCommand", "updateContentCommand", "postCreateCommand"),
    *("postStartCommand", "postAttachCommand"),
]
"""The commands of a devcontainer, in the order in which they run."""


def gitpod() -> dict[str, Any]:
    return yaml.safe_load((PROJECT_ROOT / GITPOD).read_text())


def devcontainer() -> dict[str, Any]:
    return json.loads((PROJECT_ROOT / DEVCONTAINER).read_text())


def ona() -> dict[str, Any]:
    return yaml.safe_load((PROJECT_ROOT / ONA).read_text())


def invoked(script: str) -> list[list[str]]:
    """The words after every ``invoke`` of a script."""
    commands = re.findall(r"(?<![\w./-])invoke ([^;&>)\n]+)", script)
    return [shlex.split(command) for command in commands]


STAND_IN_FOR_PIP = """
import pathlib, sys, sysconfig
site = pathlib.Path(sysconfig.get_path("purelib"))
(site / "shown.pth").write_text(f"{pathlib.Path.cwd()}\\n{sys.argv[1]}\\n")
invoke = pathlib.Path(sys.prefix, "bin", "invoke")
invoke.write_text("#!/bin/sh\\nexec python -m invoke \\"$@\\"\\n")
invoke.chmod(0o755)
"""
PYTHON = f"""#!/bin/sh
if [ "$1 $2" = "-m venv" ]; then
  shift 2
  set -- -m venv --without-pip "$@"
fi
exec "{sys.executable}" "$@"
"""
"""Makes an environment without pip, which takes seconds and has its stand-in above."""
GP = """#!/bin/sh
case "$1" in
  sync-done) touch "$HOME/done-$2" ;;
  sync-await) until [ -e "$HOME/done-$2" ]; do sleep 0.1; done ;;
  *) exit 2 ;;
esac
"""
"""What the start-up uses of Gitpod's own command."""


class Workspace:
    """A clean copy of the project, a home, a free port for the admin UI."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.copy, self.home = folder / "cruddur ops", folder / "home"
        _copy_project(self.copy)
        programs = self.home / "programs"
        programs.mkdir(parents=True)
        _write_program(programs / "gp", GP)
        _write_program(programs / "python3", PYTHON)
        (self.home / "pip.py").write_text(STAND_IN_FOR_PIP)
        self.environment = {
            "PATH": f"{programs}:/usr/bin:/bin",
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        self.port = ports.free_port()

    def read(self, name: str) -> str:
        """A file of the copy, with this home in the place of a container's, and the free port."""
        text = (self.copy / name).read_text()
        return text.replace("/home/vscode", str(self.home)).replace(str(PORT), str(self.port))

    def open_terminal(self, name: str, script: str) -> subprocess.Popen[bytes]:
        """Run a script in the copy; what it prints is kept for :meth:`printed`."""
        packages = shlex.quote(sysconfig.get_path("purelib"))
        script = re.sub(
            r"(\S+)/bin/pip install -r requirements\.txt",
            rf'\1/bin/python "$HOME/pip.py" {packages}',
            script,
        )
        with (self.folder / name).open("wb") as log:
            return subprocess.Popen(
                ["bash", "-c", script],
                cwd=self.copy,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def printed(self, name: str) -> str:
        return (self.folder / name).read_text()

    def answers(self) -> bool:
        """Whether the admin UI's page answers."""
        return self._ask("/", {}) == HTTPStatus.OK

    def connects(self, host: str, origin: str) -> bool:
        """Whether the admin UI begins a session with a page of that origin, through that host."""
        headers = {
            "Host": host,
            "Origin": origin,
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        }
        return self._ask("/_stcore/stream", headers) == HTTPStatus.SWITCHING_PROTOCOLS

    def _ask(self, path: str, headers: dict[str, str]) -> int | None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path, headers=headers)
            with connection.getresponse() as answer:
                return answer.status
        except OSError:
            return None
        finally:
            connection.close()

    def processes(self) -> list[psutil.Process]:
        """The processes that work in this workspace or name it."""
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def _is_ours(self, process: psutil.Process) -> bool:
        with suppress(psutil.Error):
            return str(self.folder) in " ".join([process.cwd(), *process.cmdline()])
        return False


def press_ctrl_c(terminal: subprocess.Popen[bytes]) -> int:
    """Interrupt the command in a terminal; returns its exit code."""
    with suppress(ProcessLookupError):
        os.killpg(terminal.pid, signal.SIGINT)
    return terminal.wait(timeout=30)


def _copy_project(copy: Path) -> None:
    """The files of a clone, with uncommitted changes."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT_ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, os.fsdecode(listed.stdout).split("\0")):
        if (PROJECT_ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PROJECT_ROOT / name, copy / name)


def _write_program(path: Path, content: str) -> None:
    path.write_text(content)
    path.chmod(0o755)
