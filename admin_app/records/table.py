"""A table of stored text: the element's data, and its questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from admin_app.conversations import elements
from admin_app.conversations.elements import Question

_VIEW = 80
"""Rows sent to the page at a time."""

_BEFORE_VIEW = 20
_START = "records start"
_ASKED = "records asked"
_SUBJECT = "records of"


def is_scrolled() -> bool:
    """Whether this run is only for other rows of the table, or for more than were loaded."""
    return bool(st.session_state.pop(_ASKED, False))


def show(
    name: str,
    label: str,
    columns: Mapping[str, str],
    rows: Sequence[Sequence[str]],
    *,
    subject: str,
    has_more: bool = False,
) -> None:
    """Show the rows, one line each; a click on one shows all of it.

    ``columns`` are their labels by the name that the styles know, ``name`` is the table's name
    there. Another ``subject`` is shown from its first row on. If there ``has_more``, the reader's
    scrolling asks for it.
    """
    if st.session_state.get(_SUBJECT) != subject:
        st.session_state[_SUBJECT], st.session_state[_START] = subject, 0
    start = max(0, min(st.session_state[_START] - _BEFORE_VIEW, len(rows) - 1))
    data = {
        "subject": subject,
        "order": subject,
        "name": name,
        "label": label,
        "columns": list(columns.items()),
        "total": len(rows),
        "start": start,
        "rows": rows[start : start + _VIEW],
        "more": has_more,
    }
    elements.show("records", data, _answer)


def _answer(question: Question) -> None:
    match question:
        case {"kind": "view", "start": int(first)}:
            st.session_state[_START] = max(0, first)
            st.session_state[_ASKED] = True
