"""Checks every guarantee for the stored items, with the names in Postgres."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.dynamodb import (
    Fault,
    FaultKind,
    FaultSummary,
    GoOn,
    Table,
    Verification,
    always,
    list_rows_of,
)
from core.postgres import Database, find_people_by_digest, list_unreadable_times
from core.usecases.conversations import current_names


@dataclass(frozen=True, slots=True)
class Checkup:
    """The result of a verification. ``looked_at`` counts items by kind.

    ``is_complete`` is False if it was stopped early.
    """

    summary: FaultSummary
    looked_at: Mapping[str, int]
    is_complete: bool


def verification(db: Database, table: Table) -> Verification:
    """A pass over the table that checks every guarantee."""
    return Verification(table, functools.partial(current_names, db))


def check(db: Database, table: Table, go_on: GoOn = always) -> Checkup:
    """Every fault of the table, by kind, and Postgres's unreadable times and erased users.

    Stops early if ``go_on`` returns False.
    """
    running = verification(db, table)
    summary = FaultSummary()
    for fault in running.findings(go_on):
        summary.add(fault)
    if running.is_complete:
        for person in find_people_by_digest(db, running.digests):
            summary.add(Fault(FaultKind.ERASED_PROFILE, f"public.users {person.uuid}", ""))
        for row in list_unreadable_times(db):
            place = f"public.{row.table} {row.uuid}"
            summary.add(Fault(FaultKind.UNREADABLE_TIME, place, f"{row.column} = {row.value}"))
    return Checkup(summary, running.counts, running.is_complete)


def handles_of(db: Database, table: Table, faults: Sequence[Fault]) -> dict[str, str]:
    """The handle of one member of each conversation with a fault, by message_group_uuid.

    Conversations without a known member are left out. One index query for each conversation.
    """
    members: dict[str, list[str]] = {}
    for fault in faults:
        if group := fault.message_group_uuid:
            uuids = members.setdefault(group, [])
            uuids += [fault.owner_uuid] if fault.owner_uuid else []
            uuids += [row.owner_uuid for row in list_rows_of(table, group)]
    known = current_names(db, {uuid for uuids in members.values() for uuid in uuids})
    handles = {
        group: next((known[uuid].handle for uuid in uuids if uuid in known), "")
        for group, uuids in members.items()
    }
    return {group: handle for group, handle in handles.items() if handle}
