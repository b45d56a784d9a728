"""Terminals and pipes that are not what a program hopes for."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from core.settings import PROJECT_ROOT

PAIR = ("--user", "bayko", "--with", "andrewbrown", "--limit", "100")


@pytest.fixture
def seeded(run_invoke, table_env) -> dict[str, str]:
    run_invoke("ddb.seed", env=table_env)
    return table_env


@pytest.mark.parametrize("task", ["ddb.patterns.get-conversation", "ddb.scan"])
def test_a_terminal_that_knows_only_ascii_is_spelled_out_to(run_invoke, seeded, task) -> None:
    options = PAIR if "patterns" in task else ()
    env = seeded | {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"}
    result = run_invoke(task, *options, env=env)
    assert result.returncode == 0
    assert "\\U0001f" in result.stdout


def test_json_for_such_a_terminal_is_still_json(run_invoke, seeded) -> None:
    task = "ddb.patterns.get-conversation"
    env = seeded | {"PYTHONIOENCODING": "ascii"}
    ascii_only = run_invoke(task, *PAIR, "--json", env=env).stdout
    assert json.loads(ascii_only) == json.loads(
        run_invoke(task, *PAIR, "--json", env=seeded).stdout
    )


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-"])
def test_a_closed_stream_is_no_trouble(seeded, tmp_path, closed) -> None:
    done = subprocess.run(  # noqa: S602 - the shell closes the stream
        f"'{sys.executable}' -m invoke ddb.scan {closed}",
        shell=True,
        cwd=PROJECT_ROOT,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), **seeded},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)


def test_a_limit_beyond_every_table_is_no_trouble(run_invoke, seeded) -> None:
    options = (*PAIR[:4], "--limit", "99999999999", "--json")
    result = run_invoke("ddb.patterns.get-conversation", *options, env=seeded)
    assert len(json.loads(result.stdout)) >= 40


def test_an_error_that_asks_a_question_is_well_spelled(run_invoke, table_env) -> None:
    result = run_invoke("ddb.patterns.get-conversation", env=table_env)
    assert result.stderr.startswith("which conversation? Give ")


def test_what_was_typed_does_not_steer_the_terminal_in_an_error(run_invoke, table_env) -> None:
    options = ("--user", "bayko", "--conversation", "\x1b[2J")
    result = run_invoke("ddb.patterns.get-conversation", *options, env=table_env)
    assert (result.returncode, "\x1b" in result.stderr) == (1, False)
