"""The health and the properties of both stores, and the checks and repairs."""

from __future__ import annotations

import functools
from collections.abc import Callable
from itertools import islice

import streamlit as st

from admin_app import access, layout, login, resources, tables, turning_pages
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
_BACKUPS = {True: "on", False: "off", None: "unknown"}

# DynamoDB's description of the table, or the reason why there is none.
Description = TableDescription | CoreError


def page() -> None:
    """Show the health first. A part that does not answer hides no other."""
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        st.title("Store", anchor=False, width="content")
        st.button(
            "Refresh", key="refresh", type="tertiary", icon=":material/refresh:", on_click=_forget
        )
    with layout.asking_both_stores():
        description, database = _description(), _answer(_database)
    broken = [state for state in (description, database) if isinstance(state, CoreError)]
    left, right = st.columns(2, gap="large")
    with left:
        _part("Health", functools.partial(health.show_doctor, is_outdated=bool(broken)))
    with right:
        _part("Verification", functools.partial(_verification, description, bool(broken)))
    _part("Messages over time", functools.partial(_activity, description))
    left, right = st.columns(2, gap="large")
    with left:
        _part("DynamoDB", functools.partial(_dynamodb, description))
    with right:
        _part("Postgres", functools.partial(_postgres, database))
    _part("Consumed capacity", progress.show_consumed)
    tasks = ("doctor", "ddb.verify", "ddb.list-tables", "db.sessions")
    layout.commands(*map(Command, tasks), Command("ddb.verify", ("--repair",)))


def _part(title: str, draw: Callable[[], None]) -> None:
    st.header(title, anchor=False)
    try:
        draw()
    except CoreError as error:
        layout.show_problem(error)


def _answer(ask: Callable[[], DatabaseDescription]) -> DatabaseDescription | CoreError:
    """A store's answer, or the reason why there is none."""
    try:
        return ask()
    except CoreError as error:
        return error


def _description() -> Description:
    try:
        description = resources.description()
    except CoreError as error:
        return error
    name = resources.target().table_name
    return description or CoreError(
        f"There is no table {name}", "Create it", Command("ddb.schema-load")
    )


def _forget() -> None:
    resources.description.clear()
    _database.clear()


def _dynamodb(description: Description) -> None:
    if isinstance(description, CoreError):
        layout.show_problem(description)
    else:
        _table(description)
    _other_tables()


def _table(description: TableDescription) -> None:
    tables.facts(
        {
            "Table": description.name,
            "Status": description.status.lower(),
            "Stream": description.stream,
            "Items": f"{description.items:,}",
            "Size": tables.size_of(description),
            "Billing": description.billing,
            "Deletion protection": "on" if description.deletion_protection else "off",
            "Point-in-time recovery": _BACKUPS[description.backups],
            "Created": layout.exact(description.created_at),
        }
    )
    st.caption("DynamoDB refreshes items and sizes about every six hours.")
    for difference in description.differences:
        st.warning(f"Not Cruddur’s schema: {layout.escaped(difference)}", icon=":material/warning:")
    _indexes(description)


def _indexes(description: TableDescription) -> None:
    if not description.indexes:
        st.caption("The table has no index.")
        return
    tables.table(
        ("Index", "Key", "Projection", "Size"),
        [
            (
                f"{index.name}, {index.status.lower()}",
                index.key,
                index.projection,
                _index_size(index)
                if index.items or not description.items
                else "none reported by this engine",
            )
            for index in description.indexes
        ],
    )


def _index_size(index: IndexDescription) -> str:
    return f"{index.items:,} items, {tables.size_of(index)}"


@st.fragment
@login.required
def _other_tables() -> None:
    """The account's tables, on demand: it may have thousands."""
    most: int = st.session_state.get("store tables", TABLES)
    opened = st.expander("All tables", on_change="rerun", key="account tables")
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


def _postgres(database: DatabaseDescription | CoreError) -> None:
    if isinstance(database, CoreError):
        layout.show_problem(database)
        return
    tables.facts(
        {
            "Database": database.database,
            "Size": tables.size(database.size_bytes),
            "Server": f"Postgres {database.version}",
            "Up since": layout.exact(database.started_at),
        }
    )
    if not database.tables:
        layout.show_problem(
            CoreError("The database has no tables", "Load the schema", Command("db.schema-load"))
        )
    else:
        tables.table(
            ("Table", "Rows", "Size with indexes"),
            [
                (f"{table.schema}.{table.name}", _rows(table), tables.size(table.size_bytes))
                for table in database.tables
            ],
        )
    _sessions(database.most_sessions)


def _rows(table: TableSize) -> str:
    if table.rows is None:
        return "unknown"
    return f"about {table.rows:,}" if table.is_estimate else f"{table.rows:,}"


@st.fragment
@login.required
def _sessions(most: int) -> None:
    """Show the connected sessions, page by page."""
    pages: list[Session | None] = st.session_state.setdefault("store sessions", [None])
    try:
        rows = sessions(access.look().db, limit=SESSIONS + 1, after=pages[-1])
    except CoreError as error:
        layout.show_problem(error)
        return
    st.subheader("Who is connected", anchor=False)
    st.caption(f"The server allows {most:,} sessions.")
    shown = rows[:SESSIONS]
    tables.table(
        ("Pid", "Who", "From", "State"),
        [(str(session.pid), _who(session), _from(session), session.state) for session in shown],
    )
    with st.container(horizontal=True):
        if len(pages) > 1:
            st.button("Previous", on_click=turning_pages.go_back, args=(pages,))
        if len(rows) > SESSIONS:
            st.button("Next", on_click=turning_pages.go_on, args=(pages, shown[-1]))


def _who(session: Session) -> str:
    return f"{session.user or 'unknown role'} in {session.database}"


def _from(session: Session) -> str:
    """The client's address and its application name."""
    return ", ".join(filter(None, (session.client_address, session.application)))


def _verification(description: Description, is_outdated: bool) -> None:
    if isinstance(description, CoreError):
        st.caption("This needs the table: see DynamoDB below.")
        return
    health.show_verification(description, is_outdated=is_outdated)


def _activity(description: Description) -> None:
    if isinstance(description, CoreError):
        st.caption("This needs the table: see DynamoDB below.")
    else:
        message_counts.show(description.items, health.cost(description.scan_read_units))


page()
