"""The work of a support person, in a real browser."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Locator, Page, Request, expect
from unguarded import put_items

from core import engines as embedded
from core.dynamodb import keys
from core.dynamodb.items import inbox_row_from
from core.dynamodb.patterns import reads
from core.dynamodb.table import Table
from core.postgres.statements import load
from core.timestamps import sort_key
from core.usecases import conversations

from .conftest import database_of, furnished, leave, serving, table_of, wait_until_drawn

ATTACK = (
    "<img src=x onerror=alert(1)> **bold** [a](javascript:alert(1)) ![i](http://evil.example/i)"
    " :smile: $x^2$ http://evil.example/ www.evil.example a@evil.example :red[x]"
)


def say(env, user: str, other: str, text: str) -> None:
    """Send a message outside the app, as a task or another window would."""
    with database_of(env) as db:
        conversations.start_conversation(db, table_of(env), user, other, text)


def put_messages(table: Table, group: str, sender: str, count: int, days: float = 300) -> None:
    """Put ``count`` messages over ``days`` days of 2025, as another app would."""
    items = []
    for n in range(count):
        at = datetime(2025, 1, 1, 12, tzinfo=UTC) + timedelta(days=n * days / count)
        values = {
            "message": f"old message {n}",
            "message_uuid": str(uuid.uuid4()),
            "user_uuid": sender,
        }
        key = keys.key(keys.message_pk(group), sort_key(at))
        items.append(key | {k: {"S": v} for k, v in values.items()})
    put_items(table, items)


def add_person(env, handle: str, display_name: str) -> None:
    """Add a user as another app would store them, without any check."""
    person = str(uuid.uuid4())
    values = {"handle": handle, "display_name": display_name, "email": f"{person}@example.com"}
    with database_of(env) as db, db.transaction() as transaction:
        transaction.query_commit(load("users/create"), {"uuid": person, **values})


def stored(env, text: str) -> int:
    return sum(item.get("message", {}).get("S") == text for item in reads.scan(table_of(env)))


def bubbles(page: Page) -> Locator:
    """The messages of the open conversation that are in view or near it."""
    return page.get_by_role("article")


def message_box(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Message", exact=True)


def open_conversation(page: Page, url: str, user: str, other: str) -> None:
    """Open the page of ``user``, and the conversation with the named person there."""
    page.goto(f"{url}/?user={user}")
    page.get_by_role("link", name=other).first.click()
    wait_for_conversation(page, other)


def wait_for_conversation(page: Page, other: str) -> None:
    """Wait until the conversation with the named person is open, and no other is still drawn."""
    expect(page.get_by_role("heading", name=f"and {other}")).to_be_visible()
    expect(page.locator(".thread")).to_have_count(1)


def choose(page: Page, field: str, sought: str, name: str) -> None:
    page.get_by_role("searchbox", name=field, exact=True).press_sequentially(sought)
    page.get_by_role("button", name=name).click()
    expect(page.get_by_text(f"✓ {name}")).to_be_visible()


def assert_is_inside(part: Locator, whole: Locator) -> None:
    """No part of it is cut by the edge of ``whole``, as a name that is too long would do."""
    part_box, whole_box = part.bounding_box(), whole.bounding_box()
    assert whole_box["x"] <= part_box["x"]
    assert part_box["x"] + part_box["width"] <= whole_box["x"] + whole_box["width"]


def test_a_conversation_is_started_from_the_form_and_opened(page: Page, app_url, app_env) -> None:
    add_person(app_env, "vir", "Vir Cotto")
    page.goto(f"{app_url}/new_conversation")
    choose(page, "From", "andrew b", "Andrew Brown")
    choose(page, "To", "cotto", "Vir Cotto")
    page.get_by_role("textbox", name="First message").fill("a first message")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("This started")).to_be_visible()
    page.get_by_role("link", name="Open the conversation").click()
    expect(page.get_by_role("heading", name="Andrew Brown and Vir Cotto")).to_be_visible()
    expect(bubbles(page).get_by_text("a first message")).to_be_visible()


def test_starting_an_existing_conversation_continues_it_and_says_so(
    page: Page, app_url, app_env
) -> None:
    say(app_env, "andrewbrown", "londo", "hello")
    page.goto(f"{app_url}/new_conversation")
    choose(page, "From", "mollari", "Londo Mollari")
    choose(page, "To", "brown", "Andrew Brown")
    expect(page.get_by_text("These two already have a conversation")).to_be_visible()
    page.get_by_role("textbox", name="First message").fill("once more")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("Sent in the existing conversation")).to_be_visible()


def test_a_person_is_found_while_typing(page: Page, app_url, app_env) -> None:
    say(app_env, "bayko", "londo", "for bayko's inbox")
    long_name = "Wolfeschlegelsteinhausenbergerdorff Maximilian-Bartholomew X"
    handle = f"wolf-{uuid.uuid4().hex[:6]}"
    add_person(app_env, handle, long_name)
    page.goto(app_url)
    page.get_by_label("Find a person").press_sequentially(long_name)
    button = page.get_by_role("button", name=long_name)
    expect(button).to_have_count(1)
    wait_until_drawn(page)
    assert_is_inside(button.get_by_text(f"@{handle}", exact=True), button)
    page.get_by_label("Find a person").fill("BAYK")
    expect(page.get_by_role("button", name="Londo Mollari")).to_have_count(0)
    page.get_by_role("button", name="Andrew Bayko").click()
    expect(page.get_by_role("heading", name="Andrew Bayko")).to_be_visible()
    expect(page.get_by_label("Find a person")).to_have_value("")
    assert parse_qs(urlsplit(page.url).query) == {"user": ["bayko"]}


def test_old_messages_are_reached_by_key_by_search_and_by_back(
    page: Page, app_url, app_env
) -> None:
    say(app_env, "londo", "bayko", "the newest")
    table = table_of(app_env)
    (row,) = [
        row
        for item in reads.scan(table)
        if (row := inbox_row_from(item)).preview == "the newest" and row.other.handle == "bayko"
    ]
    put_messages(table, row.message_group_uuid, row.owner_uuid, 120)
    open_conversation(page, app_url, "bayko", "Londo Mollari")
    expect(bubbles(page).get_by_text("the newest", exact=True)).to_be_in_viewport()
    page.keyboard.press("Escape")
    focused = page.locator(".shown > :focus")
    for _ in range(200):  # past the first ones of the page, which are drawn anew with older ones
        page.keyboard.press("k")
        if "old message 60" in focused.inner_text():
            break
    expect(focused).to_contain_text("old message 60")
    page.keyboard.press("Tab")
    expect(message_box(page)).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("Home")
    expect(bubbles(page).get_by_text("old message 0", exact=True)).to_be_in_viewport()
    expect(focused).to_contain_text("old message 0")
    expect(page.get_by_text("Beginning of the conversation")).to_be_visible()
    page.keyboard.press("End")
    expect(focused).to_contain_text("the newest")

    page.keyboard.press("/")
    page.keyboard.type("MESSAGE 37")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="old message 37")).to_be_visible()
    page.keyboard.press("ArrowDown")  # to the match
    page.keyboard.press("Enter")
    expect(page.get_by_text("Linked message")).to_be_in_viewport()
    expect(bubbles(page).get_by_text("old message 37", exact=True)).to_be_in_viewport()
    place = page.url
    page.get_by_role("button", name="Newest messages").click()
    expect(bubbles(page).get_by_text("the newest", exact=True)).to_be_in_viewport()
    page.go_back()
    expect(bubbles(page).get_by_text("old message 37", exact=True)).to_be_in_viewport()

    # At 200 % zoom, the search makes room for the match.
    page.set_viewport_size({"width": 640, "height": 400})
    page.goto(place)
    expect(page.get_by_text("Linked message")).to_be_in_viewport()
    page.keyboard.press("/")
    page.keyboard.type("message 73")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="old message 73").click()
    expect(page.get_by_text("Linked message")).to_be_in_viewport(ratio=1)
    expect(bubbles(page).get_by_text("old message 73", exact=True)).to_be_in_viewport(ratio=1)
    page.set_viewport_size({"width": 1280, "height": 900})


def test_double_clicks_and_enter_send_once_each(page: Page, app_url, app_env) -> None:
    say(app_env, "andrewbrown", "bayko", "hello again")
    open_conversation(page, app_url, "andrewbrown", "Andrew Bayko")
    for n in range(5):
        message_box(page).fill(f"clicked twice {n}")
        page.get_by_role("button", name="Send", exact=True).dblclick()
        message_box(page).fill(f"sent with Enter {n}")
        page.keyboard.press("Enter")
    expect(page.get_by_text("Sending…")).to_have_count(0)
    expect(bubbles(page).get_by_text("sent with Enter 4")).to_be_visible()
    messages = [m for m in reads.scan(table_of(app_env)) if m["pk"]["S"].startswith("MSG#")]
    texts = [m["message"]["S"] for m in sorted(messages, key=lambda m: m["sk"]["S"])]
    wanted = [text for n in range(5) for text in (f"clicked twice {n}", f"sent with Enter {n}")]
    assert [text for text in texts if text in wanted] == wanted


def test_a_message_arrives_in_an_open_window_and_the_draft_stays(
    page: Page, app_url, app_env
) -> None:
    say(app_env, "andrewbrown", "bayko", "are you there?")
    open_conversation(page, app_url, "andrewbrown", "Andrew Bayko")
    draft = message_box(page)
    draft.fill("half a sentence")
    say(app_env, "bayko", "andrewbrown", "I am here now")
    arrived = bubbles(page).get_by_text("I am here now")
    expect(arrived).to_be_visible()
    expect(draft).to_have_value("half a sentence")


def test_the_link_opens_the_same_conversation_and_back_works(page: Page, app_url, app_env) -> None:
    say(app_env, "andrewbrown", "londo", "to londo")
    say(app_env, "andrewbrown", "bayko", "to bayko")
    page.goto(f"{app_url}/?user=andrewbrown")
    page.get_by_role("link", name="Londo Mollari").click()
    expect(page.get_by_role("heading", name="and Londo Mollari")).to_be_visible()
    link = page.url
    assert set(parse_qs(urlsplit(link).query)) == {"user", "conversation"}
    wait_until_drawn(page)
    page.get_by_role("link", name="Andrew Bayko").click()
    expect(page.get_by_role("heading", name="and Andrew Bayko")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="and Londo Mollari")).to_be_visible()
    page.goto("about:blank")
    page.goto(link)
    expect(page.get_by_role("heading", name="and Londo Mollari")).to_be_visible()


def assert_nothing_but_text(page: Page) -> None:
    main = page.get_by_test_id("stMain")
    expect(main.locator("img")).to_have_count(0)
    expect(
        main.locator("a[href*=evil]:not([href*='?user=']), a[href^=javascript], a[href^=mailto]")
    ).to_have_count(0)
    expect(main.locator(".katex")).to_have_count(0)


def test_an_attack_in_a_message_is_shown_as_text(page: Page, app_url, app_env) -> None:
    say(app_env, "londo", "bayko", ATTACK)
    open_conversation(page, app_url, "bayko", "Londo Mollari")
    expect(bubbles(page).last).to_contain_text(ATTACK)
    assert_nothing_but_text(page)


ATTACKS = [
    (ATTACK, re.compile("<img src=x onerror=alert\\(1\\)>.*\\*\\*bold\\*\\* \\[a\\]")),
    ("\x1b[31mred\x1b[0m <-> x", re.compile(r"\[31mred \[0m <-> x")),
    ("\u202ereversed", re.compile("reversed")),
    ("\N{MOUSE FACE}" * 1024, re.compile("\N{MOUSE FACE}" * 8)),
]


def test_an_attack_in_a_name_is_shown_as_text(page: Page, app_url, app_env) -> None:
    mark = uuid.uuid4().hex[:8]
    handles = [f"{attack}{mark}" for attack, _ in ATTACKS]
    for handle, (attack, _) in zip(handles, ATTACKS, strict=True):
        add_person(app_env, handle, attack)
        say(app_env, "londo", handle, "from a strange name")
    page.goto(app_url)
    boxes = {
        "Conversations": "Find a",
        "New conversation": "To",
        "Message groups": "Filter",
        "Users": "Find a",
    }
    for title, box in boxes.items():
        page.get_by_role("link", name=title, exact=True).click()
        page.get_by_role("searchbox", name=box, exact=box == "To").press_sequentially(mark)
        for _, shown in ATTACKS:
            expect(page.get_by_test_id("stMain")).to_contain_text(shown)
        assert_nothing_but_text(page)
    for handle, (_, shown) in zip(handles, ATTACKS, strict=True):
        page.goto(f"{app_url}/?{urlencode({'user': handle})}")
        page.get_by_role("link", name="Londo Mollari").first.click()
        expect(page.get_by_role("heading", name="Londo Mollari")).to_contain_text(shown)
        expect(bubbles(page).last).to_contain_text("from a strange name")
        assert_nothing_but_text(page)


def test_a_phone_shows_the_conversation_without_scrolling_sideways(
    page: Page, app_url, app_env
) -> None:
    say(app_env, "andrewbrown", "bayko", "x" * 1024)
    page.set_viewport_size({"width": 390, "height": 844})
    open_conversation(page, app_url, "andrewbrown", "Andrew Bayko")
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    width = page.get_by_test_id("stMain").evaluate("node => node.scrollWidth")
    assert width <= 390


def test_a_message_sent_in_one_window_is_shown_in_another(page: Page, app_url, app_env) -> None:
    say(app_env, "andrewbrown", "londo", "between two windows")
    other = page.context.new_page()
    open_conversation(page, app_url, "andrewbrown", "Londo Mollari")
    open_conversation(other, app_url, "londo", "Andrew Brown")
    message_box(page).fill("can you see this?")
    page.keyboard.press("Enter")
    arrived = bubbles(other).get_by_text("can you see this?")
    expect(arrived).to_be_visible()
    # The other window's list is updated too.
    expect(other.get_by_role("link", name="can you see this?")).to_be_visible()


@pytest.fixture
def own_engines(tmp_path) -> Iterator[Path]:
    """Separate engines for this test, which stops and starts them."""
    folder = tmp_path / ".engines"
    embedded.start(folder)
    yield folder
    embedded.stop(folder)


def test_a_restart_of_the_engines_keeps_the_page_and_the_draft(
    page: Page, own_engines, tmp_path
) -> None:
    env = furnished(embedded.endpoints(own_engines), tmp_path)
    say(env, "andrewbrown", "bayko", "before the crash")
    with serving(env) as url:
        open_conversation(page, url, "bayko", "Andrew Brown")
        expect(bubbles(page).get_by_text("before the crash")).to_be_visible()
        store = page.context.new_page()
        store.goto(f"{url}/store")
        store.get_by_role("button", name="Run the doctor").click()
        expect(store.get_by_role("cell", name="postgres schema")).to_be_visible()
        embedded.stop(own_engines)
        expect(page.get_by_text("invoke up").first).to_be_visible(timeout=40_000)
        # What was found before is marked as older than what is broken now.
        store.get_by_role("button", name="Refresh").click()
        expect(store.get_by_text("older than what is broken")).to_be_visible(timeout=40_000)
        store.close()
        expect(bubbles(page).get_by_text("before the crash")).to_be_visible()
        box = message_box(page)
        box.fill("written while it was down")
        page.keyboard.press("Enter")
        embedded.start(own_engines)
        wait = {"timeout": 40_000}
        expect(page.get_by_text("Sending…")).to_have_count(0, **wait)
        if box.input_value():  # it came back, with the problem beside it
            expect(box).to_have_value("written while it was down")
            page.keyboard.press("Enter")
        expect(bubbles(page).get_by_text("written while it was down")).to_be_visible(**wait)
        expect(page.get_by_text("invoke up")).to_have_count(0, **wait)
        assert stored(env, "written while it was down") == 3
        leave(page)


COMMANDS = {
    "New conversation": "invoke ddb.patterns.create-conversation",
    "Message groups": "invoke ddb.scan",
    "Search": "invoke ddb.search",
    "Users": "invoke db.update-cognito-user-ids",
    "Store": "invoke ddb.verify",
    "Audit": "invoke audit",
}
"""The pages by their titles, and a task that each names."""


def test_commands_and_the_scripts_for_them_are_loaded_when_they_are_opened(
    page: Page, app_url, app_env
) -> None:
    say(app_env, "londo", "bayko", "a row for the table")
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    page.on("request", note)
    button = page.get_by_role("button", name="Command line")  # where there is no space below
    opener = page.get_by_text("Command line", exact=True).or_(button)

    def visit(title: str) -> None:
        page.get_by_role("link", name=title, exact=True).click()
        expect(page.get_by_role("heading", name=title, level=1)).to_be_visible()
        expect(opener).to_be_visible()
        wait_until_drawn(page)

    page.goto(app_url)
    for title in COMMANDS:
        visit(title)
    assert not any("SyntaxHighlighter" in url for url in asked)
    for title, line in COMMANDS.items():
        visit(title)
        opener.click()
        expect(page.get_by_text(line).first).to_be_visible()
    assert any("SyntaxHighlighter" in url for url in asked)
    page.remove_listener("request", note)
