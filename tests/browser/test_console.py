"""The conversations page in a browser, step by step: regressions from earlier use."""

from __future__ import annotations

import itertools
import json
import re
import uuid
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlencode, urlsplit

import psycopg
import pytest
from playwright.sync_api import Locator, Page, WebSocket, expect
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from unguarded import put_items

from admin_app import scripts
from core.dynamodb import keys
from core.dynamodb.patterns import reads
from core.postgres import users

from .conftest import Line, database_of, table_of, wait_until_drawn
from .test_journeys import (
    add_person,
    assert_is_inside,
    bubbles,
    message_box,
    put_messages,
    say,
    stored,
    wait_for_conversation,
)

DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def desktop(page: Page) -> Page:
    page.set_viewport_size(DESKTOP)
    return page


@pytest.fixture
def pair(app_env) -> Callable[..., tuple[str, str, str]]:
    """Two new people with a conversation: their handles, and its id."""

    def make(name: str = "Robin", count: int = 0, days: float = 300) -> tuple[str, str, str]:
        one, two = (f"{name.lower()}-{uuid.uuid4().hex[:6]}" for name in (name, "Sam"))
        add_person(app_env, one, name)
        add_person(app_env, two, "Sam Summer")
        say(app_env, one, two, f"hello from {one}")
        table = table_of(app_env)
        with database_of(app_env) as db:
            sender = users.find_user(db, one).uuid
        (row,) = reads.list_inbox(table, sender, limit=2).entries
        put_messages(table, row.message_group_uuid, sender, count, days)
        return one, two, row.message_group_uuid

    return make


def scroller(page: Page) -> Locator:
    return page.locator(".thread .scroll")


def place_of(page: Page, text: str) -> float:
    """The distance of a message from the top of the window."""
    return bubbles(page).get_by_text(text, exact=True).bounding_box()["y"]


def wait_until_page_does_not_scroll(page: Page) -> None:
    page.wait_for_function(
        """() => {
          const main = document.querySelector("[data-testid=stMain]")
          return main.scrollHeight <= main.clientHeight && main.scrollWidth <= window.innerWidth
        }"""
    )


def first_in_view(page: Page) -> tuple[str, float]:
    """The text and the place of the topmost message that is completely visible."""
    return page.evaluate(
        """() => {
          const hosts = [...document.querySelectorAll("*")].map(node => node.shadowRoot)
          const root = hosts.find(host => host?.querySelector(".thread"))
          const top = root.querySelector(".scroll").getBoundingClientRect().top
          const row = [...root.querySelectorAll(".shown > .row")]
            .find(row => row.getBoundingClientRect().top >= top)
          return [row.querySelector(".text").textContent, row.getBoundingClientRect().top]
        }"""
    )


def turn_wheel(page: Page, by: int) -> None:
    """Turn the wheel over the messages, and wait until they have moved and stand still."""
    wheel = scroller(page).evaluate_handle(
        """node => ({
          turned: new Promise(resolve => node.addEventListener("wheel", resolve, { once: true })),
        })"""
    )
    page.mouse.wheel(0, by)
    scroller(page).evaluate(
        """async (node, wheel) => {
          await wheel.turned
          for (let still = 0, last = null; still < 4; last = node.scrollTop) {
            await new Promise(requestAnimationFrame)
            still = node.scrollTop === last ? still + 1 : 0
          }
        }""",
        wheel,
    )


def test_scrolling_loads_older_messages_and_nothing_jumps(desktop: Page, app_url, pair) -> None:
    one, _, group = pair(count=400)
    desktop.goto(f"{app_url}/?user={one}&conversation={group}")
    expect(bubbles(desktop).get_by_text(f"hello from {one}")).to_be_in_viewport()
    scroller(desktop).hover()
    read = set()
    for _ in range(400):
        turn_wheel(desktop, -900)
        text, place = first_in_view(desktop)
        desktop.wait_for_timeout(60)  # until the requested messages arrive
        again = bubbles(desktop).get_by_text(text, exact=True)
        if again.count():
            assert (
                abs(again.locator("xpath=ancestor::*[@role='article']").bounding_box()["y"] - place)
                <= 1
            )
        read.add(text)
        if text == "old message 0":
            break
    assert text == "old message 0"
    assert len(read) > 15
    nodes = desktop.evaluate(
        """() => [...document.querySelectorAll("*")].map(node => node.shadowRoot)
          .find(root => root?.querySelector(".thread")).querySelectorAll("*").length"""
    )
    assert nodes < 300


