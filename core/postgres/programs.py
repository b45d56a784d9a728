"""Choose the pg_dump and pg_restore that fit a server, and run them.

The password is never an argument. pg_dump refuses a server that is newer than itself.
https://www.postgresql.org/docs/current/app-pgdump.html
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO

from core.errors import PostgresError, SettingsError
from core.postgres.database import Database
from core.postgres.health import greet
from core.postgres.poolers import refuse_pooler
from core.postgres.shell import READ_WRITE, asks_for_tls, connection_arguments
from core.settings import libpq_variables
from core.targets.postgres import PostgresAddress

_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")


@dataclass(frozen=True, slots=True)
class Programs:
    """A folder with pg_dump and pg_restore of one major version."""

    folder: Path
    major: int

    def run(
        self,
        name: str,
        arguments: Sequence[str],
        address: PostgresAddress | None = None,
        *,
        stdout: IO[bytes] | int = subprocess.DEVNULL,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        """Run the program ``name`` to its end; ``tell`` receives the lines that it prints.

        Raises:
            PostgresError: it failed; the error has its reason.
        """
        last, reason = "", ""
        with self._started(name, arguments, address, stdout) as process:
            try:
                for line in process.stderr or ():
                    last = line.strip() or last
                    reason = reason or line.partition("error: ")[2].strip()
                    if tell is not None:
                        tell(last)
            except BaseException:
                process.kill()
                raise
        if process.returncode:
            reason = reason or last or f"exit code {process.returncode}"
            raise PostgresError(f"{name} failed: {reason}", "Nothing was changed.")

    def _started(
        self,
        name: str,
        arguments: Sequence[str],
        address: PostgresAddress | None,
        stdout: IO[bytes] | int,
    ) -> subprocess.Popen[str]:
        connection, password = "", None
        if address is not None:
            # It sets most parameters itself, but not this one, which others may have set.
            option = READ_WRITE if name == "pg_restore" else ""
            connection, password = connection_arguments(address, option)
        environment = {**os.environ, "LC_ALL": "C"}
        if address is not None and address.ignores_variables:
            # Not by options: an older program does not know every option that a variable sets.
            for variable in libpq_variables():
                del environment[variable]
        if password is not None:
            environment["PGPASSWORD"] = password
        command = [str(self.folder / name), *arguments]
        if address is not None:
            command += ["--no-password", f"--dbname={connection}"]
        return subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
        )


def find_programs(db: Database, bundled: Sequence[Path]) -> Programs:
    """The programs on the PATH if they fit the server, else the oldest bundled ones that fit.

    ``bundled`` are the folders of the embedded Postgres's wheel, whose programs have no TLS.

    Raises:
        SettingsError: all that are installed are older than the server, or lack TLS.
        InputError: a connection pooler is in between. They set parameters of their session, which
            an app would find in the pooler's next one: an empty search_path, for example.
    """
    refuse_pooler(db, "where pg_dump and pg_restore do not work")
    version = greet(db).version
    server = int(re.match(r"\d+", version)[0])  # type: ignore[index]
    on_path = shutil.which("pg_dump")
    usable = [] if asks_for_tls(db.address) else list(bundled)
    own = _of_version([Path(on_path).parent] if on_path else [], server)
    fitting = own or sorted(_of_version(usable, server), key=lambda programs: programs.major)
    if fitting:
        return fitting[0]
    missing = f"No pg_dump for Postgres {server} is installed"
    if usable != list(bundled):
        missing += ": the embedded engine's has no TLS"
    raise SettingsError(
        missing,
        f"Install one: apt install postgresql-client-{server}, or brew install libpq",
    )


def _of_version(folders: Sequence[Path], least: int) -> list[Programs]:
    installed = [Programs(folder, major) for folder in folders if (major := _major(folder))]
    return [programs for programs in installed if programs.major >= least]


@cache
def _major(folder: Path) -> int | None:
    """The major version of the programs in ``folder``; None if they do not run."""
    if not (folder / "pg_restore").exists():
        return None
    try:
        reply = subprocess.run(
            [folder / "pg_dump", "--version"], capture_output=True, check=False, text=True
        )
    except OSError:
        return None
    match = _VERSION.search(reply.stdout)
    return int(match[1]) if match else None
