"""Erases a user from the message table.

1. A record of the user's digest is put. From then on no conversation with the user begins.
2. Each conversation is detached from the user, in one transaction: the erasure is put, the user's
   inbox rows and the pair are deleted, and the other member's row shows the replacement and that
   member's own newest message. From then on no preview shows the user.
3. The user's messages are deleted, and their removals put, in transactions of up to 47.

Each transaction also counts in the record what it did, and checks that there is no hold on the
user. So an erasure may be stopped at any request and run again, with the same result.
"""

from __future__ import annotations

import contextlib
import json
import math
import uuid
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, repeat

from core.commands import Command
from core.dynamodb import keys, paging
from core.dynamodb.items import (
    erasure_item,
    inbox_row_from,
    message_from,
    removal_item,
    text_of,
)
from core.dynamodb.keys import Item
from core.dynamodb.patterns.erasure_reads import find_erasure
from core.dynamodb.patterns.reads import (
    inbox_row,
    inbox_rows,
    list_rows_of,
    message_at,
    names_a_conversation,
    pair_group,
    walk_inbox,
)
from core.dynamodb.patterns.removals import remove_message
from core.dynamodb.patterns.row_moves import bring
from core.dynamodb.patterns.transactions import (
    Action,
    Outcome,
    as_read,
    check_item,
    check_stored,
    commit,
    delete_inbox_row,
    nudged,
    put_inbox_row,
    put_item,
    this_message,
)
from core.dynamodb.retries import Backoff
from core.dynamodb.table import Table
from core.errors import HeldError, StoreError
from core.models import (
    REMOVED_TEXT,
    Erasure,
    InboxRow,
    Message,
    Removal,
    RemovalReason,
)
from core.timestamps import now, parse, sort_key

MESSAGES_AT_ONCE = 47
"""A transaction has 100 actions: two a message, the record, the hold."""

_BYTES_AT_ONCE = 1_000_000
_MOST_ROWS = 20
_REMEMBERED = 4096

Progress = Callable[[str, int], None]
"""Receives the name of what is done now, and how many are done."""


@dataclass(frozen=True, slots=True)
class ErasedUser:
    """The record of an erasure: no name and no uuid of the user.

    ``erased_at`` is empty until the table has nothing of the user. ``removed`` has the counts by
    kind.
    """

    digest: str
    reference: str
    begun_at: str
    erased_at: str
    removed: dict[str, int] = field(default_factory=dict)

    def item(self) -> Item:
        return keys.key(keys.ERASED_PK, self.digest) | {
            "reference": {"S": self.reference},
            "begun_at": {"S": self.begun_at},
            "erased_at": {"S": self.erased_at},
            "removed": {"S": json.dumps(self.removed, sort_keys=True)},
        }


def find_erased_user(table: Table, user_uuid: str) -> ErasedUser | None:
    """The record of a user's erasure, read consistently; None if none has begun. 1 RCU."""
    key = keys.erased_user_key(user_uuid)
    item = table.request("get_item", Key=key, ConsistentRead=True).get("Item")
    return None if item is None else _record_from(item)


def _record_from(item: Item) -> ErasedUser:
    names = ("sk", "reference", "begun_at", "erased_at")
    digest, reference, begun_at, erased_at = (text_of(item, name) for name in names)
    removed = json.loads(text_of(item, "removed"))
    return ErasedUser(digest, reference, begun_at, erased_at, removed)


def erase_user(table: Table, user_uuid: str, progress: Progress = lambda _, __: None) -> ErasedUser:
    """Remove everything of a user from the table; returns the record, with the counts of all runs.

    Constant memory. 4.5 RCU and 19 WCU for each conversation, 4 WCU for each message and 4 for
    every 47, and the whole table is read once, consistently: 1 RCU per 4 KB.

    Raises:
        HeldError: there is a hold on the user. What was not removed yet stays.
        StoreError: no answer came. Run it again.
    """
    return _Erasing(table, user_uuid, progress).run()


