"""ddb.seed: a conversation is stored once, completely and in order."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from core.dynamodb.patterns import reads
from core.transcripts import read_demo

from .conftest import content

TALK = "Person 1: Hello there\n\nPerson 2: Hi!\nPerson 1: `<b>` & *stars* 🙂\n"


def stored(run_invoke, env) -> list[dict]:
    people = ("--user", "andrewbrown", "--with", "bayko")
    options = (*people, "--limit", "1000", "--json")
    result = run_invoke("ddb.patterns.get-conversation", *options, env=env)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_the_demo_conversation_is_long_whole_and_in_the_past(run_invoke, table_env) -> None:
    result = run_invoke("ddb.seed", env=table_env)
    assert result.returncode == 0, result.stderr
    messages = stored(run_invoke, table_env)
    assert [m["message"] for m in messages] == [line.message for line in read_demo()]
    assert len(messages) >= 40
    assert {m["user_handle"] for m in messages} == {"andrewbrown", "bayko"}
    assert datetime.fromisoformat(messages[-1]["created_at"]) <= datetime.now(UTC)


def test_seeding_twice_changes_nothing(run_invoke, table_env, messages) -> None:
    run_invoke("ddb.seed", env=table_env)
    before = content(messages)
    again = run_invoke("ddb.seed", env=table_env)
    assert again.returncode == 0
    assert "already" in again.stdout
    assert content(messages) == before


@pytest.fixture
def talk(tmp_path):
    path = tmp_path / "talk.txt"
    path.write_text(TALK)
    return path


def test_a_file_is_loaded_without_a_lost_or_reordered_line(run_invoke, table_env, talk) -> None:
    assert run_invoke("ddb.seed", "--file", str(talk), env=table_env).returncode == 0
    assert [(m["user_handle"], m["message"]) for m in stored(run_invoke, table_env)] == [
        ("andrewbrown", "Hello there"),
        ("bayko", "Hi!"),
        ("andrewbrown", "`<b>` & *stars* 🙂"),
    ]


def test_a_file_that_was_loaded_before_is_recognised(run_invoke, table_env, talk) -> None:
    run_invoke("ddb.seed", "--file", str(talk), env=table_env)
    again = run_invoke("ddb.seed", "--file", str(talk), env=table_env)
    assert (again.returncode, "already" in again.stdout) == (0, True)
    assert len(stored(run_invoke, table_env)) == 3


def test_the_people_of_a_file_are_named_by_handle(run_invoke, table_env, talk) -> None:
    options = ("--file", str(talk), "--me", "londo", "--other", "andrewbrown")
    assert run_invoke("ddb.seed", *options, env=table_env).returncode == 0
    people = ("--user", "andrewbrown", "--with", "londo", "--json")
    result = run_invoke("ddb.patterns.get-conversation", *people, env=table_env)
    assert json.loads(result.stdout)[0]["user_handle"] == "londo"


def test_json_lines_as_the_tasks_print_them_are_loaded(run_invoke, table_env, tmp_path) -> None:
    path = tmp_path / "talk.jsonl"
    lines = [
        {"user_handle": "bayko", "message": "a", "created_at": "2025-12-31T23:59:59.999999Z"},
        {"user_handle": "andrewbrown", "message": "b", "created_at": "2026-01-01T00:00:00"},
    ]
    path.write_text("\n".join(map(json.dumps, lines)))
    assert run_invoke("ddb.seed", "--file", str(path), env=table_env).returncode == 0
    assert [m["created_at"] for m in stored(run_invoke, table_env)] == [
        "2025-12-31T23:59:59.999999+00:00",
        "2026-01-01T00:00:00.000000+00:00",
    ]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("Person 1: fine\nnobody says this\n", "line 2"),
        ("Person 1: fine\nPerson 2:   \n", "line 2"),
        ('{"person": 1, "message": "x"}\n{oops\n', "line 2"),
        ('{"user_handle": "stranger", "message": "x"}\n', "stranger"),
        ('{"person": 1, "message": "x", "created_at": "2999-01-01T00:00:00"}\n', "future"),
        ("", "no message"),
    ],
)
def test_a_malformed_file_loads_nothing(
    run_invoke, table_env, messages, tmp_path, text, complaint
) -> None:
    path = tmp_path / "bad.txt"
    path.write_text(text)
    result = run_invoke("ddb.seed", "--file", str(path), env=table_env)
    assert result.returncode == 1
    assert complaint in result.stderr
    assert len(list(reads.scan(messages))) == 1  # the marker


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--file", "/nonexistent/talk"), "/nonexistent/talk"),
        (("--file", "."), "."),
        (("--me", "nobody-here"), "no user with the handle 'nobody-here'"),
        (("--me", "bayko", "--other", "bayko"), "two different users"),
    ],
)
def test_bad_options_are_one_line(run_invoke, table_env, options, complaint) -> None:
    result = run_invoke("ddb.seed", *options, env=table_env)
    assert result.returncode == 1
    assert complaint in result.stderr


def test_a_missing_table_names_the_command_that_creates_it(run_invoke, bare_env) -> None:
    result = run_invoke("ddb.seed", env=bare_env)
    assert result.returncode == 1
    assert "invoke ddb.schema-load" in result.stderr


def test_a_store_that_counts_as_production_is_not_seeded_without_its_name(
    run_invoke, table_env, messages
) -> None:
    item = {"pk": {"S": "ENV#"}, "sk": {"S": "ENV"}, "environment": {"S": "production"}}
    messages.request("put_item", Item=item)
    result = run_invoke("ddb.seed", env=table_env)
    assert result.returncode == 1
    assert f"--confirm {messages.name}" in result.stderr
    assert len(list(reads.scan(messages))) == 1


def test_a_dry_run_prints_the_transaction_and_stores_nothing(
    run_invoke, table_env, messages
) -> None:
    result = run_invoke("--dry", "ddb.seed", env=table_env)
    assert result.returncode == 0
    assert result.stdout.count("would send dynamodb TransactWriteItems") == 1
    assert len(list(reads.scan(messages))) == 1
