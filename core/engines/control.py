"""Starts and stops both engines, one command at a time."""

from __future__ import annotations

import functools
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from core.commands import Command
from core.engines import (
    DATABASE,
    DYNOXIDE,
    MINISTACK,
    RUNNING,
    SILENT,
    STOPPED,
    Choice,
    EngineStatus,
    dynamodb,
    dynoxide,
    endpoints,
    postgres,
    processes,
    stores,
)
from core.engines.state import STATE_FILE, Engine, State, read_state, write_state
from core.errors import EngineError
from core.private_files import replace_private_file


def start(folder: Path, choice: Choice) -> list[EngineStatus]:
    """See :func:`core.engines.start`."""
    with _exclusively(folder):
        path = folder / STATE_FILE
        state = read_state(path) or _new_state(folder)

        def keep() -> None:
            write_state(path, state)

        keep()
        replace_private_file(folder / "env", _environment(folder))
        try:
            postgres.start(folder, state.postgres, state.password)
            note = stores.start(folder, state, choice, keep)
        finally:
            keep()
        replace_private_file(folder / "env", _environment(folder))
        statuses = _status(folder, state, note)
        if state.is_unclean:
            state.is_unclean = False  # the note says it
            keep()
        return statuses


def start_postgres(folder: Path) -> None:
    """See :func:`core.engines.start_postgres`."""
    with _exclusively(folder):
        path = folder / STATE_FILE
        state = read_state(path) or _new_state(folder)
        write_state(path, state)
        replace_private_file(folder / "env", _environment(folder))
        try:
            postgres.start(folder, state.postgres, state.password)
        finally:
            write_state(path, state)


def stop(folder: Path) -> list[EngineStatus]:
    """See :func:`core.engines.stop`."""
    if not (folder / STATE_FILE).exists():
        return _never_started()
    with _exclusively(folder):
        path = folder / STATE_FILE
        state = read_state(path) or _new_state(folder)
        note = stores.note_of(folder, state)
        try:
            try:
                stores.stop(folder, state)
            finally:
                postgres.stop(folder, state.postgres)
        finally:
            write_state(path, state)
        return _status(folder, state, note)


def status(folder: Path) -> list[EngineStatus]:
    """See :func:`core.engines.status`."""
    state = read_state(folder / STATE_FILE)
    if state is None:
        return _never_started()
    return _status(folder, state, stores.note_of(folder, state))


def _never_started() -> list[EngineStatus]:
    note = f"never started. Run: {Command('up').line()}"
    return [EngineStatus(name, STOPPED, None, None, note) for name in ("postgres", "dynamodb")]


def _status(folder: Path, state: State, note: str) -> list[EngineStatus]:
    server = postgres.running(folder)
    holder_answers = functools.partial(stores.answers, state)
    statuses = [
        _status_of(
            "postgres",
            state.postgres,
            server,
            postgres.answers,
            f"database {DATABASE}" if server else "",
        ),
        _status_of("dynamodb", state.dynamodb, stores.running(folder, state), holder_answers, note),
    ]
    if state.aws is not None:
        others = dynamodb.running(dynamodb.Place.of_others(folder), state.aws)
        statuses.append(_status_of("aws", state.aws, others, dynamodb.answers, "Cognito, EC2, STS"))
    return statuses


def _status_of(
    name: str,
    engine: Engine,
    process: psutil.Process | None,
    answers: Callable[[int], bool],
    note: str,
) -> EngineStatus:
    """The status of one engine; if it runs and does not answer, with the command that stops it."""
    if process is None:
        return EngineStatus(name, STOPPED, engine.port, None, note)
    if answers(engine.port):
        return EngineStatus(name, RUNNING, engine.port, process.pid, note)
    note = "; ".join(filter(None, (note, f"to stop it, run: {Command('down').line()}")))
    return EngineStatus(name, SILENT, engine.port, process.pid, note)


def _new_state(folder: Path) -> State:
    """Two free ports and a password: on a shared machine, other users may reach the ports.

    Data without a state file is not thrown away: a dynoxide folder has its name only when it is
    complete.
    """
    holder = DYNOXIDE if dynoxide.Place.of_data(folder).folder.exists() else MINISTACK
    first = processes.free_port(processes.PORTS)
    second = processes.free_port([port for port in processes.PORTS if port != first])
    return State(secrets.token_urlsafe(24), Engine(first), Engine(second), holder=holder)


def _environment(folder: Path) -> str:
    """A shell file that points other programs, such as Cruddur's own, at the engines."""
    urls = endpoints(folder)
    variables = {
        "CONNECTION_URL": urls.postgres_url,
        # Cruddur's own code knows this one only, and uses it for DynamoDB.
        "AWS_ENDPOINT_URL": urls.dynamodb_endpoint_url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
    }
    return "".join(f"export {name}='{value}'\n" for name, value in variables.items())


@contextmanager
def _exclusively(folder: Path) -> Iterator[None]:
    """Run the block in one command at a time; a second one waits for the first."""
    try:
        with processes.locked(folder):
            yield
    except OSError as error:
        where = error.filename or folder
        raise EngineError(
            f"{where}: {error.strerror or error}",
            "Free some space, make the folder writable, or set another one in CRUDDUR_ENGINES_DIR.",
        ) from error
