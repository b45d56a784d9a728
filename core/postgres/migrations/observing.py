"""What a statement does to others: its time, its locks, and whether it rewrites a table."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from core.postgres.database import Queries
from core.postgres.migrations.files import Migration
from core.postgres.migrations.splitting import SqlStatement
from core.postgres.statements import load

_MODES = (
    ("AccessShareLock", "nothing but a DROP or a rewrite"),
    ("RowShareLock", "a DROP, a rewrite"),
    ("RowExclusiveLock", "building an index, changes of the schema"),
    ("ShareUpdateExclusiveLock", "changes of the schema, VACUUM"),
    ("ShareLock", "writes"),
    ("ShareRowExclusiveLock", "writes"),
    ("ExclusiveLock", "writes, and reads that lock rows"),
    ("AccessExclusiveLock", "reads and writes"),
)
"""Lock modes, the weakest first, and what waits behind each.

https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES
"""
_STRENGTH = {mode: number for number, (mode, _) in enumerate(_MODES)}


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock that a statement took, and on what."""

    relation: str
    mode: str

    @property
    def blocks(self) -> str:
        """What waits behind it until the migration ends."""
        return _MODES[_STRENGTH[self.mode]][1]


@dataclass(frozen=True, slots=True)
class Observed:
    """What one statement did. ``rewritten``: the tables that got a new file for their rows."""

    migration: Migration
    statement: SqlStatement
    duration_ms: float
    locks: tuple[Lock, ...]
    rewritten: tuple[str, ...]


@dataclass(slots=True)
class Observation:
    """Collects what each statement of a run does; ``observe`` wraps them."""

    observed: list[Observed] = field(default_factory=list)

    @contextmanager
    def observe(
        self, transaction: Queries, migration: Migration, statement: SqlStatement
    ) -> Iterator[None]:
        locks_before, before = _locks(transaction), _relations(transaction)
        started = time.perf_counter()
        yield
        duration_ms = round((time.perf_counter() - started) * 1000, 3)
        after = _relations(transaction)
        names = {oid: name for oid, (name, _, _) in (before | after).items()}
        taken = _locks(transaction) - locks_before
        locks = {Lock(names[oid], mode) for oid, mode in taken if oid in before and oid in names}
        rewritten = [
            name
            for oid, (name, kind, file) in before.items()
            if kind in "rm" and oid in after and after[oid][2] != file
        ]
        self.observed.append(
            Observed(
                migration,
                statement,
                duration_ms,
                tuple(sorted(locks, key=lambda lock: (-_STRENGTH[lock.mode], lock.relation))),
                tuple(sorted(rewritten)),
            )
        )


def _locks(transaction: Queries) -> set[tuple[int, str]]:
    rows = transaction.query_rows(load("rehearsal/locks"))
    return {(row["relation"], row["mode"]) for row in rows}


def _relations(transaction: Queries) -> dict[int, tuple[str, str, int]]:
    """Every table and index by its number: its name, its kind and its file."""
    rows = transaction.query_rows(load("rehearsal/relations"))
    return {row["oid"]: (row["name"], row["kind"], row["file"]) for row in rows}
