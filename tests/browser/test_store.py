"""What an operator asks of the stores first."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from core.dynamodb import keys, reads
from core.postgres import users

from .conftest import database_of, table_of
from .test_journeys import say


def test_health_is_looked_at_and_a_planted_fault_repaired(page: Page, app_url, app_env) -> None:
    say(app_env, "andrewbrown", "londo", "to be lost")
    table = table_of(app_env)
    with database_of(app_env) as db:
        owner = users.find_by_handle(db, "londo").uuid
    row = next(iter(reads.list_conversations(table, owner, limit=1).entries))
    table.request("delete_item", Key=keys.key(keys.group_pk(owner), row.sort_key))

    page.goto(f"{app_url}/store")
    page.get_by_role("button", name="Run the doctor").click()
    expect(page.get_by_text("postgres schema")).to_be_visible(timeout=20_000)
    page.get_by_role("button", name="Verify the messages").click()
    page.get_by_role("textbox", name="Name of the table").fill(table.name)
    page.get_by_role("button", name="Repair").dblclick()
    expect(page.get_by_role("button", name="Repair")).to_have_count(0)
    restored = reads.list_conversations(table, owner, limit=1).entries
    assert [entry.last_message for entry in restored] == ["to be lost"]


def test_messages_over_time_are_a_chart_and_a_table(page: Page, app_url, app_env) -> None:
    say(app_env, "andrewbrown", "londo", "to be counted")
    page.goto(f"{app_url}/store")
    page.get_by_role("button", name="Count the messages").click()
    expect(page.get_by_test_id("stVegaLiteChart").first).to_be_visible()
    page.get_by_text("The same as a table").first.click()
    hourly = page.get_by_role("tabpanel").first
    expect(hourly.get_by_test_id("stDataFrame")).to_be_visible()


def test_a_phone_shows_it_without_scrolling_sideways(page: Page, app_url, app_env) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{app_url}/store")
    expect(page.get_by_role("heading", name="Postgres")).to_be_visible()
    assert page.get_by_test_id("stMain").evaluate("node => node.scrollWidth") <= 390
