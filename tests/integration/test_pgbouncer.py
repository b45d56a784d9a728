"""Behind a real PgBouncer in transaction mode, where sessions are shared by all clients."""

from __future__ import annotations

import subprocess
import sys
from urllib.parse import urlsplit

import pgbouncer
import pytest
from unguarded import Database

from core.errors import InputError, PostgresError
from core.postgres import admin, check_read_only, find_programs, poolers, users
from core.settings import PROJECT_ROOT
from core.targets.postgres import PostgresAddress, parse_url

LOOK_UPS = 250

ASK = """
import sys
from core.postgres import Database, find_user, search_users
from core.purposes import Purpose
from core.targets.postgres import parse_url

letter = sys.argv[2]
with Database(parse_url(sys.argv[1], "CONNECTION_URL"), Purpose.READING) as db:
    for n in range(int(sys.argv[3])):
        handle = f"{letter}{n % 5}"
        assert find_user(db, handle).handle == handle
        found = {user.handle[0] for user in search_users(db, f"{letter}{n % 5}").entries}
        assert found == {letter}, found
"""


@pytest.fixture
def direct_url(engines, db: Database) -> str:
    return urlsplit(engines.postgres_url)._replace(path=f"/{db.address.dbname}").geturl()


@pytest.fixture
def pooled_url(direct_url: str, db: Database):
    for letter in "wxyz":
        for n in range(5):
            users.create_user(db, f"{letter}{n}", letter, f"{letter}{n}@example.com")
    with pgbouncer.pooling(direct_url) as pooled:
        yield pooled


@pytest.mark.deep
def test_each_of_four_processes_gets_its_own_users(pooled_url: str, db: Database) -> None:
    asking = [
        subprocess.Popen(
            [sys.executable, "-c", ASK, pooled_url, letter, str(LOOK_UPS)],
            cwd=PROJECT_ROOT,
            stderr=subprocess.PIPE,
            text=True,
        )
        for letter in "wxyz"
    ]
    errors = [process.communicate(timeout=120)[1] for process in asking]
    assert errors == [""] * 4
    with Database(parse_url(pooled_url, "CONNECTION_URL")) as pooled:
        # Three sessions at most: whichever answers, nothing was prepared on it.
        for _ in range(6):
            assert pooled.query_value("SELECT count(*) FROM pg_prepared_statements") == 0


@pytest.mark.deep
def test_databases_are_neither_created_nor_dropped_through_it(pooled_url: str) -> None:
    address: PostgresAddress = parse_url(pooled_url, "CONNECTION_URL")
    with Database(address.with_dbname("not there yet")) as missing:
        with pytest.raises(InputError, match="connection pooler") as refused:
            admin.create_database(missing)
        assert "not the pooler's" in refused.value.hint
    with Database(address) as existing:
        assert admin.create_database(existing) is False
        with pytest.raises(InputError, match="connection pooler"):
            admin.drop_database(existing)
        assert existing.is_pooled()
        assert users.count_users(existing) == 20


@pytest.mark.deep
@pytest.mark.parametrize(
    ("mode", "ignored"), [("transaction", "extra_float_digits"), ("session", "options")]
)
def test_a_shell_is_refused_that_would_not_be_read_only(direct_url: str, mode, ignored) -> None:
    """Where the option is ignored, psql would start, and write."""
    with pgbouncer.pooling(direct_url, mode=mode, ignored=ignored) as pooled:  # noqa: SIM117
        with Database(parse_url(pooled, "PROD_CONNECTION_URL")) as db:
            with pytest.raises(InputError, match="does not keep a session read-only") as refused:
                check_read_only(db)
            assert "BEGIN READ ONLY" in refused.value.hint


@pytest.mark.deep
def test_pg_dump_and_pg_restore_do_not_work_through_it(pooled_url: str) -> None:
    """An app would find an empty search_path in the pooler's next session."""
    with Database(parse_url(pooled_url, "CONNECTION_URL")) as pooled:  # noqa: SIM117
        with pytest.raises(InputError, match="where pg_dump and pg_restore do not work"):
            find_programs(pooled, [])


@pytest.mark.deep
def test_statement_mode_is_named(direct_url: str) -> None:
    with pgbouncer.pooling(direct_url, mode="statement") as pooled:  # noqa: SIM117
        with Database(parse_url(pooled, "CONNECTION_URL")) as db:
            with pytest.raises(PostgresError, match="in statement mode") as refused:
                users.count_users(db)
    assert "pool_mode" in refused.value.hint


def test_a_session_without_a_pooler_can_be_read_only(db: Database) -> None:
    assert poolers._becomes_read_only(db)
    check_read_only(db)


def test_a_direct_connection_is_not_taken_for_a_pooled_one(db: Database) -> None:
    assert not db.is_pooled()
