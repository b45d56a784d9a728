"""Migrations that run without a transaction, such as ``CREATE INDEX CONCURRENTLY``.

Before the first statement the ledger records that the migration is half applied, and after each
one how many are done. So the next run sees an interruption and resumes where it stopped.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress

from psycopg import sql

from core.errors import CoreError, PostgresError
from core.postgres.database import Database, Queries
from core.postgres.migrations import ledger
from core.postgres.migrations.failures import in_file
from core.postgres.migrations.files import Migration
from core.postgres.migrations.ledger import LedgerRow, RowState
from core.postgres.migrations.splitting import SqlStatement
from core.postgres.statements import FileStatement, load
from core.purposes import Need

Observer = Callable[[Queries, Migration, SqlStatement], AbstractContextManager[None]]
"""Wraps every statement of a migration. Gets the database if there is no transaction."""


def unobserved(*_: object) -> AbstractContextManager[None]:
    return nullcontext()


def apply(
    db: Database,
    guard: Queries,
    migration: Migration,
    row: LedgerRow | None,
    observe: Observer = unobserved,
) -> None:
    """Apply ``migration``; or the rest of it, if ``row`` says that it is half applied.

    ``guard`` is the open transaction that prevents other runs. Between its statements it has no
    snapshot, so no statement here waits for it.
    """
    started = time.perf_counter()
    state = RowState.HALF_APPLIED
    if row is None:
        with db.transaction() as transaction:
            ledger.make_ledger(transaction)
            ledger.add_row(transaction, migration, state)
    _run(db, guard, migration, migration.up.statements, state, row, observe)
    duration_ms = round((time.perf_counter() - started) * 1000, 3)
    with db.transaction() as transaction:
        ledger.update_row(transaction, migration, RowState.APPLIED, duration_ms=duration_ms)


def undo(db: Database, guard: Queries, migration: Migration, row: LedgerRow | None) -> None:
    """Undo ``migration``; or the rest of it, if ``row`` says that it is half undone."""
    state = RowState.HALF_UNDONE
    if row is not None and row.state is not state:
        with db.transaction() as transaction:
            ledger.update_row(transaction, migration, state)
        row = None
    _run(db, guard, migration, migration.down.statements, state, row, unobserved)
    with db.transaction() as transaction:
        ledger.remove_row(transaction, migration.key)


def _run(
    db: Database,
    guard: Queries,
    migration: Migration,
    statements: Sequence[SqlStatement],
    state: RowState,
    row: LedgerRow | None,
    observe: Observer,
) -> None:
    guard.query_commit(load("ledger/stay_open"))
    first = row.steps_done if row is not None else 0
    for number, statement in enumerate(statements[first:], first):
        is_in_doubt = row is not None and number == first
        if not (is_in_doubt and _is_done(db, statement)):
            with observe(db, migration, statement):
                _run_statement(db, migration, statement, state, number)
        with db.transaction() as transaction:
            ledger.update_row(transaction, migration, state, steps_done=number + 1)


def _run_statement(
    db: Database, migration: Migration, statement: SqlStatement, state: RowState, number: int
) -> None:
    consequence = f"It is {state}, by {number} of its statements. Fix the cause, then run it again."
    try:
        with in_file(migration, statement, consequence):
            db.run_alone(FileStatement.from_text(statement.text, Need.DESTROY))
    except PostgresError as error:
        if number or not _remove_leftover(db, statement) or state is not RowState.HALF_APPLIED:
            raise
        with db.transaction() as transaction:
            ledger.remove_row(transaction, migration.key)
        hint = error.hint.replace(consequence, "Nothing of this migration was kept.")
        raise PostgresError(error.problem, hint, error.command, sqlstate=error.sqlstate) from error


def _is_done(db: Database, statement: SqlStatement) -> bool:
    """Whether an interrupted statement is complete; if not, removes what it left."""
    if (name := _index_built_by(statement)) is not None:
        is_valid = _is_valid(db, name)
        if is_valid is False:
            _drop_index(db, name)
        return bool(is_valid)
    if (name := _index_dropped_by(statement)) is not None:
        return _is_valid(db, name) is None
    return False


def _remove_leftover(db: Database, statement: SqlStatement) -> bool:
    """Whether a failed statement has left nothing; drops an incomplete index."""
    name = _index_built_by(statement)
    if name is None:
        return True
    with suppress(CoreError):
        if _is_valid(db, name) is False:
            _drop_index(db, name)
        return True
    return False


def _is_valid(db: Database, name: str) -> bool | None:
    valid: bool | None = db.query_value(load("ledger/index_is_valid"), {"name": name})
    return valid


def _drop_index(db: Database, name: str) -> None:
    db.run_alone(load("ledger/drop_index").format(name=sql.SQL(name)))


def _index_built_by(statement: SqlStatement) -> str | None:
    """The index that ``CREATE INDEX CONCURRENTLY`` builds, with its schema, as in the statement."""
    words = list(statement.words)
    if words[:2] == ["create", "unique"]:
        del words[1]
    if words[:3] != ["create", "index", "concurrently"]:
        return None
    return _index_name(words[3:], ("if", "not", "exists"))


def _index_dropped_by(statement: SqlStatement) -> str | None:
    if not statement.begins("drop", "index", "concurrently"):
        return None
    return _index_name(list(statement.words[3:]), ("if", "exists"))


def _index_name(words: list[str], optional: tuple[str, ...]) -> str | None:
    """The name at the beginning of ``words``, with its schema."""
    if tuple(words[: len(optional)]) == optional:
        words = words[len(optional) :]
    if not words or words[0] == "on":
        return None
    if words[1:2] == ["."]:
        return "".join(words[:3])
    return f"public.{words[0]}"
