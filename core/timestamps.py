"""Timestamps as the messages' sort keys carry them.

Ours are UTC with six fractional digits and ``+00:00``. Rows written by others may be naive (read
as UTC), carry another offset, or lack the fraction. The order of a conversation is the byte order
of its sort keys; instants are for people.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

MICROSECOND = timedelta(microseconds=1)


def now() -> datetime:
    return datetime.now(UTC)


def parse(text: str) -> datetime | None:
    """The instant in ``text``, aware and in UTC; None if it is not a time."""
    try:
        return in_utc(datetime.fromisoformat(text.strip()))
    except (ValueError, OverflowError):
        return None


def sorts_as_time(key: str) -> bool:
    """Whether ``key`` is a time whose date has dashes, so that it sorts among the sort keys."""
    return (key[4:5], key[7:8]) == ("-", "-") and parse(key) is not None


def in_utc(instant: datetime) -> datetime:
    """``instant`` in UTC; a naive one is read as UTC.

    Raises:
        OverflowError: in UTC it lies before the year 1 or after 9999.
    """
    if instant.tzinfo is None:
        return instant.replace(tzinfo=UTC)
    return instant.astimezone(UTC)


def sort_key(instant: datetime) -> str:
    """``2026-11-23T18:04:05.000000+00:00``: UTC, always 32 characters."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds")


def sort_key_after(last: str | None, instant: datetime) -> str:
    """The sort key of ``instant``, or the first one of ours that is greater than ``last``.

    A ``last`` that no sort key of ours can follow is ignored: a conversation must stay writable.
    """
    wanted = sort_key(instant)
    if last is None or wanted > last:
        return wanted
    return next_sort_key(last) or wanted


def next_sort_key(key: str) -> str | None:
    """The first sort key of ours that is greater than ``key``, which may be of any form.

    None if none can follow: ``key`` is not a time, or it is the last possible one.
    """
    try:
        # The digits of ``key`` as they stand, whatever offset follows them: that is what sorts.
        reading = datetime.fromisoformat(key.strip()).replace(tzinfo=UTC)
        following = sort_key(reading + MICROSECOND)
        if following <= key:
            # ``…:05Z`` sorts after ``…:05.000001+00:00``; the next second sorts after both.
            following = sort_key(reading.replace(microsecond=0) + timedelta(seconds=1))
    except (ValueError, OverflowError):
        return None
    return following if following > key else None


_FARTHEST_OFFSET = timedelta(days=1)
"""No offset from UTC is as large: the digits of a sort key are less than this from its instant."""


@dataclass(frozen=True, slots=True)
class Instants:
    """The instants between two others, both exclusive; None where there is no bound."""

    after: datetime | None = None
    before: datetime | None = None

    def includes(self, key: str) -> bool:
        """Whether the instant of a sort key lies between; one that is not a time sorts as text."""
        place = parse(key)
        text = key if place is None else sort_key(place)  # these sort as the instants do
        is_after = self.after is None or text > sort_key(self.after)
        return is_after and (self.before is None or text < sort_key(self.before))

    def narrowed(self, after: str | None, before: str | None) -> tuple[str | None, str | None]:
        """``after`` and ``before``, sort keys, narrowed to where such instants can be."""
        if self.after is not None:
            earliest = _moved(self.after, -_FARTHEST_OFFSET)
            after = max(filter(None, (after, earliest)), default=None)
        if self.before is not None:
            latest = _moved(self.before, _FARTHEST_OFFSET)
            before = min(filter(None, (before, latest)), default=None)
        return after, before


ANY_TIME = Instants()


def _moved(instant: datetime, by: timedelta) -> str | None:
    try:
        return sort_key(instant + by)
    except OverflowError:
        return None
