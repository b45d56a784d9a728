"""The ledger of migrations in the database, and Cruddur's own record beside it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.postgres.database import Queries
from core.postgres.migrations.files import Migration, Source
from core.postgres.migrations.stamps import Instant, cruddur_instant
from core.postgres.statements import load


class RowState(StrEnum):
    """The state of a migration in the ledger.

    ``PRESENT``: its whole effect was present, so it was not run and is not undone.
    ``BY_CRUDDUR``: Cruddur's own script ran it. ``HALF_…``: some of its statements ran, without a
    transaction around them. ``UNDONE``: a migration of Cruddur's that was undone here; its own
    record may still cover it.
    """

    APPLIED = "applied"
    PRESENT = "present"
    BY_CRUDDUR = "by Cruddur"
    HALF_APPLIED = "half applied"
    HALF_UNDONE = "half undone"
    UNDONE = "undone"

    @property
    def is_half(self) -> bool:
        return self in (RowState.HALF_APPLIED, RowState.HALF_UNDONE)


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One migration that was recorded in this database."""

    source: Source
    stamp: str
    name: str
    checksum: str
    state: RowState
    steps_done: int
    position: int
    applied_at: datetime
    duration_ms: float | None

    @property
    def key(self) -> tuple[Source, str]:
        return self.source, self.stamp

    @property
    def title(self) -> str:
        return f"{self.stamp}_{self.name}"


def read_ledger(db: Queries) -> list[LedgerRow]:
    """The ledger, in the order in which the migrations were applied; empty if there is none."""
    if not db.query_value(load("ledger/exists")):
        return []
    return [
        LedgerRow(**{**row, "source": Source(row["source"]), "state": RowState(row["state"])})
        for row in db.query_rows(load("ledger/rows"))
    ]


def make_ledger(db: Queries) -> None:
    """Create the ledger if the database has none."""
    if not db.query_value(load("ledger/exists")):
        db.query_commit(load("ledger/create_table"))


def add_row(db: Queries, migration: Migration, state: RowState) -> None:
    params = {
        "source": str(migration.source),
        "stamp": migration.stamp,
        "name": migration.name,
        "checksum": migration.checksum,
        "state": str(state),
    }
    db.query_commit(load("ledger/add"), params)


def update_row(
    db: Queries,
    migration: Migration,
    state: RowState,
    *,
    steps_done: int = 0,
    duration_ms: float | None = None,
) -> None:
    params = {
        "source": str(migration.source),
        "stamp": migration.stamp,
        "checksum": migration.checksum,
        "state": str(state),
        "steps_done": steps_done,
        "duration_ms": duration_ms,
    }
    db.query_commit(load("ledger/update"), params)


def remove_row(db: Queries, key: tuple[Source, str]) -> None:
    source, stamp = key
    db.query_commit(load("ledger/remove"), {"source": str(source), "stamp": stamp})


@dataclass(frozen=True, slots=True)
class CruddursRecord:
    """The progress of Cruddur's migrations, in the record of its own scripts.

    The scripts run migrations that are not below this number, and undo those below it. ``text`` is
    None if there is no record.
    """

    text: str | None

    @property
    def number(self) -> int:
        text = (self.text or "").strip()
        return int(text) if text.isascii() and text.isdigit() else 0

    @property
    def instant(self) -> Instant:
        return cruddur_instant(str(self.number))

    def covers(self, stamp: str) -> bool:
        """Whether Cruddur's script considers the migration applied."""
        return int(stamp) < self.number


def read_cruddurs_record(db: Queries) -> CruddursRecord:
    """Cruddur's own record of its migrations."""
    if not db.query_value(load("ledger/cruddurs_record_exists")):
        return CruddursRecord(None)
    return CruddursRecord(db.query_value(load("ledger/read_cruddurs_record")) or "0")


def write_cruddurs_record(
    db: Queries, applied: Collection[str], pending: Iterable[str]
) -> list[str]:
    """Update Cruddur's record of its applied migrations.

    Returns the pending ones that its script would still not run: it compares stamps as numbers, so
    a pending stamp with fewer digits counts as applied.
    """
    record = read_cruddurs_record(db)
    pending = list(pending)
    if not (applied or pending):
        return []
    is_right = all(record.covers(stamp) for stamp in applied) and not any(
        record.covers(stamp) for stamp in pending
    )
    if not is_right or record.text is None:
        wanted = str(max(map(int, applied)) + 1) if applied else "0"
        if record.text is None:
            db.query_commit(load("ledger/create_cruddurs_record"))
        if wanted != record.text:
            db.query_commit(load("ledger/write_cruddurs_record"), {"value": wanted})
        record = CruddursRecord(wanted)
    return [stamp for stamp in pending if record.covers(stamp)]
