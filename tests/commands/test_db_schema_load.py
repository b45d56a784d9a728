"""invoke db.schema-load"""

import pytest
import unguarded
from unguarded import Database

from core.postgres import admin, users
from core.postgres.seed import seed_demo_data
from core.settings import Settings


@pytest.fixture
def empty(address):
    unguarded.create_database(address)


def handles(address) -> int:
    with Database(address) as db:
        return users.count_users(db)


def test_it_loads_the_tables_and_marks_a_new_database(
    run_invoke, postgres_env, address, empty
) -> None:
    result = run_invoke("db.schema-load", env=postgres_env)
    assert result.stdout == f"loaded the schema into {address.dbname}, marked local\n"
    assert result.returncode == 0
    assert unguarded.survey(address).has_tables


def test_a_new_production_database_needs_no_name_and_is_marked(
    run_invoke, postgres_env, address, empty
) -> None:
    prod = {"PROD_CONNECTION_URL": postgres_env["CONNECTION_URL"]}
    result = run_invoke("db.schema-load", "--prod", env=prod)
    assert result.returncode == 0
    assert unguarded.state(address).environment == "production"


def test_over_tables_of_a_local_database_it_starts_over(
    run_invoke, postgres_env, address, empty
) -> None:
    with Database(address) as db:
        admin.load_schema(db, "local")
        seed_demo_data(db, Settings())
    assert run_invoke("db.schema-load", env=postgres_env).returncode == 0
    assert handles(address) == 0


@pytest.mark.parametrize("marker", ["production", "staging"])
def test_over_tables_of_another_environment_it_is_refused(
    run_invoke, postgres_env, address, empty, marker
) -> None:
    with Database(address) as db:
        admin.load_schema(db, marker)
        seed_demo_data(db, Settings())
    result = run_invoke("db.schema-load", env=postgres_env)
    assert f"is marked '{marker}'" in result.stderr
    assert result.returncode == 1
    assert handles(address) == 3
    assert run_invoke(
        "db.schema-load", "--confirm", address.dbname, env=postgres_env
    ).stdout.endswith(f"marked {marker}\n")


def test_data_without_a_marker_gets_none_without_the_name(
    run_invoke, postgres_env, address, empty
) -> None:
    with Database(address) as db:
        db.query_commit("CREATE TABLE public.theirs AS SELECT 1 AS one")
    result = run_invoke("db.schema-load", env=postgres_env)
    assert result.returncode == 1
    assert unguarded.state(address).environment is None


def test_a_missing_database_says_create(run_invoke, postgres_env, address) -> None:
    result = run_invoke("db.schema-load", env=postgres_env)
    assert result.stdout == ""
    assert result.stderr.endswith("Create it: invoke db.create\n")
    assert result.returncode == 1


def test_a_dry_run_prints_the_script_and_loads_nothing(
    run_invoke, postgres_env, address, empty
) -> None:
    result = run_invoke("--dry", "db.schema-load", env=postgres_env)
    assert "CREATE TABLE public.users" in result.stdout
    assert result.returncode == 0
    assert not unguarded.survey(address).has_tables
