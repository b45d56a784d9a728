"""Applies and undoes migrations: one transaction each, one run at a time.

The lock that makes two runs take turns belongs to a transaction, because a pooler may give the next
transaction another session. A run tries the lock but does not wait for it: a waiting session has a
snapshot, and the other run's ``CREATE INDEX CONCURRENTLY`` would wait for that.

A statement waits for the locks of others for a fraction of a second, then everything is rolled back
and tried again. Other sessions queue behind a waiting statement, so they wait no longer either. The
time is less than ``deadlock_timeout``, so none of their statements is ended as a deadlock's victim.
https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-LOCK-TIMEOUT
"""

from __future__ import annotations

import functools
import random
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from psycopg import sql

from core.commands import Command
from core.errors import InputError, PostgresError
from core.postgres.database import Database, Queries
from core.postgres.migrations import alone, ledger
from core.postgres.migrations.alone import Observer
from core.postgres.migrations.cruddur import read_checkout
from core.postgres.migrations.effects import changed_table
from core.postgres.migrations.failures import in_file
from core.postgres.migrations.files import Migration, Source, in_order, place_of, read_folder
from core.postgres.migrations.ledger import RowState
from core.postgres.migrations.plan import (
    Entry,
    Standing,
    named,
    next_step,
    refuse_unsettled,
    survey_migrations,
)
from core.postgres.migrations.splitting import SqlStatement
from core.postgres.statements import FileStatement, load
from core.purposes import Need

_TRY_AGAIN = {"55P03", "40P01", "40001"}
"""A lock was not free in time, a deadlock, a conflict: a retry may succeed."""

LOCK_TIMEOUT_S = 0.4
PATIENCE_S = 60.0
TURN_PATIENCE_S = 600.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How long to wait: for one lock, for all tries of one migration, and for another run."""

    lock_timeout_s: float = LOCK_TIMEOUT_S
    patience_s: float = PATIENCE_S
    turn_patience_s: float = TURN_PATIENCE_S


@dataclass(frozen=True, slots=True)
class Done:
    """The result of one migration. ``state`` is None if it was undone."""

    migration: Migration
    state: RowState | None
    duration_ms: float
    notes: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The result, in words."""
        title = self.migration.title
        took = f"in {self.duration_ms:,.1f} ms"
        return {
            None: f"undid {title} {took}",
            RowState.PRESENT: f"recorded {title}: all that it does was there already",
            RowState.BY_CRUDDUR: f"recorded {title}: Cruddur's own script had applied it",
        }.get(self.state, f"applied {title} {took}")


@dataclass(frozen=True, slots=True)
class Files:
    """The migrations of all files in their order, and their sources."""

    migrations: Sequence[Migration]
    sources: Collection[Source] = (Source.PROJECT,)

    def survey(self, db: Queries) -> list[Entry]:
        """The state of every migration. See :func:`survey_migrations`."""
        return survey_migrations(db, self.migrations, self.sources)


def read_migrations(folder: Path, checkout: Path | None = None) -> Files:
    """The project's migrations in ``folder`` and, with a ``checkout`` of its app, Cruddur's.

    Raises:
        InputError: a file is not a migration, or cannot be read. Nothing was run.
    """
    project = read_folder(folder)
    if checkout is None:
        return Files(project)
    return Files(in_order([*project, *read_checkout(checkout)]), tuple(Source))


class _OthersTurn(Exception):  # noqa: N818 - it never leaves this module
    """Another session changes the schema."""


def migrate(
    db: Database,
    files: Files,
    *,
    to: str | None = None,
    limits: Limits | None = None,
    observer: Observer | None = None,
) -> Iterator[Done]:
    """Apply the pending migrations in order, up to ``to``; yields each one when it is done.

    A migration whose effect is present, or that Cruddur's script applied, is only recorded.

    Raises:
        InputError: an applied migration was changed or is missing, or ``to`` is unknown. None ran.
        PostgresError: a statement was refused. The yielded migrations stay; this one is rolled
            back, unless it runs without a transaction.
    """
    yield from _Run(db, files, limits or Limits(), observer).forward(to)


def roll_back(
    db: Database,
    files: Files,
    *,
    to: str | None = None,
    limits: Limits | None = None,
    observer: Observer | None = None,
) -> Iterator[Done]:
    """Undo the migration that was applied last, or all that were applied after ``to``.

    Raises:
        InputError: it cannot be undone, its file is missing or was changed, or ``to`` is unknown.
        PostgresError: a statement was refused. Nothing of this migration was undone, unless it runs
            without a transaction.
    """
    yield from _Run(db, files, limits or Limits(), observer).back(to)


