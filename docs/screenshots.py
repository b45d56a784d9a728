"""Take the screenshots in docs/images of a running admin UI: `python docs/screenshots.py URL`."""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

IMAGES = Path(__file__).resolve().parent / "images"
PAGES = {"conversations": "/?user=bayko", "new-conversation": "/new_conversation"}


def main(url: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        for theme in ("light", "dark"):
            page = browser.new_page(
                viewport={"width": 1280, "height": 860},
                color_scheme=theme,
            )
            for name, path in PAGES.items():
                page.goto(url.rstrip("/") + path)
                page.get_by_role("button", name="Send").wait_for()
                page.wait_for_timeout(1000)  # fonts and the scroll position settle
                page.screenshot(path=IMAGES / f"{name}-{theme}.png")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
