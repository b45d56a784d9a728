"""An operator uses the table of all conversations."""

from __future__ import annotations

import json
import re
import uuid

from playwright.sync_api import Page, expect

from .test_journeys import add_person, assert_is_inside, say


def test_a_conversation_is_filtered_counted_downloaded_and_opened(
    page: Page, app_url, app_env
) -> None:
    say(app_env, "londo", "bayko", "=1+1 needle for the operator")
    page.goto(f"{app_url}/message_groups")
    page.get_by_label("Filter").press_sequentially("NEEDLE for")
    row = page.get_by_role("row").filter(has_text="=1+1 needle")
    expect(page.get_by_role("row")).to_have_count(2)  # with the one of the column heads
    row.get_by_role("button", name="Count").press("Enter")
    counted = row.get_by_role("cell").last
    expect(counted).to_have_text(re.compile(r"^\d+$"))
    expect(row.locator(":focus")).to_have_count(1)

    with page.expect_download() as download:
        page.get_by_role("button", name="CSV", exact=True).click()
    text = download.value.path().read_text()
    assert ",'=1+1 needle for the operator," in text
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON Lines").click()
    (line,) = download.value.path().read_text().splitlines()
    exported = json.loads(line)
    assert exported["last_message"] == "=1+1 needle for the operator"
    assert exported["messages"] == int(counted.inner_text())

    # A click on a member opens the conversation as that member, a click elsewhere as the first.
    row.get_by_role("link", name="Londo Mollari").click()
    expect(page.get_by_role("heading", name="Londo Mollari and Andrew Bayko")).to_be_visible()
    assert "user=londo" in page.url
    page.go_back()
    expect(page.get_by_role("heading", name="Message groups")).to_be_visible()
    expect(page.get_by_label("Filter")).to_have_value("NEEDLE for")
    row.get_by_text("=1+1 needle").click()
    expect(page.get_by_role("heading", name="and")).to_be_visible()
    page.go_back()

    # The keyboard alone: the arrows choose a row, Enter opens it.
    page.get_by_label("Filter").fill("")
    page.get_by_role("button", name="Last activity").click()
    expect(page.get_by_role("columnheader", name="Last activity")).to_have_attribute(
        "aria-sort", "ascending"
    )
    assert "sort=at" in page.url
    rows = page.get_by_role("row")
    rows.nth(1).get_by_role("link").first.focus()
    page.keyboard.press("End")
    last = row.get_by_role("link").first
    expect(last).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="and")).to_be_visible()


def test_a_phone_shows_the_page_without_scrolling_sideways(page: Page, app_url, app_env) -> None:
    handle = f"long-{uuid.uuid4().hex[:6]}"
    add_person(app_env, handle, "x" * 60)
    say(app_env, handle, "bayko", "read on a phone")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{app_url}/message_groups")
    row = page.get_by_role("row").filter(has_text=f"@{handle}")
    expect(row).to_be_in_viewport()
    member = row.get_by_role("link").filter(has_text=f"@{handle}")
    assert_is_inside(member.get_by_text(f"@{handle}"), member)
    assert page.get_by_test_id("stMain").evaluate("node => node.scrollWidth") <= 390
