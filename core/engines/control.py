"""Starts and stops both engines, one command at a time."""

from __future__ import annotations

import fcntl
import random
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.commands import Command
from core.engines import DATABASE, EngineStatus, dynamodb, endpoints, postgres, processes
from core.engines.state import STATE_FILE, Engine, State, read_state, write_state
from core.errors import EngineError
from core.private_files import replace_private_file

# Below the range that systems use for outgoing connections.
_PORTS = range(15_000, 30_000)


def start(folder: Path, *, functions: bool = False) -> list[EngineStatus]:
    """See :func:`core.engines.start`."""
    with _exclusively(folder):
        path = folder / STATE_FILE
        state = read_state(path) or _new_state()
        write_state(path, state)
        replace_private_file(folder / "env", _environment(folder))
        try:
            postgres.start(folder, state.postgres, state.password)
            note = dynamodb.start(
                folder,
                state.dynamodb,
                lambda: write_state(path, state),
                functions=functions,
            )
        finally:
            write_state(path, state)
        return _status(folder, state, note)


def start_postgres(folder: Path) -> None:
    """See :func:`core.engines.start_postgres`."""
    with _exclusively(folder):
        path = folder / STATE_FILE
        state = read_state(path) or _new_state()
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
        state = read_state(path) or _new_state()
        unclean = state.dynamodb.process and not dynamodb.running(folder, state.dynamodb)
        try:
            dynamodb.stop(folder, state.dynamodb)
            postgres.stop(folder, state.postgres)
        finally:
            write_state(path, state)
        return _status(folder, state, dynamodb.unclean() if unclean else "")


def status(folder: Path) -> list[EngineStatus]:
    """See :func:`core.engines.status`."""
    state = read_state(folder / STATE_FILE)
    if state is None:
        return _never_started()
    unclean = state.dynamodb.process and not dynamodb.running(folder, state.dynamodb)
    return _status(folder, state, dynamodb.unclean() if unclean else "")


def _never_started() -> list[EngineStatus]:
    note = f"never started. Run: {Command('up').line()}"
    return [EngineStatus(name, "stopped", None, None, note) for name in ("postgres", "dynamodb")]


def _status(folder: Path, state: State, note: str) -> list[EngineStatus]:
    server = postgres.running(folder)
    accepting = server is not None and _listens(state.postgres.port)
    ministack = dynamodb.running(folder, state.dynamodb)
    answering = ministack is not None and dynamodb.answers(state.dynamodb.port)
    return [
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
            ministack.pid if ministack else None,
            note,
        ),
    ]


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError:
        return False
    return True


def _new_state() -> State:
    """Two free ports and a password: on a shared machine, other users may reach the ports."""
    tried = random.sample(_PORTS, 200)
    free = [port for port in tried if processes.is_free(port)][:2]
    if len(free) < 2:
        raise EngineError("No port between 15000 and 29999 is free", "Close some programs.")
    return State(secrets.token_urlsafe(24), Engine(free[0]), Engine(free[1]))


def _environment(folder: Path) -> str:
    """A shell file that points other programs, such as Cruddur's own, at the engines."""
    urls = endpoints(folder)
    variables = {
        "CONNECTION_URL": urls.postgres_url,
        "AWS_ENDPOINT_URL": urls.aws_endpoint_url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
    }
    return "".join(f"export {name}='{value}'\n" for name, value in variables.items())


@contextmanager
def _exclusively(folder: Path) -> Iterator[None]:
    """Run the block in one command at a time; a second one waits for the first."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
    except OSError as error:
        where = error.filename or folder
        raise EngineError(
            f"{where}: {error.strerror}",
            "Free some space, make the folder writable, or set another one in CRUDDUR_ENGINES_DIR.",
        ) from error
