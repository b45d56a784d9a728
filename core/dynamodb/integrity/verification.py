"""Checks every guarantee for the stored items, in constant memory.

It scans the index once and the table once, and takes notes: no conversation needs a request of its
own. An apparent fault is read again, consistently, before it is reported: others may be writing
meanwhile.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from core.dynamodb import keys, paging
from core.dynamodb.integrity import erased
from core.dynamodb.integrity.faults import Fault, FaultKind
from core.dynamodb.integrity.notes import Notes
from core.dynamodb.items import inbox_row_from, message_from, removal_from, text_of
from core.dynamodb.keys import Item
from core.dynamodb.patterns.erasure_reads import erased_digests, find_erasure
from core.dynamodb.patterns.reads import (
    inbox_row,
    inbox_row_at,
    inbox_rows,
    message_at,
    names_a_conversation,
    newest_message,
)
from core.dynamodb.patterns.removal_reads import has_removals
from core.dynamodb.stream.projection import FindPeople
from core.dynamodb.table import GoOn, Table, always
from core.models import (
    REMOVED_TEXT,
    Conversation,
    InboxRow,
    Pair,
    Person,
    pairs_of,
    rows_of_pair,
)

Key = TypeVar("Key")
Value = TypeVar("Value")

_REMEMBERED = 4096
_REMEMBERED_PEOPLE = 20_000
"""More than a page of a scan can name: 1 MB."""

_MESSAGE = ("message_uuid", "message", "user_uuid", "user_handle", "user_display_name")
_INBOX_ROW = ("message_group_uuid", "message", "user_uuid", "user_handle", "user_display_name")


@dataclass(slots=True)
class Verification:
    """A pass over the table. Iterate :meth:`findings`; ``counts`` is complete at its end.

    ``is_complete`` says whether a pass has reached the end of the table.
    """

    table: Table
    find_people: FindPeople
    counts: dict[str, int] = field(default_factory=dict)
    is_complete: bool = False
    _notes: Notes = field(init=False)
    _orphans: OrderedDict[str, bool] = field(default_factory=OrderedDict)
    _people: OrderedDict[str, Person | None] = field(default_factory=OrderedDict)
    _messages: OrderedDict[str, str] = field(default_factory=OrderedDict)
    digests: frozenset[str] = frozenset()
    """Of the users who are erased, as read at the start of a pass."""

    def findings(self, go_on: GoOn = always) -> Iterator[Fault]:
        """Everything that breaks a guarantee: of single items, then of conversations.

        A message that is stored twice is detected if fewer than 4,096 lie between the two. Calls
        ``go_on`` before each item, and ends early where it returns False.
        """
        self._notes = Notes()
        try:
            yield from self._findings(go_on)
        finally:
            self._notes.close()

    def _findings(self, go_on: GoOn) -> Iterator[Fault]:
        looked_at = 0
        self.digests = frozenset(erased_digests(self.table))
        if not self._note_rows(go_on):
            return
        for looked_at, item in enumerate(self._scanned()):
            if not go_on(looked_at):
                return
            yield from self._item(item)
        for group, rows in self._notes.conversations():
            if not go_on(looked_at):
                return
            yield from self._rows(group, rows)
        self.is_complete = True

    def _item(self, item: Item) -> Iterator[Fault]:
        pk = text_of(item, "pk")
        if any(erased.erased_users_in(item, self.digests)):
            self._count("items of erased users")
            yield _at(item, FaultKind.ERASED_USER, _group_of(item))
        elif keys.message_group_of(pk) is not None:
            self._count("messages")
            yield from self._message(item)
        elif keys.owner_of(pk) is not None:
            self._count("inbox rows")
            yield from self._inbox_row(item)
        elif keys.pair_of(pk) is not None:
            self._count("pairs")
            yield from self._pair(item)
        elif _kind_of(item) == "removals":
            self._count("removals")
            yield from self._removal(item)
        else:
            self._count(_kind_of(item))

    def _note_rows(self, go_on: GoOn) -> bool:
        """Read the index: a request for some thousand rows. False if it was stopped."""
        pages = paging.pages(self.table.request, "scan", IndexName=keys.INDEX)
        for number, page in enumerate(pages):
            if number and not go_on(0):
                return False
            self._notes.add_rows(page["Items"])
            del page
        return True

    def _scanned(self) -> Iterator[Item]:
        """Every item of the table; the people of a page are looked up together."""
        for page in paging.pages(self.table.request, "scan"):
            uuids = {text_of(item, "user_uuid") for item in page["Items"]} - self._people.keys()
            known = self.find_people(uuids - {""})
            for user_uuid in uuids:
                self._remember_person(user_uuid, known.get(user_uuid))
            yield from page["Items"]
            del page

    def _count(self, kind: str) -> None:
        self.counts[kind] = self.counts.get(kind, 0) + 1

    def _message(self, item: Item) -> Iterator[Fault]:
        message = message_from(item)
        group = message.message_group_uuid
        if message.created_at is not None:
            self._notes.add_message(message)
        if "message_group_uuid" in item:
            yield _at(item, FaultKind.INDEXED_MESSAGE, group)
        readable = _readable(item, _MESSAGE) and message.created_at is not None
        if not readable or not all(map(keys.can_be_id, (group, message.sender.uuid))):
            yield _at(item, FaultKind.UNREADABLE, group)
            return
        rows = self._notes.rows_of(group)
        if self._messages.get(message.message_uuid) == group:
            yield _at(item, FaultKind.DOUBLE_MESSAGE, group)
        _remember(self._messages, message.message_uuid, group)
        if not rows:
            # Report it once for each conversation, and only if the index is not just lagging.
            known = group in self._orphans
            _remember(self._orphans, group, True)
            if not known and inbox_row(self.table, message.sender.uuid, group) is None:
                yield _at(item, FaultKind.ORPHAN_MESSAGES, group)
        elif (pairs := pairs_of(rows)) and not any(message.sender.uuid in pair for pair in pairs):
            yield _at(item, FaultKind.STRANGER_MESSAGE, group)
        elif self._person(message.sender.uuid) is None:
            yield _at(item, FaultKind.UNKNOWN_SENDER, group)

    def _inbox_row(self, item: Item) -> Iterator[Fault]:
        row = inbox_row_from(item)
        readable = _readable(item, _INBOX_ROW) and row.last_message_at is not None
        if not readable or not names_a_conversation(row):
            yield _at(item, FaultKind.UNREADABLE, row.message_group_uuid)
            return
        group = row.message_group_uuid
        pairs = pairs_of([*self._notes.rows_of(group), row])
        pair = next(iter(pairs_of([row])))
        if self._is_left_over(pair, pairs):
            yield _at(item, FaultKind.LEFTOVER_PAIR, group)
            return
        yield from self._names(item, row)
        if not pairs:
            yield from self._members_differ(item, group)

    def _rows(self, group: str, rows: Sequence[InboxRow]) -> Iterator[Fault]:
        """The faults of a conversation's rows, by pair of members."""
        pairs = pairs_of(rows)
        for pair in pairs:
            if self._is_left_over(pair, pairs):
                continue
            pair_rows = rows_of_pair(rows, pair)
            newest = self._notes.newest_message(group, pair)
            conversation = Conversation(group, pair_rows, newest)
            if newest is not None:
                yield from self._other_conversations(pair, pair_rows)
            if list(judge(conversation)):
                conversation = read_conversation(self.table, group, pair, pair_rows)
                for fault in judge(conversation):
                    yield from self._unless_removed(fault, conversation)

    def _members_differ(self, item: Item, group: str) -> Iterator[Fault]:
        """A fault, unless the conversation lost a member: a row may be from before that."""
        if find_erasure(self.table, group) is None:
            yield _at(item, FaultKind.MEMBERS_DIFFER, group)

    def _is_left_over(self, pair: Pair, pairs: Sequence[Pair]) -> bool:
        """Whether both users are unknown, and another pair under the same id is known."""
        return is_left_over(pair, pairs, lambda uuid: self._person(uuid) is not None)

    def _other_conversations(self, pair: Pair, rows: Sequence[InboxRow]) -> Iterator[Fault]:
        """A fault for each conversation of the two but the first that the pass met."""
        first = min(rows, key=lambda row: (row.owner_uuid, row.sort_key))
        group = first.message_group_uuid
        if self._notes.first_conversation_of(pair, group) != group:
            pk = keys.inbox_pk(first.owner_uuid)
            yield Fault(FaultKind.TWO_CONVERSATIONS, pk, first.sort_key, group)

    def _unless_removed(self, fault: Fault, conversation: Conversation) -> Iterator[Fault]:
        """``fault``, unless it says only that each message or a member of it was removed."""
        group = conversation.message_group_uuid
        if fault.kind is FaultKind.MISSING_ROW and erased.is_explained(
            fault, find_erasure(self.table, group)
        ):
            return
        if fault.kind is not FaultKind.NO_MESSAGES or not has_removals(self.table, group):
            yield fault
            return
        place = (keys.owner_of(fault.pk), fault.sk)
        row = next(r for r in conversation.rows if (r.owner_uuid, r.sort_key) == place)
        if row.preview != REMOVED_TEXT:
            yield Fault(FaultKind.REMOVED_SHOWN, fault.pk, fault.sk, group)

    def _removal(self, item: Item) -> Iterator[Fault]:
        removal = removal_from(item)
        if "message_group_uuid" in item:
            yield _at(item, FaultKind.INDEXED_MESSAGE, removal.message_group_uuid)
        stored = message_at(self.table, removal.message_group_uuid, removal.sort_key)
        if stored is not None and stored.message_uuid == removal.message_uuid:
            yield _at(item, FaultKind.REMOVAL_WITHOUT_EFFECT, removal.message_group_uuid)

    def _names(self, item: Item, row: InboxRow) -> Iterator[Fault]:
        person = self._person(row.other.uuid)
        if person is None:
            if not erased.is_replacement(self.table, row.message_group_uuid, row.other.uuid):
                yield _at(item, FaultKind.UNKNOWN_USER, row.message_group_uuid)
        elif person != row.other:
            yield _at(item, FaultKind.NAME_DIFFERS, row.message_group_uuid)

    def _pair(self, item: Item) -> Iterator[Fault]:
        pair = keys.pair_of(text_of(item, "pk")) or ()
        group = text_of(item, "group_uuid")
        if "message_group_uuid" in item:
            yield _at(item, FaultKind.INDEXED_MESSAGE, group)
        if not keys.can_be_id(group) or len(pair) != 2:
            yield _at(item, FaultKind.UNREADABLE, group)
        else:
            yield from self._pair_of_conversation(item, (pair[0], pair[1]), group)

    def _pair_of_conversation(self, item: Item, pair: Pair, group: str) -> Iterator[Fault]:
        rows = self._notes.rows_of(group)
        pairs = pairs_of(rows)
        if self._is_left_over(pair, pairs):
            yield _at(item, FaultKind.ORPHAN_PAIR, group)
            return
        if pair in pairs or (rows and not pairs):
            return
        conversation = read_conversation(self.table, group, pair)
        belongs_to_others = conversation.rows and conversation.member_uuids != pair
        if conversation.newest is None or belongs_to_others:
            yield _at(item, FaultKind.ORPHAN_PAIR, group)
        elif not conversation.rows:
            yield _at(item, FaultKind.MISSING_ROW, group)

    def _person(self, user_uuid: str) -> Person | None:
        if user_uuid not in self._people:
            self._remember_person(user_uuid, self.find_people([user_uuid]).get(user_uuid))
        return self._people[user_uuid]

    def _remember_person(self, user_uuid: str, person: Person | None) -> None:
        _remember(self._people, user_uuid, person, most=_REMEMBERED_PEOPLE)