def close_erasure(table: Table, user_uuid: str, removing: Mapping[str, int]) -> ErasedUser:
    """The record, after noting what is being removed elsewhere; no hold can come from then on.

    So what is removed elsewhere cannot be held any more, and nothing is put of a user who is
    gone. 4 WCU.

    Raises:
        HeldError: there is a hold on the user. What is elsewhere stays.
    """
    erasing = _Erasing(table, user_uuid, lambda _, __: None)
    erasing.begin()
    return erasing.close(removing)


def end_erasure(table: Table, record: ErasedUser, removed: Mapping[str, int]) -> ErasedUser:
    """The record, after noting what was ``removed`` elsewhere, and that it ended now."""
    after = _noted(record, removed, sort_key(now()))
    table.request("put_item", Item=after.item())
    return after


def _noted(record: ErasedUser, removed: Mapping[str, int], erased_at: str) -> ErasedUser:
    """The counts of an earlier run stay where this one has nothing left to remove."""
    counts = {kind: max(count, record.removed.get(kind, 0)) for kind, count in removed.items()}
    return replace(record, removed=record.removed | counts, erased_at=erased_at)


@dataclass(slots=True)
class ErasurePlan:
    """What an erasure would remove from the table, and what it would cost."""

    conversations: int = 0
    messages: int = 0
    pairs: int = 0
    read_units: float = 0.0
    write_units: float = 0.0

    @property
    def is_empty(self) -> bool:
        return not (self.conversations or self.messages or self.pairs)


def plan_erasure(table: Table, user_uuid: str) -> ErasurePlan:
    """What :func:`erase_user` would do now. Reads the whole table: 0.5 RCU per 4 KB."""
    plan, table = ErasurePlan(), table.metered()
    groups: set[str] = set()
    for item in _items_naming(table, user_uuid, consistent=False):
        pk = text_of(item, "pk")
        if keys.message_group_of(pk) is not None:
            plan.messages += 1
            plan.write_units += 2 + 2 * _kilobytes(item)
        elif keys.owner_of(pk) is not None:
            groups.add(text_of(item, "message_group_uuid"))
            plan.write_units += 3 * _kilobytes(item)
        elif (group := keys.removal_group_of(pk)) is not None:
            groups.add(group)
        else:
            plan.pairs += 1
    plan.conversations = len(groups)
    plan.write_units += _WRITES_OF_RECORD + _WRITES_EACH * len(groups)
    plan.write_units += 4 * math.ceil(plan.messages / MESSAGES_AT_ONCE)
    plan.read_units = 2 * table.capacity.read_units + _READS_EACH * len(groups)
    return plan


_WRITES_OF_RECORD = 9
"""What the record costs when it is put, when the erasure closes and when it has ended."""

_READS_EACH = 4.5
_WRITES_EACH = 13
"""What detaching a conversation costs, except for the rows that are deleted."""


def _kilobytes(item: Item) -> int:
    return math.ceil(len(json.dumps(item, ensure_ascii=False).encode(errors="replace")) / 1024)


def erase_item(table: Table, user_uuid: str, item: Item) -> bool:
    """True if an item that names an erased user was removed, as a whole erasure does it."""
    erasing = _Erasing(table, user_uuid, lambda _, __: None)
    erasing.begin()
    before = erasing.record
    erasing.take(item)
    erasing.flush()
    return erasing.record != before


@dataclass(slots=True)
class _Step:
    """The actions of one transaction, and what they remove."""

    actions: list[Action]
    counts: Counter[str]