def test_new_messages_are_counted_below_and_a_send_links_to_its_message(
    desktop: Page, app_url, app_env, pair
) -> None:
    one, two, group = pair(count=150)
    desktop.goto(f"{app_url}/?user={one}&conversation={group}")
    expect(bubbles(desktop).get_by_text(f"hello from {one}")).to_be_in_viewport()
    scroller(desktop).hover()
    desktop.mouse.wheel(0, -500)
    expect(desktop.get_by_role("button", name="Newest messages")).to_be_visible()
    text, place = first_in_view(desktop)
    for n in range(2):
        say(app_env, two, one, f"news {n}")
    expect(desktop.get_by_role("button", name="2 new messages")).to_be_visible()
    assert first_in_view(desktop) == [text, place]
    desktop.get_by_role("button", name="2 new messages").click()
    expect(bubbles(desktop).get_by_text("news 1")).to_be_in_viewport()

    # Go to a date with Enter, then send a message.
    desktop.get_by_role("button", name="Search this conversation").click()
    desktop.get_by_label("Go to a date").fill("2025-03-01")
    desktop.get_by_label("Go to a date").press("Enter")
    expect(bubbles(desktop).get_by_text("old message 30", exact=True)).to_be_in_viewport()
    desktop.keyboard.press("Escape")
    message_box(desktop).fill("sent from long ago")
    desktop.keyboard.press("Enter")
    expect(desktop.get_by_text("Sent ·")).to_be_visible()
    expect(bubbles(desktop).get_by_text("old message 30", exact=True)).to_be_in_viewport()
    desktop.get_by_role("button", name="Show it").click()
    expect(bubbles(desktop).get_by_text("sent from long ago")).to_be_in_viewport()
    assert stored(app_env, "sent from long ago") == 3


def test_the_box_keeps_the_focus_and_the_drafts(desktop: Page, app_url, app_env, pair) -> None:
    one, two, group = pair()
    say(app_env, one, "londo", "another conversation")
    address = f"{app_url}/?user={one}&conversation={group}"
    desktop.goto(address)
    box = message_box(desktop)
    expect(box).to_be_focused()  # also if opened from a link
    # The focus stays after Enter.
    desktop.keyboard.type("first")
    desktop.keyboard.press("Enter")
    desktop.keyboard.type("second")
    desktop.keyboard.press("Shift+Enter")
    desktop.keyboard.type("in two lines")
    expect(bubbles(desktop).get_by_text("first", exact=True)).to_be_visible()
    desktop.keyboard.press("Enter")
    expect(desktop.get_by_text("Sending…")).to_have_count(0)
    # Pasted paragraphs are kept.
    pasted = "One paragraph.\n\nAnother one."
    desktop.evaluate("text => navigator.clipboard?.writeText(text).catch(() => 0)", pasted)
    box.evaluate(
        """(node, text) => {
          node.focus()
          document.execCommand("insertText", false, text)
        }""",
        pasted,
    )
    expect(box).to_have_value(pasted)
    desktop.keyboard.press("Enter")
    expect(bubbles(desktop).get_by_text("Another one.")).to_be_visible()
    assert stored(app_env, pasted) == 3
    assert stored(app_env, "second\nin two lines") == 1
    # If a message cannot be sent, a visible text beside the box says so.
    desktop.get_by_role("button", name="Send", exact=True).click()
    expect(desktop.get_by_text("The message is empty")).to_be_in_viewport(ratio=1)
    box.fill("é" * 899)
    expect(desktop.get_by_text("characters")).to_have_count(0)
    box.fill("é" * 1025)
    expect(desktop.get_by_text("1,025 of 1,024 characters")).to_be_in_viewport(ratio=1)
    desktop.keyboard.press("Enter")
    expect(desktop.get_by_text("the limit is 1,024")).to_be_in_viewport(ratio=1)
    # A draft survives another conversation, a reload, and a visit to another page.
    box.fill("half a sentence")
    desktop.get_by_role("link", name="Londo Mollari").click()
    wait_for_conversation(desktop, "Londo Mollari")
    expect(box).to_have_value("")
    desktop.get_by_role("link", name="Sam Summer").click()
    wait_for_conversation(desktop, "Sam Summer")
    expect(box).to_have_value("half a sentence")
    desktop.reload()
    expect(box).to_have_value("half a sentence")
    desktop.get_by_role("link", name="Users").click()
    expect(desktop.get_by_role("heading", name="New user")).to_be_visible()
    desktop.go_back()
    expect(box).to_have_value("half a sentence")
    assert two not in desktop.url


