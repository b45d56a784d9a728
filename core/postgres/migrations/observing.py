"""A statement's effect on other sessions: its time, its locks, and the tables it rewrites."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from psycopg import sql

from core.errors import StoreError
from core.postgres.database import Database, Queries
from core.postgres.migrations.files import Migration
from core.postgres.migrations.splitting import SqlStatement
from core.postgres.statements import load
from core.purposes import Purpose

_PATIENCE_S = 5.0

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
    """A lock that a statement took, and the table or index."""

    relation: str
    mode: str

    @property
    def blocks(self) -> str:
        """The statements that wait behind it until the migration ends."""
        return _MODES[_STRENGTH[self.mode]][1]


@dataclass(frozen=True, slots=True)
class Observed:
    """The effect of one statement. ``rewritten``: the tables that got a new file for their rows."""

    migration: Migration
    statement: SqlStatement
    duration_ms: float
    locks: tuple[Lock, ...]
    rewritten: tuple[str, ...]


@dataclass(slots=True)
class Observation:
    """Collects the effects of a run's statements; ``observe`` wraps them."""

    observed: list[Observed] = field(default_factory=list)

    @contextmanager
    def observe(
        self, transaction: Queries, migration: Migration, statement: SqlStatement
    ) -> Iterator[None]:
        if isinstance(transaction, Database):  # its locks are released afterwards
            yield from self._observe_alone(transaction, migration, statement)
            return
        locks_before, before = _locks(transaction), _relations(transaction)
        started = time.perf_counter()
        yield
        duration_ms = _ms(time.perf_counter() - started)
        after = _relations(transaction)
        names = {oid: name for oid, (name, _, _) in (before | after).items()}
        taken = _locks(transaction) - locks_before
        locks = {Lock(names[oid], mode) for oid, mode in taken if oid in before and oid in names}
        rewritten = sorted(
            name
            for oid, (name, kind, file) in before.items()
            if kind in "rm" and oid in after and after[oid][2] != file
        )
        observed = Observed(migration, statement, duration_ms, _sorted(locks), tuple(rewritten))
        self.observed.append(observed)

    def _observe_alone(
        self, db: Database, migration: Migration, statement: SqlStatement
    ) -> Iterator[None]:
        """Like ``observe``, for a statement without a transaction: it is observed while it waits.

        A concurrent build of an index first waits for the writes of others. A write that is held
        open until then shows the locks that it has.
        """
        names = {oid: name for oid, (name, _, _) in _relations(db).items()}
        writer = _Writer(db)
        with writer.running():
            started = time.perf_counter()
            yield
            duration_ms = _ms(time.perf_counter() - max(started, writer.released_at))
        locks = {Lock(names[oid], mode) for oid, mode in writer.seen if oid in names}
        self.observed.append(Observed(migration, statement, duration_ms, _sorted(locks), ()))


class _Writer:
    """Locks every table as a write does, until a session waits for it, and notes its locks."""

    def __init__(self, db: Database) -> None:
        self._db = Database(db.address, Purpose.DESTROYING)
        self._holds, self._over = threading.Event(), threading.Event()
        self.seen: set[tuple[int, str]] = set()
        self.released_at = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self._write, daemon=True)
        thread.start()
        self._holds.wait(_PATIENCE_S)
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _write(self) -> None:
        with self._db as db, suppress(StoreError), db.transaction() as transaction:
            tables = transaction.query_rows(load("admin/tables"))
            names = [sql.Identifier(table["schema"], table["name"]) for table in tables]
            if names:
                held = sql.SQL(", ").join(names)
                transaction.query_commit(load("rehearsal/hold_tables").format(tables=held))
            self._holds.set()
            while not (self.seen or self._over.wait(0.002)):
                rows = transaction.query_rows(load("rehearsal/locks_of_waiting"))
                self.seen = {(row["relation"], row["mode"]) for row in rows}
        self.released_at = time.perf_counter()
        self._holds.set()


def _sorted(locks: set[Lock]) -> tuple[Lock, ...]:
    """``locks``, the strongest first."""
    return tuple(sorted(locks, key=lambda lock: (-_STRENGTH[lock.mode], lock.relation)))


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)


def _locks(transaction: Queries) -> set[tuple[int, str]]:
    rows = transaction.query_rows(load("rehearsal/locks"))
    return {(row["relation"], row["mode"]) for row in rows}


def _relations(transaction: Queries) -> dict[int, tuple[str, str, int]]:
    """Every table and index, by its oid: its name, its kind and its file."""
    rows = transaction.query_rows(load("rehearsal/relations"))
    return {row["oid"]: (row["name"], row["kind"], row["file"]) for row in rows}
