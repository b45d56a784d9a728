"""Find a person among thousands while typing."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from admin_app import access, layout
from core.commands import Command
from core.models import Person
from core.postgres import lacks_demo_users, search_people

MATCHES = 8
"""People shown at a time."""
_FITS = 34
"""Characters of a name and a handle; longer ones may be cut, and are shown in full on hover."""


_UNSEEN = dict.fromkeys(map(ord, "\u2060\u200b\u200e\ufeff\u2066\u2067\u2068\u2069"))


def search_box(
    label: str,
    key: str,
    placeholder: str = "Handle or name",
    *,
    is_bare: bool = False,
    in_address: bool = False,
) -> str:
    """Show a box for a part of a handle or name; the page updates after each pause.

    Invisible characters, as a copy may contain, are removed. ``is_bare`` shows the label only
    inside the box; ``in_address`` keeps the text in the page's address, under ``key``.
    """
    typed = st.text_input(
        label,
        key=key,
        type="search",
        live=True,
        max_chars=100,
        placeholder=label if is_bare else placeholder,
        label_visibility="collapsed" if is_bare else "visible",
        bind="query-params" if in_address else None,
    )
    return visible(typed or "")


def visible(text: str) -> str:
    """``text`` without the invisible characters that a copy may contain."""
    return text.translate(_UNSEEN)


def matches(sought: str, key: str, choose: Callable[[str], None]) -> bool:
    """Show a button for each user whose handle or name contains ``sought``; return whether there
    are any, or may be: a search looks through a part of a million users at a time.

    A click calls ``choose`` with the handle.
    """
    cursors = st.session_state.setdefault(f"{key} page", {})
    page = search_people(access.look().db, sought, limit=MATCHES, after=cursors.get(sought) or None)
    for person in page.entries:
        st.button(
            name(person),
            key=f"{key} {person.uuid}",
            width="stretch",
            help=name(person) if _is_cut(person) else None,
            on_click=choose,
            args=(person.handle,),
        )
    if page.cursor and not page.entries:
        st.caption("None so far.")
    if page.cursor or cursors.get(sought):
        label = "More people" if page.cursor else "Back to first"
        st.button(label, key=f"{key} more", type="tertiary", on_click=_turn,
                  args=(f"{key} page", sought, page.cursor))  # fmt: skip
    return bool(page.entries or page.cursor)


def _turn(key: str, sought: str, cursor: str | None) -> None:
    st.session_state[key] = {sought: cursor}


def name(person: Person) -> str:
    """The text of a person's button: the styles cut a long name, and keep the handle in view."""
    shown, handle = layout.escaped(person.display_name), layout.escaped(f"@{person.handle}")
    return f"**{shown}** :gray[{handle}]" if shown else f":gray[{handle}]"


def _is_cut(person: Person) -> bool:
    return len(person.display_name) + len(person.handle) > _FITS


def no_users() -> None:
    """Say that there are no users; only on a local database, suggest the demo users."""
    if lacks_demo_users(access.look().db):
        st.info("There are no users yet. To add the demo users, run:")
        st.code(Command("db.seed").line(), language=None)
    else:
        st.info("There are no users yet.")
