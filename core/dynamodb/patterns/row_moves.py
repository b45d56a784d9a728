"""Ensures that a member has one inbox row, even if others move rows at the same time."""

from __future__ import annotations

from collections.abc import Sequence

from core.dynamodb import keys
from core.dynamodb.items import inbox_row_item
from core.dynamodb.patterns.erasure_reads import check_pair, find_erasure
from core.dynamodb.patterns.reads import inbox_row_at, inbox_rows, newest_message
from core.dynamodb.patterns.transactions import (
    Action,
    Outcome,
    as_read,
    check_item,
    check_stored,
    commit,
    delete_inbox_row,
    put_item,
)
from core.dynamodb.retries import Backoff
from core.dynamodb.table import Table
from core.errors import StoreError
from core.models import InboxRow, Message, Person
from core.timestamps import next_sort_key, parse


def list_again(table: Table, message: Message, owner: str, other: Person) -> bool:
    """True if a conversation without rows was put back into the owner's inbox.

    ``message`` is one of its messages. One row remains even if someone sends meanwhile.
    """
    return bring(table, message, owner, other, [])


def settle(
    table: Table, message: Message, members: tuple[Person, Person], rows: Sequence[InboxRow]
) -> None:
    """Leave each member one row, where another writer may have put one at the same time.

    ``rows`` are the conversation's rows as read before ``message`` was stored with its own rows.
    Only a member who had none is checked: 1 RCU per 4 KB of the inbox.
    """
    if table.dry:
        return
    for owner, other in (members, members[::-1]):
        if all(row.owner_uuid != owner.uuid for row in rows):
            member_rows = inbox_rows(table, owner.uuid, message.message_group_uuid)
            bring(table, message, owner.uuid, other, member_rows)


def bring(table: Table, message: Message, owner: str, other: Person, rows: list[InboxRow]) -> bool:
    """Leave the owner one row, with ``message`` or a newer one; True if something was written.

    A row is deleted only if another one exists, or together with the put of one. So at least one
    row remains, even if others write meanwhile. A message that is removed meanwhile is not shown;
    the newest remaining one is. An erased owner gets no row, and a row of the other member shows
    the replacement: a row that names another person, or none, makes it look for an erasure.
    """
    return _Bringing(table, message, owner, other).run(rows)


class _Bringing:
    """One owner's row, with all retries."""

    def __init__(self, table: Table, message: Message, owner: str, other: Person) -> None:
        self.table, self.message, self.owner, self.other = table, message, owner, other
        self.backoff = Backoff()
        self.is_gone = False
        self.written = False

    def run(self, rows: list[InboxRow]) -> bool:
        while self._is_member(rows):
            shown_by = [] if self.is_gone else rows
            newest = _to_show(self.table, self.message, self.owner, self.other, shown_by)
            if newest is None:
                break
            try:
                kept, replaced = self._show(newest, rows)
                if kept is not None and kept.preview != newest.text:
                    rows = [*rows, kept]
                elif kept is None or self._delete_others(rows, kept, replaced):
                    break
                else:
                    rows = self._read_again()
            except _RemovedError:
                self.is_gone = True
            except _ChangedError:
                rows = self._read_again()
        return self.written

    def _is_member(self, rows: Sequence[InboxRow]) -> bool:
        """Whether the owner is to have a row; notes the replacement of an erased other member."""
        if rows and all(row.other.uuid == self.other.uuid for row in rows):
            return True
        erasure = find_erasure(self.table, self.message.message_group_uuid)
        if erasure is None:
            return True
        self.other, self.is_gone = erasure.replacement, True
        return erasure.remaining_user_uuid == self.owner

    def _show(
        self, newest: Message, rows: list[InboxRow]
    ) -> tuple[InboxRow | None, InboxRow | None]:
        """The row that shows ``newest``, and the row that it has replaced, if it was put."""
        last = _last_of(rows)
        if last is not None and not _is_other(last, newest, self.other):
            return last, None
        kept, is_put = _put_behind(self.table, newest, self.owner, self.other, last)
        return kept, last if is_put else None

    def _delete_others(
        self, rows: Sequence[InboxRow], kept: InboxRow, replaced: InboxRow | None
    ) -> bool:
        """Delete all rows but the one that is kept; False if others may be writing them too.

        Another writer that moves a row deletes it as well. If there was none, another writer may
        have put one meanwhile.
        """
        spare = [row for row in rows if row.sort_key != kept.sort_key and row is not replaced]
        deleted = [_delete(self.table, row, kept) for row in spare]
        self.written = self.written or kept not in rows or any(deleted)
        return all(deleted) and bool(rows or self.table.dry)

    def _read_again(self) -> list[InboxRow]:
        """The owner's rows, after a pause.

        Raises:
            StoreError: they have been changing for too long.
        """
        group = self.message.message_group_uuid
        if not self.backoff.pause():
            raise StoreError(f"The inbox rows of conversation {group} keep changing", "Try again.")
        return inbox_rows(self.table, self.owner, group)


