"""The forms of a task's answer: ``--json`` and ``--csv``."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

import tasks

HANDED_OVER = {"console", "db.connect"}
PAIR = ("--user", "bayko", "--with", "andrewbrown")
GET = "ddb.patterns.get-conversation"


def options(name: str) -> set[str]:
    return {str(argument.name) for argument in tasks.ns[name].get_arguments()}


def test_every_task_that_answers_has_json() -> None:
    assert {name for name in tasks.ns.task_names if "json" not in options(name)} == HANDED_OVER


def record(result: Any) -> dict[str, Any]:
    (only,) = json.loads(result.stdout)
    return only


def test_a_task_that_does_something_answers_with_a_record(run_invoke, table_env) -> None:
    done = record(run_invoke("ddb.seed", "--json", env=table_env))
    assert done["task"] == "ddb.seed"
    (loaded,) = done["result"]
    assert loaded["added"] > 5
    assert loaded["text"].startswith(f"loaded {loaded['added']} messages")
    assert done["cost"]["write_units"] > 0
    assert done["problems"] == []
    again = record(run_invoke("ddb.seed", "--json", env=table_env))
    assert (again["result"][0]["added"], again["result"][0]["present"]) == (0, loaded["added"])


def test_a_record_has_the_problem_that_ended_the_task(run_invoke, seeded) -> None:
    words = ("ddb.patterns.expire", "--before", "2020-01-01", "--reason", "r", "--json")
    result = run_invoke(*words, env=seeded)
    assert result.returncode == 1
    (problem,) = record(result)["problems"]
    assert problem == result.stderr.splitlines()[-1]
    assert problem.startswith("Refused ddb.patterns.expire")


def test_a_record_of_a_dry_run_has_what_it_would_send(run_invoke, seeded) -> None:
    result = record(run_invoke("ddb.drop", "--dry", "--json", env=seeded))["result"]
    assert [entry["text"][:29] for entry in result] == ["would send dynamodb DeleteTab"]


@pytest.mark.parametrize(
    ("words", "planned"),
    [
        (("up",), "would start the embedded engines"),
        (("down",), "would stop the embedded engines"),
        (("bench",), "would run: "),
        (("ddb.patterns.create-message", *PAIR, "--message", "Hi"), "would send dynamodb Transact"),
        (("people.rename", "--user", "bayko", "--handle", "bayko2"), "bayko2"),
        (("people.erase", "--user", "londo", "--reason", "r"), "would remove "),
        (("ddb.verify", "--repair"), None),
    ],
)
def test_a_dry_run_has_a_record_whatever_the_task_answers_otherwise(
    run_invoke, seeded, words: tuple[str, ...], planned: str | None
) -> None:
    result = run_invoke(*words, "--dry", "--json", env=seeded)
    plan = record(result)
    assert (result.returncode, plan["task"], plan["problems"]) == (0, words[0], [])
    texts = [entry["text"] for entry in plan["result"]]
    assert texts == [] if planned is None else planned in "\n".join(texts)


def test_a_task_that_reads_has_its_cost_and_cursor_in_a_line_of_json(run_invoke, seeded) -> None:
    result = run_invoke(GET, *PAIR, "--limit", "2", "--json", env=seeded)
    messages = json.loads(result.stdout)
    rest = json.loads(result.stderr.splitlines()[-1])
    assert rest["cost"]["read_units"] > 0
    older = run_invoke(GET, *PAIR, "--cursor", rest["cursor"], "--json", env=seeded)
    assert json.loads(older.stdout)[-1]["created_at"] < messages[0]["created_at"]


@pytest.mark.parametrize(
    ("words", "columns"),
    [
        ((GET, *PAIR), ["UTC", "from", "message"]),
        (("db.sessions",), ["pid", "user", "database"]),
        (("people.show", "--user", "bayko"), ["what", "value"]),
        (("audit",), ["UTC", "who"]),
        (("status",), ["engine", "state", "port", "pid", "notes"]),
    ],
)
def test_a_table_can_be_csv(run_invoke, seeded, words: tuple[str, ...], columns: list[str]) -> None:
    result = run_invoke(*words, "--csv", env=seeded)
    if words == ("audit",):
        assert result.stdout.startswith("UTC,who,what,")
        return
    head, *rows = csv.reader(io.StringIO(result.stdout))
    assert head[: len(columns)] == columns
    assert rows
    assert all(len(row) == len(head) for row in rows)


def test_two_forms_contradict_each_other(run_invoke, seeded) -> None:
    result = run_invoke("db.sessions", "--json", "--csv", env=seeded)
    assert (result.returncode, result.stdout) == (2, "")