def test_all_parts_of_a_conversation_are_visible(page: Page, app_url, pair) -> None:
    one, two, group = pair(count=30, days=0.1)
    for width, height in ((1280, 800), (1440, 900)):
        page.set_viewport_size({"width": width, "height": height})
        page.goto(f"{app_url}/?user={one}&conversation={group}")
        heading = page.get_by_role("heading", name="Robin and Sam Summer")
        expect(heading).to_be_visible()
        wait_until_drawn(page)
        for part in (heading, message_box(page), page.get_by_role("button", name="Send")):
            expect(part).to_be_in_viewport(ratio=1)
        wait_until_page_does_not_scroll(page)
        view = scroller(page).bounding_box()
        visible = [
            box
            for bubble in page.locator(".shown .bubble").all()
            if (box := bubble.bounding_box())["y"] >= view["y"]
            and box["y"] + box["height"] <= view["y"] + view["height"]
        ]
        assert len(visible) >= 10
        assert page.title() == "Robin and Sam Summer · Cruddur Ops"
    expect(page.get_by_text("invoke ddb.patterns.get-conversation")).to_have_count(0)  # closed
    page.get_by_role("button", name="Command line").click()  # the only one
    expect(page.get_by_text("invoke ddb.patterns.get-conversation")).to_have_count(1)
    page.keyboard.press("Escape")
    # The conversation as a file, by keyboard alone.
    page.get_by_role("button", name="Export", exact=True).press("Enter")
    page.keyboard.press("ArrowDown")
    with page.expect_download() as downloading:
        page.keyboard.press("Enter")
    assert "old message 29" in downloading.value.path().read_text()
    assert downloading.value.suggested_filename == f"{one}-and-{two}.txt"
    expect(page.get_by_role("menu")).to_have_count(0)


def test_a_phone_shows_one_pane_at_a_time(page: Page, app_url, app_env, pair) -> None:
    one, _, group = pair(count=120)
    page.set_viewport_size(PHONE)
    page.goto(f"{app_url}/?user={one}")
    page.get_by_role("link", name="Sam Summer").click()
    heading = page.get_by_role("heading", name="Robin and Sam Summer")
    expect(heading).to_be_in_viewport()
    expect(page.get_by_label("Find a person")).not_to_be_visible()
    expect(page.get_by_role("button", name="Send")).to_be_in_viewport(ratio=1)
    wait_until_page_does_not_scroll(page)
    page.get_by_role("button", name="Back to the list").click()
    expect(page.get_by_role("link", name="Sam Summer")).to_be_in_viewport()
    expect(heading).not_to_be_visible()
    # A link to a message opens at the message.
    sought = next(
        message.sort_key
        for message in reads.list_messages(table_of(app_env), group, limit=200).entries
        if message.text == "old message 40"
    )
    page.goto(f"{app_url}/?user={one}&conversation={group}&at={sought.replace('+', '%2B')}")
    expect(page.get_by_text("Linked message")).to_be_in_viewport(ratio=1)
    expect(bubbles(page).get_by_text("old message 40", exact=True)).to_be_in_viewport(ratio=1)
    assert page.locator(".banner").bounding_box()["height"] < 40
    # The tools of a message are not over its text.
    linked = bubbles(page).get_by_text("old message 40", exact=True)
    linked.click()
    tools = page.locator(".tools").bounding_box()
    assert tools["y"] + tools["height"] <= linked.bounding_box()["y"]


