"""The answers of ``test --json`` and ``lint --json``: what passed, and each problem in a line."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from subprocess import DEVNULL
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from task_groups import answers
from task_groups.recording import Form, answer
from task_groups.standard_streams import unguarded

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_COUNTS = ("tests", "failures", "errors", "skipped")


def is_recorded() -> bool:
    """Whether the running task answers with a record."""
    return answer().form is Form.RECORD


def record_check(name: str, command: Sequence[str], folder: str, *, dry: bool) -> bool:
    """Run one linter; record whether it passed, and its lines as problems where it did not."""
    if dry:
        answers.print_line(f"would run: {shlex.join(command)}")
        return True
    done = subprocess.run(  # noqa: S603 - one of our linters
        command, cwd=folder, stdin=DEVNULL, capture_output=True, text=True
    )
    passed = done.returncode == 0
    answers.print_line(f"{name} {'passed' if passed else 'failed'}", check=name, passed=passed)
    for line in "" if passed else f"{done.stdout}\n{done.stderr}".splitlines():
        if line.strip():
            answers.problem(line)
    return passed


def record_tests(command: Sequence[str], folder: str, *, counts: bool, dry: bool) -> int:
    """Run tests, whose own lines go to standard error; record their counts. Returns the exit code.

    ``counts``: pytest runs them, and can say how many there were.
    """
    if dry:
        answers.print_line(f"would run: {shlex.join(command)}")
        return 0
    with TemporaryDirectory() as temporary:
        report = Path(temporary) / "report.xml"
        options = [f"--junit-xml={report}"] if counts else []
        output = unguarded(sys.stderr)
        done = subprocess.run(  # noqa: S603 - our own tests
            [*command, *options], cwd=folder, stdin=DEVNULL, stdout=output
        )
        _record_counts(report, done.returncode)
    return done.returncode


def _record_counts(report: Path, exit_code: int) -> None:
    from xml.etree import ElementTree

    outcome = "passed" if exit_code == 0 else "failed"
    if not report.exists():
        answers.print_line(f"The tests {outcome}", exit_code=exit_code)
        return
    root = ElementTree.parse(report).getroot()  # noqa: S314 - pytest has just written it
    suites = list(root.iter("testsuite"))
    counts: dict[str, Any] = {
        name: sum(int(suite.get(name, 0)) for suite in suites) for name in _COUNTS
    }
    answers.print_line(f"The tests {outcome}", exit_code=exit_code, **counts)
    for problem in _failures(root.iter("testcase")):
        answers.problem(problem)


def _failures(cases: Iterator[Element]) -> Iterator[str]:
    """A line for each test that did not pass."""
    for case in cases:
        for fault in (*case.findall("failure"), *case.findall("error")):
            first = (fault.get("message") or "").partition("\n")[0]
            yield f"{case.get('classname')}.{case.get('name')}: {first}"
