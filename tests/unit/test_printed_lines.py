"""Lines that a task prints as they come, some at a time."""

from __future__ import annotations

import itertools

import pytest

from task_groups import answers
from task_groups.recording import Form, answering

LINES = [f"{number} \x1b[2J\nand more" for number in range(120)]
SHOWN = [f"{number} \\x1b[2J and more" for number in range(120)]


def test_each_is_one_line_that_cannot_control_a_terminal(capsys: pytest.CaptureFixture) -> None:
    assert answers.print_all(iter(LINES)) == 120
    assert capsys.readouterr().out.splitlines() == SHOWN


def test_they_are_printed_before_all_have_come(capsys: pytest.CaptureFixture) -> None:
    def until_the_store_fails():
        yield from LINES
        raise ConnectionError

    with pytest.raises(ConnectionError):
        answers.print_all(until_the_store_fails())
    printed = capsys.readouterr().out.splitlines()
    assert printed == SHOWN


def test_a_record_keeps_each_of_them() -> None:
    with answering("ddb.scan", Form.RECORD) as kept:
        assert answers.print_all(itertools.islice(LINES, 60)) == 60
    assert [entry["text"] for entry in kept.result] == SHOWN[:60]
