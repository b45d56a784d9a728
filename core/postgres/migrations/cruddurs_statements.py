"""The statements of the last Cruddur's app that depend on the schema.

Each is written here, with the same tables, columns and comparisons as the app's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from core.errors import PostgresError, StoreError
from core.postgres.database import Database, Queries
from core.postgres.statements import FileStatement, load

_PERSON = {
    "cognito_user_id": "a-cognito-id-of-nobody",
    "display_name": "Nobody",
    "handle": "a-handle-of-nobody",
    "email": "nobody@example.com",
    "bio": "Nothing",
    "message": "hello",
    "expires_at": "2099-01-01T00:00:00+00:00",
}


def _statements() -> dict[str, FileStatement]:
    return {
        "sign up": load("cruddur/add_user"),
        "save a profile": load("cruddur/update_profile"),
        "post": load("cruddur/add_activity"),
        "answer": load("cruddur/add_reply"),
        "the home page": load("cruddur/home"),
        "an activity": load("cruddur/activity"),
        "an activity with its answers": load("cruddur/activity_with_replies"),
        "a profile": load("cruddur/profile"),
        "the people of a conversation": load("cruddur/message_users"),
        "the person of a handle": load("cruddur/user_by_handle"),
    }


class _TakenBack(Exception):  # noqa: N818 - it never leaves this module
    """Ends a transaction that must change nothing."""


def failing_cruddur_statements(db: Database) -> dict[str, str]:
    """Cruddur's own statements that fail, with Postgres's reason. Their changes are rolled back."""
    failures: dict[str, str] = {}
    with suppress(_TakenBack), db.transaction() as transaction:
        for name, reason in _try_statements(transaction):
            failures[name] = reason
        raise _TakenBack
    return failures


def _try_statements(transaction: Queries) -> Iterator[tuple[str, str]]:
    params: dict[str, object] = {**_PERSON, "activity_uuid": None}
    for name, statement in _statements().items():
        transaction.query_commit(load("ledger/savepoint"))
        try:
            value = transaction.query_commit(statement, params)
        except StoreError as error:
            transaction.query_commit(load("ledger/back_to_savepoint"))
            yield name, _reason(error)
        else:
            if name == "post":
                params["activity_uuid"] = value


def _reason(error: StoreError) -> str:
    if isinstance(error, PostgresError):
        return error.problem.partition("): ")[2] or error.problem
    return error.problem