def _remember(
    memory: OrderedDict[Key, Value], key: Key, value: Value, *, most: int = _REMEMBERED
) -> None:
    memory[key] = value
    if len(memory) > most:
        memory.popitem(last=False)


def _readable(item: Item, names: Sequence[str]) -> bool:
    return all("S" in item.get(name, {}) for name in names)


_KINDS = {
    keys.HOLD_PK: "holds",
    keys.ERASED_PK: "erased users",
    keys.ENVIRONMENT_KEY["pk"]["S"]: "environment marker",
}


def _kind_of(item: Item) -> str:
    """The kind of an item that belongs to no inbox, conversation or pair."""
    pk = text_of(item, "pk")
    if keys.removal_group_of(pk) is None:
        return _KINDS.get(pk, "other items")
    return "erasures" if text_of(item, "sk") == keys.ERASURE_SK else "removals"


def _group_of(item: Item) -> str:
    """The conversation that an item belongs to."""
    group = keys.message_group_of(text_of(item, "pk"))
    return group or text_of(item, "message_group_uuid") or text_of(item, "group_uuid")


def _at(item: Item, fault: FaultKind, group: str) -> Fault:
    return Fault(fault, text_of(item, "pk"), text_of(item, "sk"), group)


def read_conversation(
    table: Table,
    message_group_uuid: str,
    members: Sequence[str],
    seen: Sequence[InboxRow] = (),
) -> Conversation:
    """A conversation's rows and newest message, read consistently.

    The rows ``seen`` in the index are read again, at 1 RCU each. The whole inbox of a member is
    read, at 1 RCU per 4 KB, only if none was seen or one has moved since.
    """
    rows = [
        row
        for member in members
        for row in _looked_up(table, [row for row in seen if row.owner_uuid == member])
        or inbox_rows(table, member, message_group_uuid)
    ]
    newest = newest_message(table, message_group_uuid, senders=members, consistent=True)
    return Conversation(message_group_uuid, rows, newest)


