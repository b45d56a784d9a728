"""The embedded DynamoDB (and Cognito, EC2, STS): ministack, in a process of its own.

It keeps its data only if it is stopped properly. The next start detects and reports any other end.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psutil

from core.commands import Command
from core.engines import processes, requests
from core.engines.state import Engine
from core.errors import EngineError
from core.parts import ENGINES, how_to_install
from core.private_files import open_private

NAME = "DynamoDB"
FOLDER = "dynamodb"
_NOT_SAVED = re.compile(r"Persistence: (?:failed to save|error getting state for) \w+: (.*)")
_OTHERS = "cognito-idp,ec2,sts"
_SERVICES = f"dynamodb,dynamodbstreams,{_OTHERS}"
_FUNCTIONS = ",lambda,cloudformation,s3,sqs,iam,monitoring,logs"
"""What lambda.deploy needs. Off unless asked for: the engine answers every page that a browser on
this machine has open, and with these services such a page could run a program.
"""


def unclean() -> str:
    """The note for an engine that was not stopped properly."""
    down = Command("down").line()
    return (
        f"was not stopped by `{down}`: data written since the last `{down}` may be lost."
        f" Run: {Command('ddb.schema-load', ('ddb.seed',)).line()}"
    )


@dataclass(frozen=True, slots=True)
class Place:
    """Where a ministack keeps its data, and what it is to serve."""

    folder: Path
    log: Path
    services: str = _OTHERS
    name: str = NAME
    """What an error calls it."""
    is_copy: bool = False
    """Another program has its data, too."""

    @classmethod
    def of_data(cls, folder: Path, *, functions: bool = False) -> Place:
        """The place of the ministack that has DynamoDB's data."""
        services = _SERVICES + (_FUNCTIONS if functions else "")
        return cls(folder / FOLDER, folder / "dynamodb.log", services)

    @classmethod
    def of_others(cls, folder: Path) -> Place:
        """The place of the ministack for other services, where dynoxide has DynamoDB's data."""
        return cls(folder / FOLDER, folder / "aws.log", name="ministack for Cognito, EC2 and STS")

    @classmethod
    def of_move(cls, folder: Path) -> Place:
        """The place of a ministack that DynamoDB's data moves into."""
        return cls(folder / f"{FOLDER}.new", folder / "move.log", _SERVICES, is_copy=True)

    @property
    def saved(self) -> Path:
        """The file that has DynamoDB's data after a proper stop."""
        return self.folder / "state" / "dynamodb.json"


def start(place: Place, engine: Engine, keep: Callable[[], None]) -> bool:
    """True if ministack was started; False if it runs already. It answers then.

    Records its process in ``engine`` and calls ``keep`` at once: the caller may be killed while it
    waits, and ministack keeps running.
    """
    if (process := running(place, engine)) is not None:
        processes.await_answer(process, lambda: answers(engine.port), place.name)
        return False
    if find_spec("ministack") is None:
        raise EngineError(f"The embedded {place.name} is not installed", how_to_install(ENGINES))
    processes.require_free(engine.port, place.name, place.folder.parent)
    data = place.folder
    # The folder around them may have existed before, readable by others.
    data.mkdir(mode=0o700, exist_ok=True)
    data.chmod(0o700)
    (data / "tmp").mkdir(exist_ok=True)
    with open_private(place.log) as output:
        output.truncate(0)
        child = subprocess.Popen(
            [sys.executable, "-m", "ministack"],
            cwd=data,
            env=_environment(engine.port, place),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C and a closed terminal must not stop it
        )
    processes.await_start(child, engine, keep, lambda: answers(engine.port), place.name, place.log)
    return True


def _environment(port: int, place: Place) -> dict[str, str]:
    """The variables that it needs: none of the caller's AWS variables, proxies or Docker."""
    data = place.folder
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(data),
        "TMPDIR": str(data / "tmp"),
        "DOCKER_HOST": f"unix://{data / 'no-docker'}",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "PERSIST_STATE": "1",
        "STATE_DIR": str(data / "state"),
        "SERVICES": place.services,
        # These two services listen on every interface, whatever BIND_HOST says.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "PYTHONUNBUFFERED": "1",
    }


def running(place: Place, engine: Engine) -> psutil.Process | None:
    """The ministack process of this place; None if it does not run."""
    return processes.in_folder(engine.process, place.folder, "ministack")


def stop(place: Place, engine: Engine) -> bool:
    """True if ministack was stopped, which saves its data; False if it did not run.

    Raises:
        EngineError: it did not stop, or could not save its data.
    """
    process = running(place, engine)
    if process is None:
        return False
    log_begin = processes.log_end(place.log)
    processes.end(process, signal.SIGTERM, place.name)
    # It ends as if all were well.
    if match := _NOT_SAVED.search(processes.log_since(place.log, log_begin)):
        lost = f"What was written since the last `{Command('down').line()}` is lost. "
        raise EngineError(
            f"{place.name} has ended, and could not save its data: {match[1]}",
            f"{'' if place.is_copy else lost}Free some space.",
        )
    engine.process = None
    return True


def answers(port: int) -> bool:
    """Whether ministack answers on ``port``."""
    try:
        with requests.direct.open(f"http://127.0.0.1:{port}/_ministack/health", timeout=2) as reply:
            return "sts" in json.load(reply)["services"]
    except (OSError, http.client.HTTPException, ValueError, KeyError):
        return False
