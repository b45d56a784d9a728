"""Terminals and pipes that are not what a program hopes for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from core.dynamodb import keys
from core.settings import PROJECT_ROOT
from tasks import ns

TASKS = {name: ns[name] for name in ns.task_names}

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


def in_shell(command: str, env: dict[str, str], home: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S602 - the shell redirects the streams
        f"'{sys.executable}' -m invoke {command}",
        shell=True,
        cwd=PROJECT_ROOT,
        env={"PATH": "/usr/bin:/bin", "HOME": str(home), **env},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("task", ["ddb.scan", "db.sessions"])
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-"])
def test_a_closed_stream_is_no_trouble(seeded, tmp_path, task, closed) -> None:
    done = in_shell(f"{task} {closed}", seeded, tmp_path)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)


def test_nobody_confirms_through_a_closed_stream(seeded, messages, tmp_path) -> None:
    marker = keys.ENVIRONMENT_KEY | {"environment": {"S": "production"}}
    messages.request("put_item", Item=marker)
    done = in_shell("ddb.drop <&-", seeded, tmp_path)
    assert (done.returncode, "--confirm" in done.stderr) == (1, True)


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="the system has no /dev/full")
@pytest.mark.parametrize("task", ["ddb.scan", "db.sessions", "ddb.export"])
def test_a_full_disk_is_one_line(seeded, tmp_path, task) -> None:
    done = in_shell(f"{task} > /dev/full", seeded, tmp_path)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert done.stderr.splitlines()[-1] == "No space left on device"


@pytest.mark.parametrize("task", sorted(TASKS))
def test_help_is_for_every_terminal(task: str) -> None:
    """Invoke prints it before anything of ours could spell out what a terminal cannot say."""
    assert (TASKS[task].__doc__ or "").isascii()
    assert all(text.isascii() for text in TASKS[task].help.values())


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
