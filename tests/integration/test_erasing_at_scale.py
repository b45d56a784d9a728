"""An erasure of a user with 10,000 conversations: constant memory, linear time, with progress."""

from __future__ import annotations

import gc
import itertools
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from unguarded import put_items

from core.aws.clients import make_client
from core.dynamodb import keys
from core.dynamodb.items import inbox_row_item, message_item
from core.dynamodb.keys import Item
from core.dynamodb.patterns import reads
from core.dynamodb.patterns.erasing import erase_user
from core.dynamodb.schema import _SCHEMA
from core.dynamodb.table import Table
from core.models import InboxRow, Message, Person
from core.purposes import Purpose
from core.timestamps import sort_key

ANA = Person("11111111-1111-4111-8111-111111111111", "ana", "Ana")
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def conversations(first: int, count: int) -> Iterator[Item]:
    """Each with a message of Ana's, an answer, both inbox rows and the pair."""
    for number in range(first, first + count):
        group, at = f"group-{number}", BEGIN + timedelta(seconds=number)
        other = Person(f"other-{number}", f"other{number}", f"Other {number}")
        for place, (sender, owner) in enumerate(((ANA, other), (other, ANA))):
            instant = at + timedelta(milliseconds=place)
            text = f"text {number} {place}"
            yield message_item(
                Message(group, f"m-{number}-{place}", sender, text, sort_key(instant), instant)
            )
            last = at + timedelta(milliseconds=1)
            row = InboxRow(group, owner.uuid, sender, f"text {number} 1", sort_key(last), last)
            yield inbox_row_item(row)
        yield keys.pair_key(ANA.uuid, other.uuid) | {"group_uuid": {"S": group}}


def fill(table: Table, first: int, count: int) -> None:
    put_items(table, conversations(first, count))


@dataclass(frozen=True)
class Measured:
    """An erasure: the processor time that it took here, and the most memory."""

    cpu_s: float
    memory_mb: float


@pytest.fixture(autouse=True)
def collect_garbage_as_a_task_does() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(100_000)
    yield
    gc.set_threshold(*before)


def erased(table: Table, count: int) -> Measured:
    """Erase a user with ``count`` conversations."""
    fill(table, 0, count)
    gc.collect()
    calls = itertools.count()
    tracemalloc.start()
    began = time.process_time()
    record = erase_user(table, ANA.uuid, lambda _, __: next(calls) and None)
    measured = Measured(time.process_time() - began, tracemalloc.get_traced_memory()[1] / 1e6)
    tracemalloc.stop()
    assert next(calls) >= 2 * count
    assert record.removed["conversations"] == record.removed["messages"] == count
    assert not any(True for _ in reads.walk_inbox(table, ANA.uuid))
    return measured


@pytest.fixture
def empty_table(dynoxide) -> Iterator[Callable[[int], Table]]:
    """Makes a table on one engine, without a stream: its records would slow down the writes."""
    client = make_client(dynoxide.target, "dynamodb")

    def make(number: int) -> Table:
        name = f"cruddur-messages-{number}"
        client.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **_SCHEMA)
        return Table(client, name, dynoxide.target, purpose=Purpose.DESTROYING)

    yield make
    client.close()


@pytest.mark.deep
@pytest.mark.timeout(7200)
def test_ten_thousand_conversations_take_constant_memory_and_linear_time(
    empty_table, lines
) -> None:
    sizes = (1_000, 5_000, 10_000)
    small, middle, large = (erased(empty_table(size), size) for size in sizes)
    for size, measured in zip(sizes, (small, middle, large), strict=True):
        each_ms = 1000 * measured.cpu_s / size
        lines(
            f"{size:,} conversations: {measured.cpu_s:.1f} s of processor time,"
            f" {each_ms:.1f} ms each, {measured.memory_mb:.1f} MB"
        )
    assert large.cpu_s / middle.cpu_s < 2 * 1.3
    assert large.cpu_s / small.cpu_s < 10 * 1.3
    # One page of the table, of up to 1 MB, and what is remembered of the last 4,096 conversations:
    # 5,000 fill neither the second page of an inbox nor all of what is remembered.
    assert large.memory_mb < 1.25 * middle.memory_mb
