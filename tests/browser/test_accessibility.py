"""Accessibility of every page: axe-core finds nothing serious, and a keyboard is enough."""

from __future__ import annotations

from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from .conftest import SIZE, wait_until_drawn
from .test_journeys import bubbles, message_box, open_conversation, say

SERIOUS = {"serious", "critical"}
COLOURS = ["color-contrast", "link-in-text-block"]
WIDTHS = (1280, 390)
Theme = Literal["light", "dark"]


def complaints(page: Page) -> list[str]:
    """What axe finds, in the light and in the dark, which differ only in colours."""
    in_the_light = complaints_of_theme(page, "light", {})
    in_the_dark = complaints_of_theme(page, "dark", {"runOnly": COLOURS})
    page.emulate_media(color_scheme="light")
    return in_the_light + in_the_dark


def complaints_of_theme(page: Page, theme: Theme, rules: dict[str, object]) -> list[str]:
    page.emulate_media(color_scheme=theme)
    expect(page.get_by_test_id("stApp")).to_have_css("color-scheme", theme)
    options = {"resultTypes": ["violations"], **rules}
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    violations = page.evaluate("options => axe.run(options)", options)["violations"]
    return [
        f"{page.url} {violation['id']}: {node['target']} {node['html'][:200]}"
        for violation in violations
        if violation["impact"] in SERIOUS
        for node in violation["nodes"]
    ]


def test_no_page_has_a_serious_violation(page: Page, app_url, app_env) -> None:
    say(app_env, "andrewbrown", "bayko", "for everybody")
    page.goto(app_url)
    pages = page.get_by_role("navigation").get_by_role("link")
    expect(pages).to_have_count(7)
    violations, places = [], {width: set() for width in WIDTHS}

    def look() -> None:
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            wait_until_drawn(page)
            places[width] |= {place_of_title(page)} - {None}
            violations.extend(complaints(page))
            if page.url.endswith("/search"):
                assert len(set(widths_of_boxes(page, width))) == 1

    for link in pages.all():
        page.set_viewport_size(SIZE)
        link.click()
        expect(link).to_have_attribute("aria-current", "page")
        look()
    page.goto(f"{app_url}/users?user=andrewbrown")
    look()
    assert violations == []
    # Every title is at the same place, and the list of pages does not move.
    assert [len(there) for there in places.values()] == [1, 1], places


def place_of_title(page: Page) -> tuple[float, ...] | None:
    """The place of the title, and of the last link to a page."""
    title = page.get_by_role("heading", level=1)
    if not title.count():
        return None
    expect(page.locator(".banner")).to_be_visible()
    page.get_by_test_id("stMain").evaluate("node => node.scrollTo(0, 0)")
    box = title.locator("span").first.bounding_box()
    links = page.get_by_role("navigation").get_by_role("link")
    right = links.last.bounding_box()["x"] if page.viewport_size["width"] >= 900 else 0
    return round(box["x"]), round(box["y"]), round(right)


def widths_of_boxes(page: Page, width: int) -> list[float]:
    """The widths of the search's text boxes on a phone; elsewhere they need not be alike."""
    boxes = page.get_by_test_id("stTextInput").all() if width < 700 else []
    return [box.bounding_box()["width"] for box in boxes] or [0]


def test_an_open_conversation_has_no_serious_violation(page: Page, app_url, app_env) -> None:
    for n in range(12):
        say(app_env, "andrewbrown", "bayko", f"for everybody {n}")
    open_conversation(page, app_url, "bayko", "Andrew Brown")
    page.get_by_role("button", name="Search this conversation").click()
    page.keyboard.type("everybody")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="for everybody").last).to_be_visible()
    wait_until_drawn(page)
    assert complaints(page) == []
    page.get_by_role("button", name="Keys").click()
    assert complaints(page) == []
    page.get_by_role("button", name="Close", exact=True).click()
    page.set_viewport_size({"width": 390, "height": 844})
    wait_until_drawn(page)
    assert complaints(page) == []


def tab_to(page: Page, label: str, *, exact: bool = False) -> None:
    """Press Tab until the focus is on what is called ``label``, or something with it."""
    wait_until_drawn(page)  # what is drawn anew loses the focus
    for _ in range(80):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            "() => { let node = document.activeElement;"
            " while (node.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;"
            " return node.getAttribute('aria-label')"
            " || (node.matches('button, a') ? node.innerText : '') }"
        )
        if focused == label or (label in focused and not exact):
            return
    pytest.fail(f"the keyboard does not get to {label}")


def test_the_keyboard_alone_finds_opens_and_answers_a_conversation(
    page: Page, app_url, app_env
) -> None:
    say(app_env, "andrewbrown", "bayko", "can you do without a mouse?")
    page.goto(app_url)
    expect(page.get_by_label("Find a person")).to_be_visible()
    tab_to(page, "Audit")
    page.keyboard.press("/")
    expect(page.get_by_label("Find a person")).to_be_focused()
    page.keyboard.type("andrew b")
    expect(page.get_by_role("button", name="Londo Mollari")).to_have_count(0)
    tab_to(page, "Andrew Brown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Andrew Brown")).to_be_visible()
    tab_to(page, "can you do without a mouse?")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="and Andrew Bayko")).to_be_visible()
    # The box has the focus: nothing is pressed between opening a conversation and answering.
    expect(message_box(page)).to_be_focused()
    page.keyboard.type("I can")
    page.keyboard.press("Enter")
    expect(bubbles(page).get_by_text("I can", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    expect(bubbles(page).last).to_be_focused()
    page.keyboard.press("k")
    page.keyboard.press("Tab")
    expect(message_box(page)).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="You: I can")).to_be_focused()
    say(app_env, "londo", "andrewbrown", "and can I?")
    expect(page.get_by_role("link", name="londo: and can I?")).to_be_visible()
    expect(page.get_by_role("link", name="You: I can")).to_be_focused()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("c")
    expect(message_box(page)).to_be_focused()
