"""Statements in, plain rows out, over a real Postgres."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from unguarded import Database

from core.errors import CredentialsError, MissingSchemaError, PostgresError, UnreachableError
from core.postgres.connections import Connections
from core.targets.postgres import PostgresAddress, parse_url

INSERT = (
    "INSERT INTO public.users (display_name, email, handle, cognito_user_id)"
    " VALUES (%(handle)s, %(handle)s, %(handle)s, 'MOCK') RETURNING handle"
)


def end_sessions(address: PostgresAddress) -> None:
    """What a restart of the server does to all connections."""
    with psycopg.connect(address.with_dbname("postgres").conninfo, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s",
            [address.dbname],
        )


def test_the_json_queries_give_what_postgres_writes_in_json(db: Database) -> None:
    rows = db.query_array_json(
        "SELECT 1 AS one, gen_random_uuid() AS id, now() AS at UNION ALL SELECT 2, NULL, NULL;"
    )
    assert [row["one"] for row in rows] == [1, 2]
    assert isinstance(rows[0]["id"], str)
    assert isinstance(rows[0]["at"], str)
    assert rows[1]["id"] is None


def test_no_row_is_an_empty_list_and_none(db: Database) -> None:
    nothing = "SELECT 1 AS one WHERE false"
    assert db.query_array_json(nothing) == []
    assert db.query_object_json(nothing) is None
    assert db.query_value(nothing) is None


def test_a_value_is_the_first_column_of_the_first_row(db: Database) -> None:
    assert db.query_value("SELECT 7 AS a, 8 AS b UNION ALL SELECT 9, 10") == 7


def test_a_commit_answers_what_it_returns_and_others_see_it(db: Database) -> None:
    assert db.query_commit(INSERT, {"handle": "ana"}) == "ana"
    assert db.query_commit("DELETE FROM public.activities") is None
    with Database(db.address) as other:
        assert other.query_value("SELECT handle FROM public.users") == "ana"


def test_values_are_bound_and_never_part_of_the_statement(db: Database) -> None:
    nasty = "'; DROP TABLE public.users; -- %s %(x)s"
    assert db.query_commit(INSERT, {"handle": nasty}) == nasty
    assert db.query_value("SELECT count(*) FROM public.users") == 1


def test_a_transaction_keeps_all_or_nothing(db: Database) -> None:
    def add_the_same_user_twice() -> None:
        with db.transaction() as transaction:
            transaction.query_commit(INSERT, {"handle": "ana"})
            assert transaction.query_value("SELECT count(*) FROM public.users") == 1
            transaction.query_commit(INSERT, {"handle": "ana"})

    with pytest.raises(PostgresError):
        add_the_same_user_twice()
    assert db.query_value("SELECT count(*) FROM public.users") == 0


def test_an_error_carries_the_sqlstate_and_its_cause(db: Database) -> None:
    with pytest.raises(PostgresError) as raised:
        db.query_value("SELECT 1/0")
    assert raised.value.sqlstate == "22012"
    assert isinstance(raised.value.__cause__, psycopg.errors.DivisionByZero)


def test_a_missing_table_says_schema_load(db: Database) -> None:
    with pytest.raises(MissingSchemaError, match=r"invoke db\.schema-load"):
        db.query_value("SELECT * FROM public.nothing")


def test_a_missing_database_says_create(no_database: PostgresAddress) -> None:
    with Database(no_database) as db, pytest.raises(MissingSchemaError, match=r"invoke db\.create"):
        db.query_value("SELECT 1")


def test_a_wrong_password_names_the_user_and_the_variable_and_not_itself(
    no_database: PostgresAddress,
) -> None:
    wrong = replace(no_database, conninfo=make_conninfo(no_database.conninfo, password="hunter2"))
    with Database(wrong) as db, pytest.raises(CredentialsError, match="CONNECTION_URL") as raised:
        db.query_value("SELECT 1")
    assert repr(wrong.user) in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_a_missing_server_is_unreachable_and_names_invoke_up(unused_tcp_port: int) -> None:
    address = parse_url(f"postgresql://u@127.0.0.1:{unused_tcp_port}/d", "CONNECTION_URL")
    with Database(address) as db, pytest.raises(UnreachableError, match="invoke up"):
        db.query_value("SELECT 1")


def test_a_broken_connection_is_replaced(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.postgres.connections._TRUSTED_FOR_S", 0)
    before = db.query_value("SELECT pg_backend_pid()")
    end_sessions(db.address)
    assert db.query_value("SELECT pg_backend_pid()") != before


def test_a_closed_database_connects_again_when_asked_again(db: Database) -> None:
    db.close()
    assert db.query_value("SELECT 1") == 1


def test_one_thread_needs_one_connection_and_no_pool(db: Database) -> None:
    pids = {db.query_value("SELECT pg_backend_pid()") for _ in range(5)}
    assert len(pids) == 1
    assert not [t.name for t in threading.enumerate() if t.name.startswith("pool-")]


def test_many_threads_are_served_at_once_and_after_a_restart(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.postgres.connections._TRUSTED_FOR_S", 0)
    slow = "SELECT pg_backend_pid() FROM pg_sleep(0.02)"
    with ThreadPoolExecutor(16) as threads:
        before = set(threads.map(lambda _: db.query_value(slow), range(64)))
        end_sessions(db.address)
        after = set(threads.map(lambda _: db.query_value(slow), range(64)))
    assert len(before) > 1
    assert len(after) > 1
    assert not before & after


def test_other_threads_find_a_server_that_has_moved(
    db: Database, unused_tcp_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a failover, the name of the server has another address."""
    monkeypatch.setattr("core.postgres.connections.CONNECT_TIMEOUT_S", 1)
    before = make_conninfo(db.address.conninfo, port=unused_tcp_port)
    connections = Connections(db.address)
    connections._reached = db.address.narrowed(before, db.address.host, str(unused_tcp_port))
    connections._open_pool()
    with connections.connection() as first, connections.connection() as other:
        places = {connection.info.port for connection in (first, other)}
    connections.close()
    assert places == {int(db.address.port)}


