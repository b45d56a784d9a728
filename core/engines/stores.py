"""Which program is the embedded DynamoDB: ministack or dynoxide. Starts and stops it.

One of them has the data, and the state file says which. :mod:`core.engines.moving` changes that.
"""

from __future__ import annotations

from pathlib import Path

import psutil

from core.commands import Command
from core.engines import DYNOXIDE, MINISTACK, Choice, dynamodb, dynoxide, moving, processes
from core.engines.copying import Copied
from core.engines.state import Engine, Keep, State
from core.errors import EngineError
from core.wording import counted


def start(folder: Path, state: State, choice: Choice, keep: Keep) -> str:
    """Start the DynamoDB of ``choice``, after moving the data to it; returns a note on it."""
    moving.finish(folder, state, keep)
    state.is_unclean = is_unclean(folder, state)  # a new process replaces what shows it
    wanted = _wanted(folder, state, choice)
    moved = ""
    if wanted != state.holder:
        binary = _binary(choice, state)
        stop(folder, state)
        state.is_chosen = False  # functions move it to a program that the user has not named
        keep()
        moved = _described(moving.move(folder, state, binary, keep))
    state.is_chosen = state.is_chosen or bool(choice.engine)
    if state.holder == DYNOXIDE:
        place = dynoxide.Place.of_data(folder)
        dynoxide.start(place, _binary(choice, state), state.dynamodb, keep)
        state.aws = state.aws or Engine(processes.free_port(processes.PORTS))
        dynamodb.start(dynamodb.Place.of_others(folder), state.aws, keep)
    else:
        state.aws = None
        of_data = dynamodb.Place.of_data(folder, functions=choice.functions)
        dynamodb.start(of_data, state.dynamodb, keep)
    return note_of(folder, state, moved)


def _binary(choice: Choice, state: State) -> Path:
    """The file of dynoxide."""
    if choice.dynoxide is not None:
        return choice.dynoxide
    problem = "dynoxide is not installed"
    if state.holder == DYNOXIDE:
        problem = "DynamoDB's data is in dynoxide, which is not installed"
    raise EngineError(problem, "To install it with npm, run", Command("up", ("--durable",)))


def _described(copied: Copied) -> str:
    if copied.tables == 0:
        return ""
    return f"moved {counted(copied.tables, 'table')} with {counted(copied.items, 'item')}"


def _wanted(folder: Path, state: State, choice: Choice) -> str:
    """The program that is to have the data."""
    if choice.functions:
        return MINISTACK
    if choice.engine:
        return choice.engine
    if state.is_chosen or state.holder == DYNOXIDE or running(folder, state) is not None:
        return state.holder
    return DYNOXIDE if choice.dynoxide else MINISTACK


def stop(folder: Path, state: State) -> None:
    """Stop what runs, so that it saves its data; also what a move that was killed has left."""
    moving.end_helpers(state)
    if state.holder == DYNOXIDE:
        dynoxide.stop(dynoxide.Place.of_data(folder), state.dynamodb)
    else:
        dynamodb.stop(dynamodb.Place.of_data(folder), state.dynamodb)
    if state.aws is not None:
        dynamodb.stop(dynamodb.Place.of_others(folder), state.aws)


def running(folder: Path, state: State) -> psutil.Process | None:
    """The process that has the data; None if it does not run."""
    if state.holder == DYNOXIDE:
        return dynoxide.running(dynoxide.Place.of_data(folder), state.dynamodb)
    return dynamodb.running(dynamodb.Place.of_data(folder), state.dynamodb)


def answers(state: State, port: int) -> bool:
    """Whether the program that has the data answers."""
    return dynoxide.answers(port) if state.holder == DYNOXIDE else dynamodb.answers(port)


def is_unclean(folder: Path, state: State) -> bool:
    """Whether data may be lost, because the program ended without saving it."""
    if state.is_unclean:
        return True
    if state.holder == DYNOXIDE or state.dynamodb.process is None:
        return False
    return running(folder, state) is None


def note_of(folder: Path, state: State, moved: str = "") -> str:
    """Where the data is, what was ``moved``, and whether some of it may be lost."""
    where = "in dynoxide, durable" if state.holder == DYNOXIDE else "in ministack"
    lost = dynamodb.unclean() if is_unclean(folder, state) else ""
    return "; ".join(filter(None, (where, moved, lost)))
