"""Cruddur's files and its way of writing messages beside ours, where the clocks are elsewhere.

Each test works in three time zones: of the program, of libpq and of the database.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cruddur_checkout import SCHEMA, Checkout
from test_beside_cruddur import (
    GROUP,
    StreamFunction,
    faults,
    listed,
    message,
    people,  # noqa: F401 - a fixture
    previews,
    put,
    rows,
    texts,
)
from unguarded import Database

from core.dynamodb import list_thread
from core.dynamodb.patterns.sends import Draft, send
from core.dynamodb.stream.projection import move
from core.engines import psql_path
from core.postgres import admin, health, migrate, read_migrations, users
from core.postgres.seed import seed_demo_data
from core.settings import Settings

ZONES = ("UTC", "America/New_York", "Asia/Kolkata")

SEED = """
INSERT INTO public.users (display_name, email, handle, cognito_user_id)
VALUES ('Ana', 'ana@example.com', 'ana', 'MOCK'), ('Bayko', 'b@example.com', 'bayko', 'MOCK');
INSERT INTO public.activities (user_uuid, message, expires_at) VALUES (
  (SELECT uuid FROM public.users WHERE users.handle = 'ana' LIMIT 1), 'This was imported as seed',
  current_timestamp + interval '10 day'
)
"""

ITS_CONNECTION = """
import os
import psycopg

class Db:
  def query_commit(self, sql, params):
    with psycopg.connect(os.environ["CONNECTION_URL"]) as connection:
      connection.execute(sql)

db = Db()
"""

RUN = """
import importlib.util, pathlib, sys
sys.path.insert(0, ".")
act, *paths = sys.argv[1:]
for path in paths:
  spec = importlib.util.spec_from_file_location("migration", path)
  module = importlib.util.module_from_spec(spec)
  spec.loader.exec_module(module)
  getattr(module.migration, act)()
"""


@pytest.fixture(params=ZONES)
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


class Cruddur:
    """A checkout of its app: its SQL files run by psql, its migrations run by Python."""

    def __init__(self, folder: Path, url: str, zone: str) -> None:
        self.checkout = Checkout(folder)
        self.checkout.add_both()
        self.app = folder / "backend-flask"
        (self.app / "lib").mkdir()
        (self.app / "lib" / "db.py").write_text(ITS_CONNECTION)
        self.env = {**os.environ, "CONNECTION_URL": url, "TZ": zone, "PGTZ": zone}

    def run_sql(self, text: str) -> None:
        path = self.app / "db" / "file.sql"
        path.write_text(text)
        psql = [str(psql_path()), self.env["CONNECTION_URL"], "-q", "-v", "ON_ERROR_STOP=1"]
        subprocess.run([*psql, "-f", str(path)], env=self.env, check=True, stderr=subprocess.PIPE)

    def run_migrations(self, act: str) -> None:
        paths = sorted(map(str, self.checkout.migrations.glob("*.py")), reverse=act == "rollback")
        command = [sys.executable, "-c", RUN, act, *paths]
        subprocess.run(command, cwd=self.app, env=self.env, check=True)


def test_its_files_run_on_our_tables_and_our_tasks_on_its_tables(
    db: Database, zone: str, tmp_path: Path
) -> None:
    name = db.address.dbname
    db.query_commit(f"ALTER DATABASE \"{name}\" SET timezone TO '{zone}'")  # type: ignore[arg-type]
    db.close()
    seed_demo_data(db, Settings())
    cruddur = Cruddur(tmp_path / "app", db.address.conninfo, zone)
    users_first = "DROP TABLE IF EXISTS public.users;\nDROP TABLE IF EXISTS public.activities;\n"
    cruddur.run_sql(users_first + SCHEMA)
    cruddur.run_sql(SEED)
    assert health.schema_differences(db) == []
    assert users.list_activities(db, users.find_user(db, "ana").uuid, limit=9).entries
    files = read_migrations(tmp_path / "none of ours", cruddur.checkout.folder)
    for act in ("migrate", "rollback", "migrate"):
        cruddur.run_migrations(act)
        assert health.schema_differences(db) == []
        assert health.has_integer_replies(db) is (act == "rollback")
        assert users.create_user(db, act + zone, "New", f"{act}{zone}@example.com").handle
        db.query_commit("DELETE FROM public.users WHERE display_name = 'New'")
    # Nothing was recorded: the columns show what ran.
    assert [str(done.state) for done in migrate(db, files)] == ["present"] * 2
    assert seed_demo_data(db, Settings()).users == 2
    admin.load_schema(db, "local")
    cruddur.run_sql(SEED)
    assert [user.handle for user in users.search_users(db, "", limit=9).entries] == ["ana", "bayko"]


def test_nothing_is_lost_between_its_messages_and_ours(table, people, ana, ben, zone) -> None:  # noqa: F811
    """Its clock writes the zone's offset, so that keys do not sort as their times do."""
    start = (datetime.now(UTC) - timedelta(minutes=9)).astimezone()
    its_function = StreamFunction(table)
    put(table, *rows(ana, ben, start, "0"), message(ana, start, "0"))
    for n in range(1, 9):
        sender, recipient = ((ana, ben), (ben, ana))[n % 2]
        if n % 2:
            send(table, GROUP, Draft(sender, recipient, str(n)))
            continue
        its_own = message(sender, start + timedelta(minutes=n), str(n))
        put(table, its_own)
        newest = list_thread(table, GROUP, limit=1).entries[0]
        if n % 4:
            its_function.move(its_function.rows_found(GROUP), its_own["sk"], its_own["message"])
        else:
            move(table, newest)
    last = send(table, GROUP, Draft(ana, ben, "last"))
    expected = sorted([*map(str, range(9)), "last"])
    assert sorted(texts(table, GROUP)) == expected
    assert texts(table, GROUP)[-1] == "last"
    assert previews(table, ana, ben) == [["last"], ["last"]]
    assert faults(table, people) == set()
    seen, cursor = [], None
    while True:
        page = list_thread(table, GROUP, limit=3, cursor=cursor)
        seen += [entry.text for entry in page.entries]
        if (cursor := page.cursor) is None:
            break
    assert sorted(seen) == expected
    by_its_reader = [item["message"]["S"] for item in listed(table, f"MSG#{GROUP}", "2")]
    assert by_its_reader[0] == "last"
    assert sorted(by_its_reader) == expected
    assert last.sort_key.endswith("+00:00")
