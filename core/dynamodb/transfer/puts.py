"""Puts the items of an export, one at a time, except messages that were removed since."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from core.aws.clients import translating
from core.dynamodb import keys, paging
from core.dynamodb.dynamodb_json import same_item
from core.dynamodb.integrity.erased import erase_items, erased_users_in, users_in
from core.dynamodb.items import inbox_row_from, message_from, text_of
from core.dynamodb.keys import Item
from core.dynamodb.patterns.erasure_reads import check_pair, check_remains, erased_digests
from core.dynamodb.patterns.holds import check_not_gone
from core.dynamodb.patterns.reads import list_rows_of, names_a_conversation
from core.dynamodb.patterns.removal_reads import has_removals
from core.dynamodb.patterns.transactions import (
    Action,
    check_not_removed,
    check_stored,
    commit,
    put_item,
)
from core.dynamodb.retries import Backoff
from core.dynamodb.table import Table
from core.errors import StoreError
from core.models import REMOVED_TEXT, InboxRow, Message

ADDED, PRESENT, DIFFERS, REMOVED = "added", "present", "differs", "removed"

_REMEMBERED = 10_000
_LOOKED_AT = 8
"""How many messages are read to find the one that an inbox row shows."""


@dataclass(slots=True)
class _FirstLook:
    """Whether the table had nothing of a conversation; None before it was read."""

    is_new: bool | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class Putter:
    """Puts items into one table; safe to share between threads.

    The items of a conversation that is not in the table yet are put without transactions. In any
    other conversation a message may be removed at any moment. So a missing message is put in one
    transaction with a check of its removal, and an inbox row with a check of its message.
    """

    def __init__(self, table: Table) -> None:
        self.table = table
        self._erased: frozenset[str] | None = None
        self._known: OrderedDict[str, _FirstLook] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, item: Item) -> str:
        """Put ``item``, unless its key exists; returns the outcome in a word."""
        pk = text_of(item, "pk")
        if self.names_erased(item):
            return REMOVED
        if (group := keys.message_group_of(pk)) is not None and keys.can_be_id(group):
            return self._put_message(item, message_from(item))
        if keys.owner_of(pk) is not None:
            return self._put_row(item, inbox_row_from(item))
        if pk == keys.HOLD_PK:  # of a user who is gone, it would put the uuid back
            return self._put_beside(item, [check_not_gone(self.table, text_of(item, "sk"))])
        if (pair := keys.pair_of(pk)) is not None and len(pair) == 2:
            return self._put_pair(item, pair[0], pair[1])
        return self._put_alone(item)

    def names_erased(self, item: Item) -> bool:
        """Whether an item belongs to an erased user, or names one."""
        if self._erased == frozenset() or not any(users_in(item)):
            return False
        with self._lock:  # read after the erasures of the file, which are put first
            if self._erased is None:
                self._erased = frozenset(erased_digests(self.table))
        return any(erased_users_in(item, self._erased))

    def erase_again(self) -> int:
        """Remove the items of users who were erased during the import; return their number.

        One pass over the table, only if there are any: an insert cannot check it.
        """
        if self._erased is None or self.table.dry:
            return 0
        since = frozenset(erased_digests(self.table)) - self._erased
        return erase_items(self.table, since) if since else 0

    def _put_pair(self, item: Item, one: str, other: str) -> str:
        group = text_of(item, "group_uuid")
        if not keys.can_be_id(group) or self._is_new(group):
            return self._put_alone(item)
        if (stored := self._stored(item)) is not None:
            return self._compared(stored, item)
        return self._put_beside(item, [check_pair(self.table, group, (one, other), (other, one))])

    def _put_message(self, item: Item, message: Message) -> str:
        if self._is_new(message.message_group_uuid):
            return self._put_alone(item)
        if (stored := self._stored(item)) is not None:
            return self._compared(stored, item)
        remains = check_remains(self.table, message.message_group_uuid, message.sender.uuid)
        return self._put_beside(item, [*check_not_removed(self.table, message), remains])

    def _put_row(self, item: Item, row: InboxRow) -> str:
        if not names_a_conversation(row):
            return self._put_alone(item)
        if self._has_moved_on(row):
            return PRESENT
        if self._is_new(row.message_group_uuid):
            return self._put_alone(item)
        if (stored := self._stored(item)) is not None:
            return self._compared(stored, item)
        shown = self._shown_by(row)
        if shown is not None:
            pair = (row.owner_uuid, row.other.uuid)
            member = check_pair(self.table, row.message_group_uuid, pair)
            return self._put_beside(item, [check_stored(self.table, shown), member])
        # Read after the messages, so that it contains everything removed before.
        if row.preview != REMOVED_TEXT and has_removals(self.table, row.message_group_uuid):
            return REMOVED
        return self._put_alone(item)

    def _has_moved_on(self, row: InboxRow) -> bool:
        """Whether the conversation has a later row in that inbox."""
        return any(
            stored.owner_uuid == row.owner_uuid and stored.sort_key > row.sort_key
            for stored in list_rows_of(self.table, row.message_group_uuid)
        )

    def _shown_by(self, row: InboxRow) -> Message | None:
        """The message that a row shows: the newest one up to its time, or one of the few before.

        By one of the row's own two members: other pairs may use the same id, and the same texts.
        """
        items = paging.items(
            self.table,
            "query",
            KeyConditionExpression="pk = :pk AND sk <= :last",
            ExpressionAttributeValues={
                ":pk": {"S": keys.message_pk(row.message_group_uuid)},
                ":last": {"S": row.sort_key},
            },
            ScanIndexForward=False,
            Limit=_LOOKED_AT,
            ConsistentRead=True,
        )
        pair = (row.owner_uuid, row.other.uuid)
        for message in map(message_from, islice(items, _LOOKED_AT)):
            if message.text == row.preview and message.sender.uuid in pair:
                return message
        return None

    def _is_new(self, group: str) -> bool:
        """Whether the table had no item of the conversation when the import first reached it."""
        with self._lock:
            first_look = self._known.setdefault(group, _FirstLook())
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        with first_look.lock:  # other threads wait for the one that reads
            if first_look.is_new is None:
                first_look.is_new = not (
                    self._has_any(keys.message_pk(group)) or has_removals(self.table, group)
                )
            return first_look.is_new

    def _has_any(self, pk: str) -> bool:
        items = paging.items(
            self.table,
            "query",
            KeyConditionExpression="pk = :pk",
            ProjectionExpression="pk, sk",
            ExpressionAttributeValues={":pk": {"S": pk}},
            ConsistentRead=True,
            Limit=1,
        )
        return any(True for _ in items)

    def _put_beside(self, item: Item, checks: Sequence[Action]) -> str:
        """Put ``item`` in one transaction with ``checks``, which pass if nothing was removed."""
        backoff = Backoff()
        while True:
            put = put_item(self.table, item, "attribute_not_exists(pk)")
            outcome = commit(self.table, [put, *checks])
            if outcome.committed:
                return ADDED
            if outcome.failed - {0}:
                return REMOVED
            if 0 in outcome.failed:
                stored = outcome.stored.get(0) or self._stored(item)
                return self._compared(stored, item)
            if not (outcome.is_cancelled and backoff.pause()):
                raise outcome.error or StoreError("Could not put an item", "Run it again.")

    def _put_alone(self, item: Item) -> str:
        table = self.table
        with translating("dynamodb", table.target):
            try:
                table.call(
                    "put_item",
                    TableName=table.name,
                    Item=item,
                    ConditionExpression="attribute_not_exists(pk)",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                    ReturnConsumedCapacity="TOTAL",
                )
            except table.client.exceptions.ConditionalCheckFailedException as error:
                # Compare only after a refused put: a successful one costs no read.
                stored = error.response.get("Item")
                return self._compared(self._stored(item) if stored is None else stored, item)
        return ADDED

    def _stored(self, item: Item) -> Item | None:
        key = {"pk": item["pk"], "sk": item["sk"]}
        response: dict[str, Any] = self.table.request("get_item", Key=key, ConsistentRead=True)
        return response.get("Item")

    def _compared(self, stored: Item | None, item: Item) -> str:
        return PRESENT if is_same(stored, item) else DIFFERS


def is_same(stored: Item | None, item: Item) -> bool:
    """Whether the item that is stored has the content of ``item``."""
    if stored is None:
        return False
    return stored == item or same_item(_without_marker(stored), _without_marker(item))


def _without_marker(item: Item | None) -> Item:
    """An inbox row without its ``after_removal``, which does not change what it shows."""
    return {name: value for name, value in (item or {}).items() if name != "after_removal"}
