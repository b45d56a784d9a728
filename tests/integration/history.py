"""What many writers were promised, held against what is stored."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from core.dynamodb.integrity.verification import Verification
from core.dynamodb.patterns import reads
from core.dynamodb.patterns.sends import Draft, send, start
from core.dynamodb.table import Table
from core.errors import MessageUnconfirmedError, StoreError
from core.models import Message, Person

PEOPLE = [Person(f"user-{n}", f"user{n}", f"User {n}") for n in range(5)]
PAIRS = [(0, 1), (0, 2), (0, 3), (1, 2), (3, 4)]
_TRIES = 20


@dataclass
class History:
    """What one writer was promised, in order, and what it was left in doubt of."""

    acknowledged: list[Message] = field(default_factory=list)
    in_doubt: set[str] = field(default_factory=set)
    unconfirmed: int = 0
    """Tries that ended in doubt, most of them cleared up by the next one."""
    refused: int = 0
    """Tries of which it was certain that they had stored nothing."""


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


def write_at_once(tables: Sequence[Table], groups: list[str], total: int) -> list[History]:
    """``total`` sends by as many writers as there are ``tables``, each through its own.

    Who is quicker sends more.
    """
    numbers = iter(range(total))
    with ThreadPoolExecutor(len(tables)) as pool:
        writing = [
            pool.submit(write, table, groups, writer, numbers)
            for writer, table in enumerate(tables)
        ]
        return [each.result() for each in writing]


def assert_kept(table: Table, groups: list[str], histories: Sequence[History]) -> None:
    """All that was acknowledged is there once, each writer's in order; every inbox is right."""
    stored = {
        group: reads.list_messages(table, group, limit=10**6, newest_first=False).entries
        for group in groups
    }
    found = Counter(message.message_uuid for messages in stored.values() for message in messages)
    assert set(found.values()) == {1}
    acknowledged = [message for history in histories for message in history.acknowledged]
    assert [m.text for m in acknowledged if m.message_uuid not in found] == []
    in_doubt = set().union(*(history.in_doubt for history in histories))
    assert sum(found.values()) <= len(acknowledged) + len(in_doubt) + len(PAIRS)
    for messages in stored.values():
        for writer in range(len(histories)):
            own = [int(m.text.split("-")[1]) for m in messages if m.text.startswith(f"{writer}-")]
            assert own == sorted(own)
    assert list(Verification(table, known_people).findings()) == []


def known_people(uuids: Iterable[str]) -> dict[str, Person]:
    wanted = set(uuids)
    return {person.uuid: person for person in PEOPLE if person.uuid in wanted}


def without_retries(client: Any) -> Any:
    """The client, no longer trying again on its own: what goes wrong reaches its caller at once."""
    client.meta.events.unregister("needs-retry.dynamodb", unique_id="retry-config-dynamodb")
    return client
