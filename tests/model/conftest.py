"""What the tests of one operation on the model of the table share."""

from __future__ import annotations

import pytest

from core.dynamodb import retries

from .explore.actors import ANA, BEN
from .explore.scopes import conversation
from .meanwhile import Model


@pytest.fixture
def model() -> Model:
    """Ana and Ben have one message, at ``at(0)``."""
    return Model(conversation(ANA, BEN))


class _Clock:
    """Replaces the module ``time``: a pause takes no time, and counts as if it did."""

    def __init__(self) -> None:
        self.elapsed_s = 0.0

    def monotonic(self) -> float:
        return self.elapsed_s

    def sleep(self, seconds: float) -> None:
        self.elapsed_s += seconds


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "time", _Clock())
