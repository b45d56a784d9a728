"""An operator uses the table of all conversations."""

from __future__ import annotations

import json

from playwright.sync_api import Page, expect

from .conftest import wait_until_drawn
from .test_journeys import say


def select_row(page: Page, row: int) -> None:
    """Click the box at the beginning of a row: the table is drawn on a canvas."""
    wait_until_drawn(page)
    page.get_by_test_id("stDataFrame").click(position={"x": 14, "y": 35 + 35 * row + 17})


def test_a_conversation_is_filtered_counted_opened_and_downloaded(
    page: Page, app_url, app_env
) -> None:
    say(app_env, "londo", "bayko", "=1+1 needle for the operator")
    page.goto(f"{app_url}/message_groups")
    page.get_by_label("Filter").press_sequentially("NEEDLE for")
    expect(page.get_by_text("1 of")).to_be_visible()
    select_row(page, 0)
    page.get_by_role("button", name="Count messages").click()
    expect(page.get_by_test_id("stDataFrame").get_by_text("=1+1 needle")).to_be_attached()

    wait_until_drawn(page)
    page.get_by_test_id("stDataFrame").hover()
    expect(page.get_by_role("button", name="Download as CSV")).to_have_count(0)
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV", exact=True).click()
    text = download.value.path().read_text()
    assert ",'=1+1 needle for the operator," in text
    wait_until_drawn(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON Lines").click()
    (line,) = download.value.path().read_text().splitlines()
    row = json.loads(line)
    assert row["last_message"] == "=1+1 needle for the operator"
    assert row["messages"] >= 1

    select_row(page, 0)
    page.get_by_role("link", name="Open as Londo Mollari").click()
    expect(page.get_by_role("heading", name="Londo Mollari and Andrew Bayko")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Message groups")).to_be_visible()


def test_a_phone_shows_the_page_without_scrolling_sideways(page: Page, app_url, app_env) -> None:
    say(app_env, "londo", "bayko", "hello")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{app_url}/message_groups")
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()
    assert page.get_by_test_id("stMain").evaluate("node => node.scrollWidth") <= 390
