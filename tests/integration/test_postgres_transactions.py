"""Every statement runs in a transaction that sets everything it depends on."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo
from unguarded import Database

from core.errors import NotPermittedError, PostgresError, StoreError, TargetRefusedError
from core.postgres import admin, description, health, users
from core.postgres.database import _SETTINGS
from core.postgres.seed import seed_demo_data
from core.purposes import Purpose
from core.settings import Settings
from core.targets.postgres import PostgresAddress

READING_ONLY = (Purpose.VERIFYING, Purpose.READING)
STANDARD = "25006"  # https://www.postgresql.org/docs/current/errcodes-appendix.html
SNEAKY = """
CREATE FUNCTION public.sneaky() RETURNS bigint LANGUAGE sql VOLATILE AS $$
  INSERT INTO public.users (display_name, email, handle, cognito_user_id)
  VALUES ('Sneaky', 'sneaky', 'sneaky', 'MOCK') RETURNING 1::bigint
$$
"""


def execute(address: PostgresAddress, *statements: str) -> None:
    with psycopg.connect(address.conninfo, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)  # type: ignore[call-overload]


@pytest.fixture
def sneaky(db: Database) -> Database:
    """A database with a function that writes."""
    execute(db.address, SNEAKY)
    return db


def count(db: Database) -> int:
    return users.count_users(db.opened_for(Purpose.LOOKING))


class TestAHandleThatReads:
    @pytest.mark.parametrize("purpose", READING_ONLY)
    def test_runs_no_function_that_writes(self, sneaky: Database, purpose: Purpose) -> None:
        reader = sneaky.opened_for(purpose)
        with pytest.raises(PostgresError) as raised:
            reader.query_value("SELECT public.sneaky()")
        assert raised.value.sqlstate == STANDARD
        assert count(sneaky) == 0

    @pytest.mark.parametrize("purpose", READING_ONLY)
    def test_runs_none_in_a_transaction_either(self, sneaky: Database, purpose: Purpose) -> None:
        def try_it() -> None:
            with sneaky.opened_for(purpose).transaction() as transaction:
                transaction.query_value("SELECT public.sneaky()")

        with pytest.raises(PostgresError) as raised:
            try_it()
        assert raised.value.sqlstate == STANDARD
        assert count(sneaky) == 0

    def test_for_looking_is_also_read_only(self, sneaky: Database) -> None:
        # A relation with rows may be another user's view that calls that user's function.
        execute(sneaky.address, "CREATE VIEW public.theirs AS SELECT public.sneaky() AS n")
        looking = sneaky.opened_for(Purpose.LOOKING)
        statement = admin.load("admin/holds_rows").format(table=sql.Identifier("public", "theirs"))
        with pytest.raises(PostgresError) as raised:
            looking.query_value(statement)
        assert raised.value.sqlstate == STANDARD
        assert count(sneaky) == 0

    @pytest.mark.parametrize(
        "statement",
        [
            "INSERT INTO public.activities (user_uuid, message) VALUES (gen_random_uuid(), 'x')",
            "CREATE TABLE public.mine (n int)",
            "WITH gone AS (DELETE FROM public.users RETURNING 1) SELECT * FROM gone",
            "SELECT nextval('public.counter')",
            "TRUNCATE public.users",
        ],
    )
    @pytest.mark.parametrize("purpose", [*READING_ONLY, Purpose.WRITING, Purpose.DESTROYING])
    def test_writes_nothing_by_a_read(self, db: Database, purpose, statement) -> None:
        execute(db.address, "CREATE SEQUENCE public.counter")
        with pytest.raises(PostgresError) as raised:
            db.opened_for(purpose).query_rows(statement)
        assert raised.value.sqlstate == STANDARD

    def test_writes_where_it_was_opened_for_that(self, sneaky: Database) -> None:
        assert sneaky.opened_for(Purpose.WRITING).query_commit("SELECT public.sneaky()") == 1
        assert count(sneaky) == 1


# What others may have set before us

HOSTILE = {
    "datestyle": "'SQL, DMY'",
    "timezone": "'Pacific/Kiritimati'",
    "intervalstyle": "'sql_standard'",
    "bytea_output": "'escape'",
    "standard_conforming_strings": "'off'",
    "search_path": "'theirs'",
    "quote_all_identifiers": "'on'",
    "default_transaction_read_only": "'on'",
    "default_transaction_isolation": "'serializable'",
    "default_transaction_deferrable": "'on'",
}
MOMENT = datetime.fromisoformat("2026-02-03T04:05:06.000007+00:00")


def answers(db: Database) -> dict[str, Any]:
    """Answers of the package that depend on settings of others."""
    user = users.find_user(db, "bayko")
    described = description.describe_database(db)
    return {
        "times": db.query_rows(
            "SELECT created_at AS naive, created_at::timestamptz AS aware FROM public.users"
            " ORDER BY handle"
        ),
        "json": db.query_object_json(
            "SELECT %(at)s::timestamptz AS at, '\\x00ff'::bytea AS bytes,"
            " '1 day 2 hours'::interval AS span",
            {"at": MOMENT},
        ),
        "text": db.query_rows(
            "SELECT %(at)s::timestamptz::text AS at, make_date(2026, 3, 4)::text AS day,"
            " '\\x00ff'::bytea::text AS bytes, 'a\\nb' AS escaped, interval '-1 day'::text AS span",
            {"at": MOMENT},
        ),
        "moment": db.query_value("SELECT %(at)s::timestamptz", {"at": MOMENT}),
        "user": user,
        "tables": {table.name for table in described.tables},
        "started": described.started_at.utcoffset(),
        "marker": admin.read_marker(db),
        "schema": health.schema_differences(db),
        "unqualified": db.query_value("SELECT count(*) FROM users"),
    }


@pytest.fixture
def seeded(db: Database) -> Database:
    seed_demo_data(db, Settings())
    execute(db.address, "CREATE SCHEMA theirs", "CREATE TABLE theirs.users (n int)")
    db.close()
    return db


@pytest.fixture
def expected(seeded: Database) -> dict[str, Any]:
    values = answers(seeded)
    seeded.close()
    assert values["moment"] == MOMENT
    assert values["unqualified"] == 3
    assert values["text"][0]["at"] == "2026-02-03 04:05:06.000007+00"
    return values


@pytest.fixture
def role(seeded: Database) -> Iterator[str]:
    """A role for one test that may do everything."""
    name = f"op-{seeded.address.dbname}"
    execute(seeded.address, f"CREATE ROLE \"{name}\" LOGIN SUPERUSER PASSWORD 'pw'")
    yield name
    execute(seeded.address.with_dbname("postgres"), f'DROP ROLE "{name}"')


def as_role(address: PostgresAddress, role: str) -> PostgresAddress:
    conninfo = make_conninfo(address.conninfo, user=role, password="pw")
    return replace(address, conninfo=conninfo, user=role)


@pytest.mark.parametrize("name", HOSTILE)
class TestTheAnswersAreTheSame:
    def test_whatever_the_database_sets(self, seeded, expected, name) -> None:
        execute(
            seeded.address,
            f'ALTER DATABASE "{seeded.address.dbname}" SET {name} TO {HOSTILE[name]}',
        )
        assert answers(seeded) == expected

    def test_whatever_the_role_sets(self, seeded, expected, name, role) -> None:
        execute(seeded.address, f'ALTER ROLE "{role}" SET {name} TO {HOSTILE[name]}')
        with Database(as_role(seeded.address, role)) as db:
            assert answers(db) == expected

    def test_whatever_the_url_sets(self, seeded, expected, name) -> None:
        value = HOSTILE[name].strip("'").replace(" ", "\\ ")
        conninfo = make_conninfo(seeded.address.conninfo, options=f"-c {name}={value}")
        with Database(replace(seeded.address, conninfo=conninfo)) as db:
            assert answers(db) == expected

    def test_no_setting_of_ours_stays_behind(self, seeded, expected, name) -> None:
        execute(
            seeded.address,
            f'ALTER DATABASE "{seeded.address.dbname}" SET {name} TO {HOSTILE[name]}',
        )
        with psycopg.connect(seeded.address.conninfo) as other_session:
            before = other_session.execute(f"SHOW {name}").fetchone()  # type: ignore[call-overload]
        answers(seeded)
        assert show(seeded, name) == before[0]


def show(db: Database, name: str) -> str:
    """The session's own setting on the connection that ``db`` uses, seen with no transaction."""
    with db._connections.connection() as connection:
        row = connection.execute(f"SHOW {name}").fetchone()  # type: ignore[call-overload]
    return str(next(iter(row.values())))


