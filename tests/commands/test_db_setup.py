"""invoke db.setup"""

import pytest
import unguarded
from unguarded import Database

from core.commands import shell_word
from core.postgres import admin, users


def test_it_makes_a_seeded_database_from_nothing(run_invoke, postgres_env, address) -> None:
    result = run_invoke("db.setup", env=postgres_env)
    lines = result.stdout.splitlines()
    assert lines[:3] == [
        f"There is no database {address.dbname} to drop",
        f"created the database {address.dbname}",
        f"loaded the schema into {address.dbname}, marked local",
    ]
    assert lines[3].startswith("added 3 users")
    assert [line.partition("_")[0] for line in lines[4:]] == [
        "applied 20261127190000",
        "recorded 20261127190001",
    ]
    assert "AWS_COGNITO_USER_POOL_ID is not set" in result.stderr
    assert result.returncode == 0
    assert unguarded.state(address).environment == "local"


def test_a_second_setup_starts_over_and_the_people_keep_their_uuids(
    run_invoke, postgres_env, address
) -> None:
    run_invoke("db.setup", env=postgres_env)
    with Database(address) as db:
        before = users.find_user(db, "bayko").uuid
        db.query_commit("UPDATE public.users SET display_name = 'changed'")
    assert run_invoke("db.setup", env=postgres_env).returncode == 0
    with Database(address) as db:
        bayko = users.find_user(db, "bayko")
    assert (bayko.uuid, bayko.display_name) == (before, "Andrew Bayko")


@pytest.mark.parametrize("exists", [True, False])
def test_a_dry_run_prints_every_step_and_changes_nothing(
    run_invoke, postgres_env, address, exists
) -> None:
    if exists:
        run_invoke("db.setup", env=postgres_env)
        with Database(address) as db:
            db.query_commit("UPDATE public.users SET display_name = 'kept'")
    result = run_invoke("--dry", "db.setup", env=postgres_env)
    script = result.stdout
    assert ("DROP DATABASE" in script) is exists
    steps = ["CREATE DATABASE", "CREATE TABLE public.users", "INSERT INTO public.users"]
    steps.append("would apply 20261127190000_add_bio")
    places = [script.index(step) for step in steps]
    assert places == sorted(places)
    assert result.returncode == 0
    assert unguarded.database_exists(address) is exists
    if exists:
        with Database(address) as db:
            assert users.find_user(db, "bayko").display_name == "kept"


def test_what_is_marked_production_is_refused_before_the_first_step(
    run_invoke, postgres_env, address
) -> None:
    unguarded.create_database(address)
    with Database(address) as db:
        admin.load_schema(db, "production")
    result = run_invoke("db.setup", env=postgres_env)
    assert result.stdout == ""
    assert f"--confirm {shell_word(address.dbname)}" in result.stderr
    assert result.returncode == 1
    assert unguarded.survey(address).has_tables


def test_a_confirmed_setup_keeps_the_marker(run_invoke, postgres_env, address) -> None:
    unguarded.create_database(address)
    with Database(address) as db:
        admin.load_schema(db, "production")
    result = run_invoke("db.setup", "--confirm", address.dbname, env=postgres_env)
    assert result.returncode == 0
    assert unguarded.state(address).environment == "production"


def test_settings_that_cannot_be_seeded_are_refused_before_the_first_step(
    run_invoke, postgres_env, address
) -> None:
    run_invoke("db.setup", env=postgres_env)
    result = run_invoke("db.setup", env=postgres_env | {"user1_name": "Ana"})
    assert result.returncode == 1
    assert result.stdout == ""
    assert unguarded.survey(address).has_tables


def test_it_stops_at_the_first_step_that_fails(run_invoke, postgres_env, address) -> None:
    run_invoke("db.setup", env=postgres_env)
    url = postgres_env["CONNECTION_URL"]
    readonly = {"CONNECTION_URL": f"{url}?options=-c%20default_transaction_read_only%3Don"}
    result = run_invoke("db.setup", env=readonly)
    assert result.stdout == ""
    assert "read-only" in result.stderr
    assert result.returncode == 1
    assert unguarded.survey(address).has_tables
