"""What a check finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """``note`` is worth knowing and stops nothing; ``bad`` stops something."""

    OK = "ok"
    NOTE = "note"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of a diagnosis.

    ``mend`` is what to do about it, empty where there is nothing to do. ``ms`` is how long the
    answer took, where that was measured.
    """

    check: str
    state: State
    finding: str
    mend: str = ""
    ms: float | None = None


def ok(check: str, finding: str, *, ms: float | None = None) -> Finding:
    return Finding(check, State.OK, finding, ms=ms)


def note(check: str, finding: str, mend: str = "", *, ms: float | None = None) -> Finding:
    return Finding(check, State.NOTE, finding, mend, ms)


def bad(check: str, finding: str, mend: str) -> Finding:
    return Finding(check, State.BAD, finding, mend)
