"""Whether a database has the schema that the rest of the package expects."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.errors import MissingSchemaError
from core.postgres.database import Queries
from core.postgres.statements import load

_COLUMNS = {
    "users": ("uuid", "display_name", "handle", "email", "cognito_user_id", "created_at"),
    "activities": (
        "uuid",
        "user_uuid",
        "message",
        "replies_count",
        "reposts_count",
        "likes_count",
        "reply_to_activity_uuid",
        "expires_at",
        "created_at",
    ),
}
MOST_ROWS = 1000

_UUIDS = {("users", "uuid"), ("activities", "uuid"), ("activities", "user_uuid")}


@dataclass(frozen=True, slots=True)
class Greeting:
    """A server's version, and the time on its clock."""

    version: str
    now: datetime


@dataclass(frozen=True, slots=True)
class UnreadableTime:
    """A row with a time that Python cannot represent; it is shown without the time."""

    table: str
    uuid: str
    column: str
    value: str

    def __str__(self) -> str:
        return f"{self.table} {self.uuid}: {self.column} is {self.value}"


def list_unreadable_times(db: Queries) -> list[UnreadableTime]:
    """Up to ``MOST_ROWS`` rows with such a time; none without tables. Reads no user's text."""
    try:
        rows = db.query_rows(load("admin/unreadable_times"), {"limit": MOST_ROWS})
    except MissingSchemaError:
        return []
    return [UnreadableTime(**row) for row in rows]


def greet(db: Queries) -> Greeting:
    """The server's version and time, in one request after connecting."""
    (row,) = db.query_rows(load("admin/greet"))
    return Greeting(**row)


def schema_differences(db: Queries) -> list[str]:
    """How the tables differ from Cruddur's; empty if they do not.

    Keys and constraints are not compared: operators choose them, and ours are stricter than
    Cruddur's. Types are compared only for the columns that our statements compare with uuids.
    """
    rows = db.query_rows(load("admin/columns"), {"tables": list(_COLUMNS)})
    types = {(row["table"], row["column"]): row["type"] for row in rows}
    differences = []
    for table, columns in _COLUMNS.items():
        if not any(stored_table == table for stored_table, _ in types):
            differences.append(f"table {table} is missing")
            continue
        differences += [
            f"column {table}.{column} is missing"
            for column in columns
            if (table, column) not in types
        ]
    return differences + [
        f"column {table}.{column} is {types[table, column]} instead of uuid"
        for table, column in sorted(_UUIDS & types.keys())
        if types[table, column] != "uuid"
    ]


def has_integer_replies(db: Queries) -> bool:
    """Whether replies refer to activities by an integer, as in the first Cruddur: no uuid fits."""
    rows = db.query_rows(load("admin/columns"), {"tables": ["activities"]})
    types = {row["column"]: row["type"] for row in rows}
    return types.get("reply_to_activity_uuid") == "integer"
