"""The conversations that a table has before an import, and what others removed during it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby

from core.dynamodb import keys, paging
from core.dynamodb.integrity.faults import Fault, FaultKind
from core.dynamodb.integrity.repairs import repair_fault
from core.dynamodb.integrity.verification import judge, read_conversation
from core.dynamodb.items import removal_from, text_of
from core.dynamodb.keys import Item
from core.dynamodb.patterns.reads import list_rows_of, message_at
from core.dynamodb.patterns.removal_reads import list_removals
from core.dynamodb.retries import retry_while_busy
from core.dynamodb.table import Table
from core.models import Person, Removal, pairs_of

_LEAST_PAGES = 4
_ITEMS_A_PAGE = 500
"""A page of a scan takes about as long as importing so many items."""

_MOST_GROUPS = 200_000
_FEW_GROUPS = 8


def group_of(item: Item) -> str:
    """The conversation that an item belongs to; empty if there is none."""
    pk = text_of(item, "pk")
    group = keys.message_group_of(pk) or keys.removal_group_of(pk)
    if group is None and keys.owner_of(pk) is not None:
        group = text_of(item, "message_group_uuid")
    if group is None and keys.pair_of(pk) is not None:
        group = text_of(item, "group_uuid")
    return group or ""


@dataclass(slots=True)
class KnownGroups:
    """The conversations of which the table has something. Without ``groups`` it may be any."""

    groups: set[str] | None = None
    inserted: set[str] = field(default_factory=set)
    """New conversations into which the import put something: all of them, if they are few."""
    has_inserted: bool = False

    def is_new(self, group: str) -> bool:
        return self.groups is not None and group not in self.groups

    def add(self, group: str) -> None:
        if self.groups is not None:
            self.groups.add(group)

    def note_insert(self, group: str) -> None:
        """Something was inserted: the removals of a new conversation are read at the end."""
        if not (group and self.is_new(group)):
            return
        self.has_inserted = True
        if len(self.inserted) <= _FEW_GROUPS:
            self.inserted.add(group)

    @property
    def are_few(self) -> bool:
        return len(self.inserted) <= _FEW_GROUPS


def look_for_groups(table: Table, item_count: int) -> KnownGroups:
    """The conversations of the table, if they can be read in less time than an import takes.

    One pass over the table's keys, read consistently: 1 RCU per 4 KB of the whole table. It ends
    early where the table is much larger than the ``item_count`` items to import.
    """
    most_pages = _LEAST_PAGES + item_count // _ITEMS_A_PAGE
    groups: set[str] = set()
    for number, items in enumerate(_scanned(table), start=1):
        groups.update(map(group_of, items))
        if number > most_pages or len(groups) > _MOST_GROUPS:
            return KnownGroups()
    return KnownGroups(groups)


def look_for_rows(table: Table, known: KnownGroups, item_count: int) -> None:
    """Add the conversations that have inbox rows by now: others may list them as they arrive."""
    pages = paging.pages(table.request, "scan", IndexName=keys.INDEX)
    for number, page in enumerate(pages, start=1):
        for item in page["Items"]:
            known.add(text_of(item, "message_group_uuid"))
        if number > _LEAST_PAGES + item_count // _ITEMS_A_PAGE:
            known.groups = None
            return


def _scanned(table: Table) -> Iterator[list[Item]]:
    params = {
        "ConsistentRead": True,
        "ProjectionExpression": "pk, sk, message_group_uuid, group_uuid",
    }
    pages = paging.pages(
        lambda operation, **more: retry_while_busy(lambda: table.request(operation, **more)),
        "scan",
        **params,
    )
    return (page["Items"] for page in pages)


def settle(table: Table, known: KnownGroups) -> int:
    """Delete again the messages that were removed during the import; return their number.

    An insert cannot check that its message was not removed. The removals are read after all
    inserts: a later removal finds its message stored, and deletes it. Inbox rows that show
    a removed message, or that are there twice because others listed the conversation as its
    messages arrived, are corrected as well.
    """
    if not known.has_inserted:
        return 0
    deleted = 0
    touched: set[str] = set()
    for removal in _removals(table, known):
        group = removal.message_group_uuid
        touched.add(group)
        stored = message_at(table, group, removal.sort_key)
        if stored is not None and stored.message_uuid == removal.message_uuid:
            kind, pk = FaultKind.REMOVAL_WITHOUT_EFFECT, keys.removal_pk(group)
            deleted += repair_fault(table, _nobody, Fault(kind, pk, removal.sort_key, group))
    for group in _groups_to_correct(table, known, touched):
        _correct_rows(table, group, was_touched=group in touched)
    return deleted


def _removals(table: Table, known: KnownGroups) -> Iterator[Removal]:
    """The removals in new conversations: of each of them, or by one pass over the table."""
    if known.are_few:
        for group in known.inserted:
            yield from list_removals(table, group)
        return
    items = paging.items(
        table,
        "scan",
        ConsistentRead=True,
        FilterExpression="begins_with(pk, :gone)",
        ExpressionAttributeValues={":gone": {"S": keys.removal_pk("")}},
    )
    for item in items:
        removal = removal_from(item)
        if known.is_new(removal.message_group_uuid):
            yield removal


def _groups_to_correct(table: Table, known: KnownGroups, touched: set[str]) -> Iterator[str]:
    """New conversations that were touched, or of which an inbox has several rows."""
    rows = paging.items(table, "scan", IndexName=keys.INDEX)
    for group, group_rows in groupby(rows, lambda row: text_of(row, "message_group_uuid")):
        owners = [text_of(row, "pk") for row in group_rows]
        if known.is_new(group) and (group in touched or len(set(owners)) < len(owners)):
            yield group


def _correct_rows(table: Table, group: str, *, was_touched: bool) -> None:
    rows = list_rows_of(table, group)
    members = [uuid for pair in pairs_of(rows) for uuid in pair]
    conversation = read_conversation(table, group, members, rows)
    for fault in judge(conversation):
        if fault.kind is FaultKind.DUPLICATE_ROW or was_touched:
            shows_nothing = fault.kind is FaultKind.NO_MESSAGES
            kind = FaultKind.REMOVED_SHOWN if shows_nothing else fault.kind
            repair_fault(table, _nobody, replace(fault, kind=kind))


def _nobody(_: Iterable[str]) -> Mapping[str, Person]:
    """No names from Postgres: those in the rows stay."""
    return {}
