"""The state file of the engines: their ports, the password and their processes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from core.commands import Command
from core.errors import EngineError
from core.private_files import replace_private_file

STATE_FILE = "state.json"
_VERSIONS = (1, 2)
"""Version 2 is written only where the data is in dynoxide: an older program must not miss it."""

MINISTACK, DYNOXIDE = "ministack", "dynoxide"


Keep = Callable[[], None]
"""Writes the state file, with the state as it is by then."""


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
    """``holder`` is the program that has DynamoDB's data, and listens on DynamoDB's port.

    ``aws`` is ministack for the other services, where it is not the holder. ``is_chosen``: the
    holder was named by the user. ``helpers`` move data; no other command leaves any behind.
    ``is_unclean``: a program ended without saving its data, and no start has said so yet.
    """

    password: str
    postgres: Engine
    dynamodb: Engine
    aws: Engine | None = None
    holder: str = MINISTACK
    is_chosen: bool = False
    helpers: list[Process] = field(default_factory=list)
    is_unclean: bool = False


def read_state(path: Path) -> State | None:
    """The state in the file at ``path``; None where there is none.

    Raises:
        EngineError: the file is damaged, or of a newer version.
    """
    try:
        stored = json.loads(path.read_text())
        if stored["version"] not in _VERSIONS:
            raise EngineError(
                f"{path} has version {stored['version']}, this program needs {_VERSIONS[-1]}",
                "Update Cruddur Ops, or stop the engines with the version that started them.",
            )
        return _state(stored)
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


def _state(stored: dict[str, Any]) -> State:
    holder = stored.get("holder", MINISTACK)
    if holder not in (MINISTACK, DYNOXIDE):
        raise ValueError(holder)
    return State(
        str(stored["password"]),
        _engine(stored["postgres"]),
        _engine(stored["dynamodb"]),
        _engine(stored["aws"]) if stored.get("aws") else None,
        holder,
        bool(stored.get("is_chosen")),
        [_process(process) for process in stored.get("helpers", ())],
        bool(stored.get("is_unclean")),
    )


def _engine(stored: dict[str, object]) -> Engine:
    port, process = int(str(stored["port"])), stored["process"]
    if not 0 < port < 65_536:
        raise ValueError(port)
    return Engine(port, None if process is None else _process(process))


def _process(stored: Any) -> Process:
    if not isinstance(stored, dict) or int(stored["pid"]) <= 0:
        raise ValueError(stored)
    return Process(int(stored["pid"]), float(stored["created_at"]))


def write_state(path: Path, state: State) -> None:
    """Store ``state`` whole or not at all, readable by its owner only."""
    version = _VERSIONS[state.holder == DYNOXIDE]
    replace_private_file(path, json.dumps({"version": version, **asdict(state)}, indent=2))
