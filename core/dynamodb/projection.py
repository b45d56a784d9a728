"""Pattern E: inbox rows that follow the stream of messages.

``plan`` is pure: a batch of stream records in, at most one move a conversation out. ``move`` makes
one of them. Two hosts use both: the Lambda handler and ``invoke ddb.follow-stream``. Beside our own
write path, which has moved the rows already, nothing is left to do and nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from core.dynamodb import keys
from core.dynamodb.client import Table, request_if
from core.dynamodb.items import group_item, message_from, text_of
from core.dynamodb.patience import Patience
from core.dynamodb.reads import (
    group_rows,
    inbox_row,
    inbox_row_at,
    inbox_rows,
    latest_message_of,
    members_of,
    newest_message,
)
from core.errors import StoreError
from core.models import Conversation, Message, Person
from core.timestamps import next_sort_key, parse

_MAX_TEXT_BYTES = 390_000
"""What an inbox row takes of texts, with room for ids: an item has 400 KB at most."""

_REQUIRED = ("message_uuid", "message", "user_uuid", "user_handle", "user_display_name")


@dataclass(frozen=True, slots=True)
class Move:
    """The newest message that a batch holds for one conversation.

    ``since`` is the sort key of the oldest one. ``sequence_number`` is that of the conversation's
    first record in the batch: where to go on from if the move fails.
    """

    message: Message
    since: str
    sequence_number: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a batch asks for. ``dropped`` says why records were left out, by sequence number."""

    moves: tuple[Move, ...]
    dropped: tuple[tuple[str, str], ...]


def plan(records: Iterable[Mapping[str, Any]]) -> Plan:
    """The moves that a batch of stream records asks for, one a conversation, in stream order.

    Only inserts of message items count. Malformed records are dropped, never raised: one of them
    must not block a shard. Order and repetition within the batch make no difference.
    """
    newest: dict[str, Move] = {}
    dropped: list[tuple[str, str]] = []
    for record in records:
        sequence_number = _sequence_number(record)
        try:
            message = _inserted_message(record)
        except _MalformedError as error:
            dropped.append((sequence_number, str(error)))
            continue
        if message is None:
            continue
        group = message.message_group_uuid
        seen = newest.setdefault(group, Move(message, message.sort_key, sequence_number))
        newest[group] = Move(
            max(seen.message, message, key=lambda each: each.sort_key),
            min(seen.since, message.sort_key),
            seen.sequence_number,
        )
    return Plan(tuple(newest.values()), tuple(dropped))


class _MalformedError(ValueError):
    """A record that is no stream record of this table."""


def _sequence_number(record: object) -> str:
    if isinstance(record, Mapping) and isinstance(change := record.get("dynamodb"), Mapping):
        return str(change.get("SequenceNumber", ""))
    return ""


def _inserted_message(record: Mapping[str, Any]) -> Message | None:
    """The message that ``record`` inserted; None where it tells of something else."""
    try:
        if record["eventName"] != "INSERT":
            return None
        pk = record["dynamodb"]["Keys"]["pk"]["S"]
        if keys.message_group_of(pk) is None:
            return None
        image = record["dynamodb"]["NewImage"]
        missing = [name for name in _REQUIRED if not isinstance(image[name]["S"], str)]
        message = message_from(image)
    except (KeyError, TypeError, AttributeError, ValueError, ArithmeticError) as error:
        raise _MalformedError(f"{type(error).__name__}: {error}") from error
    if missing or text_of(image, "pk") != pk or message.created_at is None:
        raise _MalformedError(f"unexpected content: {', '.join(missing) or 'keys'}")
    sender = message.sender
    texts = message.text + sender.handle + sender.display_name
    size_bytes = len(texts.encode(errors="surrogatepass"))
    ids = (message.message_group_uuid, sender.uuid)
    if not all(map(keys.can_be_id, ids)) or size_bytes > _MAX_TEXT_BYTES:
        raise _MalformedError("no inbox row can be made of it")  # not later either
    return message


def move(table: Table, message: Message, *, since: str | None = None) -> bool:
    """Bring both members' inbox rows to ``message``; True if anything was written.

    Where the times do not tell that a row is older, it is brought to the conversation's newest
    message instead: so never backwards, and redelivery in any order changes nothing. The new row is
    put before the old one is deleted: after a crash in between, redelivery deletes it. ``since`` is
    the sort key of the batch's oldest message: rows from there on are read from the base table,
    consistently, for the index may not show yet what an earlier delivery left there. A message of
    somebody who is no member is nobody's preview: then, too, it is the members' newest that counts.

    One index query and one query a member, 2.5 RCU, where each row is older than the message or
    shows it; 1 RCU more for each that is neither. 8 WCU when both rows move, none when they are
    there already.

    Raises:
        StoreError: a transient failure; deliver the record again.
    """
    group, sender = message.message_group_uuid, message.sender
    rows = group_rows(table, group)
    if not rows and (row := inbox_row(table, sender.uuid, group)) is not None:
        rows = [row]
    uuids = members_of(rows)
    if sender.uuid not in uuids:
        found = newest_message(table, group, of=uuids, consistent=True) if uuids else None
        if found is None:
            return False
        message = found
    since = min(since or message.sort_key, message.sort_key)
    written = False
    for owner, other, own in _members(table, message, rows, since):
        written = bring(table, message, owner, other, own) or written
    return written


