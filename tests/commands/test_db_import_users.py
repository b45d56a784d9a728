"""``db.import-users``: a CSV file of users, all of them or none."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import unguarded
from unguarded import Database

from core.postgres import admin, find_user, seed_demo_data
from core.settings import Settings
from core.targets.postgres import parse_url

HEAD = "handle,display_name,email\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "users.csv"


@pytest.fixture
def stored(database_url: str) -> Iterator[Database]:
    """A database of one test, with the demo users."""
    address = parse_url(database_url, "CONNECTION_URL")
    unguarded.create_database(address)
    with Database(address) as db:
        admin.load_schema(db, "local")
        seed_demo_data(db, Settings())
        yield db


@pytest.fixture
def seeded_env(postgres_env: dict[str, str], stored: Database) -> dict[str, str]:
    return postgres_env


def handles(db: Database) -> set[str]:
    return {row["handle"] for row in db.query_rows("SELECT handle FROM public.users")}


def test_users_are_added_as_they_are_written(run_invoke, seeded_env, stored, path) -> None:
    before = handles(stored)
    path.write_bytes(
        b"\xef\xbb\xbf" + HEAD.encode() + b'@zoe,"Zo\xc3\xab, \\ the ""first""",zoe@example.com\r\n'
        b"\r\nyan,Yan,yan@example.com\r\n"
    )
    result = run_invoke("db.import-users", "--file", str(path), env=seeded_env)
    assert (result.returncode, result.stdout) == (0, "added 2 users\n"), result.stderr
    assert handles(stored) == before | {"zoe", "yan"}
    zoe = find_user(stored, "zoe")
    assert (zoe.display_name, zoe.cognito_user_id) == ('Zoë, \\ the "first"', "MOCK")


def test_uuids_and_cognito_ids_may_be_given_in_any_order_of_columns(
    run_invoke, seeded_env, stored, path
) -> None:
    own = "00000000-0000-4000-8000-000000000001"
    path.write_text(f"uuid,email,cognito_user_id,display_name,handle\n{own},e@x.y,sub,E,eve\n")
    assert run_invoke("db.import-users", "--file", str(path), env=seeded_env).returncode == 0
    eve = find_user(stored, "eve")
    assert (eve.uuid, eve.cognito_user_id, eve.email) == (own, "sub", "e@x.y")


@pytest.mark.parametrize("schema", ["ours", "cruddur's"])
def test_every_line_with_a_problem_is_named_and_no_user_is_added(
    run_invoke, seeded_env, stored, path, schema
) -> None:
    if schema != "ours":
        stored.query_commit(
            "ALTER TABLE public.users DROP CONSTRAINT users_handle_key;"
            "ALTER TABLE public.users DROP CONSTRAINT users_email_key"
        )
    before = handles(stored)
    path.write_text(
        HEAD + "one,One,one@x.y\n"
        "bayko,Bayko,new@x.y\n"
        "two,Two,one@x.y\n"
        '"th\nree",Three,three@x.y\n'
        "four,,four@x.y\n"
        "five,Five\n"
    )
    result = run_invoke("db.import-users", "--file", str(path), env=seeded_env)
    assert (result.returncode, result.stdout) == (1, "")
    assert len(result.stderr.splitlines()) == 2
    for part in (
        "5 problems",
        "line 3: a user has the handle bayko",
        "line 4: the email one@x.y is that of line 2",
        "line 5: The handle",
        "line 7: The display name is empty",
        "line 8: It has too few",
    ):
        assert part in result.stderr
    assert handles(stored) == before


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "does not name the columns"),
        (b"handle,name,email\n", "does not name the columns"),
        (HEAD.encode(), "has no users"),
        (HEAD.encode() + b"a,\xff,a@x.y\n", "not UTF-8"),
        (HEAD.encode() + b'a,"A,a@x.y\n', "line 2"),
        (b"uuid," + HEAD.encode() + b"1,a,A,a@x.y\n", "line 2: '1' is not a uuid"),
        (HEAD.encode() + b"a,A,a@x.y,more\n", "line 2"),
    ],
)
def test_a_bad_file_is_one_line(run_invoke, seeded_env, path, content, complaint) -> None:
    path.write_bytes(content)
    result = run_invoke("db.import-users", "--file", str(path), env=seeded_env)
    assert (result.returncode, result.stdout) == (1, "")
    _, *notes, problem = result.stderr.splitlines()
    assert complaint in problem
    assert len(notes) == content.startswith(b"uuid")  # this target has no DynamoDB to ask


def test_a_pipe_is_refused_because_it_cannot_be_read_twice(run_invoke, seeded_env, path) -> None:
    os.mkfifo(path)
    result = run_invoke("db.import-users", "--file", str(path), env=seeded_env)
    assert (result.returncode, "is not a regular file" in result.stderr) == (1, True)


def test_a_dry_run_checks_the_file_and_adds_nobody(run_invoke, seeded_env, stored, path) -> None:
    before = handles(stored)
    path.write_text(HEAD + "one,One,one@x.y\n")
    result = run_invoke("--dry", "db.import-users", "--file", str(path), env=seeded_env)
    assert (result.returncode, "would add 1 user" in result.stdout) == (0, True)
    assert handles(stored) == before


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("bayko,Bayko,new@x.y", "line 3: a user has the handle bayko"),
        ("two,Two,one@x.y", "line 3: the email one@x.y is that of line 2"),
    ],
)
def test_a_dry_run_refuses_what_the_run_would_refuse(
    run_invoke, seeded_env, path, line, complaint
) -> None:
    path.write_text(f"{HEAD}one,One,one@x.y\n{line}\n")
    for options in (("--dry",), ()):
        result = run_invoke(*options, "db.import-users", "--file", str(path), env=seeded_env)
        assert (result.returncode, "would add" in result.stdout) == (1, False)
        assert complaint in result.stderr.splitlines()[-1]


@pytest.mark.parametrize(("options", "code"), [((), 2), (("--file", "/nonexistent/x"), 1)])
def test_bad_options_are_one_line(run_invoke, seeded_env, options, code) -> None:
    result = run_invoke("db.import-users", *options, env=seeded_env)
    assert (result.returncode, result.stdout) == (code, "")
