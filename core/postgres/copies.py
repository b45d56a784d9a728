"""Dumps of the whole database, and restoring one.

Postgres's own programs do the work, in the custom format. The environment marker belongs to a
database and not to its data: it is never restored, whatever wrote the file.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from core.errors import InputError
from core.postgres.admin import mark
from core.postgres.database import Database, Queries
from core.postgres.programs import Programs
from core.postgres.statements import load
from core.private_files import new_private_file

Progress = Callable[[int, int | None], None]
"""Receives the number of finished tables, and the number of all tables."""

_MARKER = "cruddur_ops_environment"
_LEDGER = "cruddur_ops_migrations"
_LOCK_WAIT = "--lock-wait-timeout=10s"


def has_any_table(db: Queries) -> bool:
    """Whether the database has a table, other than the environment marker."""
    return bool(db.query_rows(load("admin/tables")))


def dump_database(db: Database, programs: Programs, path: Path, progress: Progress) -> int:
    """The size in bytes of the dump that was written to ``path``, completely or not at all.

    The file has mode 0600.

    Raises:
        InputError: the file cannot be written.
        PostgresError: pg_dump failed.
    """
    tables = len(db.query_rows(load("admin/tables")))
    try:
        if path.exists() and not path.is_file():
            raise InputError(f"{path} is not a regular file", "Name another file with --file.")
        with new_private_file(path) as file:
            programs.run(
                "pg_dump",
                ["--format=custom", "--verbose", _LOCK_WAIT, f"--exclude-table=public.{_MARKER}"],
                db.reached,
                stdout=file,
                tell=_counting("dumping contents of table", tables, progress),
            )
            size_bytes = os.fstat(file.fileno()).st_size
    except OSError as error:
        raise InputError(
            f"Could not write {path}: {error.strerror}", "Name another file with --file."
        ) from error
    return size_bytes


def restore_database(
    db: Database, programs: Programs, path: Path, environment: str, progress: Progress
) -> None:
    """Restore the dump at ``path``, in one transaction: completely or not at all.

    The objects in the dump replace existing ones. The marker stays; a database without one is
    marked as ``environment`` first. A ledger of migrations that is not in the dump is dropped.

    Raises:
        InputError: the file cannot be read, or is not a dump.
        PostgresError: pg_restore failed. Nothing was changed.
    """
    with tempfile.TemporaryDirectory() as folder:
        wanted = _contents(programs, path, Path(folder))
        contents = wanted.read_text("utf-8")
        mark(db, environment)
        programs.run(
            "pg_restore",
            [
                *("--single-transaction", "--exit-on-error", "--clean", "--if-exists"),
                *(
                    "--no-owner",
                    "--no-privileges",
                    "--no-comments",
                    "--verbose",
                    f"--use-list={wanted}",
                ),
                str(path),
            ],
            db.reached,
            tell=_counting("processing data", contents.count(" TABLE DATA "), progress),
        )
    if _LEDGER not in contents:
        db.query_commit(load("ledger/drop_table"))


def check_dump(path: Path) -> None:
    """Look at the beginning of a file.

    Raises:
        InputError: it cannot be read, or is not a dump.
    """
    try:
        with path.open("rb") as file:
            if file.read(5) != b"PGDMP":
                raise InputError(
                    f"{path} is not a dump in Postgres's custom format",
                    "Name a file that db.dump or pg_dump --format=custom wrote.",
                )
    except OSError as error:
        raise InputError(
            f"Could not read {path}: {error.strerror}", "Name another file with --file."
        ) from error


def _contents(programs: Programs, path: Path, folder: Path) -> Path:
    """A file that lists what to restore from the dump at ``path``."""
    check_dump(path)
    listed = folder / "listed"
    with listed.open("wb") as file:
        programs.run("pg_restore", ["--list", str(path)], stdout=file)
    lines = [line for line in listed.read_text("utf-8").splitlines() if _MARKER not in line]
    wanted = folder / "wanted"
    wanted.write_text("\n".join(lines) + "\n", "utf-8")
    return wanted


def _counting(words: str, total: int, progress: Progress) -> Callable[[str], None]:
    count = 0

    def tell(line: str) -> None:
        nonlocal count
        count += words in line
        progress(count, total)

    return tell
