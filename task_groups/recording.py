"""The form of a running task's answer, and what is collected for it: ``--json`` and ``--csv``.

===========  ===================================================================================
form         what standard output gets
===========  ===================================================================================
for people   lines and tables
JSON         the task's own array; cost and cursor are one line of JSON on standard error
a record     an array of one object: the task, what it did, what it cost, its problems
CSV          the rows of the task's table; everything else goes to standard error
===========  ===================================================================================
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Form(StrEnum):
    """The form of an answer."""

    PEOPLE = "people"
    JSON = "json"
    RECORD = "record"
    CSV = "csv"


@dataclass
class Answer:
    """What a task has said so far that its form keeps for later."""

    task: str = ""
    form: Form = Form.PEOPLE
    result: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    read_units: float = 0.0
    write_units: float = 0.0
    requests: int = 0
    cursor: str | None = None

    @property
    def cost(self) -> dict[str, float] | None:
        """The capacity that was consumed; None where no table was asked."""
        if not self.requests:
            return None
        units = {"read_units": self.read_units, "write_units": self.write_units}
        return {**units, "requests": self.requests}

    @property
    def rest(self) -> dict[str, Any]:
        """What a reading task says besides its array."""
        rest = {"cost": self.cost, "cursor": self.cursor}
        return {name: value for name, value in rest.items() if value is not None}

    @property
    def record(self) -> dict[str, Any]:
        """What a task that does something answers."""
        return {
            "task": self.task,
            "result": self.result,
            "cost": self.cost,
            "problems": self.problems,
        }


_answer = Answer()


def answer() -> Answer:
    """The answer of the running task."""
    return _answer


@contextmanager
def answering(task: str, form: Form) -> Iterator[Answer]:
    """Collect the answer of ``task`` during the block. A task in a recorded task adds to it."""
    global _answer
    before = _answer
    if before.form is not Form.RECORD:
        _answer = Answer(task, form)
    try:
        yield _answer
    finally:
        _answer = before
