"""invoke db.seed"""

import pytest
import unguarded
from unguarded import Database

from core.postgres import admin, users


@pytest.fixture
def loaded(address):
    unguarded.create_database(address)
    with Database(address) as db:
        admin.load_schema(db, "local")
        yield db


def test_it_adds_the_demo_users_once(run_invoke, postgres_env, loaded) -> None:
    first = run_invoke("db.seed", env=postgres_env)
    assert first.stdout.startswith("added 3 users and ")
    again = run_invoke("db.seed", env=postgres_env)
    assert again.stdout == (
        "nothing to add: andrewbrown, bayko, londo and their activities already exist\n"
    )
    assert (first.returncode, again.returncode) == (0, 0)
    assert users.count_users(loaded) == 3


def test_the_settings_name_other_people(run_invoke, postgres_env, loaded) -> None:
    hers = {"user1_username": "ana", "user1_name": "Ana", "user1_email": "ana@example.com"}
    assert run_invoke("db.seed", env=postgres_env | hers).returncode == 0
    assert users.find_user(loaded, "ana").display_name == "Ana"


def test_an_incomplete_person_is_refused_and_nothing_is_added(
    run_invoke, postgres_env, loaded
) -> None:
    result = run_invoke("db.seed", env=postgres_env | {"user2_username": "ben"})
    assert "user2_name and user2_email not set" in result.stderr
    assert result.returncode == 1
    assert users.count_users(loaded) == 0


def test_production_is_not_seeded_without_its_name(
    run_invoke, postgres_env, address, loaded
) -> None:
    prod = {"PROD_CONNECTION_URL": postgres_env["CONNECTION_URL"]}
    refused = run_invoke("db.seed", "--prod", env=prod)
    assert "Refused db.seed: " in refused.stderr
    assert "counts as production" in refused.stderr
    assert refused.returncode == 1
    assert users.count_users(loaded) == 0
    confirmed = run_invoke("db.seed", "--prod", "--confirm", address.dbname, env=prod)
    assert confirmed.returncode == 0
    assert users.count_users(loaded) == 3


def test_without_tables_it_says_schema_load(run_invoke, postgres_env, address) -> None:
    unguarded.create_database(address)
    result = run_invoke("db.seed", env=postgres_env)
    assert result.stderr.endswith("Load the schema: invoke db.schema-load\n")
    assert result.returncode == 1


def test_a_dry_run_adds_nobody(run_invoke, postgres_env, loaded) -> None:
    result = run_invoke("--dry", "db.seed", env=postgres_env)
    assert "andrew.brown@example.com" in result.stdout
    assert result.returncode == 0
    assert users.count_users(loaded) == 0
