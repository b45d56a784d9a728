"""What the driver raises becomes one line that says what to do next."""

from __future__ import annotations

import psycopg
import pytest

from core.errors import (
    CoreError,
    CredentialsError,
    InputError,
    MissingSchemaError,
    PostgresError,
    UnreachableError,
)
from core.postgres.translation import translating
from core.targets.postgres import parse_url

LOCAL = parse_url("postgresql://ana:hunter2@127.0.0.1:5433/cruddur", "CONNECTION_URL")
REMOTE = parse_url("postgresql://ana:hunter2@db.example/cruddur", "PROD_CONNECTION_URL")

SERVER = 'connection failed: connection to server at "127.0.0.1", port 5433 failed: '


def raised(error: Exception, address=LOCAL) -> CoreError:
    with pytest.raises(CoreError) as caught, translating(address):
        raise error
    assert caught.value.__cause__ is error
    assert "hunter2" not in str(caught.value)
    return caught.value


def refused(words: str, address=LOCAL) -> CoreError:
    return raised(psycopg.OperationalError(SERVER + words), address)


def test_a_missing_database_is_missing_schema_and_says_create() -> None:
    error = refused('FATAL:  database "cruddur" does not exist')
    assert isinstance(error, MissingSchemaError)
    assert str(error).endswith("Create it: invoke db.create")


def test_a_missing_database_is_seen_among_several_attempts() -> None:
    error = refused(
        "Connection refused\n\tIs the server running?\nMultiple connection attempts failed. "
        f"All failures were:\n- host: 'a': {SERVER}FATAL:  database \"cruddur\" does not exist"
    )
    assert isinstance(error, MissingSchemaError)


@pytest.mark.parametrize(
    "words",
    [
        'FATAL:  password authentication failed for user "ana"',
        'FATAL:  role "ana" does not exist',
        'FATAL:  Peer authentication failed for user "ana"',
        'FATAL:  no pg_hba.conf entry for host "10.0.0.1", user "ana", database "cruddur"',
        "fe_sendauth: no password supplied",
    ],
)
def test_a_refused_user_is_a_credentials_error_that_names_the_variable(words: str) -> None:
    error = refused(words, REMOTE)
    assert isinstance(error, CredentialsError)
    assert "PROD_CONNECTION_URL" in error.hint


@pytest.mark.parametrize(
    "words",
    [
        "Connection refused\n\tIs the server running on that host and accepting connections?",
        "FATAL:  the database system is starting up",
        "timeout expired",
        "server closed the connection unexpectedly",
    ],
)
def test_silence_is_unreachable_and_on_this_machine_names_invoke_up(words: str) -> None:
    error = refused(words)
    assert isinstance(error, UnreachableError)
    assert "invoke up" in str(error)
    assert "invoke up" not in str(refused(words, REMOTE))


def test_another_refusal_to_connect_is_reported_in_the_servers_words() -> None:
    error = refused("FATAL:  sorry, too many clients already")
    assert isinstance(error, PostgresError)
    assert "too many clients" in str(error)


def test_a_missing_table_is_missing_schema_and_says_schema_load() -> None:
    error = raised(psycopg.errors.UndefinedTable('relation "users" does not exist'))
    assert isinstance(error, MissingSchemaError)
    assert str(error).endswith("Load the schema: invoke db.schema-load")


def test_every_other_error_carries_its_sqlstate() -> None:
    error = raised(psycopg.errors.CheckViolation("no"))
    assert isinstance(error, PostgresError)
    assert error.sqlstate == "23514"
    full = raised(psycopg.errors.DiskFull("no space"))
    assert full.hint == "Free some space on the server."


def test_a_standby_is_named_as_what_it_is() -> None:
    error = raised(
        psycopg.errors.FeatureNotSupported("cannot set transaction read-write mode during recovery")
    )
    assert str(error) == (
        "The server at 127.0.0.1:5433 is a standby, which takes no writes. Name the primary in"
        " CONNECTION_URL."
    )


def test_a_server_that_goes_away_in_mid_statement_is_unreachable() -> None:
    assert isinstance(raised(psycopg.errors.AdminShutdown("going")), UnreachableError)


def test_text_that_no_database_can_store_is_an_input_error() -> None:
    assert isinstance(raised(psycopg.DataError("text cannot contain NUL")), InputError)
    error = UnicodeEncodeError("utf-8", "\udcff", 0, 1, "surrogates not allowed")
    assert isinstance(raised(error), InputError)


@pytest.mark.parametrize(
    ("words", "variable", "option"),
    [
        ('invalid sslmode value: "bogus"', "PGSSLMODE", "sslmode"),
        (
            'invalid "ssl_min_protocol_version" value: "TLSv9"',
            "PGSSLMINPROTOCOLVERSION",
            "ssl_min_protocol_version",
        ),
        ('definition of service "none" not found', "PGSERVICE", "service"),
    ],
)
def test_an_invalid_option_is_named_with_the_variable_that_sets_it(
    monkeypatch, words, variable, option
) -> None:
    monkeypatch.setenv(variable, "bogus")
    error = raised(psycopg.OperationalError(f"connection is bad: {words}"))
    assert str(error) == (
        f"Could not connect: {words}. Check {option}, which {variable} sets: unset {variable}"
    )


def test_a_variable_that_decides_which_server_is_meant_is_named(monkeypatch) -> None:
    monkeypatch.setenv("PGHOSTADDR", "192.0.2.1")
    monkeypatch.setenv("PGPORT", "1")
    error = refused("Connection refused", parse_url("postgresql://u@h:5432/d", "CONNECTION_URL"))
    assert str(error).endswith("Check PGHOSTADDR, or name the server in CONNECTION_URL.")
