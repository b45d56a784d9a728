"""Compares the migrations in the files with those in the ledger."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from core.commands import Command
from core.errors import InputError
from core.postgres.database import Queries
from core.postgres.migrations.effects import Presence, effect_of, presence_of
from core.postgres.migrations.files import Migration, Source, place_of
from core.postgres.migrations.ledger import (
    CruddursRecord,
    LedgerRow,
    RowState,
    read_cruddurs_record,
    read_ledger,
)


class Standing(StrEnum):
    """The state of a migration.

    ``CHANGED``: its file was edited after it was applied. ``MISSING``: it was applied, but has no
    file.
    """

    APPLIED = "applied"
    PENDING = "pending"
    HALF_APPLIED = "half applied"
    HALF_UNDONE = "half undone"
    CHANGED = "changed"
    MISSING = "missing"


_NEXT_STEPS = {
    Standing.CHANGED: ("Restore the file and write the change as a new migration.", None),
    Standing.MISSING: ("Check out the version that has it.", None),
    Standing.HALF_UNDONE: ("Finish that first", Command("db.rollback")),
}
"""What to do before a run can go on, the most urgent first."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One migration, with its file or its row of the ledger or both.

    ``is_present``: it is pending, but its whole effect is present. A migration that Cruddur's own
    script applied is applied, and may have no row yet.
    """

    standing: Standing
    migration: Migration | None
    row: LedgerRow | None
    is_present: bool = False

    @property
    def key(self) -> tuple[Source, str]:
        if self.migration is not None:
            return self.migration.key
        assert self.row is not None  # noqa: S101 - one of them exists
        return self.row.key

    @property
    def title(self) -> str:
        if self.migration is not None:
            return self.migration.title
        return self.row.title if self.row is not None else ""

    @property
    def is_settled(self) -> bool:
        return self.standing is Standing.APPLIED

    @property
    def is_to_do(self) -> bool:
        """Whether a run must apply it, or record that it is applied."""
        return not self.is_settled or self.row is None


def survey_migrations(
    db: Queries, migrations: Sequence[Migration], sources: Collection[Source]
) -> list[Entry]:
    """Every migration, from its file or from the ledger, in the order of their creation.

    ``migrations`` are those of the files of all ``sources``, in order. For other sources the ledger
    alone counts.
    """
    rows = {row.key: row for row in read_ledger(db)}
    record = CruddursRecord(None)
    if Source.CRUDDUR in sources:
        record = read_cruddurs_record(db)
    entries = []
    for position, migration in enumerate(migrations):
        row = rows.pop(migration.key, None)
        presence = _presence(db, migration, row, record)
        if presence is Presence.ABSENT and _is_superseded(migration, migrations[position + 1 :]):
            presence = Presence.UNKNOWN
        entries.append(_entry(migration, row, presence, record))
    others = [
        Entry(Standing.MISSING if row.source in sources else Standing.APPLIED, None, row)
        for row in rows.values()
        if row.state is not RowState.UNDONE
    ]
    return sorted([*entries, *others], key=lambda entry: place_of(*entry.key))


def find_drift(db: Queries, entries: Sequence[Entry]) -> list[Migration]:
    """The applied migrations whose effect is not completely present any more."""
    with_files = [entry for entry in entries if entry.migration is not None]
    migrations = [entry.migration for entry in with_files if entry.migration is not None]
    return [
        migration
        for position, (entry, migration) in enumerate(zip(with_files, migrations, strict=True))
        if entry.is_settled
        and not _is_superseded(migration, migrations[position + 1 :])
        and presence_of(db, migration) is Presence.ABSENT
    ]


def next_step(entries: Sequence[Entry]) -> tuple[str, Command | None]:
    """What to do first about ``entries`` that are not all settled: in words, and the command."""
    for standing, (hint, command) in _NEXT_STEPS.items():
        for entry in entries:
            if entry.standing is standing:
                is_alone = all(other.is_settled or other is entry for other in entries)
                return hint if is_alone else f"Begin with {entry.title}. {hint}", command
    return "Apply what is pending", Command("db.migrate")


def refuse_unsettled(entries: Iterable[Entry]) -> None:
    """Refuse to continue if the files differ from the applied migrations.

    Raises:
        InputError: a migration was changed or removed after it was applied.
    """
    for entry in entries:
        if entry.standing is Standing.CHANGED:
            raise InputError(
                f"{entry.title} was changed after it was applied",
                f"{next_step([entry])[0]} Nothing was run.",
            )
        if entry.standing is Standing.MISSING:
            raise InputError(
                f"{entry.title} was applied, but its file is missing",
                f"{next_step([entry])[0]} Nothing was run.",
            )


def _presence(
    db: Queries, migration: Migration, row: LedgerRow | None, record: CruddursRecord
) -> Presence:
    """Whether its effect is present, if the answer matters."""
    is_cruddurs = migration.source is Source.CRUDDUR
    contradicts = is_cruddurs and not record.covers(migration.stamp)
    if not (row is None or row.state is RowState.UNDONE or contradicts):
        return Presence.UNKNOWN
    if not is_cruddurs and not migration.present_if:
        return Presence.UNKNOWN
    return presence_of(db, migration)


def _is_superseded(migration: Migration, later: Iterable[Migration]) -> bool:
    """Whether a ``later`` migration changes a column of this one, so its absence means nothing."""
    columns = set(effect_of(migration.up) or ())
    return any(columns & set(effect_of(other.up) or ()) for other in later)


def _entry(
    migration: Migration, row: LedgerRow | None, presence: Presence, record: CruddursRecord
) -> Entry:
    is_present = presence is Presence.PRESENT
    if row is None:
        if _was_run_by_cruddur(migration, presence, record):
            return Entry(Standing.APPLIED, migration, None)
        return Entry(Standing.PENDING, migration, None, is_present)
    if row.state.is_half:
        return Entry(Standing(str(row.state)), migration, row)
    if row.state is RowState.UNDONE:
        return Entry(Standing.PENDING, migration, row, is_present)
    if row.checksum != migration.checksum:
        return Entry(Standing.CHANGED, migration, row)
    if presence is Presence.ABSENT:
        # Cruddur's own script has undone it since, as its record and the schema show.
        return Entry(Standing.PENDING, migration, row)
    return Entry(Standing.APPLIED, migration, row)


def _was_run_by_cruddur(migration: Migration, presence: Presence, record: CruddursRecord) -> bool:
    """Whether Cruddur's own script has applied it: created before its last run, not skipped."""
    if migration.source is not Source.CRUDDUR or record.number == 0:
        return False
    return migration.instant < record.instant and presence is not Presence.ABSENT


def named(entries: Iterable[Entry], name: str) -> Callable[[Entry], bool]:
    """A predicate for the entry that ``name`` identifies: by a stamp, a name or both.

    Raises:
        InputError: it identifies none of ``entries``, or several.
    """
    stem = name.removesuffix(".sql").removesuffix(".py")
    keys = {
        entry.key
        for entry in entries
        if stem in (entry.title, entry.key[1], entry.title.partition("_")[2])
    }
    if len(keys) != 1:
        problem = f"There is no migration {name!r}" if not keys else f"Several are named {name!r}"
        raise InputError(problem, "Name one by its stamp.")
    return lambda entry: entry.key in keys
