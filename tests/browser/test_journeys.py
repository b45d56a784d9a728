"""What a support person does, in a real browser."""

from __future__ import annotations

import subprocess
import sys
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from core.dynamodb import reads
from core.settings import PROJECT_ROOT

from .conftest import table_of

ATTACK = (
    "<img src=x onerror=alert(1)> **bold** [a](javascript:alert(1)) ![i](http://evil.example/i)"
    " :smile: $x^2$ http://evil.example/ www.evil.example a@evil.example :red[x]"
)


def say(env, user: str, other: str, text: str) -> None:
    options = ["--user", user, "--with", other, "--message", text]
    subprocess.run(
        [sys.executable, "-m", "invoke", "ddb.patterns.create-conversation", *options],
        cwd=PROJECT_ROOT,
        env=env,
        check=True,
        capture_output=True,
    )


def stored(env, text: str) -> int:
    return sum(item.get("message", {}).get("S") == text for item in reads.scan(table_of(env)))


def wait_for_an_empty_box(page: Page) -> None:
    """Until the box of a sent message is gone, and only the new one is there.

    Both in one look: the old one stays until the page is drawn to its end, and a second click
    has the page drawn twice.
    """
    page.wait_for_function(
        "() => { const boxes = [...document.querySelectorAll('input[aria-label=Message]')];"
        " return boxes.length === 1 && boxes[0].value === '' }"
    )


def test_a_conversation_is_started_from_the_form_and_opened(page: Page, app_url, app_env) -> None:
    page.goto(f"{app_url}/new_conversation")
    page.get_by_role("textbox", name="From").fill("andrewbrown")
    page.get_by_role("textbox", name="To").fill("londo")
    page.get_by_role("textbox", name="First message").fill("a first message")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("has begun")).to_be_visible()
    page.get_by_role("link", name="Open the conversation").click()
    expect(page.get_by_role("heading", name="Andrew Brown and Londo Mollari")).to_be_visible()
    expect(page.get_by_test_id("stChatMessage").get_by_text("a first message")).to_be_visible()


def test_starting_with_somebody_known_continues_and_says_so(page: Page, app_url, app_env) -> None:
    say(app_env, "andrewbrown", "londo", "hello")
    page.goto(f"{app_url}/new_conversation")
    page.get_by_role("textbox", name="From").fill("londo")
    page.get_by_role("textbox", name="To").fill("andrewbrown")
    page.get_by_role("textbox", name="First message").fill("once more")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("talk already")).to_be_visible()


def test_a_person_is_found_by_a_part_of_the_email(page: Page, app_url, app_env) -> None:
    say(app_env, "bayko", "londo", "for bayko's inbox")
    page.goto(app_url)
    page.get_by_label("Find a person").fill("BAYKO@ex")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Andrew Bayko and")).to_be_visible()


def test_a_message_is_sent_with_enter_and_stored_once(page: Page, app_url, app_env) -> None:
    say(app_env, "andrewbrown", "bayko", "hello")
    page.goto(f"{app_url}/?user=andrewbrown")
    box = page.get_by_label("Message", exact=True)
    box.fill("sent with Enter")
    page.keyboard.press("Enter")
    bubble = page.get_by_test_id("stChatMessage").get_by_text("sent with Enter")
    expect(bubble).to_be_visible()
    wait_for_an_empty_box(page)
    assert stored(app_env, "sent with Enter") == 3  # the message, and both inbox rows


def test_double_clicks_send_once_each(page: Page, app_url, app_env) -> None:
    say(app_env, "andrewbrown", "bayko", "hello again")
    page.goto(f"{app_url}/?user=andrewbrown")
    box = page.get_by_label("Message", exact=True)
    for n in range(5):  # the two clicks run at the same time, or one after the other
        box.fill(f"clicked twice {n}")
        page.get_by_role("button", name="Send").dblclick()
        expect(page.get_by_text(f"clicked twice {n}").last).to_be_visible()
        wait_for_an_empty_box(page)
    page.wait_for_timeout(1000)
    messages = [m for m in reads.scan(table_of(app_env)) if m["pk"]["S"].startswith("MSG#")]
    texts = [m["message"]["S"] for m in messages if "clicked twice" in m["message"]["S"]]
    assert sorted(texts) == [f"clicked twice {n}" for n in range(5)]


def test_a_message_arrives_in_an_open_window_and_the_draft_stays(
    page: Page, app_url, app_env
) -> None:
    say(app_env, "andrewbrown", "bayko", "are you there?")
    page.goto(f"{app_url}/?user=andrewbrown")
    draft = page.get_by_label("Message", exact=True)
    draft.fill("half a sentence")
    say(app_env, "bayko", "andrewbrown", "I am here now")
    arrived = page.get_by_test_id("stChatMessage").get_by_text("I am here now")
    expect(arrived).to_be_visible(timeout=15_000)
    expect(draft).to_have_value("half a sentence")


def test_the_link_opens_the_same_conversation_and_back_works(page: Page, app_url, app_env) -> None:
    say(app_env, "andrewbrown", "londo", "to londo")
    say(app_env, "andrewbrown", "bayko", "to bayko")
    page.goto(f"{app_url}/?user=andrewbrown")
    page.get_by_role("button", name="Londo Mollari").click()
    expect(page.get_by_role("heading", name="and Londo Mollari")).to_be_visible()
    link = page.url
    assert set(parse_qs(urlsplit(link).query)) == {"user", "conversation"}
    page.get_by_role("button", name="Andrew Bayko").click()
    expect(page.get_by_role("heading", name="and Andrew Bayko")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="and Londo Mollari")).to_be_visible()
    page.goto("about:blank")
    page.goto(link)
    expect(page.get_by_role("heading", name="and Londo Mollari")).to_be_visible()


def test_an_empty_message_is_refused_beside_the_box(page: Page, app_url, app_env) -> None:
    say(app_env, "andrewbrown", "bayko", "hello")
    page.goto(f"{app_url}/?user=andrewbrown")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("the message is empty")).to_be_visible()


def test_an_attack_is_shown_as_the_text_it_is(page: Page, app_url, app_env) -> None:
    page.on("dialog", lambda dialog: pytest.fail("a script ran"))
    say(app_env, "londo", "bayko", ATTACK)
    page.goto(f"{app_url}/?user=bayko")
    bubble = page.get_by_test_id("stChatMessage").last
    expect(bubble).to_contain_text(ATTACK)
    main = page.get_by_test_id("stMain")
    assert main.locator("img").count() == 0
    assert main.locator("a[href*=evil], a[href^=javascript], a[href^=mailto]").count() == 0
    assert main.locator(".katex").count() == 0


def test_an_unknown_person_or_conversation_in_a_link_is_told(page: Page, app_url) -> None:
    page.goto(f"{app_url}/?user=nobody-here")
    expect(page.get_by_text("nobody-here")).to_be_visible()
    page.goto(f"{app_url}/?user=bayko&conversation=nope")
    expect(page.get_by_text("there is no conversation nope")).to_be_visible()


def test_a_phone_shows_the_same_without_scrolling_sideways(page: Page, app_url, app_env) -> None:
    say(app_env, "andrewbrown", "bayko", "x" * 1024)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{app_url}/?user=andrewbrown")
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    width = page.get_by_test_id("stMain").evaluate("node => node.scrollWidth")
    assert width <= 390
