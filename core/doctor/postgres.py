"""The Postgres checks: is it reachable, and is the schema Cruddur's?"""

from __future__ import annotations

import time
from collections.abc import Iterator

from core.commands import Command
from core.doctor.clock import clock
from core.doctor.findings import Finding, bad, note, ok
from core.purposes import Purpose
from core.targets import Target
from core.timestamps import now


def postgres(target: Target) -> Iterator[Finding]:
    """Reachability, schema and clock, over one connection."""
    from core.postgres import Database, greet, read_marker, schema_differences

    with Database(target.postgres, Purpose.LOOKING) as db:
        started = time.perf_counter()
        greeting = greet(db)
        ms = round((time.perf_counter() - started) * 1000, 1)
        ahead = now() - greeting.now
        summary = f"Postgres {greeting.version} answers at {db.address.place}"
        yield ok("postgres", summary, ms=ms)
        yield _schema(target, schema_differences(db), read_marker(db))
    yield clock("postgres clock", ahead)


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
