"""invoke db.generate-migration, db.migrations, db.migrate and db.rollback"""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest
import unguarded
from unguarded import Database

from core.postgres import admin
from core.postgres.migrations.ledger import read_ledger


@pytest.fixture
def env(postgres_env, address, tmp_path: Path) -> dict[str, str]:
    """A local database with the schema, and a folder without migrations."""
    unguarded.create_database(address)
    with Database(address) as db:
        admin.load_schema(db, "local")
    return postgres_env | {"CRUDDUR_MIGRATIONS_DIR": str(tmp_path / "migrations")}


@pytest.fixture
def one(env) -> Path:
    folder = Path(env["CRUDDUR_MIGRATIONS_DIR"])
    folder.mkdir()
    path = folder / "20260101000000_add_mood.sql"
    path.write_text(
        "-- migrate:up\nALTER TABLE public.users ADD COLUMN mood text;\n"
        "-- migrate:down\nALTER TABLE public.users DROP COLUMN mood;\n"
    )
    return path


def test_from_an_empty_file_to_an_applied_migration_and_back(run_invoke, env) -> None:
    made = run_invoke("db.generate-migration", "--name", "add_mood", env=env)
    path = Path(made.stdout.strip())
    assert path.name.endswith("_add_mood.sql")
    assert listed(run_invoke, env, code=1) == {"add_mood": "pending"}
    empty = run_invoke("db.migrate", env=env)
    assert (empty.stdout, empty.returncode) == ("", 1)
    assert f"{path.name} has no statement below -- migrate:up" in empty.stderr
    path.write_text(
        "-- migrate:up\nALTER TABLE public.users ADD COLUMN mood text;\n"
        "-- migrate:down\nALTER TABLE public.users DROP COLUMN mood;\n"
    )
    done = run_invoke("db.migrate", env=env)
    assert done.stdout.startswith(f"applied {path.stem} in ")
    assert listed(run_invoke, env, code=0) == {"add_mood": "applied"}
    assert run_invoke("db.migrate", env=env).stdout == "There is nothing to apply\n"
    assert run_invoke("db.rollback", env=env).stdout.startswith(f"undid {path.stem} in ")
    assert run_invoke("db.rollback", env=env).stdout == "There is nothing to undo\n"


def listed(run_invoke, env: dict[str, str], *, code: int) -> dict[str, str]:
    result = run_invoke("db.migrations", "--json", env=env)
    assert result.returncode == code
    rows = json.loads(result.stdout)
    assert all(
        list(row) == ["stamp", "name", "source", "state", "applied_at", "duration_ms"]
        for row in rows
    )
    return {row["name"]: row["state"] for row in rows}


def test_a_dry_run_prints_the_sql_and_changes_nothing(run_invoke, env, one, address) -> None:
    shown = run_invoke("--dry", "db.migrate", env=env).stdout
    lines = [
        "BEGIN;",
        "CREATE TABLE public.cruddur_ops_migrations",
        "INSERT INTO public.cruddur_ops_migrations",
        "ALTER TABLE public.users ADD COLUMN mood text;",
        "COMMIT;",
    ]
    places = [shown.index(line) for line in lines]
    assert places == sorted(places)
    assert shown.count("ADD COLUMN mood") == 1
    with Database(address) as db:
        assert read_ledger(db) == []


def test_a_migration_that_changed_is_listed_and_stops_the_next_run(run_invoke, env, one) -> None:
    run_invoke("db.migrate", env=env)
    one.write_text(one.read_text().replace("mood text", "mood integer"))
    assert listed(run_invoke, env, code=1) == {"add_mood": "changed"}
    refused = run_invoke("db.migrate", env=env)
    assert (refused.stdout, refused.returncode) == ("", 1)
    assert refused.stderr.splitlines()[-1] == (
        "20260101000000_add_mood was changed after it was applied. Restore the file and write the"
        " change as a new migration. Nothing was run."
    )


def test_loading_the_schema_again_empties_the_ledger(run_invoke, env, one, address) -> None:
    run_invoke("db.migrate", env=env)
    run_invoke("db.schema-load", env=env)
    with Database(address) as db:
        assert read_ledger(db) == []
    assert run_invoke("db.migrate", env=env).stdout.startswith("applied ")


def test_the_ledger_alone_is_no_data(env, address) -> None:
    """Or a database without tables and marker would count as production."""
    with psycopg.connect(address.conninfo) as connection:
        connection.execute(
            "DROP TABLE public.users, public.activities, public.cruddur_ops_environment;"
            "CREATE TABLE public.cruddur_ops_migrations (n int);"
            "INSERT INTO public.cruddur_ops_migrations SELECT 1"
        )
    assert not unguarded.survey(address).state.holds_data
    assert unguarded.survey(address).has_tables
