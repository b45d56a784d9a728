"""Cursors: a page's end is read back as it was written, and other text is refused."""

from __future__ import annotations

import base64

import pytest

from core import cursors
from core.errors import InputError


def encoded(content: str) -> str:
    return base64.urlsafe_b64encode(content.encode()).decode("ascii")


@pytest.mark.parametrize("place", ["2026 🙂", ["bayko", "…"], {"pk": {"S": "GRP#x"}}])
def test_a_cursor_leads_back_to_where_the_page_ended(place) -> None:
    cursor = cursors.encode(["MSG#g", True], place)
    assert cursors.decode(cursor, ["MSG#g", True]) == place


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "a",
        "é",
        encoded("no JSON"),
        encoded("7"),
        encoded('["MSG#g"]'),
        encoded("[" * 100_000),
        encoded('["MSG#g", ' + '{"a":' * 100_000),
        encoded('["MSG#g", ' + "9" * 5000 + "]"),
    ],
    ids=range(9),
)
def test_a_damaged_cursor_is_refused(cursor) -> None:
    with pytest.raises(InputError, match="cursor is invalid"):
        cursors.decode(cursor, "MSG#g")


@pytest.mark.parametrize("question", [["MSG#h", True], ["MSG#g", False], "users", None])
def test_a_cursor_of_another_list_is_refused(question) -> None:
    cursor = cursors.encode(["MSG#g", True], "x")
    with pytest.raises(InputError, match="another list"):
        cursors.decode(cursor, question)
