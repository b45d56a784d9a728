"""Ensures that a member has one inbox row, even if others move rows at the same time."""

from __future__ import annotations

from collections.abc import Sequence

from core.dynamodb import keys
from core.dynamodb.items import inbox_row_item
from core.dynamodb.patterns.reads import inbox_row_at, inbox_rows, newest_message
from core.dynamodb.patterns.transactions import as_read, check_stored, commit, put_item
from core.dynamodb.retries import Backoff
from core.dynamodb.table import Table, request_if
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

    A row is deleted only if another one exists: a later one, or one that our row can follow. So at
    least one row remains, even if others write meanwhile. A message that is removed meanwhile is
    not shown; the newest remaining one is.
    """
    backoff = Backoff()
    written = False
    is_gone = False
    while (newest := _to_show(table, message, owner, other, [] if is_gone else rows)) is not None:
        last = _last_of(rows)
        kept = last
        if last is None or last.sort_key < newest.sort_key or last.preview != newest.text:
            try:
                kept = _put_behind(table, newest, owner, other, last)
            except _RemovedError:
                is_gone = True
                continue
        if kept is None:
            break
        if kept.preview != newest.text:
            rows = [*rows, kept]
            continue
        deleted = [_delete(table, row) for row in rows if row.sort_key != kept.sort_key]
        written = written or kept is not last or any(deleted)
        # Deleting the earlier rows detects conflicts: another writer that moves one deletes it.
        # If there were none, another writer may have put one meanwhile: read again to know.
        if all(deleted) and (rows or table.dry):
            return written
        if not backoff.pause():
            raise StoreError(
                f"The inbox rows of conversation {message.message_group_uuid} keep changing",
                "Try again.",
            )
        rows = inbox_rows(table, owner, message.message_group_uuid)
    return written


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
) -> InboxRow | None:
    """The row stored after putting the owner's row for ``message`` after their ``last`` one.

    It is another row if another writer has just put one with another message. None if no sort key
    can follow the obstacle: at the end of time, or after a time in an unknown form.
    """
    group = message.message_group_uuid
    sort_key: str | None = message.sort_key
    if last is not None and last.sort_key >= message.sort_key:
        sort_key = next_sort_key(last.sort_key)
    while sort_key is not None:
        row = InboxRow(group, owner, other, message.text, sort_key, parse(sort_key))
        if _put(table, row, message):
            return row
        in_the_way = inbox_row_at(table, owner, sort_key)
        following = next_sort_key(sort_key)
        if in_the_way is not None and in_the_way.message_group_uuid == group:
            return in_the_way if following else None
        sort_key = following  # another conversation of the owner has exactly this time
    return None


class _RemovedError(Exception):
    """The message that was to be shown is stored no more."""


def _put(table: Table, row: InboxRow, message: Message) -> bool:
    """True if ``row`` was put; False if its place has another conversation or another message.

    In one transaction with a look at ``message``: it may be removed at any moment.
    """
    item = inbox_row_item(row)
    put = put_item(
        table,
        item,
        "attribute_not_exists(pk) OR message_group_uuid = :group AND message = :text"
        " AND attribute_not_exists(after_removal)",
        {":group": item["message_group_uuid"], ":text": item["message"]},
    )
    backoff = Backoff()
    while True:
        outcome = commit(table, [put, check_stored(table, message)])
        if outcome.committed:
            return True
        if 1 in outcome.failed:
            raise _RemovedError
        if 0 in outcome.failed:
            return False
        if not (outcome.is_cancelled and backoff.pause()):
            raise outcome.error or StoreError("Could not put an inbox row", "Try again.")


def _delete(table: Table, row: InboxRow) -> bool:
    return request_if(
        table,
        "delete_item",
        Key=keys.key(keys.inbox_pk(row.owner_uuid), row.sort_key),
        **as_read(row),
    )
