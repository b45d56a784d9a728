"""Starts and stops both engines, one command at a time."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.commands import Command
from core.engines import (
    DATABASE,
    DYNOXIDE,
    MINISTACK,
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
        return _status(folder, state, note)


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
    return [EngineStatus(name, "stopped", None, None, note) for name in ("postgres", "dynamodb")]


def _status(folder: Path, state: State, note: str) -> list[EngineStatus]:
    server = postgres.running(folder)
    accepting = server is not None and _listens(state.postgres.port)
    holder = stores.running(folder, state)
    answering = holder is not None and stores.answers(state)
    statuses = [
        EngineStatus(
            "postgres",
            "running" if accepting else "stopped",
            state.postgres.port,
            server.pid if server else None,
            f"database {DATABASE}" if accepting else "",
        ),
        EngineStatus(
            "dynamodb",
            "running" if answering else "stopped",
            state.dynamodb.port,
            holder.pid if holder else None,
            note,
        ),
    ]
    if state.aws is not None:
        others = dynamodb.running(dynamodb.Place.of_others(folder), state.aws)
        is_up = others is not None and dynamodb.answers(state.aws.port)
        pid = others.pid if others else None
        word = "running" if is_up else "stopped"
        statuses.append(EngineStatus("aws", word, state.aws.port, pid, "Cognito, EC2, STS"))
    return statuses


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError:
        return False
    return True


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
