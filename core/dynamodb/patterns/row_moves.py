"""Leaving a member one inbox row, whoever moves rows at the same time."""

from __future__ import annotations

from collections.abc import Sequence

from core.dynamodb import keys
from core.dynamodb.items import inbox_row_item
from core.dynamodb.patterns.reads import inbox_row_at, inbox_rows, newest_message
from core.dynamodb.retries import Backoff
from core.dynamodb.table import Table, request_if
from core.errors import StoreError
from core.models import InboxRow, Message, Person
from core.timestamps import next_sort_key, parse


def list_again(table: Table, message: Message, owner: str, other: Person) -> bool:
    """Show a lost conversation in the owner's inbox, with its newest message; True if it does.

    ``message`` is one of it. Somebody may send meanwhile: one row is left.
    """
    return bring(table, message, owner, other, [])


def settle(
    table: Table, message: Message, members: tuple[Person, Person], rows: Sequence[InboxRow]
) -> None:
    """Leave each member one row, where others may have put one at the time that we did.

    ``rows`` are the conversation's as they were read before ``message`` was stored with rows of its
    own. Only a member who had none is looked at: 1 RCU per 4 KB of the inbox.
    """
    if table.dry:
        return
    for owner, other in (members, members[::-1]):
        if all(row.owner_uuid != owner.uuid for row in rows):
            there = inbox_rows(table, owner.uuid, message.message_group_uuid)
            bring(table, message, owner.uuid, other, there)


def bring(table: Table, message: Message, owner: str, other: Person, rows: list[InboxRow]) -> bool:
    """Leave the owner one row, with ``message`` or a newer one; True if that took a write.

    A row is deleted only for another that is there: a later one, or one that ours can follow. So
    whatever others do meanwhile, one is left.
    """
    backoff = Backoff()
    written = False
    while (newest := _to_show(table, message, owner, other, rows)) is not None:
        last = _last_of(rows)
        kept = last
        if last is None or last.sort_key < newest.sort_key or last.preview != newest.text:
            kept = _put_behind(table, newest, owner, other, last)
        if kept is None:
            break
        if kept.preview != newest.text:
            rows = [*rows, kept]
            continue
        deleted = [_delete(table, row) for row in rows if row.sort_key != kept.sort_key]
        written = written or kept is not last or any(deleted)
        # Rows that were there are a check in themselves: who moves one deletes it, and so do we.
        # Where there were none, somebody may have put one meanwhile: only another look tells.
        if all(deleted) and (rows or table.dry):
            return written
        if not backoff.pause():
            raise StoreError(f"the rows of conversation {message.message_group_uuid} keep moving")
        rows = inbox_rows(table, owner, message.message_group_uuid)
    return written


def _to_show(
    table: Table, message: Message, owner: str, other: Person, rows: list[InboxRow]
) -> Message | None:
    """``message``, where each row is older or shows it; else the newest one, which is looked up.

    A row's time alone does not tell: it may have had to move on by a microsecond, past a message
    that it does not show. None where nothing is stored any more.
    """
    if rows and all(row.sort_key < message.sort_key or row.preview == message.text for row in rows):
        return message
    of = (owner, other.uuid)
    return newest_message(table, message.message_group_uuid, of=of, consistent=True)


def _last_of(rows: list[InboxRow]) -> InboxRow | None:
    """The latest row. Others' may have a time that nothing of ours can follow: it is no place."""
    places = (row for row in rows if next_sort_key(row.sort_key) is not None)
    return max(places, key=lambda row: row.sort_key, default=None)


def _put_behind(
    table: Table, message: Message, owner: str, other: Person, last: InboxRow | None
) -> InboxRow | None:
    """Put the owner's row for ``message`` behind their ``last`` one; the row that is there then.

    It is another's where somebody has just put one with another message. None where nothing can
    follow what is in the way: at the end of time, or behind a time of a strange form.
    """
    group = message.message_group_uuid
    at: str | None = message.sort_key
    if last is not None and last.sort_key >= message.sort_key:
        at = next_sort_key(last.sort_key)
    while at is not None:
        row = InboxRow(group, owner, other, message.text, at, parse(at))
        if _put(table, row):
            return row
        in_the_way = inbox_row_at(table, owner, at)
        following = next_sort_key(at)
        if in_the_way is not None and in_the_way.message_group_uuid == group:
            return in_the_way if following else None
        at = following  # another conversation of the owner's has that very instant
    return None


def _put(table: Table, row: InboxRow) -> bool:
    """Put ``row``, unless one of another conversation, or with another message, is in its place."""
    item = inbox_row_item(row)
    return request_if(
        table,
        "put_item",
        Item=item,
        ConditionExpression=(
            "attribute_not_exists(pk) OR message_group_uuid = :group AND message = :text"
        ),
        ExpressionAttributeValues={":group": item["message_group_uuid"], ":text": item["message"]},
    )


def _delete(table: Table, row: InboxRow) -> bool:
    return request_if(
        table,
        "delete_item",
        Key=keys.key(keys.inbox_pk(row.owner_uuid), row.sort_key),
        ConditionExpression="message_group_uuid = :group",
        ExpressionAttributeValues={":group": {"S": row.message_group_uuid}},
    )