class _Erasing:
    """One erasure, with all its retries."""

    def __init__(self, table: Table, user_uuid: str, progress: Progress) -> None:
        self.table = table
        self.user_uuid = user_uuid
        self.progress = progress
        self.record = ErasedUser("", "", "", "")
        self.detached: OrderedDict[str, bool] = OrderedDict()
        self.batch: list[Message] = []
        self.size_bytes = 0

    def run(self) -> ErasedUser:
        self.begin()
        for done, row in enumerate(walk_inbox(self.table, self.user_uuid), start=1):
            self._detach(row.message_group_uuid, row)
            self.progress("conversations", done)
        while self._sweep():
            pass
        return self.record

    def begin(self) -> None:
        """Put the record, unless it is there; refuse a held user."""
        known = find_erased_user(self.table, self.user_uuid)
        if known is not None:
            self.record = known
            return
        digest = keys.erased_digest(self.user_uuid)
        self.record = ErasedUser(digest, str(uuid.uuid4()), sort_key(now()), "")
        put = put_item(self.table, self.record.item(), "attribute_not_exists(pk)")
        backoff = Backoff()
        while True:
            outcome = commit(self.table, [put, self._check_not_held()])
            if 1 in outcome.failed:
                raise self._held()
            if outcome.committed:
                return
            if (known := find_erased_user(self.table, self.user_uuid)) is not None:
                self.record = known
                return
            self._pause(outcome, backoff)

    def close(self, removing: Mapping[str, int]) -> ErasedUser:
        """Note what is being removed elsewhere, unless there is a hold: from then on none comes."""
        backoff = Backoff()
        while True:
            after = _noted(self.record, removing, self.record.erased_at or sort_key(now()))
            outcome = commit(self.table, [self._put(after), self._check_not_held()])
            if outcome.committed or (outcome.unknown and self._reread() == after):
                return after
            if 1 in outcome.failed:
                raise self._held()
            self._pause(outcome, backoff)
            self.record = self._reread()

    # One conversation

    def _detach(self, group: str, known: InboxRow | None = None, *, other: str = "") -> bool:
        """True if the user was taken out of a conversation; False if nothing there names them."""
        change = _Detaching(self.table, self.user_uuid, group, known, other)
        backoff = Backoff()
        is_detached = self._commit(change.step, change.note, backoff)
        if is_detached:
            change.settle()
        self.detached[group] = change.erasure is not None
        if len(self.detached) > _REMEMBERED:
            self.detached.popitem(last=False)
        return is_detached

    # The rest of the table

    def _sweep(self) -> bool:
        """Remove everything that names the user, in one pass over the table.

        True if it found a conversation that names the user: a message may then have been stored
        where the pass had been already.
        """
        was_named = False
        for done, item in enumerate(_items_naming(self.table, self.user_uuid), start=1):
            was_named = self.take(item) or was_named
            self.progress("items", done)
        self.flush()
        return was_named and not self.table.dry

    def take(self, item: Item) -> bool:
        """Remove an item that names the user, a message with the next :meth:`flush`.

        True if it showed a conversation that named the user.
        """
        pk = text_of(item, "pk")
        if keys.owner_of(pk) is not None:
            return self._row(item)
        if (group := keys.removal_group_of(pk)) is not None:
            return self._detach(group)
        if self.user_uuid in (keys.pair_of(pk) or ()):
            return self._pair(item)
        if keys.message_group_of(pk) is not None and text_of(item, "user_uuid") == self.user_uuid:
            return self._message(message_from(item))
        return False

    def _message(self, message: Message) -> bool:
        group = message.message_group_uuid
        was_named = group not in self.detached and self._detach(group)
        if not self.detached[group] and self._is_shown(message):
            self._remove_alone(message)
            return was_named
        self.batch.append(message)
        self.size_bytes += len(message.text.encode(errors="surrogatepass"))
        if len(self.batch) == MESSAGES_AT_ONCE or self.size_bytes > _BYTES_AT_ONCE:
            self.flush()
        return was_named

    def flush(self) -> None:
        """Remove the messages taken so far, which no inbox shows."""
        removing = _Removing(self.table, self.batch)
        self.batch, self.size_bytes = [], 0
        self._commit(removing.step, removing.note, Backoff())
        self.progress("messages", self.record.removed.get("messages", 0))

    def _row(self, item: Item) -> bool:
        row = inbox_row_from(item)
        if names_a_conversation(row):
            return self._detach(row.message_group_uuid, row)
        return self._delete(item, "inbox_rows")

    def _pair(self, item: Item) -> bool:
        """Delete a pair; if no inbox lists its conversation, leave it to the other member."""
        pair = keys.pair_of(text_of(item, "pk")) or ()
        group = text_of(item, "group_uuid")
        other = next((uuid for uuid in pair if uuid != self.user_uuid), "")
        was_named = False
        if keys.can_be_id(group) and keys.can_be_id(other):
            was_named = self._detach(group, other=other)
        return self._delete(item, "pairs") or was_named

    def _delete(self, item: Item, kind: str) -> bool:
        key = {"pk": item["pk"], "sk": item["sk"]}
        delete = {"TableName": self.table.name, "Key": key}
        delete["ConditionExpression"] = "attribute_exists(pk)"

        def step(_: bool) -> _Step | None:
            response = self.table.request("get_item", Key=key, ConsistentRead=True)
            is_stored = "Item" in response
            return _Step([{"Delete": delete}], Counter({kind: 1})) if is_stored else None

        return self._commit(step, lambda _: None, Backoff())

    # Messages

    def _is_shown(self, message: Message) -> bool:
        """Whether an inbox shows a message that is not a member's: Cruddur's function does that."""
        rows = list_rows_of(self.table, message.message_group_uuid)
        return any(row.preview == message.text for row in rows)

    def _remove_alone(self, message: Message) -> None:
        """Remove a message that an inbox shows: the inboxes move too."""
        if remove_message(self.table, message, RemovalReason.ERASED):
            self._commit(lambda _: _Step([], Counter(messages=1)), lambda _: None, Backoff())

    # Transactions

    def _commit(
        self,
        build: Callable[[bool], _Step | None],
        note: Callable[[Outcome], None],
        backoff: Backoff,
    ) -> bool:
        """True if a step was committed; False if there is nothing to do. Builds it for each try."""
        is_first = True
        while (step := build(is_first)) is not None:
            counts = Counter(self.record.removed) + step.counts
            after = replace(self.record, removed=dict(sorted(counts.items())))
            held = self._check_not_held()
            outcome = commit(self.table, [*step.actions, self._put(after), held])
            if outcome.committed or (outcome.unknown and self._reread() == after):
                self.record = after
                return True
            if len(step.actions) + 1 in outcome.failed:
                raise self._held()
            self._pause(outcome, backoff)
            self.record = self._reread()
            note(outcome)
            is_first = False
        return False

    def _put(self, after: ErasedUser) -> Action:
        """Put the record, if its counts are the ones that were read."""
        before = {":before": self.record.item()["removed"]}
        return put_item(self.table, after.item(), "removed = :before", before)

    def _reread(self) -> ErasedUser:
        """The record as it is stored: another process may erase the same user."""
        return find_erased_user(self.table, self.user_uuid) or self.record

    def _check_not_held(self) -> Action:
        return check_item(self.table, keys.hold_key(self.user_uuid), "attribute_not_exists(pk)", {})

    def _held(self) -> HeldError:
        return HeldError(
            "There is a hold on the user",
            "What is stored now stays. See who and why",
            Command("people.show", ("--user HANDLE",)),
        )

    def _pause(self, outcome: Outcome, backoff: Backoff) -> None:
        if outcome.final or not backoff.pause():
            raise outcome.error or StoreError("Could not erase the user", "Run it again.")


