"""Writers killed at any request, an engine killed under load: nothing is lost, nothing doubled."""

from __future__ import annotations

import itertools
import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import pytest
from dynoxide import Dynoxide
from fault_proxy import Fault, FaultProxy, Strike
from history import History, assert_kept, begin, without_retries, write
from mortal_writer import MortalWriter, Told

from core.aws.clients import make_client
from core.dynamodb.integrity.verification import Verification
from core.dynamodb.patterns import reads
from core.dynamodb.patterns.sends import Draft
from core.dynamodb.table import Table
from core.models import Message, Person

WRITERS = 4
KILLS_A_ROUND = 3
PLAN = [(0, 1), (0, 1), (1, 0), (2, 0), (0, 2), (1, 2)]


@dataclass
class Round:
    """Three people, the messages that they send to each other, and the results."""

    table: Table
    people: list[Person] = field(default_factory=lambda: [a_person(name) for name in "abc"])
    acknowledged: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.drafts = [
            Draft(self.people[one], self.people[other], f"text {n}")
            for n, (one, other) in enumerate(PLAN)
        ]

    def left(self) -> list[Draft]:
        return [draft for draft in self.drafts if draft.message_uuid not in self.acknowledged]

    def note(self, report: Told) -> None:
        """Note the acknowledged messages, and the first key of each unconfirmed one."""
        self.acknowledged |= report.acknowledged
        self.drafts = [
            replace(draft, tried_from=draft.tried_from or report.tried.get(draft.message_uuid))
            for draft in self.drafts
        ]

    def assert_kept(self) -> None:
        """Acknowledged messages are stored once, and at most one other message; inboxes agree."""
        stored = self.stored()
        counts = Counter(message.message_uuid for message in stored)
        keys = {message.message_uuid: message.sort_key for message in stored}
        assert set(counts.values()) <= {1}
        assert self.acknowledged.items() <= keys.items()
        in_doubt = {draft.message_uuid for draft in self.left() if draft.tried_from}
        assert len(in_doubt) <= 1
        assert set(counts) - set(self.acknowledged) <= in_doubt

    def stored(self) -> list[Message]:
        """All their messages; both members list each conversation once, with its newest message."""
        shown: dict[str, list[tuple[str, str]]] = {}
        messages = []
        for person in self.people:
            for row in reads.list_inbox(self.table, person.uuid, limit=10).entries:
                shown.setdefault(row.message_group_uuid, []).append((person.uuid, row.other.uuid))
                newest = reads.list_messages(self.table, row.message_group_uuid, limit=1).entries
                assert row.preview == newest[0].text
        pairs = [tuple(sorted(members)) for members in shown.values()]
        assert len(set(pairs)) == len(pairs)  # two people have one conversation
        for group, ((one, other), *rest) in shown.items():
            assert rest == [(other, one)]
            messages += reads.list_messages(self.table, group, limit=100).entries
        return messages


def a_person(name: str) -> Person:
    return Person(str(uuid.uuid4()), name, name.upper())


def test_a_writer_killed_at_any_request_loses_nothing_and_doubles_nothing(table, figures) -> None:
    kill_writers(table, 12, figures)


@pytest.mark.deep
@pytest.mark.timeout(900)
def test_a_writer_killed_at_any_request_loses_nothing_and_doubles_nothing_in_depth(
    durable_table, figures
) -> None:
    kill_writers(durable_table, 200, figures)


def kill_writers(table: Table, total: int, figures: Callable[[str], None]) -> None:
    began, chance = time.monotonic(), random.Random(total)
    kills: Counter[str] = Counter()
    rounds = []
    with (
        # A writer also dies while it makes up for a conflict.
        FaultProxy(table.target.endpoint_url, {Fault.CONFLICT: 0.2}) as proxy,
        MortalWriter(proxy.url, table.name) as writer,
    ):
        while kills.total() < total:
            rounds.append(Round(table))
            kills += one_round(rounds[-1], proxy, writer, chance)
    people = {person.uuid: person for finished in rounds for person in finished.people}
    known = lambda uuids: {u: people[u] for u in uuids if u in people}  # noqa: E731
    assert list(Verification(table, known).findings()) == []
    sends = sum(len(finished.acknowledged) for finished in rounds)
    kinds = ", ".join(f"{count} {moment}" for moment, count in sorted(kills.items()))
    figures(
        f"{kills.total()} kills ({kinds}), {sends:,} sends in {len(rounds)} rounds,"
        f" none lost, none doubled; {proxy.summary()}, in {time.monotonic() - began:.0f} s"
    )


def one_round(
    this: Round, proxy: FaultProxy, writer: MortalWriter, chance: random.Random
) -> Counter[str]:
    """Let writers send the messages; each continues after one that was killed."""
    kills: Counter[str] = Counter()
    while this.left():
        proxy.strike = a_strike(chance, writer) if kills.total() < KILLS_A_ROUND else None
        report = writer.run(this.left())
        if report.killed:
            moment = "after" if proxy.strike.after_commit else "before"
            kills[f"{moment} {proxy.strike.struck}"] += 1
        this.note(report)
        this.assert_kept()
    return kills


def a_strike(chance: random.Random, writer: MortalWriter) -> Strike:
    """A strike at a random request; every second one at a transaction, which matters most."""
    after_commit = chance.random() < 0.5
    if chance.random() < 0.5:
        return Strike(chance.randint(1, 5), after_commit, writer.kill, only="TransactWriteItems")
    return Strike(chance.randint(1, 20), after_commit, writer.kill)


@pytest.mark.deep
@pytest.mark.timeout(900)
def test_an_engine_killed_under_load_keeps_what_was_acknowledged(
    durable_table, dynoxide, figures
) -> None:
    groups = begin(durable_table)
    began, ended = time.monotonic(), threading.Event()
    numbers = itertools.takewhile(lambda _: not ended.is_set(), itertools.count())
    with ThreadPoolExecutor(WRITERS) as pool:
        writing = [
            pool.submit(write_alone, durable_table, groups, writer, numbers)
            for writer in range(WRITERS)
        ]
        try:
            kill_engine(dynoxide, 20)
        finally:
            ended.set()
        histories = [future.result() for future in writing]
    assert_kept(durable_table, groups, histories)
    acknowledged = sum(len(history.acknowledged) for history in histories)
    doubts = sum(history.unconfirmed + history.refused for history in histories)
    assert acknowledged > 20 * 10
    assert doubts
    figures(
        f"20 kills of dynoxide, {acknowledged:,} sends acknowledged by {WRITERS} writers,"
        f" none lost, none doubled ({doubts} tries failed), in {time.monotonic() - began:.0f} s"
    )


def kill_engine(engine: Dynoxide, kills: int) -> None:
    chance = random.Random(kills)
    for _ in range(kills):
        time.sleep(chance.uniform(0.2, 1.0))
        engine.kill()
        time.sleep(chance.uniform(0, 0.2))
        engine.start()
    time.sleep(0.5)


def write_alone(table: Table, groups: list[str], writer: int, numbers: Iterator[int]) -> History:
    """Write over a separate connection; every second writer uses no retries of the SDK."""
    client = make_client(table.target, "dynamodb")
    if writer % 2:
        without_retries(client)
    try:
        return write(Table(client, table.name, table.target), groups, writer, numbers)
    finally:
        client.close()
