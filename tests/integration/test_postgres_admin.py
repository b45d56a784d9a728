"""Creating, dropping and loading a database, and its marker and data as the guard sees them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import psycopg
import pytest
import unguarded
from psycopg.conninfo import make_conninfo
from unguarded import Database

from core.errors import InputError, MissingSchemaError, PostgresError
from core.postgres import admin, seed, users
from core.settings import Settings
from core.targets import StoreState
from core.targets.postgres import PostgresAddress


def execute(address: PostgresAddress, *statements: str) -> None:
    with psycopg.connect(address.conninfo, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


@contextmanager
def role_without_rights(address: PostgresAddress) -> Iterator[PostgresAddress]:
    """The same database for a role that may only connect."""
    role = f"role_{address.dbname[-12:]}"
    execute(address, f"CREATE ROLE {role} LOGIN PASSWORD 'hunter2'")
    conninfo = make_conninfo(address.conninfo, user=role, password="hunter2")
    try:
        yield replace(address, conninfo=conninfo, user=role)
    finally:
        execute(address, f"DROP ROLE {role}")


@pytest.fixture
def database(no_database: PostgresAddress) -> PostgresAddress:
    unguarded.create_database(no_database)
    return no_database


def test_creating_says_whether_there_was_anything_to_do(no_database: PostgresAddress) -> None:
    assert unguarded.create_database(no_database)
    assert not unguarded.create_database(no_database)


def test_two_that_create_at_once_create_one(no_database: PostgresAddress) -> None:
    with ThreadPoolExecutor(6) as threads:
        created = list(threads.map(lambda _: unguarded.create_database(no_database), range(6)))
    assert created.count(True) == 1


@pytest.mark.parametrize(
    "name", ["it's", 'with "quotes"', "Capital-Dash", "Größe 🦜", r"back\slash", "a;b--", "%s"]
)
def test_a_name_of_any_kind_is_one_database(no_database: PostgresAddress, name: str) -> None:
    address = no_database.with_dbname(f"{name} {no_database.dbname[-6:]}")
    with Database(address) as db:
        try:
            assert admin.create_database(db)
            assert admin.survey(db).exists
        finally:
            assert admin.drop_database(db) == ()
    assert not unguarded.database_exists(address)


def test_messages_of_any_script_fit_into_a_created_database(database: PostgresAddress) -> None:
    with Database(database) as db:
        assert db.query_value("SHOW server_encoding") == "UTF8"


def test_dropping_a_missing_database_drops_nothing(no_database: PostgresAddress) -> None:
    assert unguarded.drop_database(no_database) is None


def test_dropping_ends_the_sessions_inside_and_names_them(database: PostgresAddress) -> None:
    with psycopg.connect(database.conninfo, application_name="the app") as connection:
        ended = unguarded.drop_database(database)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    assert ended is not None
    assert [session.application for session in ended] == ["the app"]
    assert not unguarded.database_exists(database)


def test_a_session_that_drops_its_database_is_not_among_those_that_it_ended(
    database: PostgresAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Database(database) as db, monkeypatch.context() as patch:
        patch.setattr(db, "close", lambda: None)  # a busy server still lists it for a moment
        assert admin.drop_database(db) == ()


def test_a_drop_that_postgres_refuses_says_who_is_connected(database: PostgresAddress) -> None:
    with (
        role_without_rights(database) as weak,
        psycopg.connect(database.conninfo) as connection,
    ):
        with pytest.raises(PostgresError, match="must be owner") as raised:
            unguarded.drop_database(weak)
        assert f"pid {connection.info.backend_pid}" in raised.value.hint
        assert raised.value.sqlstate == "42501"
        assert unguarded.database_exists(database)


@pytest.mark.parametrize("name", ["postgres", "template1", "template0"])
def test_the_servers_own_databases_are_not_dropped(no_database: PostgresAddress, name: str) -> None:
    with pytest.raises(InputError, match="CONNECTION_URL"):
        unguarded.drop_database(no_database.with_dbname(name))


def test_a_server_without_its_postgres_database_is_served_through_template1(
    no_database: PostgresAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin, "_MAINTENANCE", (f"not-{no_database.dbname}", "template1"))
    assert unguarded.create_database(no_database)
    assert unguarded.drop_database(no_database) == ()


def test_a_missing_database_has_no_data(no_database: PostgresAddress) -> None:
    assert unguarded.survey(no_database) == admin.Survey(
        StoreState(no_database.dbname, None, False), exists=False, has_tables=False
    )


def test_an_empty_database_has_no_data_and_no_marker(database: PostgresAddress) -> None:
    assert unguarded.state(database) == StoreState(database.dbname, None, False)
    assert not unguarded.survey(database).has_tables


def test_the_first_load_marks_the_database_and_later_loads_keep_the_marker(
    database: PostgresAddress,
) -> None:
    with Database(database) as db:
        admin.load_schema(db, "production")
        assert admin.read_marker(db) == "production"
        admin.load_schema(db, "local")
        assert admin.read_marker(db) == "production"
    assert unguarded.state(database).environment == "production"


def test_writing_another_marker_keeps_the_first(db: Database) -> None:
    admin.write_marker(db, "production")
    assert admin.read_marker(db) == "local"


def test_a_second_marker_row_is_refused_by_the_database(db: Database) -> None:
    with pytest.raises(PostgresError) as raised:
        db.query_commit("INSERT INTO public.cruddur_ops_environment VALUES ('local')")
    assert raised.value.sqlstate == "23505"


def test_of_two_markers_the_one_that_is_not_local_counts(database: PostgresAddress) -> None:
    execute(
        database,
        "CREATE TABLE public.cruddur_ops_environment (environment text)",
        "INSERT INTO public.cruddur_ops_environment VALUES ('local'), ('staging')",
    )
    assert unguarded.state(database).environment == "staging"


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE TABLE public.users (handle text)", "INSERT INTO public.users VALUES ('ana')"],
        [
            "CREATE SCHEMA other",
            'CREATE TABLE other."T" ()',
            'INSERT INTO other."T" DEFAULT VALUES',
        ],
        ["CREATE MATERIALIZED VIEW kept AS SELECT 1 AS one"],
        [
            "CREATE TABLE parent (n int) PARTITION BY LIST (n)",
            "CREATE TABLE child PARTITION OF parent DEFAULT",
            "INSERT INTO parent VALUES (1)",
        ],
    ],
)
def test_a_row_in_any_table_of_any_schema_is_data(
    database: PostgresAddress, statements: list[str]
) -> None:
    execute(database, *statements)
    assert unguarded.state(database).holds_data


def test_empty_tables_and_the_marker_are_not_data(db: Database) -> None:
    assert unguarded.state(db.address) == StoreState(db.address.dbname, "local", False)
    assert unguarded.survey(db.address).has_tables


def test_the_schema_version_is_not_data(db: Database) -> None:
    db.query_commit("DROP TABLE public.cruddur_ops_environment")
    assert db.query_value("SELECT count(*) FROM public.schema_information") == 1
    assert unguarded.state(db.address) == StoreState(db.address.dbname, None, False)


def test_a_table_that_may_not_be_read_counts_as_data(database: PostgresAddress) -> None:
    execute(database, "CREATE TABLE public.closed ()")
    with role_without_rights(database) as blind:
        assert unguarded.state(blind).holds_data
    assert not unguarded.state(database).holds_data


def test_rows_that_row_security_may_hide_count_as_data(database: PostgresAddress) -> None:
    execute(database, "CREATE TABLE public.t ()", "ALTER TABLE public.t ENABLE ROW LEVEL SECURITY")
    assert unguarded.state(database).holds_data


def test_loading_again_starts_over(db: Database) -> None:
    seed.seed_demo_data(db, Settings())
    admin.load_schema(db, "local")
    assert users.count_users(db) == 0


def test_loading_what_is_missing_leaves_what_is_there(db: Database) -> None:
    seed.seed_demo_data(db, Settings())
    assert not admin.load_schema(db, "local", only_if_missing=True)
    assert users.count_users(db) == 3


def test_many_that_load_what_is_missing_load_it_once(database: PostgresAddress) -> None:
    def load(_: int) -> bool:
        with Database(database) as db:
            return admin.load_schema(db, "local", only_if_missing=True)

    with ThreadPoolExecutor(6) as threads:
        assert list(threads.map(load, range(6))).count(True) == 1


def test_a_load_that_fails_leaves_everything_as_it_was(db: Database) -> None:
    seed.seed_demo_data(db, Settings())
    db.query_commit("CREATE VIEW public.fans AS SELECT handle FROM public.users")
    with pytest.raises(PostgresError, match="fans") as raised:
        admin.load_schema(db, "local")
    assert raised.value.sqlstate == "2BP01"
    assert users.count_users(db) == 3


def test_a_load_does_not_wait_for_ever_behind_a_lock(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = admin.load("admin/begin_schema_load").as_string(None).replace("10s", "50ms")
    loaded = admin.load

    def load(name: str) -> object:
        return psycopg.sql.SQL(short) if name == "admin/begin_schema_load" else loaded(name)

    monkeypatch.setattr(admin, "load", load)
    with psycopg.connect(db.address.conninfo) as other:
        other.execute("LOCK TABLE public.users IN ACCESS SHARE MODE")
        with pytest.raises(PostgresError, match=r"invoke db\.sessions") as raised:
            admin.load_schema(db, "local")
    assert raised.value.sqlstate == "55P03"


def test_loading_into_a_missing_database_says_create(no_database: PostgresAddress) -> None:
    with Database(no_database) as db, pytest.raises(MissingSchemaError, match=r"invoke db\.create"):
        admin.load_schema(db, "local")


def test_sessions_show_who_is_connected(db: Database) -> None:
    with psycopg.connect(db.address.conninfo, application_name="the app"):
        sessions_here = [s for s in admin.sessions(db) if s.database == db.address.dbname]
    assert {session.application for session in sessions_here} == {"the app", "cruddur-ops"}
    assert {session.user for session in sessions_here} == {db.address.user}
    assert all(session.pid > 0 for session in sessions_here)