@pytest.mark.parametrize(
    ("variable", "value"),
    [("PGDATESTYLE", "German"), ("PGTZ", "Asia/Kathmandu"), ("PGOPTIONS", "-c search_path=theirs")],
)
def test_the_answers_are_the_same_whatever_a_variable_of_libpq_sets(
    seeded, expected, variable, value, monkeypatch
) -> None:
    monkeypatch.setenv(variable, value)
    assert answers(seeded) == expected


@pytest.mark.parametrize("setting", ["statement_timeout", "transaction_timeout"])
def test_a_timeout_of_others_is_named(db: Database, setting: str) -> None:
    conninfo = make_conninfo(db.address.conninfo, options=f"-c {setting}=50")
    address = replace(db.address, conninfo=conninfo, variable="CONNECTION_URL")
    with Database(address) as hurried, pytest.raises(PostgresError) as ended:
        hurried.query_value("SELECT pg_sleep(5)")
    assert f"{setting} is set too low for it" in ended.value.hint
    assert ended.value.hint.endswith("or in CONNECTION_URL.")


def settings_of(db: Database) -> dict[str, str]:
    names = [*_SETTINGS, "transaction_read_only", "transaction_isolation"]
    return {name: show(db, name) for name in names}


@pytest.mark.parametrize("outcome", ["read", "committed", "refused", "rolled back"])
def test_nothing_is_set_for_the_session_after_a_statement(db: Database, outcome: str) -> None:
    db.query_value("SELECT 1")
    with psycopg.connect(db.address.conninfo, autocommit=True) as fresh:
        before = {
            name: fresh.execute(f"SHOW {name}").fetchone()[0]  # type: ignore[call-overload]
            for name in settings_of(db)
        }
    if outcome == "read":
        db.query_rows("SELECT 1")
    elif outcome == "committed":
        db.query_commit("CREATE TABLE public.mine (n int)")
    elif outcome == "refused":
        with pytest.raises(PostgresError):
            db.query_rows("SELECT 1/0")
    else:
        with pytest.raises(ZeroDivisionError), db.transaction():
            raise ZeroDivisionError
    assert settings_of(db) == before


