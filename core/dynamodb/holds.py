"""Holds on users: none of a held user's messages is removed."""

from __future__ import annotations

from collections.abc import Iterator

from core.dynamodb import keys, paging
from core.dynamodb.items import text_of
from core.dynamodb.table import Table, request_if
from core.models import Hold
from core.timestamps import now, sort_key


def hold(table: Table, user_uuid: str, reason: str) -> bool:
    """True if a hold was put; False if one already exists, which is not changed. 1 WCU."""
    return request_if(
        table,
        "put_item",
        Item=keys.hold_key(user_uuid)
        | {"held_at": {"S": sort_key(now())}, "reason": {"S": reason}},
        ConditionExpression="attribute_not_exists(pk)",
    )


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
