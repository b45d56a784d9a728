"""Finding, opening and adding a user."""

from __future__ import annotations

import uuid
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, expect

from core.postgres import users

from .conftest import database_of, unfold, wait_until_drawn
from .test_journeys import open_conversation, say


def test_a_user_is_found_and_opened_and_back_closes_it(page: Page, app_url, app_env) -> None:
    page.goto(f"{app_url}/users")
    page.get_by_label("Find a user").press_sequentially("andrew br")
    rows = page.get_by_role("table", name="Users").get_by_role("row")
    expect(rows).to_have_count(2)  # with the one of the column heads
    drawn_first = rows.first.element_handle()
    expect(rows.get_by_role("link", name="andrewbrown")).to_have_attribute(
        "href", "?user=andrewbrown&q=andrew+br"
    )
    buttons = ("Previous", "Next", "Count their conversations", "Ask Cognito")
    tops = {page.get_by_role("button", name=name).bounding_box()["y"] for name in buttons}
    assert len(tops) == 1  # one row
    rows.get_by_text("andrew.brown@example.com").click()
    heading = page.get_by_role("heading", name="Andrew Brown")
    expect(heading).to_be_in_viewport(ratio=1)
    expect(page).to_have_title("Andrew Brown · Users · Cruddur Ops")
    query = parse_qs(urlsplit(page.url).query)
    assert (query["user"], query["q"]) == (["andrewbrown"], ["andrew br"])
    # The keyboard alone: Enter opens, "Close" closes.
    page.get_by_role("button", name="Close").press("Enter")
    expect(heading).to_have_count(0)
    link = rows.get_by_role("link", name="andrewbrown")
    expect(link).to_be_focused()
    page.keyboard.press("Enter")
    expect(heading).to_be_visible()
    expect(link).to_be_focused()
    assert drawn_first.evaluate("node => node.isConnected")  # the table was not drawn anew
    # What is copied is what is stored.
    for shown in ("@andrewbrown\nandrew.brown@example.com", "Andrew Brown"):
        text = page.get_by_text(shown, exact=True).first.inner_text()
        assert text.isascii()
    # A post in full, by keyboard, as it is stored; then the focus is back in its row.
    with database_of(app_env) as db:
        andrew = users.find_user(db, "andrewbrown").uuid
        newest = users.list_activities(db, andrew).entries[0]
    post = page.get_by_role("table", name="Activities").get_by_role("button").first
    post.press("Enter")
    record = page.get_by_role("dialog", name="Activities")
    assert record.get_by_role("definition").nth(1).inner_text() == newest.message
    page.keyboard.press("Escape")
    expect(record).to_be_hidden()
    expect(post).to_be_focused()
    # A phone shows the table or the user.
    page.set_viewport_size({"width": 390, "height": 844})
    expect(heading).to_be_in_viewport(ratio=1)
    expect(rows.first).not_to_be_visible()
    page.get_by_role("button", name="Close").click()
    rows.get_by_text("Andrew Brown").click()
    expect(heading).to_be_in_viewport(ratio=1)
    page.get_by_role("link", name="Open their conversations").click()
    expect(page.get_by_label("Find a person")).to_be_visible()
    expect(heading).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="New user")).to_be_visible()
    # A click on a row and at once on a page's link: the page stays.
    page.set_viewport_size({"width": 1280, "height": 900})
    wait_until_drawn(page)
    rows.get_by_text("andrew.brown@example.com").click()
    page.get_by_role("link", name="Audit").click()
    expect(page.get_by_role("heading", name="Audit")).to_be_visible()
    wait_until_drawn(page)
    expect(page.get_by_role("heading", name="Audit")).to_be_visible()


def test_returning_to_conversations_shows_the_same_one(page: Page, app_url, app_env) -> None:
    say(app_env, "andrewbrown", "bayko", "still here")
    open_conversation(page, app_url, "andrewbrown", "Andrew Bayko")
    left = page.url
    page.get_by_role("link", name="Users").click()
    expect(page.get_by_role("heading", name="New user")).to_be_visible()
    page.get_by_role("link", name="Conversations", exact=True).click()
    expect(page.get_by_role("heading", name="Andrew Brown and Andrew Bayko")).to_be_visible()
    expect(page).to_have_url(left)


def test_a_double_click_adds_one_user_and_a_duplicate_is_reported(
    page: Page, app_url, app_env
) -> None:
    handle = f"new-{uuid.uuid4().hex[:8]}"
    page.goto(f"{app_url}/users")
    for _ in range(2):
        page.get_by_role("textbox", name="Handle").fill(handle)
        page.get_by_role("textbox", name="Display name").fill("<b>New</b>")
        page.get_by_role("textbox", name="Email").fill(f"{handle}@example.com")
        page.get_by_role("button", name="Add").dblclick()
        wait_until_drawn(page)
    expect(page.get_by_test_id("stAlert").filter(has_text="handle")).to_be_visible()
    expect(page.get_by_role("textbox", name="Handle")).to_have_value(handle)
    expect(page.get_by_role("heading", name="<b>New</b>")).to_be_visible()
    with database_of(app_env) as db:
        assert len(users.search_users(db, handle).entries) == 1


def test_a_user_is_erased_and_the_certificate_is_saved(page: Page, app_url, app_env) -> None:
    handle = f"leaver-{uuid.uuid4().hex[:8]}"
    with database_of(app_env) as db:
        users.create_user(db, handle, "Lea Ver", f"{handle}@example.com")
    say(app_env, handle, "bayko", "a last word")
    page.goto(f"{app_url}/users?user={handle}")
    unfold(page.get_by_text("Erase the user"))
    plan = page.get_by_role("button", name="Plan the erasure")
    plan.press("Enter")
    expect(page.get_by_text("1 message in 1 conversation")).to_be_visible()
    wait_until_drawn(page)
    expect(plan).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.type("request 4711")
    page.get_by_label("Type the table’s name").fill(app_env["DDB_MESSAGE_TABLE"])
    page.get_by_role("button", name="Erase", exact=True).click()
    expect(page.get_by_text("The user is erased.")).to_be_visible()
    wait_until_drawn(page)
    expect(page.get_by_test_id("stCode")).to_have_count(0)  # its scripts are 1.5 MB
    unfold(page.get_by_text("Certificate", exact=True))
    page.get_by_role("button", name="Prepare certificate").click()
    expect(page.get_by_role("link", name="Save file")).to_be_visible()
    with page.expect_download() as saved:
        page.get_by_role("link", name="Save file").click()
    certificate = saved.value.path().read_text()
    assert certificate.startswith("Certificate of erasure")
    assert handle not in certificate
    expect(page.get_by_role("link", name="Save file")).to_have_count(0)
    with database_of(app_env) as db:
        assert not users.search_users(db, handle).entries