def _is_other(row: InboxRow, newest: Message, other: Person) -> bool:
    """Whether a row does not show ``newest`` and ``other`` yet."""
    if row.sort_key < newest.sort_key or row.preview != newest.text:
        return True
    return row.other.uuid != other.uuid


def _to_show(
    table: Table, message: Message, owner: str, other: Person, rows: list[InboxRow]
) -> Message | None:
    """``message`` if each row is older or shows it; else the newest stored message.

    A row's time alone is not enough: it may be a microsecond later than the message it shows. None
    if no message is stored any more.
    """
    if rows and all(row.sort_key < message.sort_key or row.preview == message.text for row in rows):
        return message
    senders = (owner, other.uuid)
    return newest_message(table, message.message_group_uuid, senders=senders, consistent=True)


def _last_of(rows: list[InboxRow]) -> InboxRow | None:
    """The latest row, except those whose time no sort key of ours can follow."""
    places = (row for row in rows if next_sort_key(row.sort_key) is not None)
    return max(places, key=lambda row: row.sort_key, default=None)


def _put_behind(
    table: Table, message: Message, owner: str, other: Person, last: InboxRow | None
) -> tuple[InboxRow | None, bool]:
    """The row stored after moving the owner's ``last`` row to ``message``, and whether it was put.

    It is another row if another writer has just put one with another message. None if no sort key
    can follow the obstacle: at the end of time, or after a time in an unknown form.
    """
    group = message.message_group_uuid
    sort_key: str | None = message.sort_key
    if last is not None and last.sort_key >= message.sort_key:
        sort_key = next_sort_key(last.sort_key)
    while sort_key is not None:
        row = InboxRow(group, owner, other, message.text, sort_key, parse(sort_key))
        if _put(table, row, message, last):
            return row, True
        in_the_way = inbox_row_at(table, owner, sort_key)
        following = next_sort_key(sort_key)
        if in_the_way is not None and in_the_way.message_group_uuid == group:
            return (in_the_way if following else None), False
        sort_key = following  # another conversation of the owner has exactly this time
    return None, False


class _RemovedError(Exception):
    """The message that was to be shown is stored no more."""


class _ChangedError(Exception):
    """The row to move has changed since it was read, or a member has been erased."""


def _put(table: Table, row: InboxRow, message: Message, last: InboxRow | None) -> bool:
    """True if ``row`` replaced ``last``; False if its place has something else already.

    In one transaction with a look at ``message``: it may be removed at any moment. Without a row to
    replace, it also looks for an erasure, which would have deleted or changed that row.
    """
    item = inbox_row_item(row)
    put = put_item(
        table,
        item,
        "attribute_not_exists(pk) OR message_group_uuid = :group AND message = :text"
        " AND attribute_not_exists(after_removal)",
        {":group": item["message_group_uuid"], ":text": item["message"]},
    )
    group, members = row.message_group_uuid, (row.owner_uuid, row.other.uuid)
    move = delete_inbox_row(table, last) if last else check_pair(table, group, members)
    outcome = _tried(table, [put, check_stored(table, message), move])
    if 1 in outcome.failed:
        raise _RemovedError
    if 2 in outcome.failed:
        raise _ChangedError
    return outcome.committed


def _delete(table: Table, row: InboxRow, kept: InboxRow) -> bool:
    """Delete ``row``; False if it has changed since it was read.

    In one transaction with a look at the row that is ``kept``: a removal may move that one back,
    and then ``row`` may show the newest message.

    Raises:
        _ChangedError: the kept row has changed.
    """
    place = keys.key(keys.inbox_pk(kept.owner_uuid), kept.sort_key)
    look = check_item(table, place, *as_read(kept).values())
    outcome = _tried(table, [delete_inbox_row(table, row), look])
    if 1 in outcome.failed:
        raise _ChangedError
    return outcome.committed


def _tried(table: Table, actions: list[Action]) -> Outcome:
    """Committed, or cancelled by a condition: what other writers cancel is tried again."""
    backoff = Backoff()
    while True:
        outcome = commit(table, actions)
        if outcome.committed or outcome.failed:
            return outcome
        if not (outcome.is_cancelled and backoff.pause()):
            raise outcome.error or StoreError("Could not move an inbox row", "Try again.")
