"""An operator checks and repairs the stores."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Page, expect

from core.dynamodb import keys
from core.dynamodb.items import inbox_row_item
from core.dynamodb.patterns import reads
from core.dynamodb.table import Table
from core.models import InboxRow
from core.postgres import users
from core.timestamps import parse

from .conftest import database_of, leave, serving, table_of, unfold, wait_until_drawn
from .test_journeys import say

EARLY = "2024-01-01T00:00:00.000000+00:00"


def inbox(table: Table, owner: str) -> list[str]:
    return [entry.preview for entry in reads.list_inbox(table, owner, limit=50).entries]


@pytest.fixture
def stale(app_env) -> tuple[Table, str]:
    """The table, and a member whose inbox shows an old message of a conversation."""
    say(app_env, "andrewbrown", "londo", "the newest")
    table = table_of(app_env)
    with database_of(app_env) as db:
        owner = users.find_user(db, "londo").uuid
        other = users.find_user(db, "andrewbrown").person
    row = next(
        entry
        for entry in reads.list_inbox(table, owner, limit=50).entries
        if entry.other.uuid == other.uuid
    )
    table.request("delete_item", Key=keys.key(keys.inbox_pk(owner), row.sort_key))
    old = InboxRow(row.message_group_uuid, owner, other, "stale", EARLY, parse(EARLY))
    table.request("put_item", Item=inbox_row_item(old))
    return table, owner


def read_units(text: str) -> float:
    return float(re.search(r"([\d,.]+) RCU", text)[1].replace(",", ""))


def open_fault(page: Page) -> None:
    fault = page.get_by_text("stale preview", exact=False).first
    expect(fault).to_be_visible()
    unfold(fault)


def test_a_stale_row_is_found_and_repaired_after_the_table_name_is_typed(
    page: Page, app_url, stale
) -> None:
    table, owner = stale
    page.goto(f"{app_url}/store")
    page.get_by_role("button", name="Run the doctor").click()
    expect(page.get_by_role("cell", name="postgres schema")).to_be_visible()
    verified = page.get_by_role("cell", name="Verify the messages", exact=True)
    repaired = page.get_by_role("cell", name="Repair", exact=True)
    before = verified.count(), repaired.count()

    said = page.get_by_text("Reads the whole table and its index").inner_text()
    page.get_by_role("button", name="Verify the messages").dblclick()
    open_fault(page)
    # The totals agree: what it took, and the list of consumed capacity.
    took = page.get_by_text("Verify the messages:").inner_text()
    cells = page.get_by_role("row").filter(has=verified).first.get_by_role("cell")
    assert read_units(took) == read_units(f"{cells.nth(3).inner_text()} RCU")
    assert read_units(said) > 0
    assert "the index’s size is not known" in said  # the engine does not report it
    expect(page.get_by_role("link", name="Open as").first).to_be_visible()

    name = page.get_by_role("textbox", name="Type the table")
    name.fill("another-table")
    page.get_by_role("button", name="Repair").click()
    expect(page.get_by_text("is not the name of the table")).to_be_visible()
    assert "stale" in inbox(table, owner)
    name.fill(table.name)
    page.get_by_role("button", name="Repair").dblclick()
    expect(page.get_by_text(re.compile(r"Repaired \d+\. Remaining problems:"))).to_be_visible()
    assert "stale" not in inbox(table, owner)
    wait_until_drawn(page)  # what a second click has begun, too
    assert (verified.count(), repaired.count()) == (before[0] + 1, before[1] + 1)


def test_a_fault_links_to_its_conversation(page: Page, app_url, stale) -> None:
    page.goto(f"{app_url}/store")
    page.get_by_role("button", name="Verify the messages").click()
    open_fault(page)
    page.get_by_role("link", name="Open as @londo").first.click()
    expect(page.get_by_role("heading", name="Londo Mollari and Andrew Brown")).to_be_visible()


def test_messages_over_time_are_a_chart_and_a_table(page: Page, app_url, app_env) -> None:
    say(app_env, "andrewbrown", "londo", "to be counted")
    page.goto(f"{app_url}/store")
    page.get_by_role("button", name="Count the messages").click()
    chart = page.get_by_test_id("stVegaLiteChart")
    expect(chart).to_be_visible()
    expect(page.get_by_text("in the last 24 hours, per hour of UTC").first).to_be_visible()
    page.get_by_text("30 days", exact=True).click()
    expect(page.get_by_text("in the last 30 days, per day of UTC").first).to_be_visible()
    unfold(page.get_by_text("As a table"))
    expect(page.get_by_role("columnheader", name="Day (UTC)")).to_be_visible()


def test_results_are_still_shown_after_a_reload(page: Page, app_url, app_env) -> None:
    page.goto(f"{app_url}/store")
    page.get_by_role("button", name="Run the doctor").click()
    expect(page.get_by_role("cell", name="postgres schema")).to_be_visible()
    page.reload()
    expect(page.get_by_role("cell", name="postgres schema")).to_be_visible()


def test_the_account_s_tables_are_listed_on_demand(page: Page, app_url, app_env) -> None:
    page.goto(f"{app_url}/store")
    unfold(page.get_by_text("All tables"))
    listed = page.get_by_test_id("stText").get_by_text("messages-").first
    expect(listed).to_be_visible()
    more = page.get_by_role("button", name="Show more tables")
    while app_env["DDB_MESSAGE_TABLE"] not in (shown := listed.inner_text()):  # other tests' come
        more.click()
        expect(listed).not_to_have_text(shown)


def test_a_phone_shows_the_page_without_scrolling_sideways(page: Page, app_url, app_env) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{app_url}/store")
    page.get_by_role("button", name="Run the doctor").click()
    expect(page.get_by_role("cell", name="postgres schema")).to_be_visible()
    page.get_by_role("button", name="Count the messages").click()
    expect(page.get_by_test_id("stVegaLiteChart")).to_be_visible()
    assert page.get_by_test_id("stMain").evaluate("node => node.scrollWidth") <= 390
    # The parts of a wide table beyond the edge can be scrolled to.
    hidden = page.get_by_test_id("stTable").evaluate_all(
        "tables => tables.filter(table => table.scrollWidth > table.clientWidth"
        " && ![table, ...table.querySelectorAll('div')]"
        ".some(box => /auto|scroll/.test(getComputedStyle(box).overflowX))).length"
    )
    assert hidden == 0


class _Hanging(BaseHTTPRequestHandler):
    """Keeps the caller waiting, and hangs up."""

    asked = 0

    def do_POST(self) -> None:
        type(self).asked += 1
        time.sleep(2)
        self.close_connection = True

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def hanging() -> Iterator[str]:
    """The address of a server that answers no request."""
    _Hanging.asked = 0
    with ThreadingHTTPServer(("127.0.0.1", 0), _Hanging) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_store_that_hangs_is_asked_once_and_the_page_says_that_it_waits(
    page: Page, app_env, hanging
) -> None:
    with serving({**app_env, "AWS_ENDPOINT_URL": hanging}) as url:
        page.goto(f"{url}/store")
        expect(page.get_by_text("Asking both stores…")).to_be_visible()
        expect(page.get_by_text("dynamodb does not answer").first).to_be_visible()
        expect(page.get_by_text("Who is connected")).to_be_visible()  # Postgres answers
        page.wait_for_timeout(200)
        asked = _Hanging.asked
        page.goto(f"{url}/")
        expect(page.get_by_text("dynamodb does not answer").first).to_be_visible()
        assert _Hanging.asked == asked + 1
        leave(page)
