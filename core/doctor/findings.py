"""What a check finds."""

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
    """One line of a diagnosis.

    ``mend`` is what to do about it, empty where there is nothing to do; its last sentence leads to
    ``command`` where there is one. ``ms`` is how long the answer took, where that was measured.
    """

    check: str
    state: State
    finding: str
    mend: str = ""
    ms: float | None = None
    command: Command | None = None

    def next_step(self, *, prod: bool) -> str:
        """What to do about it, with a command that is meant for production if ``prod``."""
        return advice(self.mend, self.command, prod=prod)


def ok(check: str, finding: str, *, ms: float | None = None) -> Finding:
    return Finding(check, State.OK, finding, ms=ms)


def note(check: str, finding: str, mend: str = "", command: Command | None = None) -> Finding:
    return Finding(check, State.NOTE, finding, mend, command=command)


def bad(check: str, finding: str, mend: str, command: Command | None = None) -> Finding:
    return Finding(check, State.BAD, finding, mend, command=command)