def _looked_up(table: Table, seen: Sequence[InboxRow]) -> list[InboxRow]:
    """These rows as they are now; empty if one of them is gone."""
    current_rows = [inbox_row_at(table, row.owner_uuid, row.sort_key) for row in seen]
    unmoved = [
        current
        for row, current in zip(seen, current_rows, strict=True)
        if current is not None and current.message_group_uuid == row.message_group_uuid
    ]
    return unmoved if len(unmoved) == len(seen) else []


def is_left_over(pair: Pair, pairs: Sequence[Pair], is_known: Callable[[str], bool]) -> bool:
    """Whether neither member of ``pair`` is known, and both of another of ``pairs`` are."""
    others = [other for other in pairs if other != pair]
    if not others or any(map(is_known, pair)):
        return False
    return any(all(map(is_known, other)) for other in others)


def judge(conversation: Conversation) -> Iterator[Fault]:
    """The faults of a conversation's inbox rows."""
    for member in conversation.member_uuids:
        member_rows = sorted(
            (row for row in conversation.rows if row.owner_uuid == member),
            key=lambda row: row.sort_key,
        )
        pk = keys.inbox_pk(member)
        if not member_rows:
            yield Fault(FaultKind.MISSING_ROW, pk, "", conversation.message_group_uuid)
            continue
        for row in member_rows[:-1]:
            yield Fault(FaultKind.DUPLICATE_ROW, pk, row.sort_key, conversation.message_group_uuid)
        yield from _preview(conversation, member_rows[-1])


def _preview(conversation: Conversation, row: InboxRow) -> Iterator[Fault]:
    pk = keys.inbox_pk(row.owner_uuid)
    if conversation.newest is None:
        yield Fault(FaultKind.NO_MESSAGES, pk, row.sort_key, conversation.message_group_uuid)
    elif row.sort_key < conversation.newest.sort_key:
        yield Fault(FaultKind.STALE_PREVIEW, pk, row.sort_key, conversation.message_group_uuid)
    elif row.preview != conversation.newest.text:
        yield Fault(FaultKind.PREVIEW_AHEAD, pk, row.sort_key, conversation.message_group_uuid)
