"""Deletes a user with everything that Postgres has about them, and finds users who are back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from core.models import Person
from core.postgres.database import Database, Queries
from core.postgres.statements import load

_AT_ONCE = 1000


def delete_user(db: Database, user_uuid: str) -> tuple[int, int]:
    """The numbers of users and activities that were deleted, in one transaction."""
    with db.transaction() as transaction:
        activities = transaction.query_commit(
            load("activities/delete_of_user"), {"user_uuid": user_uuid}
        )
        users = transaction.query_commit(load("users/delete"), {"uuid": user_uuid})
    return int(users or 0), int(activities or 0)


def find_people_by_digest(db: Queries, digests: Iterable[str]) -> Sequence[Person]:
    """The users whose uuid has one of these SHA-256 digests: they were erased, and are back.

    Opening Postgres for looking is enough.
    """
    wanted = list(digests)
    people: list[Person] = []
    for start in range(0, len(wanted), _AT_ONCE):
        chunk = wanted[start : start + _AT_ONCE]
        rows = db.query_rows(load("users/by_digests"), {"digests": chunk})
        people += [
            Person(str(row["uuid"]), row["handle"] or "", row["display_name"] or "") for row in rows
        ]
    return people
