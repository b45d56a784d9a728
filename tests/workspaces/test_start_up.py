"""The commands of the start-up files, run in their order in a clean copy."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from core import engines
from core.engines import processes
from tests.workspaces.workspace import (
    DEVCONTAINER,
    GITPOD,
    LIFECYCLE,
    Workspace,
    press_ctrl_c,
)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace; processes that a failed test leaves are stopped."""
    started = Workspace(tmp_path)
    yield started
    for folder in (started.copy / ".engines", started.home / ".engines"):
        engines.stop(folder)
    for process in started.processes():
        with suppress(psutil.NoSuchProcess):
            process.kill()


def test_gitpod_s_terminals_end_with_the_admin_ui_over_seeded_stores(workspace) -> None:
    workspace.environment["GITPOD_WORKSPACE_URL"] = "https://me-ops-1.ws-eu1.gitpod.io"
    tasks = yaml.safe_load(workspace.read(GITPOD))["tasks"]
    # All at once and without a prebuild: nothing exists yet, and some tasks must wait.
    terminals = {
        task["name"]: workspace.open_terminal(task["name"], _gitpod_script(task)) for task in tasks
    }
    _wait_for_admin_ui(workspace, terminals["admin UI"], "admin UI")
    assert terminals["security group"].wait(timeout=60) == 0
    assert "there is no rule to update" in workspace.printed("security group")
    assert terminals["stores"].wait(timeout=60) == 0
    assert "The inbox of andrewbrown:" in workspace.printed("stores")
    _check_who_gets_in(workspace, f"{workspace.port}-me-ops-1.ws-eu1.gitpod.io")
    assert press_ctrl_c(terminals["admin UI"]) == 0
    _stop_engines(workspace, 'export PATH="$PWD/.venv/bin:$PATH"')


def _gitpod_script(task: dict[str, str]) -> str:
    """One terminal of Gitpod's: each part only after the one before it has succeeded."""
    parts = (task[part].strip() for part in ("before", "init", "command") if part in task)
    return " && ".join(f"{{\n{part}\n}}" for part in parts)


def test_a_devcontainer_s_lifecycle_ends_with_the_admin_ui_over_seeded_stores(workspace) -> None:
    workspace.environment["CODESPACE_NAME"] = "fluffy-engine"
    config = _devcontainer_of(workspace)
    *steps, last = [step for step in LIFECYCLE if step in config]
    for step in steps:
        code = workspace.open_terminal(step, config[step]).wait(timeout=120)
        assert code == 0, workspace.printed(step)
    assert "there is no rule to update" in workspace.printed("postStartCommand")
    assert "The inbox of andrewbrown:" in workspace.printed("postStartCommand")
    assert not (workspace.copy / ".engines").exists()  # it may be the host's, with its engines
    forwarded = f"fluffy-engine-{workspace.port}.app.github.dev"
    for _ in range(2):  # attached, and attached again
        assert workspace.open_terminal(last, config[last]).wait(timeout=60) == 0
        assert f"The admin UI already runs at https://{forwarded} (" in workspace.printed(last)
    assert processes.wait_until(workspace.answers, timeout_s=60)
    _check_who_gets_in(workspace, forwarded)
    _, pid = workspace.printed(last).split("(to end it: kill ")
    os.kill(int(pid.split(")")[0]), signal.SIGTERM)
    _stop_engines(workspace)


def test_a_devcontainer_starts_although_the_security_group_cannot_be_updated(
    workspace,
) -> None:
    workspace.environment["DB_SG_ID"] = "sg-0123456789abcdef0"
    script = _devcontainer_of(workspace)["postStartCommand"]
    (workspace.home / "programs" / "invoke").write_text(
        '#!/bin/sh\necho "$@"\n[ "$1" != rds.update-sg-rule ]\n'
    )
    (workspace.home / "programs" / "invoke").chmod(0o755)
    log = workspace.home / ".engines" / "admin-ui.log"
    assert workspace.open_terminal("start", script).wait(timeout=60) == 0
    assert workspace.printed("start").split("\n")[1] == "start --no-admin"
    assert processes.wait_until(
        lambda: log.exists() and "admin --port" in log.read_text(), timeout_s=20
    )


def _devcontainer_of(workspace: Workspace) -> dict[str, Any]:
    """The configuration, whose variables are set in the workspace."""
    config = json.loads(workspace.read(DEVCONTAINER))
    for name, value in config["remoteEnv"].items():
        inherited = workspace.environment.get(name, "")
        workspace.environment[name] = value.replace(f"${{containerEnv:{name}}}", inherited)
    return config


def _wait_for_admin_ui(
    workspace: Workspace, terminal: subprocess.Popen[bytes], name: str, timeout_s: float = 120
) -> None:
    processes.wait_until(
        lambda: workspace.answers() or terminal.poll() is not None, timeout_s=timeout_s
    )
    assert terminal.poll() is None, workspace.printed(name)
    assert workspace.answers()


def _check_who_gets_in(workspace: Workspace, forwarded: str) -> None:
    """The forwarded address and this machine's own, by host and by origin, and nobody else."""
    local = f"127.0.0.1:{workspace.port}"
    assert workspace.connects(local, f"http://{local}")
    assert workspace.connects(forwarded, f"https://{forwarded}")
    assert workspace.connects("localhost", f"https://{forwarded}")
    assert not workspace.connects(local, "https://elsewhere.example")
    assert not workspace.connects(forwarded, "https://elsewhere.example")
    other = f"other-{forwarded}"
    assert not workspace.connects(other, f"https://{other}")


def _stop_engines(workspace: Workspace, before: str = ":") -> None:
    stopped = workspace.open_terminal("down", f"{before}\ninvoke down")
    assert stopped.wait(timeout=60) == 0, workspace.printed("down")
    assert processes.wait_until(lambda: not workspace.processes(), timeout_s=10)
