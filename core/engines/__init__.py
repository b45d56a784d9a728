"""The embedded engines: a Postgres and a DynamoDB of one's own, without Docker or an account.

Both listen on 127.0.0.1 only and keep their data in one folder, with a state file that says which
ports they have. They belong to whoever started them first and are shared by every later command.
Asking where they are reads that file and does nothing else; everything heavier is imported late.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from core.commands import Command
from core.engines.state import STATE_FILE, read_state
from core.errors import EngineError

__all__ = ["Endpoints", "EngineStatus", "endpoints", "psql_path", "start", "status", "stop"]

DATABASE = "cruddur"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the engines answer while they run. The URL holds a password."""

    postgres_url: str = field(repr=False)
    aws_endpoint_url: str


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """One engine: ``state`` is "running" or "stopped"; ``notes`` is what there is to know."""

    name: str
    state: str
    port: int | None
    pid: int | None
    notes: str = ""


def endpoints(folder: Path) -> Endpoints:
    """Where the engines of ``folder`` answer, whether or not they run.

    Raises:
        EngineError: they were never started.
    """
    state = read_state(folder / STATE_FILE)
    if state is None:
        raise EngineError("the embedded engines have not been set up yet", "Run", Command("up"))
    return Endpoints(
        f"postgresql://postgres:{state.password}@127.0.0.1:{state.postgres.port}/{DATABASE}",
        f"http://127.0.0.1:{state.dynamodb.port}",
    )


def start(folder: Path) -> list[EngineStatus]:
    """Start the engines that are not running; returns once both answer.

    Raises:
        EngineError: one of them cannot be started; what runs keeps running.
    """
    from core.engines import control

    return control.start(folder)


def stop(folder: Path) -> list[EngineStatus]:
    """Stop the engines of ``folder`` and nothing else; returns once they are gone.

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
