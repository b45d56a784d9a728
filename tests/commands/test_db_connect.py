"""invoke db.connect"""

from urllib.parse import urlsplit

import unguarded

FAKE_PSQL = """#!/bin/sh
echo "argv: $*"
echo "password: $PGPASSWORD"
cat
exit 7
"""


def password_of(url: str) -> str:
    password = urlsplit(url).password
    assert password
    return password


def fake_psql(folder) -> str:
    (folder / "psql").write_text(FAKE_PSQL)
    (folder / "psql").chmod(0o755)
    return f"{folder}:/usr/bin:/bin"


def test_psql_gets_the_terminal_and_the_password_in_no_argument(
    run_invoke, database_url, address, tmp_path
) -> None:
    env = {"CONNECTION_URL": database_url, "PATH": fake_psql(tmp_path)}
    result = run_invoke("db.connect", env=env, stdin="typed\n")
    argv, password, typed = result.stdout.splitlines()
    assert address.host in argv
    assert password_of(database_url) not in argv
    assert password == f"password: {password_of(database_url)}"
    assert typed == "typed"
    assert result.stderr == f"target: local · Postgres {address.describe()}\n"
    assert result.returncode == 7


def test_a_dry_run_says_what_it_would_run_without_the_password(
    run_invoke, database_url, tmp_path
) -> None:
    env = {"CONNECTION_URL": database_url, "PATH": fake_psql(tmp_path)}
    result = run_invoke("--dry", "db.connect", env=env)
    assert result.stdout.startswith(f"would run: PGPASSWORD=*** {tmp_path / 'psql'} ")
    assert password_of(database_url) not in result.stdout
    assert result.returncode == 0


def test_the_bundled_psql_answers_where_there_is_no_other(
    run_invoke, postgres_env, address, tmp_path
) -> None:
    unguarded.create_database(address)
    env = postgres_env | {"PATH": str(tmp_path)}
    result = run_invoke("db.connect", env=env, stdin="\\pset format unaligned\nSELECT 40 + 2;\n")
    assert "42" in result.stdout
    assert result.returncode == 0


def test_a_statement_in_a_pipe_that_fails_is_not_followed_and_the_task_fails(
    run_invoke, postgres_env, address, tmp_path
) -> None:
    unguarded.create_database(address)
    env = postgres_env | {"PATH": str(tmp_path)}
    result = run_invoke("db.connect", env=env, stdin="SELECT nothing;\nSELECT 40 + 2;\n")
    assert ("42" in result.stdout, result.returncode) == (False, 3)
