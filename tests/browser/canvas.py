"""Streamlit's own tables, which are drawn on a canvas."""

from __future__ import annotations

from playwright.sync_api import Page

from .conftest import wait_until_drawn


def select_row(page: Page, row: int) -> None:
    """Click the box at the beginning of a row."""
    wait_until_drawn(page)
    page.get_by_test_id("stDataFrame").click(position={"x": 14, "y": 35 + 35 * row + 17})
