"""Numbers and nouns agree."""

from __future__ import annotations

import pytest

from core.wording import agreeing, counted


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 sessions"), (1, "1 session"), (2, "2 sessions"), (1000, "1,000 sessions")],
)
def test_a_noun_agrees_with_its_number(number: int, text: str) -> None:
    assert counted(number, "session") == text


def test_a_noun_may_have_a_plural_of_its_own() -> None:
    assert counted(2, "activity", "activities") == "2 activities"
    assert counted(1, "activity", "activities") == "1 activity"


def test_a_plural_becomes_singular_for_one() -> None:
    assert [agreeing(number, "inbox rows") for number in (1, 2)] == ["1 inbox row", "2 inbox rows"]
