"""Messages over time, counted from the messages."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from core.dynamodb import keys
from core.dynamodb.patterns.message_counts import MessageCounts, count_by_hour

NOON = datetime(2026, 3, 10, 12, 30, tzinfo=UTC)


def write(table, *instants: str) -> None:
    for instant in instants:
        values = {"message": "hi", "message_uuid": str(uuid.uuid4()), "user_uuid": "u"}
        item = keys.key(keys.message_pk("g"), instant) | {k: {"S": v} for k, v in values.items()}
        table.request("put_item", Item=item)
    rows = {"message_group_uuid": {"S": "g"}, "message": {"S": "hi"}}
    table.request("put_item", Item=keys.key(keys.inbox_pk("u"), instants[-1]) | rows)


def counted(table, since: datetime) -> MessageCounts:
    counts = MessageCounts(since)
    for _ in count_by_hour(table, counts):
        pass
    return counts


def test_messages_are_counted_by_the_hour_and_day_in_utc_whatever_their_form(table) -> None:
    write(
        table,
        "2026-03-10T11:59:59.999999+00:00",
        "2026-03-10T12:00:00.000000+00:00",
        "2026-03-10T12:10:00",  # naive: UTC
        "2026-03-10T13:15:00+01:00",
        "2026-03-09T23:00:00Z",
    )
    counts = counted(table, datetime(2026, 3, 1, tzinfo=UTC))
    assert list(counts.hours(NOON, 3).values()) == [0, 1, 3]
    assert list(counts.days(NOON, 3).values()) == [0, 1, 4]
    assert counts.looked_at == 7  # with the marker and the inbox row


def test_older_messages_and_other_items_do_not_count(table) -> None:
    write(table, "2025-03-10T12:00:00", "2026-03-01T00:00:00", "not a time", "2026-03-10T12:00:00")
    counts = counted(table, datetime(2026, 3, 5, tzinfo=UTC))
    assert sum(counts.by_hour.values()) == 1


def test_a_message_with_an_offset_counts_though_its_date_looks_older(table) -> None:
    write(table, "2026-03-04T22:30:00-05:00")
    assert sum(counted(table, datetime(2026, 3, 5, tzinfo=UTC)).by_hour.values()) == 1


def test_every_page_is_counted(table) -> None:
    for n in range(150):
        item = keys.key(keys.message_pk("g"), f"2026-03-10T12:00:00.{n:06}+00:00")
        table.request("put_item", Item=item | {"message": {"S": "x" * 10_000}})
    meter = table.metered()
    assert sum(counted(meter, datetime(2026, 3, 5, tzinfo=UTC)).by_hour.values()) == 150
    assert meter.capacity.requests > 1
