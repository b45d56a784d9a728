"""The page Store's background work. Does not call Streamlit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from admin_app import actions
from admin_app.access import Desk
from admin_app.store.jobs import Job, Work
from core import doctor
from core.access import Stores
from core.dynamodb import FaultSummary, MessageCounts, count_by_hour, repair
from core.targets import Target
from core.timestamps import now
from core.usecases import integrity

DAYS = 30


@dataclass(frozen=True, slots=True)
class Checkup:
    """The result of a verification, and for each conversation the handle of one member.

    ``repaired`` is how many faults were repaired before; None if no repair was asked for.
    """

    summary: FaultSummary
    looked_at: Mapping[str, int]
    is_complete: bool
    handles: Mapping[str, str]
    repaired: int | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """The messages of the last days up to ``until``; lower bounds if it was stopped early."""

    counts: MessageCounts
    until: datetime
    is_complete: bool


def examine(target: Target) -> Work:
    """The doctor's findings."""
    return lambda _: tuple(doctor.examine(target))


def verify(desk: Desk) -> Work:
    """A :class:`Checkup` of the whole table."""

    def work(job: Job) -> Checkup:
        with desk.open(actions.VERIFY) as stores:
            return _checkup(stores, job, None)

    return work


def repair_faults(desk: Desk) -> Work:
    """Repair all repairable faults; then a :class:`Checkup`."""

    def work(job: Job) -> Checkup:
        with desk.open(actions.REPAIR) as stores:
            table = job.metered(stores.table)
            repaired = repair(integrity.verification(stores.db, table), go_on=job.go_on)
            return _checkup(stores, job, repaired)

    return work


def _checkup(stores: Stores, job: Job, repaired: int | None) -> Checkup:
    table = job.metered(stores.table)
    checkup = integrity.check(stores.db, table, job.go_on)
    samples = [fault for kept in checkup.summary.samples.values() for fault in kept]
    handles = integrity.handles_of(stores.db, table, samples)
    return Checkup(checkup.summary, checkup.looked_at, checkup.is_complete, handles, repaired)


def count_messages(desk: Desk) -> Work:
    """A :class:`Count` of the last ``DAYS`` days. Reads keys only."""

    def work(job: Job) -> Count:
        until = now()
        # From midnight, so that the first day is a whole one.
        first = until.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=DAYS - 1)
        counts = MessageCounts(first)
        for _ in count_by_hour(job.metered(desk.look().table), counts):
            if not job.go_on(counts.looked_at):
                return Count(counts, until, is_complete=False)
        return Count(counts, until, is_complete=True)

    return work
