"""The audit: who did what on production, and why."""

from __future__ import annotations

from datetime import date

import streamlit as st

from admin_app import access, layout, resources
from admin_app.records import table
from core.access import AuditEntry, read_audit
from core.errors import CoreError

_COLUMNS = {
    "time": "UTC",
    "who": "Who",
    "what": "What",
    "about": "About",
    "conversation": "Conversation",
    "why": "Why",
    "outcome": "Outcome",
    "where": "Where",
}
Filters = tuple[str, str, str, date | None]


def page() -> None:
    """Show the filters, and the lines that match, newest first."""
    st.title("Audit", anchor=False)
    access.visitor().require_login()
    if not access.may_see_audit():
        group = resources.target().settings.auditor_group
        st.info(f"The audit is for the group `{group}`.")
        return
    filters = _filters()
    try:
        lines = _lines(filters)
    except CoreError as error:
        layout.show_problem(error)
        return
    if not lines:
        st.info("No lines match. Each action on production adds one.")
    else:
        st.caption(f"{len(lines):,} lines, newest first" if len(lines) > 1 else "1 line")
        rows = [_row(entry) for entry in reversed(lines)]
        table.show("audit", "Audit lines", _COLUMNS, rows, subject=f"audit {filters}")
    layout.command("audit")


def _filters() -> Filters:
    with st.container(key="filters", horizontal=True, vertical_alignment="bottom"):
        actor = _filter("Who", "who", "Email, user name or ARN", 240)
        about = _filter("About", "about", "A user’s uuid", 340)
        target = _filter("Where", "where", "Table or database", 200)
        day = st.date_input("Day (UTC)", value=None, width=160, key="day", bind="query-params")
        st.button("Refresh", icon=":material/refresh:", type="tertiary")
    return actor, about, target, day if isinstance(day, date) else None


def _lines(filters: Filters) -> list[AuditEntry]:
    """The lines that match, oldest first; a reader who only scrolls does not read them again."""
    known: tuple[Filters, list[AuditEntry]] | None = st.session_state.get("audit lines")
    if table.is_scrolled() and known is not None and known[0] == filters:
        return known[1]
    actor, about, target, day = filters
    path = resources.target().settings.audit_path
    lines = list(read_audit(path, actor=actor, about=about, target=target, day=day))
    st.session_state["audit lines"] = filters, lines
    return lines


def _filter(label: str, name: str, placeholder: str, width: int) -> str:
    """A box for a filter, which the address keeps under ``name``."""
    typed = st.text_input(
        label, key=name, placeholder=placeholder, width=width, bind="query-params"
    )
    return (typed or "").strip()


def _row(entry: AuditEntry) -> list[str]:
    return [
        entry.at[:19].replace("T", " "),
        entry.who,
        entry.what,
        ", ".join(entry.about),
        entry.conversation,
        entry.why,
        entry.outcome,
        "; ".join(entry.stores.values()),
    ]


page()
