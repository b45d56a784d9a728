"""The answers that many writers got, compared with the stored messages."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from list_append import NEVER, Append, Read, anomalies

from core.dynamodb.integrity.verification import Verification
from core.dynamodb.patterns import reads
from core.dynamodb.patterns.sends import Draft, send, start
from core.dynamodb.table import Table
from core.errors import MessageUnconfirmedError, StoreError
from core.models import Message, Person

PEOPLE = [Person(f"user-{n}", f"user{n}", f"User {n}") for n in range(5)]
PAIRS = [(0, 1), (0, 2), (0, 3), (1, 2), (3, 4)]
_TRIES = 20
_READ_EVERY_S = 0.02
_NEWEST = 20


@dataclass
class History:
    """The messages of one writer: acknowledged ones in order, and unconfirmed ones."""

    acknowledged: list[Message] = field(default_factory=list)
    in_doubt: set[str] = field(default_factory=set)
    unconfirmed: int = 0
    """Unconfirmed tries; the next try has confirmed most of them."""
    refused: int = 0
    """Tries that certainly stored nothing."""
    appends: list[Append] = field(default_factory=list)
    """Every send, with when it began and ended."""
    reads: list[Read] = field(default_factory=list)


def begin(table: Table) -> list[str]:
    """Start a conversation for each of the pairs."""
    drafts = [Draft(PEOPLE[one], PEOPLE[other], "first") for one, other in PAIRS]
    return [start(table, draft)[0].message_group_uuid for draft in drafts]


def write(table: Table, groups: list[str], writer: int, numbers: Iterable[int]) -> History:
    """Send the message ``<writer>-<number>`` for each number, trying again as a person does."""
    history, chance = History(), random.Random(writer)
    for n in numbers:
        which = chance.randrange(len(PAIRS))
        one, other = (PEOPLE[index] for index in PAIRS[which][:: chance.choice((1, -1))])
        _write_one(table, groups[which], Draft(one, other, f"{writer}-{n}"), history)
    return history


def _write_one(table: Table, group: str, draft: Draft, history: History) -> None:
    start = time.monotonic()
    _try_one(table, group, draft, history)
    uuid = draft.message_uuid
    acknowledged = bool(history.acknowledged) and history.acknowledged[-1].message_uuid == uuid
    history.appends.append(
        Append(
            group,
            uuid,
            start,
            time.monotonic() if acknowledged else NEVER,
            acknowledged,
            is_refused=not acknowledged and uuid not in history.in_doubt,
        )
    )


def _try_one(table: Table, group: str, draft: Draft, history: History) -> None:
    for _ in range(_TRIES):
        try:
            history.acknowledged.append(send(table, group, draft))
        except MessageUnconfirmedError as error:
            history.unconfirmed += 1
            again = (draft.message_uuid, error.created_at)
            draft = Draft(draft.sender, draft.recipient, draft.text, *again)
        except StoreError:
            history.refused += 1
        else:
            return
        time.sleep(0.05)
    if draft.tried_from is not None:
        history.in_doubt.add(draft.message_uuid)


def write_at_once(
    tables: Sequence[Table], groups: list[str], total: int, look_at: Table
) -> list[History]:
    """``total`` sends by as many writers as there are ``tables``, each through its own.

    A faster writer sends more. Meanwhile one reader goes through ``look_at``.
    """
    numbers = iter(range(total))
    is_over = threading.Event()
    with ThreadPoolExecutor(len(tables) + 1) as pool:
        reading = pool.submit(read_until, is_over, look_at, groups)
        writing = [
            pool.submit(write, table, groups, writer, numbers)
            for writer, table in enumerate(tables)
        ]
        try:
            histories = [future.result() for future in writing]
        finally:
            is_over.set()
        histories[0].reads = reading.result()
    return histories


def read_until(is_over: threading.Event, table: Table, groups: list[str]) -> list[Read]:
    """Read one conversation after the other, each between two reads of a member's inbox row."""
    completed: list[Read] = []
    while not is_over.wait(_READ_EVERY_S):
        which = len(completed) % len(groups)
        group, owner = groups[which], PEOPLE[PAIRS[which][len(completed) // len(groups) % 2]]
        start = time.monotonic()
        before = _shown(table, owner, group)
        page = reads.list_messages(table, group, limit=_NEWEST).entries
        after = _shown(table, owner, group)
        values = tuple(message.message_uuid for message in reversed(page))
        completed.append(Read(group, values, start, time.monotonic(), before, after))
    return completed


def _shown(table: Table, owner: Person, group: str) -> str:
    """The text that an inbox row shows."""
    row = reads.inbox_row(table, owner.uuid, group)
    return row.preview if row else ""


def assert_kept(table: Table, groups: list[str], histories: Sequence[History]) -> None:
    """Every acknowledged message is stored once, each writer's in order; every inbox is right."""
    stored = {
        group: reads.list_messages(table, group, limit=10**6, newest_first=False).entries
        for group in groups
    }
    counts = Counter(message.message_uuid for messages in stored.values() for message in messages)
    assert set(counts.values()) == {1}
    acknowledged = [message for history in histories for message in history.acknowledged]
    assert [m.text for m in acknowledged if m.message_uuid not in counts] == []
    in_doubt = set().union(*(history.in_doubt for history in histories))
    assert sum(counts.values()) <= len(acknowledged) + len(in_doubt) + len(PAIRS)
    assert_in_order(stored, histories)
    for messages in stored.values():
        for writer in range(len(histories)):
            numbers_sent = [
                int(m.text.split("-")[1]) for m in messages if m.text.startswith(f"{writer}-")
            ]
            assert numbers_sent == sorted(numbers_sent)
    assert list(Verification(table, known_people).findings()) == []


def assert_in_order(stored: Mapping[str, Sequence[Message]], histories: Sequence[History]) -> None:
    """Every send and every read agrees with one order of all."""
    uuids = {
        message.text: message.message_uuid
        for conversation in stored.values()
        for message in conversation
    }
    seen = [
        replace(
            read,
            before=uuids.get(read.before, read.before),
            after=uuids.get(read.after, read.after),
        )
        for history in histories
        for read in history.reads
        if read.before != "first" and read.after != "first"
    ]
    appends = [append for history in histories for append in history.appends]
    lists = {group: [m.message_uuid for m in messages] for group, messages in stored.items()}
    assert anomalies(appends, seen, lists) == []


def known_people(uuids: Iterable[str]) -> dict[str, Person]:
    known = set(uuids)
    return {person.uuid: person for person in PEOPLE if person.uuid in known}


def without_retries(client: Any) -> Any:
    """The client without its own retries: an error reaches the caller at once."""
    client.meta.events.unregister("needs-retry.dynamodb", unique_id="retry-config-dynamodb")
    return client
