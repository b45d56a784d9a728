"""What the page Store has done in the background. Calls nothing of Streamlit's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from admin_app.access import Desk
from admin_app.jobs import Job, Work
from core import doctor, messaging
from core.dynamodb import repairs
from core.dynamodb.activity import MessageCounts, count_by_hour
from core.dynamodb.faults import Finding, Summary
from core.dynamodb.table import store_state
from core.errors import InputError
from core.targets import Target, why_production
from core.timestamps import now

DAYS = 30


@dataclass(frozen=True, slots=True)
class Checkup:
    """What a verification found, and by conversation the handle of somebody who may open it.

    ``mended`` is how many faults a repair mended before; None where none was asked for.
    """

    summary: Summary
    looked_at: Mapping[str, int]
    is_complete: bool
    handles: Mapping[str, str]
    mended: int | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """The messages of the last days up to ``until``; lower bounds where it was ended early."""

    counts: MessageCounts
    until: datetime
    is_complete: bool


def examine(target: Target) -> Work:
    """The doctor's findings."""
    return lambda _: tuple(doctor.examine(target))


def verify(desk: Desk) -> Work:
    """A :class:`Checkup` of the whole table."""

    def work(job: Job) -> Checkup:
        desk.require_login()
        desk.record("store verified")
        return _checkup(desk, job, None)

    return work


def repair(desk: Desk, target: Target, *, write: bool) -> Work:
    """Mend what can be mended, with one audit line each; then a :class:`Checkup`."""

    def note(finding: Finding) -> None:
        desk.record(
            "fault mended",
            fault=finding.fault,
            pk=finding.pk,
            sk=finding.sk,
            message_group_uuid=finding.message_group_uuid,
        )

    def work(job: Job) -> Checkup:
        desk.require_login()
        # What the page knows of the table is up to a minute old.
        if not write and why_production(target, store_state(desk.table)) is not None:
            raise InputError("the admin UI is read-only here", "Start it with --write.")
        desk.record("store repair started")
        verification = messaging.verification(desk.db, desk.table)
        mended = repairs.repair(verification, go_on=job.go_on, on_mended=note)
        return _checkup(desk, job, mended)

    return work


def require_name(table_name: str, typed: str) -> None:
    """Let a repair pass whose operator has typed which table it is for.

    Raises:
        InputError: it is another name.
    """
    if typed != table_name:
        problem = f"{typed!r} is not the table's name" if typed else "the table's name is missing"
        raise InputError(problem, f"Type {table_name} to repair it.")


def _checkup(desk: Desk, job: Job, mended: int | None) -> Checkup:
    verification = messaging.verification(desk.db, desk.table)
    summary = Summary()
    for finding in verification.findings(job.go_on):
        summary.add(finding)
    samples = [finding for kept in summary.samples.values() for finding in kept]
    handles = messaging.handles_in(desk.db, desk.table, samples)
    return Checkup(summary, verification.counts, verification.is_complete, handles, mended)


def count_messages(desk: Desk) -> Work:
    """A :class:`Count` of the last ``DAYS`` days."""

    def work(job: Job) -> Count:
        desk.require_login()
        until = now()
        # From midnight, so that the first day is a whole one.
        first = until.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=DAYS - 1)
        counts = MessageCounts(first)
        for _ in count_by_hour(desk.table, counts):
            if not job.go_on(counts.looked_at):
                return Count(counts, until, is_complete=False)
        return Count(counts, until, is_complete=True)

    return work
