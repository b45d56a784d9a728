"""The database at a glance, and who is connected to it, page by page."""

from __future__ import annotations

import pytest
from unguarded import Database

from core.errors import UnreachableError
from core.postgres import admin, description
from core.postgres.description import describe_database
from core.postgres.seed import seed_demo_data
from core.settings import Settings
from core.targets.postgres import parse_url


def test_version_size_and_tables_are_described(db: Database) -> None:
    seed_demo_data(db, Settings())
    description = describe_database(db)
    assert description.database == db.address.dbname
    assert int(description.version.split(".")[0]) >= 12
    assert description.size_bytes > 1_000_000
    assert description.most_sessions > 1
    assert description.started_at.tzinfo is not None
    rows = {table.name: (table.rows, table.is_estimate) for table in description.tables}
    assert rows["users"] == (db.query_value("SELECT count(*) FROM users"), False)
    assert all(table.size_bytes > 0 for table in description.tables)


def test_the_rows_of_a_large_table_are_the_planners_estimate(db: Database, monkeypatch) -> None:
    monkeypatch.setattr(description, "COUNTED_TO", 10)
    db.query_commit("CREATE TABLE public.big AS SELECT generate_series(1, 100) AS n")
    assert rows_of(db, "big") == (None, True)  # there are no statistics yet
    db.query_commit("ANALYZE public.big")
    assert rows_of(db, "big") == (100, True)


def rows_of(db: Database, name: str) -> tuple[int | None, bool]:
    (table,) = (table for table in describe_database(db).tables if table.name == name)
    return table.rows, table.is_estimate


def test_a_table_that_may_not_be_read_is_described_without_its_rows(db: Database) -> None:
    role = f"reader-{db.address.dbname}"
    db.query_commit(f"CREATE ROLE \"{role}\" LOGIN PASSWORD 'x'")  # type: ignore[arg-type]
    try:
        url = f"postgresql://{role}:x@{db.address.place}/{db.address.dbname}"
        with Database(parse_url(url, "CONNECTION_URL")) as reader:
            rows = {table.name: table.rows for table in describe_database(reader).tables}
    finally:
        db.query_commit(f'DROP ROLE "{role}"')  # type: ignore[arg-type]
    assert rows["users"] is None


def test_a_name_that_needs_quotes_is_counted(db: Database) -> None:
    db.query_commit('CREATE TABLE public."odd ""name%s"" {x}" AS SELECT 1 AS n')
    assert rows_of(db, 'odd "name%s" {x}') == (1, False)


def test_a_maximum_of_tables_is_described_the_largest_first(db: Database, monkeypatch) -> None:
    monkeypatch.setattr(description, "MOST_TABLES", 2)
    tables = describe_database(db).tables
    assert len(tables) == 2
    assert tables[0].size_bytes >= tables[1].size_bytes


def test_a_server_that_is_down_is_an_error() -> None:
    with (
        Database(parse_url("postgresql://u@127.0.0.1:1/d", "CONNECTION_URL")) as db,
        pytest.raises(UnreachableError),
    ):
        describe_database(db)


def test_sessions_come_page_by_page_each_once(db: Database) -> None:
    with Database(db.address) as one, Database(db.address) as two:
        one.query_value("SELECT 1")
        two.query_value("SELECT 1")
        all_pids = {session.pid for session in admin.sessions(db)}
        paged, after = [], None
        while page := admin.sessions(db, limit=1, after=after):
            after = page[-1]
            paged.append(after.pid)
    assert len(paged) == len(set(paged)) >= 3
    assert {pid for pid in paged if pid in all_pids} >= all_pids & set(paged)
    assert len(all_pids & set(paged)) >= 3
