"""An erasure of a user with 10,000 conversations: constant memory, linear time, with progress."""

from __future__ import annotations

import itertools
import time
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from core.dynamodb import keys
from core.dynamodb.items import inbox_row_item, message_item
from core.dynamodb.keys import Item
from core.dynamodb.patterns.erasing import erase_user
from core.dynamodb.table import Table
from core.models import InboxRow, Message, Person
from core.timestamps import sort_key

ANA = Person("11111111-1111-4111-8111-111111111111", "ana", "Ana")
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
BATCH = 25


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
    items = conversations(first, count)
    while batch := list(itertools.islice(items, BATCH)):
        puts = [{"PutRequest": {"Item": item}} for item in batch]
        table.client.batch_write_item(RequestItems={table.name: puts})


def erased(table: Table, first: int, count: int) -> tuple[float, float]:
    """The seconds and the most memory, in MB, that an erasure takes."""
    fill(table, first, count)
    calls = itertools.count()
    tracemalloc.start()
    began = time.perf_counter()
    record = erase_user(table, ANA.uuid, lambda _, __: next(calls) and None)
    took, most = time.perf_counter() - began, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert next(calls) >= 2 * count
    assert record.removed["conversations"] == first + count
    assert record.removed["messages"] == first + count
    return took, most / 1e6


@pytest.mark.deep
@pytest.mark.timeout(3600)
def test_ten_thousand_conversations_take_constant_memory_and_linear_time(
    durable_table, lines
) -> None:
    small_s, small_mb = erased(durable_table, 0, 2_000)
    large_s, large_mb = erased(durable_table, 2_000, 10_000)
    lines(
        f"2,000 conversations in {small_s:.0f} s with {small_mb:.0f} MB;"
        f" 10,000 in {large_s:.0f} s with {large_mb:.0f} MB"
    )
    assert large_s / small_s < 5 * 1.6
    assert large_mb < small_mb + 15
