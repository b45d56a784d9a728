"""Moves DynamoDB's data from one program to the other, so that no crash loses any of it.

The program that has the data is started on a port that no client knows, and copied into an empty
one in a folder of its own. When the copy is complete, compared and on the disk, its folder or file
takes its final name; then the state file names the other program; then the old data is removed.
Until the state file is written, the old data counts, and after that, the new. The next command
removes what does not count (:func:`finish`).
"""

from __future__ import annotations

import json
import os
import shutil
import signal
from contextlib import suppress
from pathlib import Path

from core.commands import Command
from core.engines import DYNOXIDE, MINISTACK, copying, dynamodb, dynoxide, processes
from core.engines.copying import Copied
from core.engines.requests import HERE, Scope
from core.engines.state import Engine, Keep, State
from core.errors import EngineError


def finish(folder: Path, state: State, keep: Keep) -> None:
    """End what a move that was killed has left behind, and remove the data that does not count."""
    if state.helpers:
        end_helpers(state)
        keep()
    for place in (dynoxide.Place.of_move(folder), dynamodb.Place.of_move(folder)):
        shutil.rmtree(place.folder, ignore_errors=True)
    if state.holder == DYNOXIDE:
        dynamodb.Place.of_data(folder).saved.unlink(missing_ok=True)
    else:
        shutil.rmtree(dynoxide.Place.of_data(folder).folder, ignore_errors=True)


def end_helpers(state: State) -> None:
    """End the programs that a move that was killed has left behind."""
    for process in state.helpers:
        if (left := processes.alive(process)) is not None:
            processes.end(left, signal.SIGKILL, "a program that moved data")
    state.helpers.clear()


def move(folder: Path, state: State, binary: Path, keep: Keep) -> Copied:
    """Make the other program the one that has the data. Nothing of them runs before or after.

    Raises:
        EngineError: it failed, and the data stays where it is. It names the command that goes on
            without a move: otherwise a later start would move the data again.
    """
    is_durable = state.holder == DYNOXIDE
    try:
        copied = (_to_ministack if is_durable else _to_dynoxide)(folder, state, binary, keep)
    except EngineError as error:
        raise _staying(state.holder, error.problem, error.hint) from error
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        problem = f"Could not move the data: {where}{error.strerror or error}"
        raise _staying(state.holder, problem) from error
    state.holder = MINISTACK if is_durable else DYNOXIDE
    keep()
    finish(folder, state, keep)
    return copied


def _staying(holder: str, problem: str, hint: str = "") -> EngineError:
    """The error of a move from ``holder``, with the command that goes on without a move."""
    before = f"{hint.rstrip('.')}. " if hint else ""
    stays = f"{before}DynamoDB's data stays in {holder}. To go on with it, run"
    return EngineError(problem, stays, Command("up", ("--engine", holder)))


def _to_dynoxide(folder: Path, state: State, binary: Path, keep: Keep) -> Copied:
    old, new = dynamodb.Place.of_data(folder), dynoxide.Place.of_move(folder)
    scopes = _scopes(old.saved)
    source, target = _Helper(state, keep), _Helper(state, keep)
    try:
        dynoxide.start(new, binary, target.engine, target.keep)
        copied = Copied(0, 0)
        if scopes:
            dynamodb.start(old, source.engine, source.keep)
            copied = copying.copy_tables(source.engine.port, scopes, target.engine.port)
        dynoxide.stop(new, target.engine)
    finally:
        source.end()
        target.end()
    _sync(new.folder)
    new.folder.rename(dynoxide.Place.of_data(folder).folder)
    _sync_folder(folder)
    return copied


def _to_ministack(folder: Path, state: State, binary: Path, keep: Keep) -> Copied:
    if not (folder / dynoxide.FOLDER).exists():
        return Copied(0, 0)  # there was never any data
    old, new = dynoxide.Place.of_data(folder), dynamodb.Place.of_move(folder)
    source, target = _Helper(state, keep), _Helper(state, keep)
    try:
        dynoxide.start(old, binary, source.engine, source.keep)
        dynamodb.start(new, target.engine, target.keep)
        copied = copying.copy_tables(source.engine.port, [HERE], target.engine.port)
        dynamodb.stop(new, target.engine)
        # What counts is what it has saved.
        dynamodb.start(new, target.engine, target.keep)
        copying.compare(source.engine.port, [HERE], target.engine.port)
        dynamodb.stop(new, target.engine)
        dynoxide.stop(old, source.engine)
    finally:
        source.end()
        target.end()
    saved = dynamodb.Place.of_data(folder).saved
    if new.saved.exists():
        _sync(new.saved.parent)
        saved.parent.mkdir(parents=True, exist_ok=True)
        new.saved.replace(saved)
        _sync_folder(saved.parent)
    return copied


class _Helper:
    """A program that runs during a move, on a port of its own; the state file names it."""

    def __init__(self, state: State, keep: Keep) -> None:
        self._state = state
        self._keep = keep
        self.engine = Engine(processes.free_port(processes.PORTS))

    def keep(self) -> None:
        if self.engine.process is not None:
            self._state.helpers.append(self.engine.process)
        self._keep()

    def end(self) -> None:
        """End it, if it still runs: after a failure, what it has is not needed."""
        if (process := processes.alive(self.engine.process)) is not None:
            processes.end(process, signal.SIGKILL, "a program that moved data")
        self.engine.process = None


def _scopes(saved: Path) -> list[Scope]:
    """The accounts and regions whose tables a ministack has saved.

    Raises:
        EngineError: the file is not as expected, so some table could be overlooked.
    """
    if not saved.exists():
        return []
    try:
        tables = json.loads(saved.read_text())["payload"]["tables"]["data"]
        scopes = {Scope(*key.split("\0")[:2]) for key in tables}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EngineError(f"Could not read which tables {saved} has") from error
    return sorted(scopes, key=lambda scope: (scope.account, scope.region))


def _sync(folder: Path) -> None:
    """Have the files of ``folder`` on the disk."""
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        with path.open("rb") as file:
            os.fsync(file.fileno())
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    with suppress(OSError):  # not every file system can
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
