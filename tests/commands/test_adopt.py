"""invoke adopt"""

from __future__ import annotations

import psycopg
import pytest
import unguarded

from core.dynamodb import keys
from core.dynamodb.marker import read_state


@pytest.fixture
def unmarked(postgres_env, address, bare_env, messages) -> dict[str, str]:
    """Two stores with data and no marker, as Cruddur's scripts leave them."""
    unguarded.create_database(address)
    with psycopg.connect(address.conninfo, autocommit=True) as connection:
        connection.execute("CREATE TABLE public.users AS SELECT 'bayko' AS handle")
    unguarded.make_table(messages, None)
    messages.request("put_item", Item=keys.key("GRP#u", "x") | {"message": {"S": "hi"}})
    return {**bare_env, **postgres_env}


def markers(address, messages) -> tuple[str | None, str | None]:
    return unguarded.state(address).environment, read_state(messages).environment


@pytest.mark.parametrize("environment", ["local", "production"])
def test_it_marks_both_stores(run_invoke, unmarked, address, messages, environment) -> None:
    options = ["--environment", environment, "--confirm", messages.name]
    result = run_invoke("adopt", *options, env=unmarked)
    assert f"marked the database as {environment}" in result.stdout
    assert f"marked the table as {environment}" in result.stdout
    assert result.returncode == 0
    assert markers(address, messages) == (environment, environment)


def test_an_existing_marker_stays(run_invoke, unmarked, address, messages) -> None:
    options = ["--confirm", messages.name]
    run_invoke("adopt", "--environment", "production", *options, env=unmarked)
    result = run_invoke("adopt", "--environment", "local", *options, env=unmarked)
    assert "The database is already marked production, which stays" in result.stdout
    assert "The table is already marked production, which stays" in result.stdout
    assert markers(address, messages) == ("production", "production")


@pytest.mark.parametrize("confirm", [[], ["--confirm", "another-table"]])
def test_the_name_is_typed_on_every_target(
    run_invoke, unmarked, address, messages, confirm
) -> None:
    result = run_invoke("adopt", "--environment", "local", *confirm, env=unmarked)
    assert messages.name in result.stderr
    assert result.returncode == 1
    assert markers(address, messages) == (None, None)


def test_only_the_two_environments_are_known(run_invoke, unmarked) -> None:
    result = run_invoke("adopt", "--environment", "staging", env=unmarked)
    assert "local or production" in result.stderr
    assert result.returncode == 2


def test_production_is_not_adopted_as_local(run_invoke) -> None:
    result = run_invoke("adopt", "--environment", "local", "--prod")
    assert result.returncode == 2


def test_without_a_table_nothing_is_marked(run_invoke, postgres_env, bare_env, address) -> None:
    unguarded.create_database(address)
    env = {**bare_env, **postgres_env}
    options = ["--environment", "local", "--confirm", env["DDB_MESSAGE_TABLE"]]
    result = run_invoke("adopt", *options, env=env)
    assert "invoke ddb.schema-load" in result.stderr
    assert result.returncode == 1
    assert unguarded.state(address).environment is None


def test_a_dry_run_marks_nothing(run_invoke, unmarked, address, messages) -> None:
    result = run_invoke("--dry", "adopt", "--environment", "local", env=unmarked)
    assert result.returncode == 0
    assert markers(address, messages) == (None, None)


def test_a_store_adopted_as_local_asks_for_nothing(run_invoke, unmarked, messages) -> None:
    refused = run_invoke("ddb.scan", env=unmarked)
    assert refused.returncode == 1
    run_invoke("adopt", "--environment", "local", "--confirm", messages.name, env=unmarked)
    assert run_invoke("ddb.scan", env=unmarked).returncode == 0
