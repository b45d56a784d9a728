"""invoke db.rehearse, and the rehearsal before production is migrated"""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
import unguarded
from unguarded import Database

from commands.test_external_settings import LIBPQ
from core.postgres import admin
from core.postgres.migrations.ledger import read_ledger

GOOD = (
    "-- migrate:up\nALTER TABLE public.users ADD COLUMN mood text;\n"
    "-- migrate:down\nALTER TABLE public.users DROP COLUMN mood;\n"
)


@pytest.fixture
def env(postgres_env, address, engines_folder, tmp_path: Path) -> dict[str, str]:
    """A database that is marked production, and a migration for it."""
    unguarded.create_database(address)
    with Database(address) as db:
        admin.load_schema(db, "production")
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "20260101000000_add_mood.sql").write_text(GOOD)
    return postgres_env | {
        "CRUDDUR_MIGRATIONS_DIR": str(folder),
        "CRUDDUR_ENGINES_DIR": str(engines_folder),
    }


def test_it_shows_each_statement_and_changes_nothing(run_invoke, env, address) -> None:
    shown = run_invoke("db.rehearse", env=env)
    table, *lines = shown.stdout.split("\n20260101000000_add_mood: ")
    assert "AccessExclusiveLock" in table
    assert "reads and writes" in table
    assert lines[0].startswith("applied and undone; the schema was the same again\n")
    assert "Cruddur's own statements run after it as they did before" in lines[-1]
    migrations = json.loads(run_invoke("db.rehearse", "--json", env=env).stdout)
    assert [(row["name"], row["is_well"]) for row in migrations] == [("add_mood", True)]
    assert migrations[0]["statements"][0]["locks"] == [
        {"mode": "AccessExclusiveLock", "on": "public.users"}
    ]
    with Database(address) as db:
        assert read_ledger(db) == []


OPTIONS = {
    "hostaddr": "127.0.0.1",
    "sslmode": "disable",
    "sslnegotiation": "postgres",
    "sslcertmode": "disable",
    "gssencmode": "disable",
    "channel_binding": "disable",
    "require_auth": "scram-sha-256",
    "target_session_attrs": "any",
    "options": "",
}
"""What a URL needs so that the variables below do not change its own connection."""

VARIABLES = LIBPQ | {"PGSERVICE": "production", "PGTZ": "Asia/Tokyo", "PGSSLCERTMODE": "require"}


@pytest.mark.parametrize("task", ["rehearse", "migrate"])
def test_the_variables_of_production_s_connection_do_not_change_the_embedded_one(
    run_invoke, env, address, tmp_path, task
) -> None:
    services = tmp_path / "services"
    services.write_text("[production]\nhost=192.0.2.1\nload_balance_hosts=random\ngsslib=gssapi\n")
    variables = VARIABLES | {"PGSERVICEFILE": str(services)}
    variables["CONNECTION_URL"] = f"{env['CONNECTION_URL']}?{urlencode(OPTIONS, quote_via=quote)}"
    words = ("--confirm", address.dbname) if task == "migrate" else ()
    done = run_invoke(f"db.{task}", *words, env=env | variables)
    assert done.returncode == 0, done.stderr
    assert "applied and undone; the schema was the same again" in done.stdout + done.stderr


def test_rows_of_production_take_a_reason(run_invoke, env) -> None:
    assert "no reason was given" in run_invoke("db.rehearse", "--rows", "5", env=env).stderr
    assert run_invoke("db.rehearse", "--rows", "x", env=env).returncode == 2
    done = run_invoke("db.rehearse", "--rows", "5", "--reason", "ticket 7", env=env)
    assert done.returncode == 0


def test_production_is_migrated_after_a_rehearsal_and_not_if_it_finds_a_problem(
    run_invoke, env, address
) -> None:
    path = Path(env["CRUDDUR_MIGRATIONS_DIR"]) / "20260101000000_add_mood.sql"
    path.write_text(GOOD.replace("DROP COLUMN mood", "ADD COLUMN mind text"))
    confirm = ("--confirm", address.dbname)
    refused = run_invoke("db.migrate", *confirm, env=env)
    assert "undoing it left: column public.users.mind text" in refused.stderr
    assert "Refused db.migrate: the rehearsal found a problem" in refused.stderr
    assert (refused.stdout, refused.returncode) == ("", 1)
    path.write_text(GOOD)
    done = run_invoke("db.migrate", *confirm, env=env)
    assert "applied and undone; the schema was the same again" in done.stderr
    assert done.stdout.startswith("applied 20260101000000_add_mood in ")
    path.with_name("20260101000001_more.sql").write_text("-- migrate:up\nSELECT 1\n")
    unrehearsed = run_invoke("db.migrate", "--no-rehearsal", *confirm, env=env)
    assert unrehearsed.stdout.startswith("applied 20260101000001_more in ")