def test_nothing_is_prepared_for_the_session(db: Database) -> None:
    for _ in range(20):
        db.query_value("SELECT %(n)s::int", {"n": 1})
    assert db.query_value("SELECT count(*) FROM pg_prepared_statements") == 0


class TestATransaction:
    def test_that_fails_leaves_nothing_and_a_usable_connection(self, db: Database) -> None:
        pid = db.query_value("SELECT pg_backend_pid()")

        def fail() -> None:
            with db.transaction() as transaction:
                transaction.query_commit("CREATE TABLE public.mine (n int)")
                transaction.query_value("SELECT 1/0")

        with pytest.raises(PostgresError):
            fail()
        assert db.query_value("SELECT to_regclass('public.mine')") is None
        assert db.query_value("SELECT pg_backend_pid()") == pid

    def test_that_is_interrupted_is_rolled_back(self, db: Database) -> None:
        def interrupt() -> None:
            with db.transaction() as transaction:
                transaction.query_commit("CREATE TABLE public.mine (n int)")
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            interrupt()
        assert db.query_value("SELECT to_regclass('public.mine')") is None

    def test_whose_commit_turns_into_a_rollback_is_an_error(self, db: Database) -> None:
        def swallow() -> None:
            with db.transaction() as transaction:
                transaction.query_commit("CREATE TABLE public.mine (n int)")
                with pytest.raises(PostgresError):
                    transaction.query_value("SELECT 1/0")

        with pytest.raises(PostgresError, match="rolled back"):
            swallow()
        assert db.query_value("SELECT to_regclass('public.mine')") is None

    def test_whose_constraint_breaks_at_the_commit_is_an_error(self, db: Database) -> None:
        execute(
            db.address,
            "CREATE TABLE public.late (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)",
        )
        with pytest.raises(PostgresError) as raised:
            db.query_commit("INSERT INTO public.late VALUES (1), (1)")
        assert raised.value.sqlstate == "23505"
        assert db.query_value("SELECT count(*) FROM public.late") == 0

    def test_whose_server_goes_away_is_an_error_and_the_next_one_works(self, db: Database) -> None:
        def lose_it() -> None:
            with db.transaction() as transaction:
                transaction.query_commit("CREATE TABLE public.mine (n int)")
                pid = transaction.query_value("SELECT pg_backend_pid()")
                execute(
                    db.address.with_dbname("postgres"), f"SELECT pg_terminate_backend({pid}, 5000)"
                )

        with pytest.raises(StoreError):
            lose_it()
        assert db.query_value("SELECT to_regclass('public.mine')") is None

    def test_is_as_narrow_as_its_handle(self, db: Database) -> None:
        with db.opened_for(Purpose.READING).transaction() as transaction:
            with pytest.raises(NotPermittedError):
                transaction.query_commit("DELETE FROM public.users")
            assert transaction.query_value("SELECT count(*) FROM public.users") == 0