def questions_in(message: BackMsg) -> list[str]:
    """What the elements of a page ask for when they request a run."""
    states = message.rerun_script.widget_states.widgets
    events = [json.loads(state.json_trigger_value) for state in states if state.json_trigger_value]
    return [question["kind"] for event in itertools.chain(*events) for question in event["value"]]


def test_no_click_is_lost_and_each_needs_one_run(desktop: Page, app_url, app_env, pair) -> None:
    one, _, _ = pair()
    say(app_env, one, "andrewbrown", "the third one")
    say(app_env, one, "londo", "the other one")
    asked: list[BackMsg] = []

    def note(frame: bytes | str) -> None:
        message = BackMsg()
        message.ParseFromString(frame if isinstance(frame, bytes) else frame.encode())
        if message.HasField("rerun_script") and not message.rerun_script.is_auto_rerun:
            asked.append(message)

    desktop.on("websocket", lambda socket: socket.on("framesent", note))
    desktop.goto(f"{app_url}/?user={one}")
    names = ("Sam Summer", "Londo Mollari")
    expect(desktop.get_by_role("link", name=names[0])).to_be_visible()
    wait_until_drawn(desktop)
    drawn_first = desktop.get_by_role("list", name="Conversations").element_handle()
    third = desktop.get_by_role("link", name="Andrew Brown").element_handle()
    for n in range(20):  # over several ticks
        asked.clear()
        desktop.get_by_role("link", name=names[n % 2]).click()
        expect(desktop.get_by_role("heading", name=f"Robin and {names[n % 2]}")).to_be_visible()
        assert [*map(questions_in, asked)] == [["open"]]
    assert drawn_first.evaluate("node => node.isConnected")  # the list was not drawn anew
    assert third.evaluate("node => node.isConnected")  # nor a row that looks the same


def test_a_tick_from_before_a_click_does_not_draw_the_page_again(
    line: Line, app_url, app_env, pair
) -> None:
    one, _, _ = pair()
    say(app_env, one, "londo", "the other one")
    tab = line.tab
    tab.goto(f"{app_url}/?user={one}")
    tab.get_by_role("link", name="Sam Summer").click()
    expect(tab.get_by_role("heading", name="Robin and Sam Summer")).to_be_visible()
    line.sent.clear()
    while not line.ticks:
        tab.wait_for_timeout(100)
    before = line.ticks[-1]
    tab.get_by_role("link", name="Londo Mollari").click()
    expect(tab.get_by_role("heading", name="Robin and Londo Mollari")).to_be_visible()
    wait_until_drawn(tab)
    line.sent.clear()
    line.received.clear()
    line.send(before)
    while not any(message.HasField("script_finished") for message in line.received):
        tab.wait_for_timeout(100)
    wait_until_drawn(tab)
    assert [*itertools.chain(*map(questions_in, line.sent))] == []


def test_another_page_is_drawn_though_a_box_asks_after_the_click(page: Page, app_url) -> None:
    page.goto(app_url)
    page.get_by_role("searchbox", name="Find a person").press_sequentially("bay")
    page.get_by_role("link", name="New conversation").click()
    box = page.get_by_role("searchbox", name="To", exact=True)
    box.press_sequentially("bay")
    page.get_by_role("link", name="Search", exact=True).click()
    expect(page.get_by_role("heading", name="Search", level=1)).to_be_visible()
    page.wait_for_timeout(500)  # longer than a box waits for another key
    wait_until_drawn(page)
    expect(page.get_by_role("heading", name="Search", level=1)).to_be_visible()


DRAW_TWICE = """async path => {
  const script = await import(path)
  const parentElement = document.body.appendChild(document.createElement("div"))
  const draw = word => script.default({
    parentElement, data: { words: [word], details: [], isProduction: false },
  })
  const end = draw("older")
  end()
  draw("newer")
  return parentElement.innerText
}"""


