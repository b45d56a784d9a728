"""invoke db.drop"""

import psycopg
import pytest
import unguarded

from core.commands import shell_word


@pytest.fixture
def holding_data(address) -> None:
    """A database filled by other software: data and no marker."""
    unguarded.create_database(address)
    with psycopg.connect(address.conninfo, autocommit=True) as connection:
        connection.execute("CREATE TABLE theirs AS SELECT 1 AS one")


@pytest.fixture
def marked_production(address) -> None:
    unguarded.create_database(address)
    with psycopg.connect(address.conninfo, autocommit=True) as connection:
        connection.execute("CREATE TABLE public.cruddur_ops_environment (environment text)")
        connection.execute("INSERT INTO public.cruddur_ops_environment VALUES ('production')")


def test_it_drops_the_database_and_ends_the_sessions_in_it(
    run_invoke, postgres_env, address
) -> None:
    unguarded.create_database(address)
    with psycopg.connect(address.conninfo):
        result = run_invoke("db.drop", env=postgres_env)
    assert result.stdout == f"dropped the database {address.dbname} and ended 1 session in it\n"
    assert result.returncode == 0
    assert not unguarded.database_exists(address)


def test_a_missing_database_is_reported_and_no_failure(run_invoke, postgres_env, address) -> None:
    result = run_invoke("db.drop", env=postgres_env)
    assert result.stdout == f"There is no database {address.dbname} to drop\n"
    assert result.returncode == 0


@pytest.mark.parametrize("production_fixture", ["holding_data", "marked_production"])
@pytest.mark.parametrize(
    ("confirm", "message"),
    [
        ([], "--confirm {1}"),
        (["--confirm", "cruddur"], "'cruddur' is not the name of the database. It is {0}."),
        (["--confirm", ""], "'' is not the name of the database. It is {0}."),
    ],
)
def test_what_counts_as_production_is_not_dropped_without_its_name(
    run_invoke, postgres_env, address, request, production_fixture, confirm, message
) -> None:
    request.getfixturevalue(production_fixture)
    result = run_invoke("db.drop", *confirm, env=postgres_env, stdin=f"{address.dbname}\n")
    assert result.stdout == ""
    assert "Refused db.drop: " in result.stderr
    assert message.format(address.dbname, shell_word(address.dbname)) in result.stderr
    assert result.returncode == 1
    assert unguarded.database_exists(address)


@pytest.mark.parametrize("production_fixture", ["holding_data", "marked_production"])
def test_with_its_name_typed_out_it_is_dropped(
    run_invoke, postgres_env, address, request, production_fixture
) -> None:
    request.getfixturevalue(production_fixture)
    result = run_invoke("db.drop", "--confirm", address.dbname, env=postgres_env)
    assert result.returncode == 0
    assert not unguarded.database_exists(address)


def test_the_production_target_is_refused_even_when_it_is_empty(
    run_invoke, postgres_env, address
) -> None:
    unguarded.create_database(address)
    prod = {"PROD_CONNECTION_URL": postgres_env["CONNECTION_URL"]}
    result = run_invoke("db.drop", "--prod", env=prod)
    assert "it is the production target" in result.stderr
    assert result.returncode == 1
    assert unguarded.database_exists(address)


def test_a_dry_run_drops_nothing_and_says_what_it_would_ask(
    run_invoke, postgres_env, address, holding_data
) -> None:
    result = run_invoke("--dry", "db.drop", env=postgres_env)
    assert f'DROP DATABASE IF EXISTS "{address.dbname}" WITH (FORCE);' in result.stdout
    assert "would ask for the name" in result.stderr
    assert result.returncode == 0
    assert unguarded.database_exists(address)


def test_the_servers_own_database_is_refused(run_invoke, engines, address) -> None:
    url = address.with_dbname("postgres").conninfo
    result = run_invoke("db.drop", "--confirm", "postgres", env={"CONNECTION_URL": url})
    assert "the server's own database" in result.stderr
    assert result.returncode == 1
