"""Where a list is, page by page: the cursors that its pages began at, None for the first.

A button may be pressed again before the page is drawn anew, so each move says what it is from.
"""

from __future__ import annotations

from typing import TypeVar

Cursor = TypeVar("Cursor")


def go_on(pages: list[Cursor | None], following: Cursor) -> None:
    """Turn to the page that begins at ``following``, once."""
    if pages[-1] != following:
        pages.append(following)


def go_back(pages: list[Cursor | None]) -> None:
    """Turn to the page before; the first page stays."""
    if len(pages) > 1:
        pages.pop()