_Member = tuple[str, Person, list[Conversation]]
"""A member's uuid, the other person as their row shows them, and the rows that were read."""


def _members(table: Table, message: Message, rows: list[Conversation], since: str) -> list[_Member]:
    """Both members with their rows; ``rows`` are the conversation's, as the index has them."""
    group, sender = message.message_group_uuid, message.sender
    recipient_uuid = next(uuid for uuid in members_of(rows) if uuid != sender.uuid)
    shown = [row.other for row in rows if row.owner_uuid == sender.uuid]
    recipient = shown[0] if shown else person_in(table, group, recipient_uuid)
    return [
        (sender.uuid, recipient, _own(table, rows, sender.uuid, group, since)),
        (recipient_uuid, sender, _own(table, rows, recipient_uuid, group, since)),
    ]


def _own(
    table: Table, rows: list[Conversation], owner: str, group: str, since: str
) -> list[Conversation]:
    """The owner's rows: from ``since`` on as they are, before that as the index has them.

    Where neither shows one, the whole inbox is read before that is believed.
    """
    older = [row for row in rows if row.owner_uuid == owner and row.sort_key < since]
    return inbox_rows(table, owner, group, since=since) + older or inbox_rows(table, owner, group)


def person_in(table: Table, group: str, user_uuid: str) -> Person:
    """Somebody as their own last message names them; without one, by uuid alone."""
    last = latest_message_of(table, group, user_uuid)
    return last.sender if last else Person(user_uuid, "", "")


def bring(
    table: Table, message: Message, owner: str, other: Person, rows: list[Conversation]
) -> bool:
    """Leave the owner one row, with ``message`` or a newer one; True if that took a write.

    A row is deleted only for another that is there: a later one, or one that ours can follow. So
    whatever others do meanwhile, one is left.
    """
    patience = Patience()
    written = False
    while (newest := _to_show(table, message, owner, other, rows)) is not None:
        last = _last_of(rows)
        kept = last
        if last is None or last.sort_key < newest.sort_key or last.last_message != newest.text:
            kept = _put_behind(table, newest, owner, other, last)
        if kept is None:
            break
        if kept.last_message != newest.text:
            rows = [*rows, kept]
            continue
        deleted = [_delete(table, row) for row in rows if row.sort_key != kept.sort_key]
        written = written or kept is not last or any(deleted)
        # Rows that were there are a check in themselves: who moves one deletes it, and so do we.
        # Where there were none, somebody may have put one meanwhile: only another look tells.
        if all(deleted) and (rows or table.dry):
            return written
        if not patience.pause():
            raise StoreError(f"the rows of conversation {message.message_group_uuid} keep moving")
        rows = inbox_rows(table, owner, message.message_group_uuid)
    return written


def _to_show(
    table: Table, message: Message, owner: str, other: Person, rows: list[Conversation]
) -> Message | None:
    """``message``, where each row is older or shows it; else the newest one, which is looked up.

    A row's time alone does not tell: it may have had to move on by a microsecond, past a message
    that it does not show. None where nothing is stored any more.
    """
    if rows and all(
        row.sort_key < message.sort_key or row.last_message == message.text for row in rows
    ):
        return message
    of = (owner, other.uuid)
    return newest_message(table, message.message_group_uuid, of=of, consistent=True)


def _last_of(rows: list[Conversation]) -> Conversation | None:
    """The latest row. Others' may have a time that nothing of ours can follow: it is no place."""
    places = (row for row in rows if next_sort_key(row.sort_key) is not None)
    return max(places, key=lambda row: row.sort_key, default=None)


def _put_behind(
    table: Table, message: Message, owner: str, other: Person, last: Conversation | None
) -> Conversation | None:
    """Put the owner's row for ``message`` behind their ``last`` one; the row that is there then.

    It is another's where somebody has just put one with another message. None where nothing can
    follow what is in the way: at the end of time, or behind a time of a strange form.
    """
    group = message.message_group_uuid
    at: str | None = message.sort_key
    if last is not None and last.sort_key >= message.sort_key:
        at = next_sort_key(last.sort_key)
    while at is not None:
        row = Conversation(group, owner, other, message.text, at, parse(at))
        if _put(table, row):
            return row
        in_the_way = inbox_row_at(table, owner, at)
        following = next_sort_key(at)
        if in_the_way is not None and in_the_way.message_group_uuid == group:
            return in_the_way if following else None
        at = following  # another conversation of the owner's has that very instant
    return None


def _put(table: Table, row: Conversation) -> bool:
    """Put ``row``, unless one of another conversation, or with another message, is in its place."""
    item = group_item(row)
    return request_if(
        table,
        "put_item",
        Item=item,
        ConditionExpression=(
            "attribute_not_exists(pk) OR message_group_uuid = :group AND message = :text"
        ),
        ExpressionAttributeValues={":group": item["message_group_uuid"], ":text": item["message"]},
    )


def _delete(table: Table, row: Conversation) -> bool:
    return request_if(
        table,
        "delete_item",
        Key=keys.key(keys.group_pk(row.owner_uuid), row.sort_key),
        ConditionExpression="message_group_uuid = :group",
        ExpressionAttributeValues={":group": {"S": row.message_group_uuid}},
    )