class _Detaching:
    """The change that takes a user out of one conversation."""

    def __init__(
        self, table: Table, user_uuid: str, group: str, known: InboxRow | None, other: str
    ) -> None:
        self.table, self.user_uuid, self.group = table, user_uuid, group
        self.known = [known] if known else []
        self.other = other
        self.replacement = str(uuid.uuid4())
        self.nudges = 0
        self.erasure: Erasure | None = None
        self.newest: Message | None = None
        self.put: InboxRow | None = None

    def step(self, is_first: bool) -> _Step | None:
        self.newest = self.put = None
        self.erasure = find_erasure(self.table, self.group)
        rows = self._read_rows(is_first)
        own = [row for row in rows if row.owner_uuid == self.user_uuid][:_MOST_ROWS]
        others = sorted(
            {row.other.uuid for row in own}
            | {row.owner_uuid for row in rows if row.other.uuid == self.user_uuid}
        )
        if not others and self.other and (rows or self.erasure is None):
            others = [self.other]
        if not others and self.erasure and self.erasure.remaining_user_uuid == self.user_uuid:
            others = [self.erasure.replacement_uuid]
        if not others:
            return None
        actions: list[Action] = [delete_inbox_row(self.table, row) for row in own]
        counts = Counter(inbox_rows=len(own))
        actions += self._erase(others[0], counts)
        for remaining in others:
            if remaining != self._replacement_of_first():
                actions += self._show(remaining, rows, own, counts)
            actions += self._delete_pair(remaining, counts)
        return _Step(actions, +counts) if +counts else None

    def note(self, outcome: Outcome) -> None:
        """Move the other member's row by a microsecond: another conversation may have its time."""
        stored = outcome.stored.values()
        names = {text_of(item, "message_group_uuid") for item in stored}
        self.nudges += bool(names - {"", self.group})

    def settle(self) -> None:
        """Show a message that the other member has sent meanwhile without moving the row."""
        if self.table.dry or self.put is None or self.erasure is None:
            return
        with contextlib.suppress(StoreError):  # the stream or a repair does this too
            latest = _newest_of(self.table, self.group, self.put.owner_uuid)
            if latest and (self.newest is None or latest.sort_key > self.newest.sort_key):
                bring(self.table, latest, self.put.owner_uuid, self.put.other, [self.put])

    def _read_rows(self, is_first: bool) -> list[InboxRow]:
        """The conversation's rows: from the index at first, then from the base table."""
        rows = {(row.owner_uuid, row.sort_key): row for row in self.known}
        listed = list_rows_of(self.table, self.group)
        if is_first:
            rows |= {(row.owner_uuid, row.sort_key): row for row in listed}
            return list(rows.values())
        pairs = [{row.owner_uuid, row.other.uuid} for row in [*self.known, *listed]]
        members = set().union(*(pair for pair in pairs if self.user_uuid in pair), {self.other})
        newest = inbox_row(self.table, self.user_uuid, self.group)
        own = [newest] if newest else []
        others = sorted(member for member in members - {self.user_uuid} if member)
        theirs = (inbox_rows(self.table, member, self.group) for member in others)
        return [*own, *chain.from_iterable(theirs)]

    def _erase(self, remaining: str, counts: Counter[str]) -> list[Action]:
        """Put the erasure; if the user was the one who remained, put that nobody does."""
        old = self.erasure
        if old is None:
            self.erasure = Erasure(self.group, remaining, self.replacement, sort_key(now()))
            condition, values = "attribute_not_exists(pk)", {}
        elif old.remaining_user_uuid == self.user_uuid:
            self.erasure = replace(old, remaining_user_uuid=self.replacement)
            condition, values = "remaining_user_uuid = :user", {":user": {"S": self.user_uuid}}
        else:
            return []
        counts["conversations"] += 1
        return [put_item(self.table, erasure_item(self.erasure), condition, values)]

    def _replacement_of_first(self) -> str:
        return self.erasure.replacement_uuid if self.erasure else ""

    def _show(
        self,
        remaining: str,
        rows: Sequence[InboxRow],
        own: Sequence[InboxRow],
        counts: Counter[str],
    ) -> list[Action]:
        """Let the remaining member's row show the replacement, and their own newest message."""
        theirs = [row for row in rows if row.owner_uuid == remaining][:_MOST_ROWS]
        stale = [row for row in theirs if row.other.uuid == self.user_uuid]
        if (theirs and not stale) or self.erasure is None:
            return []
        self.newest = _newest_of(self.table, self.group, remaining)
        last = max([*theirs, *own], key=lambda row: row.sort_key, default=None)
        if self.newest is None and last is None:
            return []
        text = self.newest.text if self.newest else REMOVED_TEXT
        place = self.newest.sort_key if self.newest else last.sort_key if last else ""
        place = nudged(place, self.nudges)
        self.put = InboxRow(
            self.group,
            remaining,
            self.erasure.replacement,
            text,
            place,
            parse(place),
            after_removal=self.erasure.replacement_uuid,
        )
        put = put_inbox_row(self.table, self.put)
        put["Put"] |= next((as_read(row) for row in theirs if row.sort_key == place), {})
        counts["changed_rows"] += 1
        moved = [delete_inbox_row(self.table, row) for row in theirs if row.sort_key != place]
        shown = [check_stored(self.table, self.newest)] if self.newest else []
        return [*moved, put, *shown]

    def _delete_pair(self, remaining: str, counts: Counter[str]) -> list[Action]:
        """Delete the pair, or make sure that there is none: an import may put it meanwhile."""
        key = keys.pair_key(self.user_uuid, remaining)
        group = pair_group(self.table, self.user_uuid, remaining)
        if group is None:
            return [check_item(self.table, key, "attribute_not_exists(pk)", {})]
        counts["pairs"] += 1
        delete = {
            "TableName": self.table.name,
            "Key": key,
            "ConditionExpression": "group_uuid = :group",
            "ExpressionAttributeValues": {":group": {"S": group}},
        }
        return [{"Delete": delete}]


