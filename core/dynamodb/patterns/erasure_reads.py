"""Which users are erased, and which conversations have lost a member."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NoReturn

from core.dynamodb import keys, paging
from core.dynamodb.items import erasure_from
from core.dynamodb.patterns.transactions import Action, check_item
from core.dynamodb.table import Table
from core.errors import MemberErasedError, MissingTableError
from core.models import Erasure, InboxRow, Person

_NO_ERASURE = "attribute_not_exists(pk)"


def find_erasure(table: Table, message_group_uuid: str) -> Erasure | None:
    """The erasure of a conversation's member, read consistently; None if there is none. 1 RCU."""
    key = keys.erasure_key(message_group_uuid)
    item = table.request("get_item", Key=key, ConsistentRead=True).get("Item")
    return None if item is None else erasure_from(item)


def erased_digests(table: Table) -> Iterator[str]:
    """The digests of all erased users, read consistently. Keys only, so it needs only looking."""
    return paging.sort_keys(table, keys.ERASED_PK)


def who_is_erased(table: Table) -> Callable[[str], bool]:
    """Tells whether a user_uuid is an erased user's: nobody's is where there is no table.

    Reads all digests at once, consistently, and needs only looking.
    """
    try:
        digests = frozenset(erased_digests(table))
    except MissingTableError:
        digests = frozenset()
    return lambda user_uuid: keys.erased_digest(user_uuid) in digests


def check_no_erasure(table: Table, message_group_uuid: str) -> Action:
    """Make sure that the conversation has both its members."""
    return check_item(table, keys.erasure_key(message_group_uuid), _NO_ERASURE, {})


def check_pair(table: Table, message_group_uuid: str, *pairs: tuple[str, str]) -> Action:
    """Make sure that the conversation has both members, or has one of ``pairs``.

    A pair is the remaining member and the replacement, in this order.
    """
    condition = _NO_ERASURE
    values: keys.Item = {}
    for number, (remaining, replacement) in enumerate(pairs):
        condition += f" OR remaining_user_uuid = :r{number} AND replacement_uuid = :d{number}"
        values |= {f":r{number}": {"S": remaining}, f":d{number}": {"S": replacement}}
    return check_item(table, keys.erasure_key(message_group_uuid), condition, values)


def check_remains(table: Table, message_group_uuid: str, user_uuid: str) -> Action:
    """Make sure that the conversation has both members, or that this one remains in it."""
    condition = f"{_NO_ERASURE} OR remaining_user_uuid = :user"
    values = {":user": {"S": user_uuid}}
    return check_item(table, keys.erasure_key(message_group_uuid), condition, values)


def check_not_erased(table: Table, *user_uuids: str) -> list[Action]:
    """Make sure that none of the users is erased."""
    return [check_item(table, keys.erased_user_key(uuid), _NO_ERASURE, {}) for uuid in user_uuids]


def names_each_other(rows: Iterable[InboxRow], members: Sequence[Person]) -> bool:
    """Whether each of two members has a row that names the other.

    An erasure deletes or changes such rows. So a transaction that expects them as they were read
    needs no other check of an erasure.
    """
    one, other = (member.uuid for member in members)
    return {(one, other), (other, one)} <= {(row.owner_uuid, row.other.uuid) for row in rows}


def require_members(table: Table, message_group_uuid: str) -> None:
    """Refuse a message into a conversation that has lost a member. 1 RCU.

    Raises:
        MemberErasedError: it has.
    """
    if find_erasure(table, message_group_uuid) is not None:
        refuse_erased(message_group_uuid)


def refuse_erased(message_group_uuid: str = "", *, may_be_stored: bool = False) -> NoReturn:
    """Refuse a message to an erased user. An earlier try ``may_be_stored``, before the erasure.

    Raises:
        MemberErasedError: always.
    """
    whose = "One of the two users"
    if message_group_uuid:
        whose = f"The other member of conversation {message_group_uuid}"
    hint = "Nothing was sent, and nothing can be."
    if may_be_stored:
        hint = "An earlier try may be stored; nothing more can be sent."
    raise MemberErasedError(f"{whose} was erased", hint)