def test_many_threads_share_the_handles_of_one_database(seeded: Database) -> None:
    reader, writer = seeded.opened_for(Purpose.READING), seeded.opened_for(Purpose.WRITING)
    execute(seeded.address, "CREATE TABLE public.log (n int)")

    def work(n: int) -> tuple[str, str]:
        writer.query_commit("INSERT INTO public.log VALUES (%(n)s)", {"n": n})
        with pytest.raises(PostgresError):
            reader.query_rows("INSERT INTO public.log VALUES (-1)")
        with pytest.raises(NotPermittedError):
            reader.query_commit("INSERT INTO public.log VALUES (-1)")
        row = reader.query_rows(
            "SELECT current_setting('timezone') AS zone,"
            " current_setting('transaction_read_only') AS only"
        )[0]
        return row["zone"], row["only"]

    with ThreadPoolExecutor(12) as threads:
        results = set(threads.map(work, range(60)))
    assert results == {("UTC", "on")}
    assert seeded.query_rows("SELECT count(*) AS n, min(n) AS least FROM public.log") == [
        {"n": 60, "least": 0}
    ]


class TestTheCheckOfADatabase:
    def test_comes_first_in_every_transaction_and_on_its_server(self, db: Database) -> None:
        pids: list[int] = []

        def check(queries: Any) -> None:
            with pytest.raises(NotPermittedError):
                queries.query_value("SELECT 1")  # it only looks
            admin.read_marker(queries)
            pids.append(queries._open.info.backend_pid)

        checked = db.opened_for(Purpose.WRITING, check=check)
        pid = checked.query_value("SELECT pg_backend_pid()")
        checked.query_commit("CREATE TABLE public.mine (n int)")
        with checked.transaction() as transaction:
            transaction.query_commit("DROP TABLE public.mine")
        assert pids == [pid] * 3

    def test_ends_what_it_refuses_before_anything_is_sent(self, db: Database) -> None:
        def refuse(_: Any) -> None:
            raise TargetRefusedError("another server")

        with pytest.raises(TargetRefusedError):
            db.opened_for(Purpose.WRITING, check=refuse).query_commit("DROP TABLE public.users")
        assert count(db) == 0
