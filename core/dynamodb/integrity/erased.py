"""Erased users in a verification: what names one, what an erasure explains, how it is repaired."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from core.dynamodb import keys
from core.dynamodb.integrity.faults import Fault, FaultKind
from core.dynamodb.items import text_of
from core.dynamodb.keys import Item
from core.dynamodb.patterns.erasing import erase_item
from core.dynamodb.patterns.erasure_reads import erased_digests, find_erasure
from core.dynamodb.patterns.reads import scan
from core.dynamodb.table import Table
from core.errors import HeldError
from core.models import Erasure


def is_replacement(table: Table, message_group_uuid: str, user_uuid: str) -> bool:
    """Whether a user uuid stands for an erased member of the conversation. 1 RCU."""
    erasure = find_erasure(table, message_group_uuid)
    return erasure is not None and erasure.replacement_uuid == user_uuid


def is_explained(fault: Fault, erasure: Erasure | None) -> bool:
    """Whether the row that is missing would be an erased member's."""
    if erasure is None or fault.kind is not FaultKind.MISSING_ROW:
        return False
    return fault.owner_uuid == erasure.replacement_uuid


def erased_users_in(item: Item, digests: Collection[str]) -> Iterator[str]:
    """The uuids of the erased users that an item belongs to or names."""
    for user_uuid in dict.fromkeys(users_in(item)) if digests else ():
        if keys.erased_digest(user_uuid) in digests:
            yield user_uuid


def users_in(item: Item) -> Iterator[str]:
    """The uuids of the users that an item belongs to or names; a removal names nobody.

    An erasure names the member who remains.
    """
    pk = text_of(item, "pk")
    if keys.removal_group_of(pk) is not None:
        named = [text_of(item, "remaining_user_uuid")]
    else:
        named = [keys.owner_of(pk) or "", text_of(item, "user_uuid"), *(keys.pair_of(pk) or ())]
    yield from filter(None, named)


def erase_items(table: Table, digests: Collection[str]) -> int:
    """Remove all items of these erased users; return their number. One pass over the table."""
    removed = 0
    for item in scan(table):
        for user_uuid in erased_users_in(item, digests):
            removed += erase_item(table, user_uuid, item)
    return removed


def erase_again(table: Table, fault: Fault) -> bool:
    """True if an item of an erased user was removed; False if it is gone, or the user is held."""
    key = keys.key(fault.pk, fault.sk)
    item = table.request("get_item", Key=key, ConsistentRead=True).get("Item")
    users = list(erased_users_in(item, set(erased_digests(table)))) if item else []
    try:
        return any([erase_item(table, user_uuid, item) for user_uuid in users if item])
    except HeldError:
        return False
