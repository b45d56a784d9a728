"""The database at a glance: its version, its size, its largest tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import sql

from core.errors import MissingSchemaError, PostgresError
from core.postgres.database import Queries
from core.postgres.statements import load
from core.timestamps import in_utc

MOST_TABLES = 20
COUNTED_TO = 10_000
"""Tables of up to this many rows are counted; for larger ones the planner's estimate is shown."""


@dataclass(frozen=True, slots=True)
class TableSize:
    """A table and its size with indexes. ``rows`` is None where the number is unknown."""

    schema: str
    name: str
    size_bytes: int
    rows: int | None
    is_estimate: bool


@dataclass(frozen=True, slots=True)
class DatabaseDescription:
    """A server and its database; the ``tables`` are the largest ones, largest first."""

    version: str
    started_at: datetime
    database: str
    size_bytes: int
    most_sessions: int
    tables: Sequence[TableSize]


def describe_database(db: Queries) -> DatabaseDescription:
    """The server's version, the database's size and its largest tables.

    Reads at most ``COUNTED_TO`` rows of ``MOST_TABLES`` tables.
    """
    (row,) = db.query_rows(load("admin/describe_database"))
    tables = db.query_rows(load("admin/largest_tables"), {"limit": MOST_TABLES})
    return DatabaseDescription(
        version=row["version"],
        started_at=in_utc(row["started_at"]),
        database=row["database"],
        size_bytes=row["size_bytes"],
        most_sessions=row["most_sessions"],
        tables=tuple(_sized(db, **table) for table in tables),
    )


def _sized(db: Queries, schema: str, name: str, size_bytes: int, estimated_rows: int) -> TableSize:
    counted = _count_rows(db, schema, name) if estimated_rows <= COUNTED_TO else None
    if counted is not None and counted <= COUNTED_TO:
        return TableSize(schema, name, size_bytes, counted, is_estimate=False)
    known = estimated_rows if estimated_rows >= 0 else None
    return TableSize(schema, name, size_bytes, known, is_estimate=True)


def _count_rows(db: Queries, schema: str, name: str) -> int | None:
    """The table's rows, counted to one more than ``COUNTED_TO``; None if we may not read it."""
    statement = load("admin/count_rows").format(
        table=sql.Identifier(schema, name), limit=sql.Literal(COUNTED_TO + 1)
    )
    try:
        return int(db.query_value(statement))
    except (PostgresError, MissingSchemaError):  # no privilege on it, or it was just dropped
        return None
