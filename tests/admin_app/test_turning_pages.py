"""The pages of a list: a button that is pressed twice before the page is drawn anew."""

from __future__ import annotations

from admin_app.turning_pages import go_back, go_on


def test_a_second_click_on_next_turns_one_page() -> None:
    pages: list[str | None] = [None]
    go_on(pages, "m")
    go_on(pages, "m")
    assert pages == [None, "m"]
    go_on(pages, "t")
    assert pages == [None, "m", "t"]


def test_clicks_on_previous_end_at_the_first_page() -> None:
    pages: list[str | None] = [None, "m"]
    for _ in range(3):
        go_back(pages)
    assert pages == [None]
