"""Starting and stopping both engines, one command at a time."""

from __future__ import annotations

import fcntl
import random
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.engines import DATABASE, EngineStatus, dynamodb, endpoints, postgres, processes
from core.engines.state import STATE_FILE, Engine, State, read_state, write_state
from core.errors import EngineError
from core.private_files import replace_private_file

# Below the range that systems hand out to outgoing connections.
_PORTS = range(15_000, 30_000)


def start(folder: Path) -> list[EngineStatus]:
    """See :func:`core.engines.start`."""
    with _exclusively(folder):
        path = folder / STATE_FILE
        state = read_state(path) or _new_state()
        write_state(path, state)
        replace_private_file(folder / "env", _environment(folder))
        try:
            postgres.start(folder, state.postgres, state.password)
            note = dynamodb.start(folder, state.dynamodb, lambda: write_state(path, state))
        finally:
            write_state(path, state)
        return _status(folder, state, note)


def stop(folder: Path) -> list[EngineStatus]:
    """See :func:`core.engines.stop`."""
    if not (folder / STATE_FILE).exists():
        return _never_started()
    with _exclusively(folder):
        path = folder / STATE_FILE
        state = read_state(path) or _new_state()
        unclean = state.dynamodb.process and not processes.alive(state.dynamodb.process)
        try:
            dynamodb.stop(state.dynamodb)
            postgres.stop(folder, state.postgres)
        finally:
            write_state(path, state)
        return _status(folder, state, dynamodb.UNCLEAN if unclean else "")


def status(folder: Path) -> list[EngineStatus]:
    """See :func:`core.engines.status`."""
    state = read_state(folder / STATE_FILE)
    if state is None:
        return _never_started()
    unclean = state.dynamodb.process and not processes.alive(state.dynamodb.process)
    return _status(folder, state, dynamodb.UNCLEAN if unclean else "")


def _never_started() -> list[EngineStatus]:
    note = "never started; run: invoke up"
    return [EngineStatus(name, "stopped", None, None, note) for name in ("postgres", "dynamodb")]


def _status(folder: Path, state: State, note: str) -> list[EngineStatus]:
    found = postgres.running(folder)
    accepting = found is not None and _listens(state.postgres.port)
    other = processes.alive(state.dynamodb.process)
    answering = other is not None and dynamodb.answers(state.dynamodb.port)
    return [
        EngineStatus(
            "postgres",
            "running" if accepting else "stopped",
            state.postgres.port,
            found.pid if found else None,
            f"database {DATABASE}" if accepting else "",
        ),
        EngineStatus(
            "dynamodb",
            "running" if answering else "stopped",
            state.dynamodb.port,
            other.pid if other else None,
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
    """Two free ports, for good, and a password: on a shared machine others may reach the port."""
    tried = random.sample(_PORTS, 200)
    free = [port for port in tried if processes.is_free(port)][:2]
    if len(free) < 2:
        raise EngineError("no free port was found from 15000 up", "Close some programs.")
    return State(secrets.token_urlsafe(24), Engine(free[0]), Engine(free[1]))


def _environment(folder: Path) -> str:
    """A shell file that points other programs, Cruddur's own among them, at the engines."""
    found = endpoints(folder)
    variables = {
        "CONNECTION_URL": found.postgres_url,
        "AWS_ENDPOINT_URL": found.aws_endpoint_url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
    }
    return "".join(f"export {name}='{value}'\n" for name, value in variables.items())


@contextmanager
def _exclusively(folder: Path) -> Iterator[None]:
    """One command at a time; a second one waits for the first."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
    except OSError as error:
        where = error.filename or folder
        raise EngineError(
            f"{where}: {error.strerror}",
            "Make room, or make the folder writable; another one: CRUDDUR_ENGINES_DIR",
        ) from error
