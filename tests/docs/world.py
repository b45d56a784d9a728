"""The surroundings of a page under test: a clean folder, local stores and a separate production."""

from __future__ import annotations

import fcntl
import itertools
import os
import re
import shlex
import shutil
import signal
import string
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from commands import typed

from core.aws.clients import make_client
from core.engines import Endpoints
from core.settings import PROJECT_ROOT
from core.targets import AwsTarget

from . import expectations

PROGRAMS = {"invoke", "echo", "printf", "cat", "head", "wc", "rm", "umask"}
"""What a page's lines may run as they are."""

FOREGROUND = {"start", "admin", "ddb.follow-stream"}
"""The tasks that last until Ctrl-C."""

ACCOUNT = "123456789012"
"""The engine gives every access key of twelve digits a separate account."""

_READY = "Ctrl-C ends it|following"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command printed, on both streams, and its exit code."""

    output: str
    code: int = 0


@dataclass(slots=True)
class World:
    """``local`` stands for the reader's own machine, ``production`` for AWS.

    ``disguises`` has the real values and the ones that the page shows instead.
    """

    folder: Path
    env: dict[str, str]
    local: Endpoints
    production: Endpoints
    commands: typed.Commands
    disguises: list[tuple[str, str]] = field(default_factory=list)

    def expand(self, word: str) -> str:
        """A word with the reader's variables in it, as their shell would fill them in."""
        return string.Template(word).safe_substitute(self.env)

    def disguise(self, output: str) -> str:
        for actual, shown in self.disguises:
            output = output.replace(actual, shown)
        return output

    def run(self, command: str) -> Outcome:
        """Run a line in bash."""
        unknown = set(_programs(command)) - PROGRAMS
        assert not unknown, f"nothing here runs {unknown}: add a stand-in, or to PROGRAMS"
        done = subprocess.run(
            ["/bin/bash", "-o", "pipefail", "-c", command],
            cwd=self.folder,
            env=self.env,
            pass_fds=[self.commands.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
        assert "Traceback" not in done.stdout, done.stdout
        return Outcome(done.stdout, done.returncode)

    def run_until_ready(self, command: str, shown: str | None) -> Outcome:
        """Run a command until it has printed the text ``shown`` up to ``^C``, then interrupt it."""
        before, _, after = (shown or "").partition("^C")
        expected = expectations.pattern(before) if shown else re.compile(rf"(?s).*({_READY}).*\n")
        log = self.folder / "foreground.log"
        with _alone_at_the_first_port(), log.open("w") as output:
            program, *arguments = shlex.split(command)
            # Ctrl-C must reach the command itself.
            command_line = [sys.executable, "-m", "invoke"] if program == "invoke" else [program]
            process = subprocess.Popen(
                [*command_line, *arguments],
                cwd=self.folder,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            try:
                _wait(lambda: process.poll() is not None or bool(expected.match(self._seen(log))))
                _visit(log.read_text())
            finally:
                so_far = log.read_text()
                process.send_signal(signal.SIGINT)
                code = process.wait(timeout=20)
        said_last = log.read_text().removeprefix(so_far) if after else ""
        return Outcome(so_far + ("^C" + said_last if after else ""), code)

    def _seen(self, log: Path) -> str:
        return self.disguise(expectations.plain(log.read_text()))

    def aws_client(self, service: str, *, prod: bool):
        return make_client(self.aws_target() if prod else self._local_target(), service)

    def aws_target(self) -> AwsTarget:
        """The engine in the place of AWS: an account that no other test of the run uses."""
        keys = (ACCOUNT, "secret", None)
        return AwsTarget(self.production.aws_endpoint_url, "us-east-1", False, keys)

    def _local_target(self) -> AwsTarget:
        return AwsTarget(self.local.aws_endpoint_url, "us-east-1", placeholder_credentials=True)


@contextmanager
def _alone_at_the_first_port() -> Iterator[None]:
    """No other test run, or worker of this one, opens the admin UI where a page opens it.

    The first free port is chosen some seconds before it is taken.
    """
    name = f"cruddur-ops-admin-ui-{os.getuid()}.lock"
    with (Path(tempfile.gettempdir()) / name).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _programs(command: str) -> list[str]:
    lexer = shlex.shlex(command, posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split = True
    words = ["|", *lexer]
    return [word for before, word in itertools.pairwise(words) if before in ("|", ";")]


def _wait(ready: Callable[[], bool], timeout_s: float = 30) -> None:
    ends_at = time.monotonic() + timeout_s
    while not ready() and time.monotonic() < ends_at:
        time.sleep(0.05)


def _visit(output: str) -> None:
    """If the output shows the admin UI's address, the UI answers there."""
    for url in re.findall(r"http://\S+(?= \(Ctrl-C)", output):
        _wait(lambda url=url: _answers(url))
        assert _answers(url), url


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2) as reply:  # noqa: S310
            return reply.status == 200
    except OSError:
        return False


def furnish(folder: Path, commands: typed.Commands) -> None:
    """Make ``folder`` look like the reader's checkout: the project, ``invoke``, an AWS profile."""
    for name in ("tasks.py", "invoke.yaml"):
        shutil.copy(PROJECT_ROOT / name, folder)
    shutil.copytree(PROJECT_ROOT / "aws", folder / "aws")
    shutil.copytree(PROJECT_ROOT / "sql" / "migrations", folder / "sql" / "migrations")
    (folder / "bin").mkdir()
    invoke = folder / "bin" / "invoke"
    client = [sys.executable, "-IS", str(typed.CLIENT), str(commands.fileno())]
    invoke.write_text(f'#!/bin/sh\nexec {shlex.join(client)} "$@"\n')
    invoke.chmod(0o755)
    (folder / "aws-credentials").write_text(
        f"[default]\naws_access_key_id = {ACCOUNT}\naws_secret_access_key = secret\n"
    )


def environment(folder: Path, unset: dict[str, str], engines: Path, aws_url: str) -> dict[str, str]:
    """The reader's environment. ``unset`` are the project's settings, none of them set."""
    return unset | {
        "PATH": f"{folder / 'bin'}:/usr/bin:/bin",
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",  # the output in the order in which a terminal shows it
        "AWS_CONFIG_FILE": str(folder / "no-aws-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "aws-credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "CRUDDUR_ENGINES_DIR": str(engines),
        "STREAMLIT_SECRETS_FILES": str(folder / "secrets.toml"),
        "CRUDDUR_MIGRATIONS_DIR": str(folder / "sql" / "migrations"),
        "PROD_AWS_ENDPOINT_URL": aws_url,
        "GITPOD_IP": "8.8.4.4",
    }
