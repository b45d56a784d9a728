"""Behind a real PgBouncer in transaction mode, where sessions are shared by all clients."""

from __future__ import annotations

import subprocess
import sys
from urllib.parse import urlsplit

import pgbouncer
import pytest
from unguarded import Database

from core.errors import InputError
from core.postgres import admin, users
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
def pooled_url(engines, db: Database):
    for letter in "wxyz":
        for n in range(5):
            users.create_user(db, f"{letter}{n}", letter, f"{letter}{n}@example.com")
    url = urlsplit(engines.postgres_url)._replace(path=f"/{db.address.dbname}").geturl()
    with pgbouncer.pooling(url) as pooled:
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


def test_a_direct_connection_is_not_taken_for_a_pooled_one(db: Database) -> None:
    assert not db.is_pooled()
