"""The embedded DynamoDB (and Cognito, EC2, STS): ministack, in a process of its own.

It keeps its data only if it is stopped properly. The next start detects and reports any other end.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import psutil

from core.commands import Command
from core.engines import processes
from core.engines.state import Engine
from core.errors import EngineError
from core.parts import ENGINES, how_to_install
from core.private_files import open_private

NAME = "DynamoDB"
_SERVICES = "dynamodb,dynamodbstreams,cognito-idp,ec2,sts"
_FUNCTIONS = ",lambda,cloudformation,s3,sqs,iam,monitoring,logs"
"""What lambda.deploy needs. Off unless asked for: the engine answers every page that a browser on
this machine has open, and with these services such a page could run a program.
"""

_START_TIMEOUT_S = 30


def unclean() -> str:
    """The note for an engine that was not stopped properly."""
    down = Command("down").line()
    return (
        f"was not stopped by `{down}`: data written since the last `{down}` may be lost."
        f" Run: {Command('ddb.schema-load', ('ddb.seed',)).line()}"
    )


# A proxy in the environment must never see a call to this machine.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def start(
    folder: Path, engine: Engine, keep: Callable[[], None], *, functions: bool = False
) -> str:
    """Start ministack unless it runs; returns a note if it was not stopped properly last time.

    ``functions``: whether it runs Lambda functions. Records its process in ``engine`` and calls
    ``keep`` at once: the caller may be killed while it waits, and ministack keeps running.
    """
    if running(folder, engine) is not None:
        processes.wait_until(
            lambda: answers(engine.port), _START_TIMEOUT_S
        )  # another command may just have started it
        return ""
    note = unclean() if engine.process is not None else ""
    if find_spec("ministack") is None:
        raise EngineError("The embedded DynamoDB is not installed", how_to_install(ENGINES))
    processes.require_free(engine.port, NAME, folder)
    data, log = folder / "dynamodb", folder / "dynamodb.log"
    # The folder around them may have existed before, readable by others.
    data.mkdir(mode=0o700, exist_ok=True)
    data.chmod(0o700)
    (data / "tmp").mkdir(exist_ok=True)
    with open_private(log) as output:
        output.truncate(0)
        child = subprocess.Popen(
            [sys.executable, "-m", "ministack"],
            cwd=data,
            env=_environment(engine.port, data, functions),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C and a closed terminal must not stop it
        )
    engine.process = processes.remember(child.pid)
    keep()
    answered = processes.wait_until(
        lambda: child.poll() is not None or answers(engine.port), _START_TIMEOUT_S
    )
    if not answered or child.poll() is not None:
        child.kill()
        child.wait()
        engine.process = None
        raise EngineError(
            f"Could not start DynamoDB: {processes.last_line(log)}", f"Read its log: {log}"
        )
    child.returncode = 0  # it outlives this process: avoids a ResourceWarning
    return note


def _environment(port: int, data: Path, functions: bool) -> dict[str, str]:
    """The variables that it needs: none of the caller's AWS variables, proxies or Docker."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(data),
        "TMPDIR": str(data / "tmp"),
        "DOCKER_HOST": f"unix://{data / 'no-docker'}",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "PERSIST_STATE": "1",
        "STATE_DIR": str(data / "state"),
        "SERVICES": _SERVICES + (_FUNCTIONS if functions else ""),
        # These two services listen on every interface, whatever BIND_HOST says.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "PYTHONUNBUFFERED": "1",
    }


def running(folder: Path, engine: Engine) -> psutil.Process | None:
    """The ministack process of this folder; None if it does not run.

    Its working directory is the data folder, so that a step of the system's clock, which changes
    the start times of processes, makes no difference. Where we may not see it, its start time
    tells.
    """
    if engine.process is None:
        return None
    try:
        process = psutil.Process(engine.process.pid)
        is_ministack = "ministack" in process.cmdline()
        if process.status() == psutil.STATUS_ZOMBIE or not is_ministack:
            return None
        is_ours = Path(process.cwd()).samefile(folder / "dynamodb")
    except psutil.AccessDenied:
        return processes.alive(engine.process)
    except (psutil.Error, OSError):
        return None
    return process if is_ours else None


def stop(folder: Path, engine: Engine) -> bool:
    """True if ministack was stopped, which saves its data; False if it did not run."""
    process = running(folder, engine)
    if process is None:
        return False
    processes.end(process, signal.SIGTERM, NAME)
    engine.process = None
    return True


def answers(port: int) -> bool:
    """Whether ministack answers on ``port``."""
    try:
        with _direct.open(f"http://127.0.0.1:{port}/_ministack/health", timeout=2) as reply:
            return "dynamodb" in json.load(reply)["services"]
    except (OSError, ValueError, KeyError, urllib.error.URLError):
        return False
