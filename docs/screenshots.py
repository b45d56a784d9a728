"""Take the screenshots in docs/images of a seeded admin UI: `python docs/screenshots.py URL`.

Each page in both themes, and the first one as a phone shows it.
"""

from __future__ import annotations

import io
import re
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

IMAGES = Path(__file__).resolve().parent / "images"
SETTLES_MS = 1500
"""Fonts, charts, the scroll position."""


def conversations(page: Page, url: str) -> None:
    page.goto(f"{url}/?user=bayko")
    page.get_by_role("link", name="Andrew Brown").click()
    page.get_by_role("button", name="Send", exact=True).wait_for()


def new_conversation(page: Page, url: str) -> None:
    page.goto(f"{url}/new_conversation")
    page.get_by_label("From", exact=True).press_sequentially("bayko")
    page.get_by_text("✓ Andrew Bayko").wait_for()
    page.get_by_label("To", exact=True).press_sequentially("a")
    page.get_by_role("button", name="Andrew Brown").wait_for()


def message_groups(page: Page, url: str) -> None:
    page.goto(f"{url}/message_groups")
    page.get_by_role("button", name="Count").first.click()
    page.get_by_role("cell", name=re.compile(r"^\d+$")).wait_for()


def users(page: Page, url: str) -> None:
    page.goto(f"{url}/users?user=andrewbrown")
    page.get_by_role("button", name="Count their conversations").click()


def store(page: Page, url: str) -> None:
    page.goto(f"{url}/store")
    page.get_by_role("button", name="Verify the messages").click()
    page.get_by_text("No problems.").wait_for()
    page.get_by_role("button", name="Count the messages").click()
    page.get_by_text("As a table").first.wait_for()
    page.get_by_role("heading", name="Store").scroll_into_view_if_needed()


PAGES = {
    "conversations": conversations,
    "new-conversation": new_conversation,
    "message-groups": message_groups,
    "users": users,
    "store": store,
}


def main(url: str) -> None:
    url = url.rstrip("/")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        for theme in ("light", "dark"):
            for name, show in PAGES.items():
                page = browser.new_page(viewport={"width": 1280, "height": 860}, color_scheme=theme)
                show(page, url)
                _take(page, f"{name}-{theme}")
        page = browser.new_page(viewport={"width": 390, "height": 844}, color_scheme="light")
        conversations(page, url)
        _take(page, "phone-light")
        browser.close()


def _take(page: Page, name: str) -> None:
    page.mouse.move(0, 0)
    page.wait_for_timeout(SETTLES_MS)
    shot = Image.open(io.BytesIO(page.screenshot()))
    # 128 colours do, in a third of the size.
    shot.convert("RGB").quantize(128, dither=Image.Dither.NONE).save(
        IMAGES / f"{name}.png", optimize=True
    )
    page.close()


if __name__ == "__main__":
    main(sys.argv[1])
