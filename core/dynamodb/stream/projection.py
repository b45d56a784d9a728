"""Pattern E: moves inbox rows to the messages in the table's stream.

``plan`` is pure: it turns a batch of stream records into at most one move for each conversation.
``move`` makes one of them. The Lambda handler and ``invoke ddb.follow-stream`` use both. For
messages that we sent, whose rows have moved already, nothing is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from core.dynamodb import keys
from core.dynamodb.items import message_from, text_of
from core.dynamodb.patterns.reads import (
    inbox_row,
    inbox_rows,
    latest_message_of,
    list_rows_of,
    newest_message,
)
from core.dynamodb.patterns.row_moves import bring
from core.dynamodb.table import Table
from core.models import (
    InboxRow,
    Message,
    Person,
    member_uuids,
    pair_with,
    pairs_of,
    rows_of_pair,
)

FindPeople = Callable[[Iterable[str]], Mapping[str, Person]]
"""Returns the known people among some user uuids, with their names."""

_MAX_TEXT_BYTES = 390_000
"""The most text in an inbox row, which leaves room for ids: an item has at most 400 KB."""

_REQUIRED = ("message_uuid", "message", "user_uuid", "user_handle", "user_display_name")


@dataclass(frozen=True, slots=True)
class Move:
    """The newest message of one conversation in a batch.

    ``since`` is the sort key of the oldest one. ``sequence_number`` is that of the conversation's
    first record in the batch: where to resume if the move fails.
    """

    message: Message
    since: str
    sequence_number: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The moves of a batch. ``dropped`` says why records were left out, by sequence number."""

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
            max(seen.message, message, key=lambda message: message.sort_key),
            min(seen.since, message.sort_key),
            seen.sequence_number,
        )
    return Plan(tuple(newest.values()), tuple(dropped))


class _MalformedError(ValueError):
    """A record that is not a valid stream record of this table."""


def _sequence_number(record: object) -> str:
    if isinstance(record, Mapping) and isinstance(change := record.get("dynamodb"), Mapping):
        return str(change.get("SequenceNumber", ""))
    return ""


def _inserted_message(record: Mapping[str, Any]) -> Message | None:
    """The message that ``record`` inserted; None for any other change."""
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
        raise _MalformedError("it cannot become an inbox row")  # and a retry cannot help
    return message


def move(
    table: Table,
    message: Message,
    *,
    since: str | None = None,
    find_people: FindPeople | None = None,
) -> bool:
    """Bring both members' inbox rows to ``message``; True if anything was written.

    If a row may be newer, it moves to the conversation's newest message instead. So no row moves
    backwards, and redelivery in any order changes nothing. The newest row is replaced in one
    transaction, and then any others are deleted: after a crash in between, redelivery deletes them.
    ``since`` is the sort key of the batch's oldest message: later rows are read from the base
    table, consistently, because the index may lag behind an earlier delivery. A message from a
    person who is not a member is never shown: the rows then move to the members' newest message.
    Of several pairs under one id, the sender's moves. A row that is written has the names that
    ``find_people`` knows, or its message's.

    One index query and one query for each member, 2.5 RCU, if each row is older than the message or
    shows it; 1 RCU more for each other row. 8 WCU when both rows move, none when they are there
    already.

    Raises:
        StoreError: a transient failure; deliver the record again.
    """
    group, sender = message.message_group_uuid, message.sender
    rows = list_rows_of(table, group)
    if not rows and (row := inbox_row(table, sender.uuid, group)) is not None:
        rows = [row]
    pairs = pairs_of(rows)
    pair = pair_with(rows, sender.uuid)
    if pair is None:
        pair = pairs[0] if len(pairs) == 1 else None
        newest = newest_message(table, group, senders=pair, consistent=True) if pair else None
        if pair is None or newest is None:
            return False
        message = newest
    rows = rows_of_pair(rows, pair)
    since = min(since or message.sort_key, message.sort_key)
    known = find_people(pair) if find_people else {}
    written = False
    for owner, shown, owner_rows in _members(table, message, rows, since):
        other = known.get(shown.uuid, shown)
        written = bring(table, message, owner, other, owner_rows) or written
    return written


_Member = tuple[str, Person, list[InboxRow]]
"""A member's uuid, the other person as their row shows them, and the rows that were read."""


def _members(table: Table, message: Message, rows: list[InboxRow], since: str) -> list[_Member]:
    """Both members with their rows; ``rows`` are the conversation's, as the index has them."""
    group, sender = message.message_group_uuid, message.sender
    recipient_uuid = next(uuid for uuid in member_uuids(rows) if uuid != sender.uuid)
    shown = [row.other for row in rows if row.owner_uuid == sender.uuid]
    recipient = shown[0] if shown else person_in(table, group, recipient_uuid)
    return [
        (sender.uuid, recipient, _own(table, rows, sender.uuid, group, since)),
        (recipient_uuid, sender, _own(table, rows, recipient_uuid, group, since)),
    ]


def _own(table: Table, rows: list[InboxRow], owner: str, group: str, since: str) -> list[InboxRow]:
    """The owner's rows: from ``since`` on as they are, before that as the index has them.

    If neither has one, the whole inbox is read to be sure.
    """
    older = [row for row in rows if row.owner_uuid == owner and row.sort_key < since]
    return inbox_rows(table, owner, group, since=since) + older or inbox_rows(table, owner, group)


def person_in(table: Table, group: str, user_uuid: str) -> Person:
    """A person with the names in their last message; without a message, only the uuid."""
    last = latest_message_of(table, group, user_uuid)
    return last.sender if last else Person(user_uuid, "", "")