def test_an_element_is_drawn_once_if_newer_data_comes_while_older_is_drawn(
    page: Page, app_url
) -> None:
    """Streamlit ends what was drawn with the older data, although the element stays."""
    page.goto(f"{app_url}/_stcore/health")
    shown = page.evaluate(DRAW_TWICE, scripts.address("banner"))
    assert "newer" in shown
    assert "older" not in shown


def test_a_search_typed_while_a_page_is_first_drawn_is_shown(
    page: Page, app_url, app_env, pair
) -> None:
    """Streamlit runs it at once after the first run, of which it drops what is not yet sent."""
    one, _, _ = pair()
    with psycopg.connect(app_env["CONNECTION_URL"]) as slow:
        slow.execute("LOCK TABLE public.users")  # so the person is not read until the end
        page.goto(f"{app_url}/?user={one}")
        page.get_by_label("Find a person").click()
        page.keyboard.type("londo")
        page.wait_for_timeout(1_000)
    expect(page.get_by_role("button", name="Londo Mollari")).to_be_visible()


def test_an_idle_tab_receives_no_element_until_there_is_news(
    desktop: Page, app_url, app_env, pair
) -> None:
    one, two, group = pair(count=100)
    ticks: list[list[ForwardMsg]] = []

    def note_sent(frame: bytes) -> None:
        message = BackMsg.FromString(frame)
        if message.HasField("rerun_script") and message.rerun_script.is_auto_rerun:
            ticks.append([])

    def note_received(frame: bytes) -> None:
        if ticks:
            ticks[-1].append(ForwardMsg.FromString(frame))

    def watch(socket: WebSocket) -> None:
        socket.on("framesent", note_sent)
        socket.on("framereceived", note_received)

    desktop.on("websocket", watch)
    desktop.goto(f"{app_url}/?user={one}&conversation={group}")
    expect(bubbles(desktop).get_by_text(f"hello from {one}")).to_be_visible()
    wait_until_drawn(desktop)
    ticks.clear()
    while len(ticks) < 3:
        desktop.wait_for_timeout(100)
    for received in ticks[:2]:
        assert received[-1].WhichOneof("type") == "session_status_changed"
        assert sum(message.ByteSize() for message in received) < 2_000
        assert not any(message.delta.HasField("new_element") for message in received)
    say(app_env, two, one, "the news")
    expect(bubbles(desktop).get_by_text("the news")).to_be_visible()
    # The browser may drop what the server would only refer to: the tab would lose its connection.
    assert not any(message.ref_hash for received in ticks for message in received)


def test_a_filter_searches_the_whole_inbox_and_namesakes_have_handles(
    desktop: Page, app_url, app_env
) -> None:
    table = table_of(app_env)
    owner = f"busy-{uuid.uuid4().hex[:6]}"
    add_person(app_env, owner, "Busy Bee")
    with database_of(app_env) as db:
        owner_uuid = users.find_user(db, owner).uuid
    rows = []
    strange = {0: "Noah Johnson", 1: "Noah Johnson", 2: "مريم عبد الرحمن", 3: "x" * 60}
    for n in range(200):
        values = {
            "message_group_uuid": str(uuid.uuid4()),
            "message": f"preview {n}",
            "user_uuid": str(uuid.uuid4()),
            "user_handle": f"person{n:03}",
            "user_display_name": strange.get(n, f"Person {n}"),
        }
        at = f"2026-01-{28 - n // 10:02}T{23 - n % 10:02}:00:00.000000+00:00"
        key = keys.key(keys.inbox_pk(owner_uuid), at)
        rows.append(key | {k: {"S": v} for k, v in values.items()})
    put_items(table, rows)
    desktop.goto(f"{app_url}/?user={owner}")
    people = desktop.get_by_role("list", name="Conversations").get_by_role("link")
    expect(people.filter(has_text="@person000")).to_have_count(1)
    expect(people.filter(has_text="@person001")).to_have_count(1)
    # A name that runs right to left begins where the others do; a long one is cut, with a tooltip.
    names = [people.filter(has_text=f"@person00{n}").locator("b") for n in range(4)]
    assert len({name.bounding_box()["x"] for name in names}) == 1
    assert len({person.bounding_box()["height"] for person in people.all()[:4]}) == 1
    expect(names[3]).to_have_attribute("title", "x" * 60)
    assert_is_inside(people.nth(3).get_by_text("@person003"), people.nth(3))
    desktop.get_by_label("Filter").press_sequentially("person150")
    expect(people).to_have_count(1)
    expect(people).to_contain_text("Person 150")
    desktop.get_by_label("Filter").fill("nobody of this name")
    expect(desktop.get_by_text("None of 200 conversations matches.")).to_be_visible()
    desktop.get_by_label("Filter").fill("")
    expect(people.filter(has_text="@person000")).to_have_count(1)
    people.first.focus()
    last = people.filter(has_text="@person199")
    for _ in range(60):  # when more rows are loaded
        desktop.keyboard.press("End")
        desktop.wait_for_timeout(200)
        if last.count():
            break
    expect(last).to_be_in_viewport()
    assert people.count() < 60
    # They belong to no conversation; a verification by another test would report each.
    gone = [{"DeleteRequest": {"Key": {"pk": row["pk"], "sk": row["sk"]}}} for row in rows]
    for start in range(0, 200, 25):
        table.client.batch_write_item(RequestItems={table.name: gone[start : start + 25]})


