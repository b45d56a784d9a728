"""Finds, waits for and ends the processes that were started here, and no others."""

from __future__ import annotations

import fcntl
import random
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

import psutil

from core.commands import Command
from core.engines.state import Engine, Process
from core.errors import EngineError

_CLOCK_TOLERANCE_S = 2.0
"""How far a process's start time may seem to move when the system's clock is set."""

START_TIMEOUT_S = 30.0

PORTS = range(15_000, 30_000)
"""Of the engines: below the range that systems use for outgoing connections."""

_PORT_TIMEOUT_S = 2.0
"""How long to wait for the port of a program that has just ended."""


def locked(folder: Path) -> IO[str]:
    """A file of ``folder`` that one command at a time has open; a second one waits for the first.

    The folder is made if it is missing.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = (folder / "lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def alive(process: Process | None) -> psutil.Process | None:
    """The process if it still runs; None if it ended, even if a later one has its pid."""
    if process is None:
        return None
    try:
        running = psutil.Process(process.pid)
        moved = abs(running.create_time() - process.created_at)
        if moved > _CLOCK_TOLERANCE_S or running.status() == psutil.STATUS_ZOMBIE:
            return None
    except psutil.Error:
        return None
    return running


def in_folder(process: Process | None, folder: Path, word: str) -> psutil.Process | None:
    """The process, if it works in ``folder`` and has ``word`` in its command line.

    Its working directory tells, so that a step of the system's clock, which changes the start times
    of processes, makes no difference. Where we may not see it, its start time tells.
    """
    if process is None:
        return None
    try:
        running = psutil.Process(process.pid)
        is_named = word in running.cmdline()
        if running.status() == psutil.STATUS_ZOMBIE or not is_named:
            return None
        is_ours = Path(running.cwd()).samefile(folder)
    except psutil.AccessDenied:
        return alive(process)
    except (psutil.Error, OSError):
        return None
    return running if is_ours else None


def remember(pid: int) -> Process:
    return Process(pid, psutil.Process(pid).create_time())


def log_end(log: Path) -> int:
    """Where a log ends now, in bytes, for :func:`log_since`."""
    return log.stat().st_size if log.exists() else 0


def log_since(log: Path, begin: int) -> str:
    """What a log says from the byte ``begin`` on; nothing if it cannot be read."""
    try:
        with log.open("rb") as file:
            file.seek(begin)
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def await_start(
    child: subprocess.Popen[bytes],
    engine: Engine,
    keep: Callable[[], None],
    answers: Callable[[], bool],
    name: str,
    log: Path,
) -> None:
    """Wait until the server that ``child`` is answers. Its process is recorded first, and kept.

    Raises:
        EngineError: it has ended, or does not answer.
    """
    engine.process = remember(child.pid)
    keep()
    answered = wait_until(lambda: child.poll() is not None or answers(), START_TIMEOUT_S)
    if not answered or child.poll() is not None:
        child.kill()
        child.wait()
        engine.process = None
        raise EngineError(f"Could not start {name}: {last_line(log)}", f"Read its log: {log}")
    child.returncode = 0  # it outlives this process: avoids a ResourceWarning


def await_answer(process: psutil.Process, answers: Callable[[], bool], name: str) -> None:
    """Wait until a server that runs already answers: another command may just have started it.

    Raises:
        EngineError: it does not.
    """
    if not wait_until(answers, START_TIMEOUT_S):
        problem = f"{name} (pid {process.pid}) runs, and does not answer"
        raise EngineError(problem, "To stop it, run", Command("down"))


def end(process: psutil.Process, signal: int, name: str, timeout_s: float = 60.0) -> None:
    """Send ``signal`` and wait until the process and its children are gone."""
    try:
        family = [process, *process.children(recursive=True)]
        process.send_signal(signal)
    except psutil.NoSuchProcess:
        return
    except psutil.AccessDenied as error:
        raise EngineError(
            f"{name} (pid {process.pid}) belongs to another user", "Stop it as that user."
        ) from error
    if not wait_until(lambda: all([_has_ended(member) for member in family]), timeout_s):
        raise EngineError(
            f"{name} (pid {process.pid}) did not stop",
            f"Read its log, or end it: kill -9 {process.pid}",
        )


def _has_ended(process: psutil.Process) -> bool:
    """Whether the process is gone or a zombie, whose parent has not asked for its exit status.

    In a container without an init a zombie stays for ever.
    """
    try:
        zombie = bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
    if zombie:
        with suppress(psutil.TimeoutExpired):
            process.wait(timeout=0)  # asks for the status if it is a child of this process
    return zombie


def free_port(ports: Sequence[int]) -> int:
    """A free port, one of ``ports`` by chance."""
    for port in random.sample(ports, min(200, len(ports))):
        if is_free(port):
            return port
    raise EngineError(
        f"No port between {ports[0]} and {ports[-1] + 1} is free", "Close some programs."
    )


def is_free(port: int, address: str = "127.0.0.1") -> bool:
    """Whether a server could listen on ``port`` of ``address``, one of this machine's."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


def require_free(port: int, name: str, folder: Path) -> None:
    """Raise an error that names the program on ``port``, unless the port is free.

    A program that was killed may keep its port for a moment after its pid has ended: until its
    last thread is gone.
    """
    if wait_until(lambda: is_free(port), _PORT_TIMEOUT_S):
        return
    raise EngineError(
        f"Port {port}, which {name} uses in {folder}, is taken{_by_whom(port)}",
        'Stop that program, or set another "port" in state.json in that folder.',
    )


def _by_whom(port: int) -> str:
    try:
        for connection in psutil.net_connections("inet"):
            here = connection.laddr and connection.laddr[1] == port
            if here and connection.status == psutil.CONN_LISTEN and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except psutil.Error:
        pass  # we may not see other users' processes
    return ""


def wait_until(ready: Callable[[], bool], timeout_s: float) -> bool:
    """Whether ``ready`` became true in time."""
    deadline = time.monotonic() + timeout_s
    while not ready():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def last_line(log: Path) -> str:
    """The last line of a log that is not blank."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
