"""invoke db.sessions, and its other name db.session"""

import json

import psycopg
import pytest
import unguarded


@pytest.fixture
def app(address):
    unguarded.create_database(address)
    with psycopg.connect(address.conninfo, application_name="the app") as connection:
        yield connection


@pytest.mark.parametrize("name", ["db.sessions", "db.session"])
def test_json_is_one_array_of_who_is_connected(
    run_invoke, postgres_env, address, app, name
) -> None:
    result = run_invoke(name, "--json", env=postgres_env)
    sessions = [row for row in json.loads(result.stdout) if row["pid"] == app.info.backend_pid]
    assert sessions == [
        {
            "pid": app.info.backend_pid,
            "user": address.user,
            "database": address.dbname,
            "client_address": "127.0.0.1",
            "application": "the app",
            "state": "idle",
        }
    ]
    assert result.returncode == 0


def test_a_person_gets_a_table(run_invoke, postgres_env, address, app) -> None:
    result = run_invoke("db.sessions", env=postgres_env)
    heading = result.stdout.strip().splitlines()[0].split()
    assert heading == ["pid", "user", "database", "client", "address", "application", "state"]
    assert [line.split()[:3] for line in result.stdout.splitlines() if "the app" in line] == [
        [str(app.info.backend_pid), address.user, address.dbname]
    ]
