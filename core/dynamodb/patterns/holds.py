"""Holds on users: none of a held user's messages is removed."""

from __future__ import annotations

from collections.abc import Iterator

from core.dynamodb import keys, paging
from core.dynamodb.items import text_of
from core.dynamodb.patterns.transactions import Action, check_item, commit, put_item
from core.dynamodb.retries import Backoff
from core.dynamodb.table import Table, request_if
from core.errors import MemberErasedError, StoreError
from core.models import Hold
from core.timestamps import now, sort_key


def hold(table: Table, user_uuid: str, reason: str) -> bool:
    """True if a hold was put; False if one already exists, which is not changed. 4 WCU.

    Raises:
        MemberErasedError: the user was erased. A hold would put the user's uuid back.
        StoreError: no answer came. Run it again.
    """
    at, why = {"S": sort_key(now())}, {"S": reason}
    item = keys.hold_key(user_uuid) | {"held_at": at, "reason": why}
    put = put_item(table, item, "attribute_not_exists(pk)")
    backoff = Backoff()
    while True:
        outcome = commit(table, [put, check_not_gone(table, user_uuid)])
        if outcome.committed:
            return True
        if 1 in outcome.failed:
            raise MemberErasedError("The user was erased", "Nothing is left to hold.")
        if 0 in outcome.failed:
            return outcome.stored.get(0) == item  # put by a try whose answer was lost
        if outcome.final or not backoff.pause():
            raise outcome.error or StoreError("Could not put the hold", "Run it again.")


def check_not_gone(table: Table, user_uuid: str) -> Action:
    """Make sure that no erasure of the user has come to its end: one that runs can be stopped."""
    condition = "attribute_not_exists(pk) OR erased_at = :running"
    running = {":running": {"S": ""}}
    return check_item(table, keys.erased_user_key(user_uuid), condition, running)


def release(table: Table, user_uuid: str) -> bool:
    """True if the hold was released; False if there is none. 1 WCU."""
    return request_if(
        table,
        "delete_item",
        Key=keys.hold_key(user_uuid),
        ConditionExpression="attribute_exists(pk)",
    )


def find_hold(table: Table, user_uuid: str) -> Hold | None:
    """The hold on a user, read consistently. 1 RCU."""
    response = table.request("get_item", Key=keys.hold_key(user_uuid), ConsistentRead=True)
    item = response.get("Item")
    if item is None:
        return None
    return Hold(user_uuid, text_of(item, "held_at"), text_of(item, "reason"))


def held_users(table: Table) -> Iterator[str]:
    """The uuids of all held users, read consistently. Keys only, so it needs only looking."""
    return paging.sort_keys(table, keys.HOLD_PK)