class _Run:
    """One run over the pending or the applied migrations."""

    def __init__(
        self, db: Database, files: Files, limits: Limits, observer: Observer | None
    ) -> None:
        self._db = db
        self._files = files
        self._limits = limits
        self._observe = observer or alone.unobserved
        self._done: set[tuple[Source, str]] = set()
        self._lock_first: list[str] = []

    def forward(self, to: str | None) -> Iterator[Done]:
        choose = functools.partial(self._first_to_do, to=to)
        while (done := self._patiently(lambda: self._step(choose, self._apply))) is not None:
            yield done

    def back(self, to: str | None) -> Iterator[Done]:
        choose = functools.partial(self._last_applied, to=to)
        while (done := self._patiently(lambda: self._step(choose, self._undo))) is not None:
            yield done
            if to is None:
                return

    def _step(
        self,
        choose: Callable[[list[Entry]], Entry | None],
        act: Callable[[Queries, list[Entry], Entry], Done],
    ) -> Done | None:
        """The result of acting on the migration that ``choose`` names; None if it names none."""
        with self._db.transaction() as transaction:
            entries = self._take_turn(transaction)
            entry = choose(entries)
            if entry is None:
                return None
            done = act(transaction, entries, entry)
        self._done.add(entry.key)
        self._lock_first = []
        return done

    # Waits and retries

    def _patiently(self, attempt: Callable[[], Done | None]) -> Done | None:
        """The result of ``attempt``, tried again while another session has a lock or the turn."""
        start = time.monotonic()
        pause = 0.05
        while True:
            waited = time.monotonic() - start
            try:
                return attempt()
            except _OthersTurn:
                if waited > self._limits.turn_patience_s:
                    raise PostgresError(
                        "Another session has been changing this schema for"
                        f" {waited:,.0f} s. Nothing was changed",
                        "See who is connected",
                        Command("db.sessions"),
                    ) from None
            except PostgresError as error:
                if error.sqlstate not in _TRY_AGAIN or waited > self._limits.patience_s:
                    raise
            time.sleep(pause * random.uniform(0.5, 1.5))
            pause = min(pause * 2, 1.0)

    def _take_turn(self, transaction: Queries) -> list[Entry]:
        """The state of every migration, while no other run can change it."""
        turn = transaction.query_commit(load("ledger/take_turn"))
        if turn is False:
            raise _OthersTurn
        entries = self._files.survey(transaction)
        refuse_unsettled(entries)
        return entries

    # Forward

    def _first_to_do(self, entries: list[Entry], to: str | None) -> Entry | None:
        is_last = named(entries, to) if to else lambda _: False
        for entry in entries:
            if entry.standing is Standing.HALF_UNDONE:
                raise InputError(f"{entry.title} is half undone", *next_step([entry]))
            if entry.is_to_do and entry.key not in self._done:
                return entry
            if is_last(entry):
                return None
        return None

    def _apply(self, transaction: Queries, entries: list[Entry], entry: Entry) -> Done:
        migration, row = entry.migration, entry.row
        assert migration is not None  # noqa: S101 - a migration to apply has a file
        started = time.perf_counter()
        state = _state_to_record(entry)
        if state is RowState.APPLIED and not migration.up.statements:
            raise InputError(
                f"{migration.path.name} has no statement below -- migrate:up",
                "Write it, or remove the file.",
            )
        if state is RowState.APPLIED and not migration.up.in_transaction:
            alone.apply(self._db, transaction, migration, row, self._observe)
            return Done(migration, state, _ms_since(started))
        if not (self._db.is_dry and self._done):
            ledger.make_ledger(transaction)
        if row is not None:
            ledger.remove_row(transaction, row.key)
        ledger.add_row(transaction, migration, state)
        if state is RowState.APPLIED:
            self._run_all(transaction, migration, migration.up.statements)
        duration_ms = _ms_since(started)
        ledger.update_row(transaction, migration, state, duration_ms=duration_ms)
        notes = self._tell_cruddur(transaction, entries, applied=entry)
        return Done(migration, state, duration_ms, notes)

    # Back

    def _last_applied(self, entries: list[Entry], to: str | None) -> Entry | None:
        applied = [
            entry
            for entry in entries
            if entry.standing is not Standing.PENDING and entry.key not in self._done
        ]
        if to is not None:
            stays = named(entries, to)
            kept = next((entry for entry in applied if stays(entry)), None)
            if kept is None:
                raise InputError(f"{to} is not applied", "Name one that is.")
            last_kept = _applied_place(kept)
            applied = [entry for entry in applied if _applied_place(entry) > last_kept]
        return max(applied, key=_applied_place, default=None)

    def _undo(self, transaction: Queries, entries: list[Entry], entry: Entry) -> Done:
        migration, row = _undoable(entry), entry.row
        started = time.perf_counter()
        is_run = row is None or row.state is not RowState.PRESENT
        if is_run and not migration.down.in_transaction:
            alone.undo(self._db, transaction, migration, row)
            return Done(migration, None, _ms_since(started))
        if row is not None and migration.source is Source.CRUDDUR:
            ledger.update_row(transaction, migration, RowState.UNDONE)
        elif row is not None:
            ledger.remove_row(transaction, row.key)
        if is_run:
            self._run_all(transaction, migration, migration.down.statements)
        notes = self._tell_cruddur(transaction, entries, undone=entry)
        if not is_run:
            notes = (*notes, f"{migration.title} had changed nothing: only its record is removed")
        return Done(migration, None, _ms_since(started), notes)

    # Statements

    def _run_all(
        self, transaction: Queries, migration: Migration, statements: Sequence[SqlStatement]
    ) -> None:
        """Run ``statements``; together they wait for locks no longer than one of them may.

        Other sessions may queue behind the first lock until the last one is free.
        """
        limit_s = self._limits.lock_timeout_s
        ends_at = time.monotonic() + limit_s
        _limit_waiting(transaction, limit_s)
        for table in self._lock_first:
            transaction.query_commit(load("ledger/lock_table").format(table=sql.SQL(table)))
        for number, statement in enumerate(statements):
            if number and not transaction.is_dry:
                _limit_waiting(transaction, max(ends_at - time.monotonic(), limit_s / 10))
            with (
                in_file(migration, statement),
                self._noting_a_taken_lock(statement),
                self._observe(transaction, migration, statement),
            ):
                transaction.query_commit(FileStatement.from_text(statement.text, Need.DESTROY))

    @contextmanager
    def _noting_a_taken_lock(self, statement: SqlStatement) -> Iterator[None]:
        """Lock a table first in the next try if it was not free in this one.

        A migration that locks two tables in another order than the statements around it would fail
        each time: they hold one lock and wait for the other.
        """
        try:
            yield
        except PostgresError as error:
            table = changed_table(statement)
            if error.sqlstate == "55P03" and table is not None:
                self._lock_first = [table, *(t for t in self._lock_first if t != table)]
            raise

    def _tell_cruddur(
        self,
        transaction: Queries,
        entries: list[Entry],
        *,
        applied: Entry | None = None,
        undone: Entry | None = None,
    ) -> tuple[str, ...]:
        """Keep Cruddur's own record correct. Returns what its script will still do wrong."""
        if Source.CRUDDUR not in self._files.sources:
            return ()
        stamps = [entry.key[1] for entry in entries if entry.key[0] is Source.CRUDDUR]
        done = {entry.key for entry in entries if entry.is_settled}
        # A dry run changes nothing: the migration is still pending, or still applied.
        done = done | self._done if undone is None else done - self._done - {undone.key}
        if applied is not None:
            done.add(applied.key)
        skipped = ledger.write_cruddurs_record(
            transaction,
            applied=[stamp for stamp in stamps if (Source.CRUDDUR, stamp) in done],
            pending=[stamp for stamp in stamps if (Source.CRUDDUR, stamp) not in done],
        )
        return tuple(f"Cruddur's own script would not run {stamp}" for stamp in skipped)


