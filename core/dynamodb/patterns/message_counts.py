"""Counts messages by hour and day, from the messages themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from core.dynamodb import keys, paging
from core.dynamodb.table import Table
from core.timestamps import parse, sort_key


@dataclass(slots=True)
class MessageCounts:
    """Messages since an instant, by the hour (UTC) that they were sent in.

    ``looked_at`` counts items of every kind. Complete once :func:`count_by_hour` has ended.
    """

    since: datetime
    by_hour: Counter[datetime] = field(default_factory=Counter)
    looked_at: int = 0

    def hours(self, until: datetime, number: int) -> dict[datetime, int]:
        """The last ``number`` hours up to ``until``, with those in which nothing was sent."""
        last = until.replace(minute=0, second=0, microsecond=0)
        wanted = [last - timedelta(hours=back) for back in reversed(range(number))]
        return {hour: self.by_hour[hour] for hour in wanted}

    def days(self, until: datetime, number: int) -> dict[datetime, int]:
        """The last ``number`` days up to ``until``, with those on which nothing was sent."""
        by_day: Counter[datetime] = Counter()
        for hour, count in self.by_hour.items():
            by_day[hour.replace(hour=0)] += count
        last = until.replace(hour=0, minute=0, second=0, microsecond=0)
        wanted = [last - timedelta(days=back) for back in reversed(range(number))]
        return {day: by_day[day] for day in wanted}


def count_by_hour(table: Table, counts: MessageCounts) -> Iterator[None]:
    """Scan the table and add its messages to ``counts``; yields after each page, to show them.

    No index has messages by time, so this reads the whole table: 0.5 RCU per 4 KB of it, eventually
    consistent, a request per 1 MB. Constant memory.
    """
    since = counts.since
    pages = paging.pages(
        table.request,
        "scan",
        FilterExpression="begins_with(pk, :kind) AND sk >= :since",
        ProjectionExpression="sk",
        ExpressionAttributeValues={
            ":kind": {"S": keys.message_pk("")},
            # The date of the day before: others write other forms of an instant, with offsets.
            ":since": {"S": sort_key(since - timedelta(days=1))[:10]},
        },
    )
    for page in pages:
        counts.looked_at += int(page["ScannedCount"])
        for item in page["Items"]:
            sent_at = parse(item["sk"]["S"])
            if sent_at is not None and sent_at >= since:
                counts.by_hour[sent_at.replace(minute=0, second=0, microsecond=0)] += 1
        yield