def test_a_message_is_removed_after_a_reason_and_the_name_are_typed(
    desktop: Page, app_url, app_env, pair
) -> None:
    one, two, group = pair()
    say(app_env, two, one, "my password is hunter2")
    (message,) = reads.list_messages(table_of(app_env), group, limit=1).entries
    query = urlencode({"user": one, "conversation": group, "at": message.sort_key})
    desktop.goto(f"{app_url}/?{query}")
    bubbles(desktop).filter(has_text="hunter2").hover()
    expect(desktop.get_by_role("button", name="Remove")).to_be_visible()
    # All is in view, so nothing leads to the newest messages and covers this one.
    expect(desktop.get_by_role("button", name="Newest messages")).to_have_count(0)
    expect(desktop.get_by_role("article").filter(has_text="hunter2")).to_be_focused()
    desktop.keyboard.press("Delete")
    expect(desktop.get_by_role("heading", name="Remove this message?")).to_be_visible()
    expect(desktop.get_by_label("Reason")).to_be_focused()
    desktop.keyboard.press("Escape")
    expect(desktop.get_by_role("article").filter(has_text="hunter2")).to_be_focused()
    desktop.keyboard.press("Delete")
    expect(desktop.get_by_label("Reason")).to_be_focused()
    desktop.keyboard.type("a leaked password")
    desktop.get_by_label("Type the table").fill(app_env["DDB_MESSAGE_TABLE"])
    desktop.get_by_role("button", name="Remove", exact=True).click()
    expect(bubbles(desktop).filter(has_text="A message was removed")).to_be_visible()
    expect(desktop.get_by_text("hunter2")).to_have_count(0)
    assert stored(app_env, "my password is hunter2") == 0


def test_escape_cancels_a_form_whose_cancel_button_is_not_drawn_yet(
    line: Line, app_url, pair
) -> None:
    one, _, group = pair()
    tab = line.tab
    tab.goto(f"{app_url}/?user={one}&conversation={group}")
    message = tab.get_by_role("article").filter(has_text="hello from")
    message.focus()
    line.hold_back(lambda received: received.delta.new_element.button.label == "Cancel")
    tab.keyboard.press("Delete")
    expect(tab.get_by_label("Reason")).to_be_focused()
    expect(tab.get_by_role("button", name="Cancel")).to_have_count(0)
    tab.keyboard.press("Escape")
    line.let_go()
    expect(tab.get_by_role("heading", name="Remove this message?")).to_have_count(0)
    expect(message).to_be_focused()
    # It was for that form alone.
    tab.keyboard.press("Delete")
    expect(tab.get_by_label("Reason")).to_be_focused()
    wait_until_drawn(tab)
    expect(tab.get_by_role("button", name="Cancel")).to_be_visible()


