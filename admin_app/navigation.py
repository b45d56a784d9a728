"""The list of pages at the head of each page."""

from __future__ import annotations

from collections.abc import Sequence

from streamlit.navigation.page import StreamlitPage

from admin_app.conversations import elements


def show(pages: Sequence[StreamlitPage], current: StreamlitPage) -> None:
    """Show links to ``pages``; ``current`` is the one that is open."""
    elements.draw(
        "nav",
        {
            "pages": [
                {"path": page.url_path, "title": page.title, "symbol": _symbol(page)}
                for page in pages
            ],
            "current": current.url_path,
        },
    )


def _symbol(page: StreamlitPage) -> str:
    """The name of the page's Material symbol."""
    return page.icon.removeprefix(":material/").removesuffix(":")
