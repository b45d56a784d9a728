"""Checking every guarantee over the stored items, with names as Postgres has them."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.dynamodb import Fault, FaultSummary, GoOn, Table, Verification, always, list_rows_of
from core.postgres import Database
from core.usecases.conversations import current_names


@dataclass(frozen=True, slots=True)
class Checkup:
    """What a verification found. ``looked_at`` counts items by kind.

    ``is_complete`` is False where it was ended early.
    """

    summary: FaultSummary
    looked_at: Mapping[str, int]
    is_complete: bool


def verification(db: Database, table: Table) -> Verification:
    """A pass over the table that checks every guarantee."""
    return Verification(table, functools.partial(current_names, db))


def check(db: Database, table: Table, go_on: GoOn = always) -> Checkup:
    """Every fault of the table, by kind. Ends early where ``go_on`` says so."""
    running = verification(db, table)
    summary = FaultSummary()
    for fault in running.findings(go_on):
        summary.add(fault)
    return Checkup(summary, running.counts, running.is_complete)


def handles_of(db: Database, table: Table, faults: Sequence[Fault]) -> dict[str, str]:
    """By message_group_uuid, the handle of a member of the conversation that a fault is in.

    Left out is one in which nobody is known. One index query a conversation.
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
