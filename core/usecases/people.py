"""One person across both stores: show, rename, hold and release them."""

from __future__ import annotations

from dataclasses import dataclass

from core.access import Stores
from core.aws import CognitoUser, list_users
from core.dynamodb import (
    count_conversations,
    find_hold,
    hold as put_hold,
    release as delete_hold,
    rename_in_inboxes,
)
from core.models import Hold, User
from core.postgres import bare_handle, count_activities, find_user_by_uuid, rename_user


@dataclass(frozen=True, slots=True)
class Profile:
    """The counts of a user's data in both stores, and the hold on the user if there is one."""

    user: User
    activities: int
    conversations: int
    hold: Hold | None


def show(stores: Stores, user_uuid: str) -> Profile:
    """A user in both stores. 1 RCU, and 0.5 per 4 KB of the inbox.

    Raises:
        NotFoundError: there is no such user.
    """
    user = find_user_by_uuid(stores.db, user_uuid)
    return Profile(
        user,
        count_activities(stores.db, user.uuid),
        count_conversations(stores.table, user.uuid),
        find_hold(stores.table, user.uuid),
    )


def hold(stores: Stores, user_uuid: str) -> bool:
    """True if the user is now held: nothing is removed, expired or dropped; False if held before.

    The reason of the grant is stored with the hold.
    """
    return put_hold(stores.table, user_uuid, stores.grant.reason)


def release(stores: Stores, user_uuid: str) -> bool:
    """True if the hold on the user was released; False if there was none."""
    return delete_hold(stores.table, user_uuid)


@dataclass(frozen=True, slots=True)
class Rename:
    """A person with the current names, and the numbers of changes."""

    user: User
    conversations: int
    changed_rows: int


def rename(
    stores: Stores, user_uuid: str, *, new_handle: str = "", display_name: str = "", email: str = ""
) -> Rename:
    """Give a user other names, in Postgres and in every inbox row that shows them.

    Messages keep the names that they were sent with; every interface shows the current ones.
    Without a new value the rows get the names in Postgres, which completes an interrupted rename.

    Raises:
        NotFoundError: there is no such user.
        InputError: a value is invalid, or another user has the handle or the email.
    """
    user = rename_user(
        stores.db, user_uuid, new_handle=new_handle, display_name=display_name, email=email
    )
    rows = rename_in_inboxes(stores.table, user.person)
    return Rename(user, rows.conversations, rows.changed)


def compare_with_cognito(stores: Stores, user: User, pool_id: str) -> str:
    """How Cognito's names of the user differ, in words; ``""`` if they agree.

    Nothing is written to Cognito: the user changes the names there, or an operator in its console.
    """
    for known in list_users(stores.aws, pool_id):
        if _is_same_user(known, user):
            return _differences(known, user)
    return "Cognito does not know this user"


def _is_same_user(known: CognitoUser, user: User) -> bool:
    if user.cognito_user_id != "MOCK":
        return known.sub == user.cognito_user_id
    return bare_handle(known.handle or "") == bare_handle(user.handle)


def _differences(known: CognitoUser, user: User) -> str:
    pairs = (("handle", known.handle, user.handle), ("email", known.email, user.email))
    differing = [
        f"the {name} {theirs or '(none)'}"
        for name, theirs, ours in pairs
        if bare_handle(theirs or "") != bare_handle(ours)
    ]
    return f"Cognito still has {' and '.join(differing)}" if differing else ""