class _Removing:
    """The removal of some messages that no inbox shows."""

    def __init__(self, table: Table, messages: Sequence[Message]) -> None:
        self.table = table
        self.messages = list(messages)
        self.removed_at = sort_key(now())
        self.has_second_place: set[tuple[str, str]] = set()

    def step(self, is_first: bool) -> _Step | None:
        if not is_first:
            self.messages = [message for message in self.messages if self._is_stored(message)]
        if not self.messages:
            return None
        deletes = map(self._delete, self.messages)
        puts = map(self._put, self.messages)
        return _Step([*deletes, *puts], Counter(messages=len(self.messages)))

    def note(self, outcome: Outcome) -> None:
        """Note the messages whose removal's key has another one's removal."""
        count = len(self.messages)
        for position in outcome.failed:
            if count <= position < 2 * count:
                message = self.messages[position - count]
                self.has_second_place.add((message.message_group_uuid, message.sort_key))

    def _is_stored(self, message: Message) -> bool:
        stored = message_at(self.table, message.message_group_uuid, message.sort_key)
        return stored is not None and stored.message_uuid == message.message_uuid

    def _delete(self, message: Message) -> Action:
        condition, values = this_message(message)
        delete = {
            "TableName": self.table.name,
            "Key": keys.key(keys.message_pk(message.message_group_uuid), message.sort_key),
            "ConditionExpression": condition,
        }
        return {"Delete": delete | ({"ExpressionAttributeValues": values} if values else {})}

    def _put(self, message: Message) -> Action:
        group, key = message.message_group_uuid, message.sort_key
        places = keys.removal_keys(group, key, message.message_uuid)
        removal = Removal(group, message.message_uuid, key, self.removed_at, RemovalReason.ERASED)
        item = removal_item(removal, places[(group, key) in self.has_second_place])
        condition = "attribute_not_exists(pk) OR message_uuid = :uuid"
        return put_item(self.table, item, condition, {":uuid": {"S": message.message_uuid}})


