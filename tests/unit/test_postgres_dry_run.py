"""A dry run hands every change over as text; nothing here opens a connection."""

from __future__ import annotations

import pytest
from unguarded import Database

from core.postgres import admin, seed, users
from core.settings import Settings
from core.targets.postgres import parse_url

ADDRESS = parse_url("postgresql://u:hunter2@nowhere.invalid/d", "CONNECTION_URL")


@pytest.fixture
def statements() -> list[str]:
    return []


@pytest.fixture
def dry(statements: list[str]) -> Database:
    return Database(ADDRESS, dry=statements.append)


def test_a_change_is_printed_and_returns_nothing(dry: Database, statements: list[str]) -> None:
    answer = dry.query_commit("UPDATE public.users SET bio = %(bio)s", {"bio": "it's me"})
    assert answer is None
    assert statements == ["UPDATE public.users SET bio = 'it''s me';"]


def test_the_changes_of_a_transaction_are_printed_between_begin_and_commit(
    dry: Database, statements: list[str]
) -> None:
    with dry.transaction() as transaction:
        transaction.query_commit("DELETE FROM a")
        transaction.query_commit("DELETE FROM b")
    assert statements == ["BEGIN;", "DELETE FROM a;", "DELETE FROM b;", "COMMIT;"]


def test_a_transaction_that_fails_prints_no_commit(dry: Database, statements: list[str]) -> None:
    with pytest.raises(ZeroDivisionError), dry.transaction():
        raise ZeroDivisionError
    assert statements == ["BEGIN;"]


def test_loading_the_schema_is_printed_without_reading_the_database(
    dry: Database, statements: list[str]
) -> None:
    assert admin.load_schema(dry, "local", only_if_missing=True)
    script = "\n".join(statements)
    assert "CREATE TABLE public.users" in script
    assert "SELECT 'local'" in script


def test_seeding_is_printed_with_the_people_and_without_reading_the_database(
    dry: Database, statements: list[str]
) -> None:
    assert seed.seed_demo_data(dry, Settings()) == seed.Seeded(0, 0)
    assert "'{andrewbrown,bayko,londo}'::text[]" in "\n".join(statements)


def test_setting_cognito_ids_is_printed_without_reading_the_database(
    dry: Database, statements: list[str]
) -> None:
    bayko = "a4f2c1de-0000-4000-8000-000000000001"
    assert users.set_cognito_user_ids(dry, {bayko: "sub-1"}) == 0
    assert f"'{{{bayko}}}'::uuid[], '{{sub-1}}'::text[]" in statements[0]
