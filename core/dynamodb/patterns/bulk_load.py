"""Loads a whole conversation. Loading it again changes nothing."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from core.dynamodb import keys, paging
from core.dynamodb.items import inbox_row_from, text_of
from core.dynamodb.patterns.erasure_reads import check_not_erased, refuse_erased
from core.dynamodb.patterns.reads import inbox_row, newest_message
from core.dynamodb.patterns.removal_reads import list_removals
from core.dynamodb.patterns.row_moves import list_again, settle
from core.dynamodb.patterns.sends import existing_group
from core.dynamodb.patterns.transactions import (
    MAX_ACTIONS,
    commit,
    move_rows,
    nudge,
    put_message,
    put_pair,
)
from core.dynamodb.retries import Backoff
from core.dynamodb.table import Table
from core.errors import StoreError
from core.models import InboxRow, Message, Person
from core.timestamps import now, parse, sort_key_after

_NAMESPACE = uuid.UUID("8d6f5a3e-2f0b-4c51-9d0e-6a3f7f0c5b1d")
_PACE = timedelta(seconds=90)
_CHUNK = MAX_ACTIONS - 10
"""Messages in a transaction, which also has the pair and moves both members' rows."""


@dataclass(frozen=True, slots=True)
class TranscriptMessage:
    """One line of a transcript. ``created_at`` None lets the load choose the time."""

    sender: Person
    text: str
    created_at: datetime | None = None


_Line = tuple[str, TranscriptMessage]
"""A line with the uuid of its message."""


@dataclass(frozen=True, slots=True)
class LoadedTranscript:
    """The number of messages ``added`` by a load, and of those ``present`` before it.

    ``removed`` were loaded before and have been removed since: they are left out.
    """

    message_group_uuid: str
    added: int
    present: int
    removed: int = 0


def load_transcript(
    table: Table, members: tuple[Person, Person], lines: Sequence[TranscriptMessage]
) -> LoadedTranscript:
    """The result of storing ``lines`` in the conversation of ``members``, in order, each once.

    A message is recognised by the transcript's content, its members and its position, so an
    interrupted load resumes where it stopped. Each transaction has up to 90 messages and both
    inbox rows: a reader never sees a partial state. Lines without a time are set 90 seconds
    apart, the last one now, all of them after what the conversation holds already.

    The conversation is read once, consistently, and again wherever others have moved its rows
    meanwhile: 1 RCU per 4 KB of it.

    Raises:
        MemberErasedError: one of the members was erased.
    """
    backoff = Backoff()
    uuids = _message_uuids(members, lines)
    own_group = str(uuid.uuid4())
    group: str | None = None
    present: set[str] | None = None
    missing: list[_Line] | None = None
    left: set[_Place] = set()
    obstacles = _Obstacles()
    while True:
        group = group or existing_group(table, members[0].uuid, members[1].uuid)
        # The rows are read before the messages: a message stored after this moves a row, and the
        # transaction's condition then fails.
        rows = _rows_to_move(table, group, members) if group else []
        if missing is None or _places(rows) != left:  # at first, and after other writers' changes
            stored = _known(table, group, set(uuids)) if group else set()
            present = set(stored) if present is None else present
            missing = [pair for pair in zip(uuids, lines, strict=True) if pair[0] not in stored]
        if not missing:
            return _loaded(table, group or own_group, uuids, present or set())
        chunk = _Chunk(table, group, own_group, members, rows, missing, obstacles)
        if chunk.commit():
            missing = missing[len(chunk.messages) :]
            left = chunk.left
            backoff = Backoff()
            continue
        missing = None
        if not backoff.pause():
            raise StoreError(
                "Could not load the whole conversation", "Run it again to load the rest."
            )


def _message_uuids(members: tuple[Person, Person], lines: Sequence[TranscriptMessage]) -> list[str]:
    content = "\x1e".join(f"{line.sender.uuid}\x1f{line.text}" for line in lines)
    people = "#".join(sorted(member.uuid for member in members))
    digest = hashlib.sha256(f"{people}\x1d{content}".encode()).hexdigest()
    return [str(uuid.uuid5(_NAMESPACE, f"{digest}#{place}")) for place in range(len(lines))]


def _stored(table: Table, message_group_uuid: str, wanted: set[str]) -> set[str]:
    items = paging.items(
        table,
        "query",
        KeyConditionExpression="pk = :pk",
        ProjectionExpression="message_uuid",
        ExpressionAttributeValues={":pk": {"S": keys.message_pk(message_group_uuid)}},
        ConsistentRead=True,
    )
    return {
        message_uuid for item in items if (message_uuid := text_of(item, "message_uuid")) in wanted
    }


def _known(table: Table, group: str, wanted: set[str]) -> set[str]:
    """The uuids of the transcript's messages that are stored or were removed.

    Removals are read after the messages: one that was removed before these were read is found.
    """
    return _stored(table, group, wanted) | _removed(table, group, wanted)


