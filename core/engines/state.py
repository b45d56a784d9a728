"""The state file of the engines: their ports, the password and their processes."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from core.commands import Command
from core.errors import EngineError
from core.private_files import replace_private_file

STATE_FILE = "state.json"
_VERSION = 1


@dataclass(slots=True)
class Process:
    """A process that was started here. Its start time distinguishes it from later ones."""

    pid: int
    created_at: float


@dataclass(slots=True)
class Engine:
    """One engine: its permanent port, and its process; None after it was stopped properly."""

    port: int
    process: Process | None = None


@dataclass(slots=True)
class State:
    password: str
    postgres: Engine
    dynamodb: Engine


def read_state(path: Path) -> State | None:
    """The state in the file at ``path``; None where there is none.

    Raises:
        EngineError: the file is damaged, or of a newer version.
    """
    try:
        stored = json.loads(path.read_text())
        if stored["version"] != _VERSION:
            raise EngineError(
                f"{path} has version {stored['version']}, this program needs {_VERSION}",
                "Update Cruddur Ops, or stop the engines with the version that started them.",
            )
        return State(
            str(stored["password"]), _engine(stored["postgres"]), _engine(stored["dynamodb"])
        )
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise EngineError(f"Could not read {path}: {error.strerror}", _AS_BEFORE) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise EngineError(
            f"{path} is damaged",
            "Delete its folder with the local data, then run",
            Command("up"),
        ) from error


_AS_BEFORE = "Run as the user that started the engines."


def _engine(stored: dict[str, object]) -> Engine:
    port, process = int(str(stored["port"])), stored["process"]
    if not 0 < port < 65_536:
        raise ValueError(port)
    if process is None:
        return Engine(port)
    if not isinstance(process, dict) or int(process["pid"]) <= 0:
        raise ValueError(process)
    return Engine(port, Process(int(process["pid"]), float(process["created_at"])))


def write_state(path: Path, state: State) -> None:
    """Store ``state`` whole or not at all, readable by its owner only."""
    replace_private_file(path, json.dumps({"version": _VERSION, **asdict(state)}, indent=2))
