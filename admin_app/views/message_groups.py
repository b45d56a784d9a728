"""All conversations of the store, for an operator: sort, filter, count, open, download."""

from __future__ import annotations

import streamlit as st

from admin_app import access, actions, layout
from admin_app.access import Subject
from admin_app.conversations import elements
from admin_app.message_groups import downloading, table
from admin_app.message_groups.all_conversations import AllConversations
from admin_app.message_groups.downloading import FORMS
from core.access import Stores
from core.errors import CoreError, LoginEndedError
from core.models import Conversation

_STEP_S = 0.5
SUBJECT = Subject(actions.OPEN_MESSAGE_GROUPS, "Why do you open all conversations?")


def page() -> None:
    """Show the table: a click on a row opens its conversation."""
    st.title("Message groups", anchor=False)
    if (stores := access.opened(SUBJECT)) is None:
        return
    with st.container():
        overview = _overview(stores)
        if (problem := st.session_state.pop("groups problem", None)) is not None:
            layout.show_problem(problem)
    if not overview.groups:
        st.info("No conversations yet. Start one on the page New conversation.")
        return
    try:
        table.count_asked(overview)
    except CoreError as error:
        layout.show_problem(error)
    sought = _filter().strip()
    groups = overview.matching(sought)
    _tools(overview, groups, sought)
    table.show(table.order().sorted(groups, overview), overview, sought)
    if _loads_all(overview):  # after the drawing, which a person can use meanwhile
        _read_for_a_while(stores, overview)
        st.rerun()


def _filter() -> str:
    return st.text_input(
        "Filter", key="q", type="search", live=True, bind="query-params",
        placeholder="Filter by member, last message or id", label_visibility="collapsed",
    ) or ""  # fmt: skip


def _overview(stores: Stores) -> AllConversations:
    overview = st.session_state.get("overview")
    if not isinstance(overview, AllConversations) or st.session_state.get("read again"):
        overview = _read_again(stores, overview)
    elif st.session_state.get("read on") and overview.cursor:
        _read_on(stores, overview)
    elif st.session_state.get("read all") or st.session_state.get("stop reading"):
        st.session_state["reads all"] = bool(st.session_state.get("read all"))
    return overview


def _read_again(stores: Stores, known: AllConversations | None) -> AllConversations:
    """What the store has now; if it does not answer, what is ``known``, and the problem."""
    overview = AllConversations()
    try:
        overview.read_on(stores.db, stores.table)
    except CoreError as error:
        if known is None or isinstance(error, LoginEndedError):
            raise
        st.session_state["groups problem"] = error
        return known
    st.session_state["overview"], st.session_state["reads all"] = overview, False
    return overview


def _read_on(stores: Stores, overview: AllConversations) -> None:
    """Load more; if the store does not answer, the table stays, below the problem."""
    try:
        overview.read_on(stores.db, stores.table)
    except LoginEndedError:
        raise
    except CoreError as error:
        st.session_state["groups problem"] = error


def _read_for_a_while(stores: Stores, overview: AllConversations) -> None:
    try:
        overview.read_for(stores.db, stores.table, _STEP_S)
    except LoginEndedError:
        raise
    except CoreError as error:
        st.session_state["groups problem"], st.session_state["reads all"] = error, False


def _loads_all(overview: AllConversations) -> bool:
    """Whether everything is being loaded: in steps, so that the page shows how far it is."""
    return bool(st.session_state.get("reads all")) and overview.cursor is not None


def _tools(overview: AllConversations, shown: list[Conversation], sought: str) -> None:
    """How much is shown, and what can be done with all of it."""
    extent = "there are more, at 0.5 RCU for every 4 KB" if overview.cursor else "the whole store"
    with st.container(horizontal=True, vertical_alignment="center", key="tools"):
        st.caption(
            f"{len(shown):,} of {len(overview.groups):,} loaded conversations: {extent}",
            width="content",
        )
        if overview.cursor and st.session_state.get("reads all"):
            st.button("Stop", key="stop reading")
        elif overview.cursor:
            st.button("Load more", key="read on", help="One request, of up to 128 RCU")
            st.button("Load all", key="read all")
        st.button("Refresh", key="read again", type="tertiary", icon=":material/refresh:")
        _downloads(overview, sought)
        lines = layout.command_lines([layout.command_of("ddb.scan", "--json")])
        elements.draw("commands", {"commands": lines}, width="content")


def _downloads(overview: AllConversations, sought: str) -> None:
    more = "; the conversations that are not loaded are read first" if overview.cursor else ""
    for form in FORMS:
        st.button(
            form.label,
            key=f"download {form.ending}",
            on_click=downloading.begin,
            args=(form, access.reason_for(SUBJECT), overview, sought),
            icon=":material/download:",
            type="tertiary",
            help=f"Download all that match{more}.",
        )
    downloading.show_progress()


page()