def _state_to_record(entry: Entry) -> RowState:
    """The next state in the ledger of a migration that is to be applied or recorded."""
    if entry.is_settled:
        return RowState.BY_CRUDDUR
    return RowState.PRESENT if entry.is_present else RowState.APPLIED


def _undoable(entry: Entry) -> Migration:
    """The migration to undo.

    Raises:
        InputError: its file is missing, or has no part to undo it.
    """
    if entry.migration is None:
        raise InputError(
            f"{entry.title} is a migration of Cruddur's",
            "Add --from and the folder of a checkout of its app.",
        )
    changed_nothing = entry.row is not None and entry.row.state is RowState.PRESENT
    if not (entry.migration.down.statements or changed_nothing):
        raise InputError(
            f"{entry.migration.path.name} does not say how to undo it",
            "Write that below -- migrate:down.",
        )
    return entry.migration


def _applied_place(entry: Entry) -> tuple[int, object]:
    """The order of applying. Migrations applied only by Cruddur's script come first, by stamp."""
    position = entry.row.position if entry.row else 0
    return position, place_of(*entry.key)


def _limit_waiting(transaction: Queries, limit_s: float) -> None:
    milliseconds = max(1, round(limit_s * 1000))  # 0 would mean no limit
    transaction.query_commit(load("ledger/limit_waiting"), {"timeout": f"{milliseconds}ms"})


def _ms_since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 3)
