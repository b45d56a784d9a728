"""Matches Cognito's users with Postgres's users by handle.

Handles are compared without blanks around them and without a leading ``@``: Cruddur's sign-up form
and its seeds write them either way. A handle that occurs twice on one side links no user.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from core.aws import AwsServices, CognitoUser, list_users
from core.models import User
from core.postgres import Database, bare_handle, find_users_by_bare_handle, set_cognito_user_ids

Named = TypeVar("Named", User, CognitoUser)


@dataclass(frozen=True, slots=True)
class Link:
    """The result of linking a pool's users, as handles in Cognito's or Postgres's spelling.

    ``updated`` users had another id; ``unchanged`` ones had this one. ``without_handle`` has
    Cognito's own user names.
    """

    updated: Sequence[str]
    unchanged: Sequence[str]
    not_in_postgres: Sequence[str]
    twice_in_cognito: Sequence[str]
    twice_in_postgres: Sequence[str]
    without_handle: Sequence[str]

    @property
    def is_ambiguous(self) -> bool:
        """Whether a handle that occurs twice was left unchanged."""
        return bool(self.twice_in_cognito or self.twice_in_postgres)


def link_users(db: Database, services: AwsServices, pool_id: str) -> Link:
    """The result of storing Cognito's id for every user with the same handle, all or none.

    A dry run stores nothing, and ``updated`` has the users that would change.
    """
    pool = list(list_users(services, pool_id))
    by_handle = _by_handle(pool)
    stored = find_users_by_bare_handle(db, list(by_handle))
    rows = _by_handle(stored)
    pairs = [
        (rows[handle][0], users[0])
        for handle, users in by_handle.items()
        if len(users) == 1 and len(rows.get(handle, ())) == 1
    ]
    changes = {row.uuid: user.sub for row, user in pairs if row.cognito_user_id != user.sub}
    if changes:
        set_cognito_user_ids(db, changes)
    return Link(
        updated=[row.handle for row, _ in pairs if row.uuid in changes],
        unchanged=[row.handle for row, _ in pairs if row.uuid not in changes],
        not_in_postgres=[str(by_handle[handle][0].handle) for handle in by_handle.keys() - rows],
        twice_in_cognito=[handle for handle, users in by_handle.items() if len(users) > 1],
        twice_in_postgres=[handle for handle, users in rows.items() if len(users) > 1],
        without_handle=[user.username for user in pool if not user.handle],
    )


def _by_handle(users: Iterable[Named]) -> dict[str, list[Named]]:
    grouped: dict[str, list[Named]] = {}
    for user in users:
        if user.handle:
            grouped.setdefault(bare_handle(user.handle), []).append(user)
    return grouped


def link_states(services: AwsServices, pool_id: str, users: Sequence[User]) -> Mapping[str, str]:
    """Each user's state in the pool, in words, by user uuid. Changes nothing."""
    pool = _by_handle(list_users(services, pool_id))
    return {user.uuid: _state(user, pool.get(bare_handle(user.handle), [])) for user in users}


def _state(user: User, matches: Sequence[CognitoUser]) -> str:
    if not matches:
        return "not in the pool"
    if len(matches) > 1:
        return "twice in the pool"
    linked = "linked" if matches[0].sub == user.cognito_user_id else "not linked"
    return f"{matches[0].status}, {linked}"