def _newest_of(table: Table, group: str, user_uuid: str) -> Message | None:
    """A member's newest message with a valid time, read consistently, from the newest end."""
    params = {
        "KeyConditionExpression": "pk = :pk",
        "FilterExpression": "user_uuid = :sender",
        "ExpressionAttributeValues": {
            ":pk": {"S": keys.message_pk(group)},
            ":sender": {"S": user_uuid},
        },
        "ScanIndexForward": False,
        "ConsistentRead": True,
    }
    for limit in chain((8,), repeat(400)):
        page = table.request("query", **params, Limit=limit)
        messages = (message for message in map(message_from, page["Items"]) if message.created_at)
        if (newest := next(messages, None)) is not None:
            return newest
        if not (last := page.get("LastEvaluatedKey")):
            return None
        params["ExclusiveStartKey"] = last
    return None


def _items_naming(table: Table, user_uuid: str, *, consistent: bool = True) -> Iterator[Item]:
    """Every item that a user sent or owns, or that names the user as a member.

    An erasure names who remained, and may be all that still does: the inbox rows can be lost.
    """
    return paging.items(
        table,
        "scan",
        FilterExpression="user_uuid = :user OR pk = :inbox OR contains(pk, :user)"
        " OR remaining_user_uuid = :user",
        ExpressionAttributeValues={
            ":user": {"S": user_uuid},
            ":inbox": {"S": keys.inbox_pk(user_uuid)},
        },
        ConsistentRead=consistent,
    )
