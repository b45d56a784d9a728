"""ddb.scan: every item, streamed, as people or programs read it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from core.dynamodb import keys
from core.settings import PROJECT_ROOT


@pytest.fixture
def filled(table_env, messages) -> dict[str, str]:
    for n in range(30):
        item = keys.key(f"MSG#{n}", "x") | {
            "message": {"S": f"\x1b[31mred {n}\n"},
            "number": {"N": str(n)},
            "blob": {"B": b"\x00\xff"},
        }
        messages.request("put_item", Item=item)
    return table_env


def test_every_item_is_printed_on_a_line_of_its_own(run_invoke, filled) -> None:
    result = run_invoke("ddb.scan", env=filled)
    assert len(result.stdout.splitlines()) == 31
    assert "31 items · " in result.stderr


def test_stored_text_cannot_control_the_terminal(run_invoke, filled) -> None:
    assert "\x1b" not in run_invoke("ddb.scan", env=filled).stdout


def test_json_lines_have_plain_values(run_invoke, filled) -> None:
    lines = run_invoke("ddb.scan", "--json", env=filled).stdout.splitlines()
    item = next(row for line in lines if (row := json.loads(line))["pk"] == "MSG#7")
    assert (item["number"], item["blob"]) == (7, "AP8=")


def test_raw_lines_are_dynamodb_json(run_invoke, filled) -> None:
    lines = run_invoke("ddb.scan", "--raw", env=filled).stdout.splitlines()
    item = next(row for line in lines if (row := json.loads(line))["pk"]["S"] == "MSG#7")
    assert (item["number"], item["blob"]) == ({"N": "7"}, {"B": "AP8="})


def test_a_limit_ends_it(run_invoke, filled) -> None:
    assert len(run_invoke("ddb.scan", "--limit", "3", env=filled).stdout.splitlines()) == 3
    assert "\n1 item · " in run_invoke("ddb.scan", "--limit", "1", env=filled).stderr


@pytest.mark.parametrize("limit", ["abc", "0", "-1", "1.5"])
def test_an_invalid_limit_is_one_line(run_invoke, table_env, limit) -> None:
    result = run_invoke("ddb.scan", f"--limit={limit}", env=table_env)
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert limit in result.stderr


def test_a_closed_pipe_ends_it_quietly(filled, tmp_path) -> None:
    scan = subprocess.Popen(
        [sys.executable, "-m", "invoke", "ddb.scan", "--json"],
        cwd=PROJECT_ROOT,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONUNBUFFERED": "1", **filled},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    scan.stdout.readline()
    scan.stdout.close()
    stderr = scan.stderr.read()
    scan.stderr.close()
    assert scan.wait(30) == 0
    assert "rror" not in stderr


def test_a_missing_table_names_the_command_that_creates_it(run_invoke, bare_env) -> None:
    result = run_invoke("ddb.scan", env=bare_env)
    assert result.returncode == 1
    assert "invoke ddb.schema-load" in result.stderr


def test_a_limit_of_any_length_works(run_invoke, table_env) -> None:
    assert run_invoke("ddb.scan", "--limit", "9" * 400, env=table_env).returncode == 0
