"""The result of a check."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.commands import Command, advice


class State(StrEnum):
    """``note`` is worth knowing and stops nothing; ``bad`` stops something."""

    OK = "ok"
    NOTE = "note"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check, shown as one line.

    ``hint`` says how to fix the problem; it is empty where there is nothing to do. Its last
    sentence introduces ``command`` where there is one. ``ms`` is how long the answer took, where
    that was measured.
    """

    check: str
    state: State
    finding: str
    hint: str = ""
    ms: float | None = None
    command: Command | None = None

    def next_step(self, on: str = "") -> str:
        """What to do next; ``on``: see :meth:`~core.commands.Command.line`."""
        return advice(self.hint, self.command, on)


def ok(check: str, finding: str, *, ms: float | None = None) -> Finding:
    return Finding(check, State.OK, finding, ms=ms)


def note(check: str, finding: str, hint: str = "", command: Command | None = None) -> Finding:
    return Finding(check, State.NOTE, finding, hint, command=command)


def bad(check: str, finding: str, hint: str, command: Command | None = None) -> Finding:
    return Finding(check, State.BAD, finding, hint, command=command)