def test_a_transaction_does_not_hold_up_the_other_threads(db: Database) -> None:
    with db.transaction() as transaction, ThreadPoolExecutor(1) as threads:
        transaction.query_commit(INSERT, {"handle": "ana"})
        elsewhere = threads.submit(db.query_value, "SELECT count(*) FROM public.users")
        assert elsewhere.result(timeout=10) == 0


def test_a_dry_run_reads_and_cannot_write(db: Database) -> None:
    statements: list[str] = []
    with Database(db.address, dry=statements.append) as dry:
        dry.query_commit(INSERT, {"handle": "ana"})
        assert dry.query_value("SELECT count(*) FROM public.users") == 0
        with pytest.raises(PostgresError) as raised:
            dry.query_rows(INSERT, {"handle": "ana"})
    assert raised.value.sqlstate == "25006"
    assert len(statements) == 1


def test_the_log_has_statements_and_no_values(
    db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "core.postgres")
    with Database(db.address, log=True) as logged, logged.transaction() as transaction:
        transaction.query_commit(INSERT, {"handle": "hunter2"})
    assert "INSERT INTO public.users" in caplog.text
    assert "hunter2" not in caplog.text


def test_text_is_unicode_whatever_the_encoding_of_the_database(
    no_database: PostgresAddress,
) -> None:
    server = no_database.with_dbname("postgres").conninfo
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(
            psycopg.sql.SQL(
                "CREATE DATABASE {} ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0"
            ).format(psycopg.sql.Identifier(no_database.dbname))
        )
    with Database(no_database) as db:
        assert db.query_value("SELECT %(text)s::text", {"text": "Zoë 🦜"}) == "Zoë 🦜"


@pytest.fixture
def unused_tcp_port() -> int:
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
