"""Tries the pending migrations on a copy of a database's schema, and reports their effects."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

from core.errors import CoreError
from core.postgres.database import Database, Queries
from core.postgres.migrations.cruddurs_statements import failing_cruddur_statements
from core.postgres.migrations.files import Migration
from core.postgres.migrations.linting import Advice, advice_on
from core.postgres.migrations.observing import Observation, Observed
from core.postgres.migrations.running import Files, migrate, roll_back
from core.postgres.migrations.scratch import copy_sample, copy_schema, scratch_database
from core.postgres.programs import Programs
from core.postgres.statements import load
from core.targets.postgres import PostgresAddress


@dataclass(slots=True)
class Tried:
    """The result of one try. ``problem`` and ``left_over`` are empty if all is well.

    ``left_over``: the differences of the schema after applying and undoing, a line each.
    """

    migration: Migration
    is_recorded_only: bool = False
    problem: str = ""
    left_over: tuple[str, ...] = ()
    advice: tuple[Advice, ...] = ()

    @property
    def is_well(self) -> bool:
        return not (self.problem or self.left_over)


@dataclass(slots=True)
class Rehearsal:
    """The effects of the pending migrations. ``broken``: Cruddur's statements that they break.

    ``sample`` counts the copied rows.
    """

    tried: list[Tried] = field(default_factory=list)
    observed: list[Observed] = field(default_factory=list)
    broken: dict[str, str] = field(default_factory=dict)
    failing_before: dict[str, str] = field(default_factory=dict)
    sample: int = 0

    @property
    def is_well(self) -> bool:
        return not self.broken and all(tried.is_well for tried in self.tried)


def rehearse(
    source: Database, server: PostgresAddress, programs: Programs, files: Files, *, rows: int = 0
) -> Rehearsal:
    """Apply and undo what is pending on ``source``, on a copy of its schema on ``server``.

    From ``source`` it reads only the schema, and up to ``rows`` users with their activities, whose
    names, emails and texts are replaced. The copy is dropped at the end.

    Raises:
        PostgresError: the schema could not be copied.
        InputError: a migration was changed, or is missing. Nothing was tried.
    """
    rehearsal = Rehearsal()
    with scratch_database(server) as scratch:
        copy_schema(source, scratch, programs)
        if rows:
            rehearsal.sample = copy_sample(source, scratch, rows)
        rehearsal.failing_before = failing_cruddur_statements(scratch)
        _try_all(scratch, files, rehearsal)
    return rehearsal


def _try_all(scratch: Database, files: Files, rehearsal: Rehearsal) -> None:
    """Apply, undo and apply again each pending migration, until one has a problem."""
    while (entry := next((e for e in files.survey(scratch) if e.is_to_do), None)) is not None:
        migration = entry.migration
        if migration is None:  # a migration without a file is refused below
            next(migrate(scratch, files))
            return
        tried = Tried(migration, is_recorded_only=entry.is_present or entry.is_settled)
        rehearsal.tried.append(tried)
        tried.advice = () if tried.is_recorded_only else advice_on(migration)
        try:
            _try_one(scratch, files, tried, rehearsal)
        except CoreError as error:
            tried.problem = error.problem
        if not tried.is_well:
            return


def _try_one(scratch: Database, files: Files, tried: Tried, rehearsal: Rehearsal) -> None:
    observation = Observation()
    apply = partial(migrate, scratch, files, to=tried.migration.stamp)
    before = _schema(scratch)
    try:
        next(apply(observer=observation.observe))
    finally:
        rehearsal.observed += observation.observed
    for name, reason in failing_cruddur_statements(scratch).items():
        if name not in rehearsal.failing_before:
            rehearsal.broken[name] = reason
    if tried.is_recorded_only:
        return
    if not tried.migration.down.statements:
        tried.problem = "it does not say how to undo it"
        return
    try:
        next(roll_back(scratch, files))
    except CoreError as error:
        tried.problem = f"it cannot be undone: {error.problem}"
        return
    after = _schema(scratch)
    tried.left_over = (
        *(f"lost: {line}" for line in sorted(before - after)),
        *(f"left: {line}" for line in sorted(after - before)),
    )
    if not tried.left_over:
        next(apply())


def _schema(db: Queries) -> set[str]:
    return {row["line"] for row in db.query_rows(load("rehearsal/schema"))}
