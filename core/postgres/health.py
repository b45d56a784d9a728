"""Whether a database is what the rest of the package takes it for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

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
_UUIDS = {("users", "uuid"), ("activities", "uuid"), ("activities", "user_uuid")}


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a server says of itself: its version, the time it takes it to be."""

    version: str
    now: datetime


def greet(db: Queries) -> Greeting:
    """A server's first words: one request, besides connecting."""
    (row,) = db.query_rows(load("admin/greet"))
    return Greeting(**row)


def schema_differences(db: Queries) -> list[str]:
    """What keeps the tables from being Cruddur's; empty when nothing does.

    Keys and constraints are an operator's to choose (ours are stricter than Cruddur's) and are
    not compared, nor are types, but for those that our statements compare with uuids.
    """
    rows = db.query_rows(load("admin/columns"), {"tables": list(_COLUMNS)})
    types = {(row["table"], row["column"]): row["type"] for row in rows}
    differences = []
    for table, columns in _COLUMNS.items():
        if not any(found == table for found, _ in types):
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
