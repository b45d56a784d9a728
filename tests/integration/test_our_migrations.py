"""The project's own migrations: the last Cruddur runs after them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cruddur_checkout import SCHEMA
from test_migrations import columns
from unguarded import Database

from core.postgres import find_drift, migrate, read_migrations, roll_back
from core.postgres.migrations.cruddurs_statements import failing_cruddur_statements
from core.settings import PROJECT_ROOT

FOLDER = PROJECT_ROOT / "sql" / "migrations"
REPLY = "reply_to_activity_uuid"


def failures(db: Database) -> set[str]:
    return set(failing_cruddur_statements(db))


def states(db: Database) -> dict[str, str]:
    return {done.migration.name: str(done.state) for done in migrate(db, read_migrations(FOLDER))}


@pytest.fixture
def cruddurs(db: Database) -> Iterator[Database]:
    db.query_commit(SCHEMA)  # type: ignore[arg-type]
    return db


def test_every_statement_of_the_last_cruddur_runs_after_them(db: Database) -> None:
    assert failures(db) == {"save a profile", "a profile"}
    assert states(db) == {"add_bio": "applied", REPLY: "present"}
    assert failures(db) == set()
    assert db.query_value("SELECT count(*) FROM public.users") == 0


def test_on_cruddurs_first_schema_they_do_all_and_undo_all(cruddurs: Database) -> None:
    before = columns(cruddurs, "public.users"), columns(cruddurs, "public.activities")
    assert "answer" in failures(cruddurs)
    assert states(cruddurs) == {"add_bio": "applied", REPLY: "applied"}
    assert failures(cruddurs) == set()
    list(roll_back(cruddurs, read_migrations(FOLDER)))
    list(roll_back(cruddurs, read_migrations(FOLDER)))
    assert (columns(cruddurs, "public.users"), columns(cruddurs, "public.activities")) == before


@pytest.mark.parametrize("kind", ["uuid", "text"])
def test_where_cruddurs_have_run_they_change_nothing_in_either_direction(
    cruddurs: Database, kind: str
) -> None:
    cruddurs.query_commit(
        f"ALTER TABLE public.users ADD COLUMN bio text; ALTER TABLE public.activities"
        f" ALTER COLUMN {REPLY} TYPE {kind} USING null"
    )
    assert states(cruddurs) == {"add_bio": "present", REPLY: "present"}
    list(roll_back(cruddurs, read_migrations(FOLDER)))
    list(roll_back(cruddurs, read_migrations(FOLDER)))
    assert columns(cruddurs, "public.users")["bio"] == "text"
    assert columns(cruddurs, "public.activities")[REPLY] == kind


def test_a_text_column_fits_no_uuid_and_is_why_ours_is_a_uuid(cruddurs: Database) -> None:
    cruddurs.query_commit(
        f"ALTER TABLE public.users ADD COLUMN bio text; ALTER TABLE public.activities"
        f" ALTER COLUMN {REPLY} TYPE text"
    )
    assert failures(cruddurs) == {"an activity with its answers"}


def test_a_column_that_was_dropped_again_is_drift(db: Database) -> None:
    files = read_migrations(FOLDER)
    list(migrate(db, files))
    assert find_drift(db, files.survey(db)) == []
    db.query_commit("ALTER TABLE public.users DROP COLUMN bio")
    lost = find_drift(db, files.survey(db))
    assert [migration.title for migration in lost] == ["20261127190000_add_bio"]
