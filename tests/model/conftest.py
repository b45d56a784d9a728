"""What the tests of one operation on the model of the table share."""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace

import pytest

import core.timestamps as timestamps
from core.dynamodb import retries

from .explore import ours
from .meanwhile import Model, talking


@pytest.fixture
def model() -> Model:
    """Ana and Ben have one message, at ``at(0)``."""
    return talking()


class _Clock:
    """Replaces the module ``time``: a pause takes no time, and counts as if it did."""

    def __init__(self) -> None:
        self.elapsed_s = 0.0

    def monotonic(self) -> float:
        return self.elapsed_s

    def sleep(self, seconds: float) -> None:
        self.elapsed_s += seconds


@pytest.fixture
def still_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is ``at(0)`` all the time, and a pause of the retries takes no time."""
    clock = SimpleNamespace(now=lambda _: ours.EPOCH, fromisoformat=datetime.fromisoformat)
    monkeypatch.setattr(timestamps, "datetime", clock)
    monkeypatch.setattr(retries, "time", _Clock())
