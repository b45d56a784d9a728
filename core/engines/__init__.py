"""The embedded engines: a local Postgres and DynamoDB, without Docker or an AWS account.

Two programs can be the DynamoDB: ministack, which is installed with the project, and dynoxide,
which loses nothing when it is killed. All listen on 127.0.0.1 only and keep their data in one
folder, where a state file has their ports. They belong to the user who started them first, and
every later command shares them. Looking up their addresses only reads that file; everything heavier
is imported late.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from core.commands import Command
from core.engines.state import DYNOXIDE, MINISTACK, STATE_FILE, read_state
from core.errors import EngineError

__all__ = [
    "DYNOXIDE",
    "MINISTACK",
    "RUNNING",
    "SILENT",
    "Choice",
    "Endpoints",
    "EngineStatus",
    "endpoints",
    "find_dynoxide",
    "install_dynoxide",
    "program_folders",
    "psql_path",
    "start",
    "start_postgres",
    "status",
    "stop",
]

DATABASE = "cruddur"

RUNNING, STOPPED = "running", "stopped"
SILENT = "not answering"
"""Its process runs, and does not answer."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The addresses of the engines. The URL contains a password."""

    postgres_url: str = field(repr=False)
    aws_endpoint_url: str
    dynamodb_endpoint_url: str


@dataclass(frozen=True, slots=True)
class Choice:
    """Which program is to have DynamoDB's data.

    ``dynoxide`` is its file, if there is one: then it is preferred. ``engine`` is the one that the
    user named, or "". ``functions``: Lambda functions are to run, which only ministack does.
    """

    dynoxide: Path | None = None
    engine: str = ""
    functions: bool = False


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """One engine: ``state`` is one of the three below; ``notes`` says what else matters."""

    name: str
    state: str
    port: int | None
    pid: int | None
    notes: str = ""


def endpoints(folder: Path) -> Endpoints:
    """The addresses of the engines of ``folder``, whether or not they run.

    Raises:
        EngineError: they were never started.
    """
    state = read_state(folder / STATE_FILE)
    if state is None:
        raise EngineError("The embedded engines have not been set up yet", "Run", Command("up"))
    return Endpoints(
        f"postgresql://postgres:{state.password}@127.0.0.1:{state.postgres.port}/{DATABASE}",
        f"http://127.0.0.1:{(state.aws or state.dynamodb).port}",
        f"http://127.0.0.1:{state.dynamodb.port}",
    )


def start(folder: Path, choice: Choice | None = None) -> list[EngineStatus]:
    """The status of the engines, after starting those that were stopped. All answer then.

    DynamoDB's data moves to the program of ``choice`` first, if another one has it. A program that
    is running keeps it, unless the user named another one. Without a choice, the data stays.

    Raises:
        EngineError: one of them cannot be started, or does not answer; a running one keeps running.
    """
    from core.engines import control

    return control.start(folder, choice or Choice())


def find_dynoxide(setting: str | None, folder: Path) -> Path | None:
    """The file of dynoxide: the one that ``setting`` names, on PATH, or installed in ``folder``.

    Raises:
        SettingsError: the setting names no program.
    """
    from core.engines import dynoxide

    return dynoxide.find(setting, folder)


def install_dynoxide(folder: Path) -> Path:
    """The file of dynoxide, after npm has installed it in ``folder``.

    Raises:
        EngineError: there is none for this system, or npm failed.
    """
    from core.engines import dynoxide

    return dynoxide.install(folder)


def start_postgres(folder: Path) -> None:
    """Start the embedded Postgres alone, if it is stopped. It answers then.

    Raises:
        EngineError: it cannot be started.
    """
    from core.engines import control

    control.start_postgres(folder)


def stop(folder: Path) -> list[EngineStatus]:
    """The status of the engines of ``folder`` after stopping them. Nothing else is stopped.

    Raises:
        EngineError: one of them does not end.
    """
    from core.engines import control

    return control.stop(folder)


def status(folder: Path) -> list[EngineStatus]:
    """Whether each engine runs. Starts and stops nothing."""
    from core.engines import control

    return control.status(folder)


def psql_path() -> Path | None:
    """The psql that comes with the embedded Postgres, or None if it is not installed."""
    from core.engines.postgres import bin_path

    try:
        return bin_path() / "psql"
    except EngineError:
        return None


def program_folders() -> list[Path]:
    """The folders with pg_dump and its companions in the embedded Postgres, of each version."""
    from core.engines.postgres import bin_paths

    try:
        return bin_paths()
    except EngineError:
        return []
