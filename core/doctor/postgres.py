"""The Postgres checks: is it reachable, and is the schema Cruddur's?"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from core.commands import Command
from core.doctor.clock import clock
from core.doctor.findings import Finding, bad, note, ok
from core.errors import InputError
from core.purposes import Purpose
from core.targets import Target
from core.timestamps import now
from core.wording import counted

if TYPE_CHECKING:
    from core.postgres import Database, Migration


def postgres(target: Target) -> Iterator[Finding]:
    """Reachability, schema, migrations, clock and unreadable rows, over one connection."""
    from core.aws import postgres_address
    from core.postgres import Database, greet, read_marker, schema_differences

    with Database(postgres_address(target), Purpose.LOOKING) as db:
        started = time.perf_counter()
        greeting = greet(db)
        ms = round((time.perf_counter() - started) * 1000, 1)
        ahead = now() - greeting.now
        summary = f"Postgres {greeting.version} answers at {db.address.place}"
        yield ok("postgres", summary, ms=ms)
        if target.is_production:
            yield _encryption(db)
        differences = schema_differences(db)
        yield _schema(target, differences, read_marker(db))
        yield _migrations(target, db, is_usable=not differences)
        yield clock("postgres clock", ahead)
        yield note("postgres rows", "Unknown: see postgres schema") if differences else _rows(db)


def _encryption(db: Database) -> Finding:
    """Whether production's server is verified. One on this machine may be the end of a tunnel."""
    check = "postgres TLS"
    if db.is_verified():
        return ok(check, "The connection is encrypted, and the server is verified")
    return note(
        check,
        f"The server at {db.address.place} is not verified",
        "If this is not the end of a tunnel that verifies it, remove sslmode from"
        f" {db.address.variable}, or set sslmode=verify-full.",
    )


def _rows(db: Database) -> Finding:
    from core.postgres import list_unreadable_times

    unreadable = list_unreadable_times(db)
    if not unreadable:
        return ok("postgres rows", "Every time can be read")
    return note(
        "postgres rows",
        f"{counted(len(unreadable), 'time')} cannot be read, for example {unreadable[0]}",
        "The row is shown without it. Correct it in psql",
        Command("db.connect", ("--write",)),
    )


def _schema(target: Target, differences: list[str], marker: str | None) -> Finding:
    name = target.postgres.dbname
    if differences:
        return bad(
            "postgres schema",
            f"The schema of database {name!r} is not Cruddur's: {'; '.join(differences)}",
            "Load the schema (this drops users and activities)",
            Command("db.schema-load"),
        )
    summary = f"Database {name!r} has the tables users and activities"
    if marker is None:
        summary += " but no environment marker: it counts as production"
        return note("postgres schema", summary)
    if marker != target.environment:
        summary += f", but is marked {marker!r}; the target is {target.environment}"
        return note("postgres schema", summary)
    return ok("postgres schema", summary)


def _migrations(target: Target, db: Database, *, is_usable: bool) -> Finding:
    """Whether all migrations of the project are applied, and whether their effects are there."""
    from core.postgres import find_drift, has_integer_replies, next_step, read_migrations

    check = "migrations"
    if not is_usable:
        return note(check, "Unknown: see postgres schema")
    try:
        entries = read_migrations(target.settings.migrations_path).survey(db)
    except InputError as error:
        return bad(check, error.problem, error.hint, error.command)
    if lost := find_drift(db, entries):
        # No task applies a migration twice, and a rollback may undo another one.
        return bad(
            check,
            "The schema no longer has what applied migrations made:"
            f" {', '.join(migration.title for migration in lost)}",
            "Run the statements whose result is missing by hand:"
            f" {', '.join(map(_statements, lost))}. To open psql, run",
            Command("db.connect", ("--write",)),
        )
    if has_integer_replies(db):
        return bad(
            check,
            "The column activities.reply_to_activity_uuid is an integer, which no uuid fits",
            *next_step(entries),
        )
    if unsettled := [entry for entry in entries if not entry.is_settled]:
        listed = ", ".join(f"{entry.title} is {entry.standing}" for entry in unsettled)
        return note(check, listed, *next_step(entries))
    return ok(check, f"{counted(len(entries), 'migration')} applied, none pending")


def _statements(migration: Migration) -> str:
    """Where the statements are that apply it."""
    lines = [str(statement.line) for statement in migration.up.statements]
    return f"{migration.path}, line{'s' * (len(lines) > 1)} {' and '.join(lines)}"