def _removed(table: Table, group: str, wanted: set[str]) -> set[str]:
    return {removal.message_uuid for removal in list_removals(table, group)} & wanted


def _loaded(table: Table, group: str, uuids: Sequence[str], present: set[str]) -> LoadedTranscript:
    removed = _removed(table, group, set(uuids))
    before = len(present - removed)
    return LoadedTranscript(group, len(uuids) - before - len(removed), before, len(removed))


@dataclass(slots=True)
class _Obstacles:
    """What earlier tries collided with: sort keys of other messages, times of other rows."""

    taken: set[str] = field(default_factory=set)
    nudges: dict[str, int] = field(default_factory=dict)


class _Chunk:
    """The first missing messages: as many as fit into one transaction."""

    def __init__(
        self,
        table: Table,
        group: str | None,
        own_group: str,
        members: tuple[Person, Person],
        rows: Sequence[InboxRow],
        missing: Sequence[_Line],
        obstacles: _Obstacles,
    ) -> None:
        self.table = table
        self.members = members
        self.obstacles = obstacles
        self.rows = rows
        self.left = _places(rows)
        self.messages = _first_dated(group or own_group, missing, self.rows, obstacles.taken)
        self.pair = [] if group else [put_pair(table, members[0].uuid, members[1].uuid, own_group)]

    def commit(self) -> bool:
        """True if committed; False after a conflict, which is noted for the next try."""
        nudges = self.obstacles.nudges
        moves = move_rows(self.table, self.messages[-1], self.members, self.rows, nudges)
        actions = [
            *(put_message(self.table, message) for message in self.messages),
            *(action for _, action in moves),
            *self.pair,
        ]
        checks = check_not_erased(self.table, *(member.uuid for member in self.members))
        outcome = commit(self.table, actions + checks)
        if any(n >= len(actions) for n in outcome.failed):
            refuse_erased()
        if outcome.final and outcome.error:
            raise outcome.error
        end = len(self.messages)
        self.obstacles.taken |= {self.messages[n].sort_key for n in outcome.failed if n < end}
        nudge(nudges, moves, [n - end for n in outcome.failed if 0 <= n - end < len(moves)])
        if not outcome.committed or self.table.dry:  # no row moved
            return outcome.committed
        moved = [inbox_row_from(a["Put"]["Item"]) for _, a in moves if "Put" in a]
        owners = {row.owner_uuid for row in moved}
        self.left = _places([*moved, *(row for row in self.rows if row.owner_uuid not in owners)])
        if not self.pair:
            settle(self.table, self.messages[-1], self.members, self.rows)
        return True


_Place = tuple[str, str]
"""An inbox row's owner and sort key."""


def _places(rows: Iterable[InboxRow]) -> set[_Place]:
    return {(row.owner_uuid, row.sort_key) for row in rows}


def _rows_to_move(table: Table, group: str, members: tuple[Person, Person]) -> list[InboxRow]:
    """The members' newest rows. Where no inbox lists the conversation, it is listed again first.

    Two loads at once are in each other's way only at a row that both ask for: without any, each
    would store the transcript.
    """
    if rows := _rows(table, group, members):
        return rows
    uuids = [member.uuid for member in members]
    newest = newest_message(table, group, senders=uuids, consistent=True)
    if newest is None:
        return []
    for owner, other in (members, members[::-1]):
        list_again(table, newest, owner.uuid, other)
    return _rows(table, group, members)


def _rows(table: Table, group: str, members: tuple[Person, Person]) -> list[InboxRow]:
    member_rows = [inbox_row(table, member.uuid, group) for member in members]
    return [row for row in member_rows if row is not None]


def _first_dated(
    group: str, missing: Sequence[_Line], rows: Sequence[InboxRow], taken: set[str]
) -> list[Message]:
    """The first messages with rising sort keys: after ``rows``, unless they carry a time."""
    last = max((row.sort_key for row in rows), default=None)
    instants = _instants(last, len(missing))
    messages: list[Message] = []
    previous: str | None = None
    for (message_uuid, line), instant in zip(missing[:_CHUNK], instants, strict=False):
        if line.created_at is not None:
            key = sort_key_after(previous, line.created_at)
        else:
            key = sort_key_after(previous or last, instant)
        while key in taken:
            key = sort_key_after(key, line.created_at or instant)
        messages.append(Message(group, message_uuid, line.sender, line.text, key, parse(key)))
        previous = key
    return messages


def _instants(last: str | None, count: int) -> Iterator[datetime]:
    """``count`` instants up to now, 90 seconds apart, or closer where ``last`` is nearer."""
    end = now()
    begin = end - _PACE * (count - 1)
    reached = parse(last) if last else None
    if reached is not None and begin <= reached < end:
        begin = reached + (end - reached) / (count + 1)
    step = (end - begin) / max(count - 1, 1)
    return (end - step * (count - 1 - place) for place in range(count))
