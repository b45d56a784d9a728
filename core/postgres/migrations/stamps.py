"""The stamps of migrations: ours are UTC times of one length, Cruddur's have any length.

Cruddur's are what Python's ``time.time()`` prints, without its dot: ten digits of seconds, then the
fraction, without trailing zeros. As numbers, a shorter one is below every longer one.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

Instant = tuple[int, str]
"""Seconds since 1970 and the digits of the fraction: they compare like the times."""

_FORM = "%Y%m%d%H%M%S"
STAMP_LENGTH = 14


def cruddur_instant(stamp: str) -> Instant:
    """The creation time of Cruddur's migration: ``16811528612904313`` is 1681152861.2904313."""
    return int(stamp[:10]), stamp[10:].rstrip("0")


def project_instant(stamp: str) -> Instant | None:
    """The creation time of a migration of the project; None if ``stamp`` is not a UTC time."""
    if len(stamp) != STAMP_LENGTH:
        return None
    try:
        instant = datetime.strptime(stamp, _FORM).replace(tzinfo=UTC)
    except ValueError:
        return None
    return int(instant.timestamp()), ""


def stamp_after(newest: str | None, now: datetime) -> str:
    """The stamp of a migration created at ``now``; always greater than ``newest``."""
    stamp = now.astimezone(UTC).strftime(_FORM)
    if newest is None or stamp > newest:
        return stamp
    after = datetime.strptime(newest, _FORM).replace(tzinfo=UTC) + timedelta(seconds=1)
    return after.strftime(_FORM)
