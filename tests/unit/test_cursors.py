"""Cursors: a page's end comes back as it went out, and nothing else passes for one."""

from __future__ import annotations

import base64

import pytest

from core.dynamodb import cursors
from core.errors import InputError


def encoded(content: str) -> str:
    return base64.urlsafe_b64encode(content.encode()).decode("ascii")


@pytest.mark.parametrize("newest_first", [True, False])
def test_a_cursor_leads_back_to_where_the_page_ended(newest_first) -> None:
    cursor = cursors.behind("MSG#g", newest_first, "2026 🙂")
    assert cursors.reached(cursor, "MSG#g", newest_first) == "2026 🙂"


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "a",
        "é",
        encoded("no JSON"),
        encoded("7"),
        encoded('["MSG#g", true]'),
        encoded("[" * 100_000),
        encoded('["MSG#g", true, ' + '{"a":' * 100_000),
        encoded('["MSG#g", true, ' + "9" * 5000 + "]"),
    ],
    ids=range(9),
)
def test_a_damaged_cursor_is_refused(cursor) -> None:
    with pytest.raises(InputError, match="not one of ours"):
        cursors.reached(cursor, "MSG#g", newest_first=True)


@pytest.mark.parametrize(
    "content", ['["MSG#h", true, "x"]', '["MSG#g", false, "x"]', '["MSG#g", true, 1]']
)
def test_a_cursor_of_another_question_is_refused(content) -> None:
    with pytest.raises(InputError, match="another question"):
        cursors.reached(encoded(content), "MSG#g", newest_first=True)
