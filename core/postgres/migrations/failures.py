"""Names the migration and the line of a failed statement, and the consequence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from core.errors import MissingSchemaError, PostgresError
from core.postgres.migrations.files import Migration
from core.postgres.migrations.splitting import SqlStatement

_NEXT_STEPS = {
    "25001": "Write -- migrate:up transaction:false.",
    "25006": "Name the server that takes writes.",
}
_NOTHING_STAYS = "Nothing of this migration was kept."


@contextmanager
def in_file(
    migration: Migration, statement: SqlStatement, consequence: str = _NOTHING_STAYS
) -> Iterator[None]:
    """Raise errors of ``statement`` with its place, and the ``consequence`` of the failure."""
    try:
        yield
    except (PostgresError, MissingSchemaError) as error:
        cause = error.__cause__
        sqlstate = cause.sqlstate if isinstance(cause, psycopg.Error) else None
        next_step = _NEXT_STEPS.get(sqlstate or "")
        hint, command = (next_step, None) if next_step else (error.hint, error.command)
        if isinstance(error, MissingSchemaError):
            hint, command = "", None  # loading the schema drops existing tables
        problem = f"{migration.path.name}, line {_line(statement, cause)}: {error.problem}"
        raise PostgresError(
            problem, f"{consequence} {hint}".strip(), command, sqlstate=sqlstate
        ) from error


def _line(statement: SqlStatement, cause: BaseException | None) -> int:
    """The line of the file that Postgres names; if it names none, the statement's line."""
    position = cause.diag.statement_position if isinstance(cause, psycopg.Error) else None
    if position is None:
        return statement.line
    return statement.line + statement.text.count("\n", 0, int(position))
