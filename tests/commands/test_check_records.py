"""What ``lint --json`` and ``test --json`` answer."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from task_groups.check_records import record_check, record_tests
from task_groups.recording import Form, answering

TESTS = """
def test_passes(): pass
def test_fails(): assert 1 == 2, "one is not two"
"""


def test_a_linter_that_finds_something_has_its_lines_as_problems() -> None:
    script = "print('a.py:1:1: F401 unused'); raise SystemExit(1)"
    with answering("lint", Form.RECORD) as answer:
        assert record_check("ruff check", [sys.executable, "-c", "pass"], ".", dry=False)
        assert not record_check("mypy", [sys.executable, "-c", script], ".", dry=False)
    assert [(line["check"], line["passed"]) for line in answer.result] == [
        ("ruff check", True),
        ("mypy", False),
    ]
    assert answer.problems == ["a.py:1:1: F401 unused"]


def test_tests_have_their_counts_and_a_line_for_each_failure(tmp_path: Path, capfd: Any) -> None:
    (tmp_path / "test_it.py").write_text(TESTS)
    options = ["--rootdir", str(tmp_path), "-c", "/dev/null", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *options, str(tmp_path)]
    with answering("test", Form.RECORD) as answer:
        assert record_tests(command, ".", counts=True, dry=False) == 1
    (only,) = answer.result
    counts = {name: only[name] for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": 2, "failures": 1, "errors": 0, "skipped": 0}
    (problem,) = answer.problems
    assert problem.startswith("test_it.test_fails: AssertionError: one is not two")
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("task", ["lint", "test"])
def test_a_dry_run_says_in_the_record_what_would_run(run_invoke, task: str) -> None:
    (only,) = json.loads(run_invoke(task, "--dry", "--json").stdout)
    assert (only["task"], only["problems"]) == (task, [])
    assert all(line["text"].startswith("would run: ") for line in only["result"])


@pytest.mark.parametrize("task", ["console", "db.connect"])
@pytest.mark.parametrize("option", ["--json", "--csv"])
def test_a_task_for_a_person_says_what_answers_a_program(
    run_invoke, task: str, option: str
) -> None:
    result = run_invoke(task, option)
    assert (result.returncode, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"{task} has no option {option}. ")
    assert "JSON" in line
