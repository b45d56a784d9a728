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
from core.models import InboxRow, Message, Person, member_uuids

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
    rows = list_rows_of(table, group)
    if not rows and (row := inbox_row(table, sender.uuid, group)) is not None:
        rows = [row]
    uuids = member_uuids(rows)
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

    Where neither shows one, the whole inbox is read before that is believed.
    """
    older = [row for row in rows if row.owner_uuid == owner and row.sort_key < since]
    return inbox_rows(table, owner, group, since=since) + older or inbox_rows(table, owner, group)


def person_in(table: Table, group: str, user_uuid: str) -> Person:
    """Somebody as their own last message names them; without one, by uuid alone."""
    last = latest_message_of(table, group, user_uuid)
    return last.sender if last else Person(user_uuid, "", "")
