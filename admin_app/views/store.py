"""What an operator asks of the two stores first, and what keeps them well."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from itertools import islice

import streamlit as st

from admin_app import access, layout, login, resources, tables
from admin_app.store import health, message_counts, progress
from core.commands import Command
from core.dynamodb import IndexDescription, TableDescription, list_tables
from core.errors import CoreError
from core.postgres import (
    DatabaseDescription,
    Session,
    TableSize,
    describe_database,
    sessions,
)

SESSIONS = 20
TABLES = 50
_READ_AGAIN_S = 30
_BACKUPS = {True: "on", False: "off", None: "not told"}

# How DynamoDB describes the table, or why it does not.
Description = TableDescription | CoreError


def page() -> None:
    """Each part by itself: one that does not answer hides no other."""
    found = _description()
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        st.title("Store", width="content")
        st.button("Read again", type="tertiary", icon="🔄", on_click=_forget)
    left, right = st.columns(2, gap="large")
    with left:
        _part("DynamoDB", functools.partial(_dynamodb, found))
    with right:
        _part("Postgres", _postgres)
    _part("Health", health.show_doctor)
    _part("Verification", functools.partial(_verification, found))
    _part("Messages over time", functools.partial(_activity, found))
    _part("Capacity consumed by this page", progress.show_consumed)


def _part(title: str, draw: Callable[[], None]) -> None:
    st.header(title)
    try:
        draw()
    except CoreError as error:
        layout.show_problem(error)


def _description() -> Description:
    try:
        found = resources.description()
    except CoreError as error:
        return error
    name = resources.target().table_name
    return found or CoreError(f"there is no table {name}", "Create it", Command("ddb.schema-load"))


def _forget() -> None:
    resources.description.clear()
    _database.clear()


def _dynamodb(found: Description) -> None:
    if isinstance(found, CoreError):
        layout.show_problem(found)
    else:
        _table(found)
    _other_tables()
    layout.command("ddb.list-tables")


def _table(found: TableDescription) -> None:
    tables.facts(
        {
            "Table": found.name,
            "Status": found.status.lower(),
            "Stream": found.stream,
            "Items": f"{found.items:,}",
            "Size": tables.size(found.size_bytes),
            "Billing": found.billing,
            "Deletion protection": "on" if found.deletion_protection else "off",
            "Point-in-time recovery": _BACKUPS[found.backups],
            "Created": layout.exact(found.created_at),
        }
    )
    st.caption("DynamoDB refreshes items and sizes about every six hours.")
    for difference in found.differences:
        st.warning(f"Not Cruddur’s schema: {layout.escaped(difference)}", icon="⚠️")
    _indexes(found.indexes)


def _indexes(found: Sequence[IndexDescription]) -> None:
    if not found:
        st.caption("No index.")
        return
    tables.table(
        ("Index", "Key", "Projection", "Size"),
        [
            (
                f"{index.name}, {index.status.lower()}",
                index.key,
                index.projection,
                f"{index.items:,} items, {tables.size(index.size_bytes)}",
            )
            for index in found
        ],
    )


@st.fragment
@login.required
def _other_tables() -> None:
    """The account's tables, on demand: it may have thousands."""
    most: int = st.session_state.get("store tables", TABLES)
    opened = st.expander("Tables of the account", on_change="rerun", key="account tables")
    if not opened.open:
        return
    with opened:
        try:
            names = list(islice(list_tables(resources.door().look_quickly().table), most + 1))
        except CoreError as error:
            layout.show_problem(error)
            return
        st.text("\n".join(names[:most]) or "There are none.")
        if len(names) > most:
            st.button("Show more tables", on_click=_more_tables, args=(most,))


def _more_tables(shown: int) -> None:
    st.session_state["store tables"] = shown + TABLES


@st.cache_data(ttl=_READ_AGAIN_S, show_spinner=False)
def _database() -> DatabaseDescription:
    return describe_database(access.look().db)


def _postgres() -> None:
    found = _database()
    tables.facts(
        {
            "Database": found.database,
            "Size": tables.size(found.size_bytes),
            "Server": f"Postgres {found.version}",
            "Up since": layout.exact(found.started_at),
        }
    )
    if not found.tables:
        layout.show_problem(
            CoreError("the database holds no tables", "Load them", Command("db.schema-load"))
        )
    else:
        tables.table(
            ("Table", "Rows", "Size with indexes"),
            [
                (f"{each.schema}.{each.name}", _rows(each), tables.size(each.size_bytes))
                for each in found.tables
            ],
        )
    _sessions(found.most_sessions)
    layout.command("db.sessions")


def _rows(table: TableSize) -> str:
    if table.rows is None:
        return "not told"
    return f"about {table.rows:,}" if table.is_estimate else f"{table.rows:,}"


@st.fragment
@login.required
def _sessions(most: int) -> None:
    """Who is connected, page by page."""
    pages: list[Session | None] = st.session_state.setdefault("store sessions", [None])
    try:
        found = sessions(access.look().db, limit=SESSIONS + 1, after=pages[-1])
    except CoreError as error:
        layout.show_problem(error)
        return
    st.markdown("### Who is connected")
    st.caption(f"The server takes {most:,} sessions.")
    shown = found[:SESSIONS]
    tables.table(
        ("Pid", "Who", "From", "State"),
        [(str(each.pid), _who(each), _from(each), each.state) for each in shown],
    )
    with st.container(horizontal=True):
        if len(pages) > 1:
            st.button("Previous", on_click=_previous_page, args=(pages,))
        if len(found) > SESSIONS:
            st.button("Next", on_click=pages.append, args=(shown[-1],))


def _who(session: Session) -> str:
    return f"{session.user or 'somebody'} in {session.database}"


def _from(session: Session) -> str:
    """The client's address and what it calls itself."""
    return ", ".join(filter(None, (session.client_address, session.application)))


def _previous_page(pages: list[Session | None]) -> None:
    pages.pop()


def _verification(found: Description) -> None:
    if isinstance(found, CoreError):
        st.caption("It takes the table: see DynamoDB.")
    else:
        health.show_verification(found.items, found.scan_read_units)


def _activity(found: Description) -> None:
    if isinstance(found, CoreError):
        st.caption("It takes the table: see DynamoDB.")
    else:
        message_counts.show(found.items, health.cost(found.scan_read_units))


page()
