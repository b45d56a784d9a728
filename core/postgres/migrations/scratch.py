"""A database for rehearsals: the schema of another database, on the embedded server.

It is dropped at the end. After a crash, the next rehearsal drops it.
"""

from __future__ import annotations

import json
import secrets
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from psycopg import sql

from core.errors import PostgresError
from core.postgres.database import Database, Queries, Row
from core.postgres.programs import Programs
from core.postgres.statements import FileStatement, load
from core.purposes import Purpose
from core.targets.postgres import PostgresAddress

_KEPT_ROWS = {"cruddur_ops_migrations", "schema_information"}
"""The tables whose rows a migration depends on: they say which ones are applied."""


@contextmanager
def scratch_database(server: PostgresAddress) -> Iterator[Database]:
    """An empty database on ``server``, which is dropped when the block ends.

    Another rehearsal does not drop it: it has a session until the end, and only one rehearsal at a
    time begins.
    """
    name = f"cruddur_rehearsal_{secrets.token_hex(6)}"
    with Database(server.with_dbname("postgres"), Purpose.DESTROYING) as maintenance:
        maintenance.run_alone(load("rehearsal/take_turn"))
        for row in maintenance.query_rows(load("rehearsal/leftovers")):
            with suppress(PostgresError):  # a session has begun
                maintenance.run_alone(_naming("rehearsal/drop_database", row["name"]))
        maintenance.run_alone(_naming("rehearsal/create_database", name))
        try:
            with Database(server.with_dbname(name), Purpose.DESTROYING) as database:
                database.session_pid()  # connects
                maintenance.run_alone(load("rehearsal/end_turn"))
                yield database
        finally:
            maintenance.run_alone(_naming("rehearsal/drop_database", name))


def copy_schema(source: Database, scratch: Database, programs: Programs) -> None:
    """Copy the schema of ``source`` and its records of migrations, but no other rows.

    An extension that the server of ``scratch`` does not have is left out.
    """
    tables = source.query_rows(load("admin/tables"))
    empty = [table for table in tables if table["name"] not in _KEPT_ROWS]
    patterns = [sql.Identifier(table["schema"], table["name"]).as_string() for table in empty]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "schema.dump"
        with path.open("wb") as file:
            programs.run(
                "pg_dump",
                [
                    *("--format=custom", "--no-owner", "--no-privileges", "--no-large-objects"),
                    "--lock-wait-timeout=10s",
                    *(f"--exclude-table-data={pattern}" for pattern in patterns),
                ],
                source.reached,
                stdout=file,
            )
        wanted = _without_missing_extensions(scratch, programs, path)
        programs.run(
            "pg_restore",
            [
                *("--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"),
                *("--no-comments", f"--use-list={wanted}", str(path)),
            ],
            scratch.reached,
        )


def _without_missing_extensions(scratch: Database, programs: Programs, path: Path) -> Path:
    """A file that lists the parts of the dump at ``path`` that this server can restore."""
    listed, wanted = path.with_name("listed"), path.with_name("wanted")
    with listed.open("wb") as file:
        programs.run("pg_restore", ["--list", str(path)], stdout=file)
    lines = listed.read_text("utf-8").splitlines()
    missing = {name for line in lines if (name := _extension(line)) and not _has(scratch, name)}
    if "uuid-ossp" in missing:
        scratch.query_commit(load("rehearsal/stand_in_for_uuid_ossp"))
    # The schema public already exists.
    kept = [line for line in lines if _extension(line) not in missing and not _is_public(line)]
    wanted.write_text("\n".join(kept) + "\n", "utf-8")
    return wanted


def _extension(line: str) -> str | None:
    """The extension in a line of the list, like ``2; 3079 24577 EXTENSION - uuid-ossp``."""
    return line.split()[-1] if " EXTENSION - " in line else None


def _is_public(line: str) -> bool:
    return " SCHEMA - public " in line or line.endswith(" SCHEMA public")


def _has(scratch: Database, extension: str) -> bool:
    return bool(scratch.query_value(load("rehearsal/extension_exists"), {"name": extension}))


def copy_sample(source: Queries, scratch: Database, limit: int) -> int:
    """Copy up to ``limit`` users and their activities, with names, emails and texts replaced."""
    users = source.query_rows(load("rehearsal/sample_users"), {"limit": limit})
    params = {"users": [user["uuid"] for user in users], "limit": 10 * limit}
    activities = source.query_rows(load("rehearsal/sample_activities"), params)
    _load_rows(scratch, "users", users)
    _load_rows(scratch, "activities", activities)
    return len(users) + len(activities)


def _load_rows(scratch: Database, table: str, rows: Sequence[Row]) -> None:
    if not rows:
        return
    columns = sql.SQL(", ").join(map(sql.Identifier, rows[0]))
    statement = load("rehearsal/load_sample").format(
        table=sql.Identifier("public", table), columns=columns
    )
    scratch.query_commit(statement, {"rows": json.dumps(rows)})


def _naming(statement: str, name: str) -> FileStatement:
    return load(statement).format(name=sql.Identifier(name))