def test_a_row_shows_who_wrote_last_and_who_waits_and_the_thread_who_is_gone(
    desktop: Page, app_url, app_env, pair
) -> None:
    one, two, _ = pair()
    desktop.goto(f"{app_url}/?user={one}")
    expect(desktop.get_by_role("link", name="You: hello from")).to_be_visible()
    expect(desktop.get_by_role("img", name="Waits for an answer")).to_have_count(0)
    desktop.goto(f"{app_url}/?user={two}")
    expect(desktop.get_by_role("link", name=f"{one}: hello from")).to_be_visible()
    expect(desktop.get_by_role("img", name="Waits for an answer")).to_be_visible()
    with database_of(app_env) as db:
        db.query_commit("DELETE FROM public.users WHERE handle = %(one)s", {"one": one})
    desktop.get_by_role("link", name=f"{one}: hello from").click()
    expect(desktop.get_by_text("Robin is no longer in Postgres.")).to_be_visible()
    expect(desktop.get_by_role("radio")).to_have_count(1)


def test_a_link_to_an_unknown_handle_suggests_similar_ones(desktop: Page, app_url) -> None:
    desktop.goto(f"{app_url}/?user=baykoo")
    expect(desktop.get_by_text("No such user")).to_be_visible()
    expect(desktop.get_by_text("invoke ")).to_have_count(0)
    desktop.get_by_role("button", name="@bayko").click()
    expect(desktop.get_by_role("heading", name="Andrew Bayko")).to_be_visible()
    desktop.goto(f"{app_url}/?user=bayko&conversation=nope")
    expect(desktop.get_by_text("There is no conversation nope")).to_be_visible()
    expect(desktop.get_by_text("invoke ")).to_have_count(0)
    desktop.get_by_role("button", name="Back to their conversations").click()
    expect(desktop).to_have_url(re.compile(r"\?user=bayko$"))


@pytest.fixture
def in_new_york(desktop: Page) -> Iterator[Page]:
    desktop.context.grant_permissions(["clipboard-read", "clipboard-write"])
    session = desktop.context.new_cdp_session(desktop)
    session.send("Emulation.setTimezoneOverride", {"timezoneId": "America/New_York"})
    yield desktop
    session.send("Emulation.setTimezoneOverride", {"timezoneId": ""})  # the machine's own
    session.detach()


def test_times_are_in_the_reader_s_zone_and_a_copy_is_the_stored_text(
    in_new_york: Page, app_url, app_env, pair
) -> None:
    page = in_new_york
    one, two, group = pair(name="Añ @x.example مرحبا")
    text = "copied as\nit is: www.example.com a@b.example :smile:"
    item = keys.key(keys.message_pk(group), "2026-01-05T02:55:00.000000+00:00")
    with database_of(app_env) as db:
        sender = users.find_user(db, two).uuid
    values = {"message": text, "message_uuid": str(uuid.uuid4()), "user_uuid": sender}
    table_of(app_env).request("put_item", Item=item | {k: {"S": v} for k, v in values.items()})
    page.goto(f"{app_url}/?user={one}&conversation={group}")
    expect(page.get_by_text("Sunday, 4 January 2026")).to_be_visible()
    stamp = page.get_by_text("21:55", exact=True)
    expect(stamp).to_have_attribute("title", "2026-01-05 02:55:00 UTC")
    expect(page.get_by_text("New York")).to_have_count(1)
    bubbles(page).filter(has_text="copied as").hover()
    page.get_by_role("button", name="Copy text").click()
    assert page.evaluate("navigator.clipboard.readText()") == text
    page.get_by_role("button", name="Copy link").click()
    link = page.evaluate("navigator.clipboard.readText()")
    assert parse_qs(urlsplit(link).query)["at"] == ["2026-01-05T02:55:00.000000+00:00"]
    page.get_by_role("button", name="Times in").click()
    expect(page.get_by_text("02:55", exact=True)).to_be_visible()
    expect(page.get_by_text("Monday, 5 January 2026")).to_be_visible()
    # A handle and a name, as the page shows them.
    for shown in (f"@{one}", "Añ @x.example مرحبا"):
        copied = page.get_by_text(shown, exact=True).first.inner_text()
        assert copied == shown
    page.goto(link)
    expect(page.get_by_text("Linked message")).to_be_in_viewport()
