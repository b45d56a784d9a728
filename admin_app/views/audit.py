"""The audit: who did what on production, and why."""

from __future__ import annotations

from datetime import date
from typing import Any

import streamlit as st

from admin_app import access, layout, resources
from core.access import AuditEntry, read_audit
from core.errors import CoreError

MOST = 500
"""How many lines are shown, newest first."""


def page() -> None:
    """Show the filters, and the lines that match, newest first."""
    st.title("Audit")
    access.visitor().require_login()
    if not access.may_see_audit():
        group = resources.target().settings.auditor_group
        st.info(f"The audit is for the group `{group}`.")
        return
    try:
        lines = _lines()
    except CoreError as error:
        layout.show_problem(error)
        return
    if not lines:
        st.info("No lines match. Each action on production adds one.")
    else:
        _table(lines[-MOST:])
        if len(lines) > MOST:
            st.caption(f"The newest {MOST} of {len(lines):,} lines.")
    layout.command("audit")


def _lines() -> list[AuditEntry]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        actor = _filter("Who", "who", "Email, user name or ARN", 240)
        about = _filter("About", "about", "A user’s uuid", 340)
        target = _filter("Where", "where", "Table or database", 200)
        day = st.date_input("Day (UTC)", value=None, width=160, key="day", bind="query-params")
        st.button("Refresh", icon=":material/refresh:", type="tertiary")
    entries = read_audit(
        resources.target().settings.audit_path,
        actor=actor,
        about=about,
        target=target,
        day=day if isinstance(day, date) else None,
    )
    return list(entries)


def _filter(label: str, name: str, placeholder: str, width: int) -> str:
    """A box for a filter, which the address keeps under ``name``."""
    typed = st.text_input(
        label, key=name, placeholder=placeholder, width=width, bind="query-params"
    )
    return (typed or "").strip()


def _table(lines: list[AuditEntry]) -> None:
    st.dataframe(
        [_row(entry) for entry in reversed(lines)],
        hide_index=True,
        placeholder="",
        alt="Audit lines, newest first",
    )


def _row(entry: AuditEntry) -> dict[str, Any]:
    return {
        "UTC": entry.at[:19].replace("T", " "),
        "Who": entry.who,
        "What": entry.what,
        "About": ", ".join(entry.about),
        "Conversation": entry.conversation,
        "Why": entry.why,
        "Outcome": entry.outcome,
        "Where": "; ".join(entry.stores.values()),
    }


page()
