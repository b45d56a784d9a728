"""Finding a person among thousands, as one types."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from admin_app import layout, resources
from core.models import User
from core.postgres import handles, users

MATCHES = 8
"""People shown at a time."""


def search_box(label: str, key: str) -> str:
    """A box to type a part of a handle, name or email in; the page follows each pause."""
    found = st.text_input(
        label, key=key, type="search", live=True, max_chars=100, placeholder="Handle, name or email"
    )
    return found or ""


def matches(sought: str, key: str, choose: Callable[[str], None]) -> int:
    """Buttons for those whose handle, name or email holds ``sought``; how many there are.

    A click calls ``choose`` with the handle.
    """
    cursors = st.session_state.setdefault(f"{key} page", {})
    page = users.search(
        resources.database(), sought, limit=MATCHES, after=cursors.get(sought) or None
    )
    for user in page.entries:
        st.button(
            name(user),
            key=f"{key} {user.uuid}",
            help=layout.escaped(user.email),
            width="stretch",
            on_click=choose,
            args=(user.handle,),
        )
    if page.cursor or cursors.get(sought):
        label = "More people" if page.cursor else "Back to the first"
        st.button(label, key=f"{key} more", type="tertiary", on_click=_turn,
                  args=(f"{key} page", sought, page.cursor))  # fmt: skip
    return len(page.entries)


def _turn(key: str, sought: str, cursor: str | None) -> None:
    st.session_state[key] = {sought: cursor}


def name(user: User) -> str:
    """How a person is named on a button."""
    return f"{layout.escaped(user.display_name)} · {layout.escaped('@' + user.handle)}"


def no_users() -> None:
    """Say that there are none; only a local database leads to the demo users."""
    if handles.lacks_demo_users(resources.database()):
        st.info("There are no users yet. For the demo users type:")
        st.code("invoke db.seed", language=None)
    else:
        st.info("There are no users yet.")
