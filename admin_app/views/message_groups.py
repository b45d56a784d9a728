"""All conversations of the store, for an operator: sort, filter, count, open, download."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import streamlit as st

from admin_app import access, actions, layout
from admin_app.access import Desk, Subject
from admin_app.message_groups import table
from admin_app.message_groups.all_conversations import AllConversations
from core import spreadsheets
from core.access import Stores
from core.errors import CoreError
from core.models import Conversation

COLUMNS = ("members", "last_message", "last_message_at", "messages", "message_group_uuid")
SUBJECT = Subject(actions.OPEN_MESSAGE_GROUPS, "Why do you open all conversations?")


def page() -> None:
    """Show the table: a click on a row opens its conversation."""
    layout.panes()
    st.title("Message groups")
    if (stores := access.opened(SUBJECT)) is None:
        return
    overview = _overview(stores)
    if not overview.groups:
        st.info("No conversations yet. Start one on the page New conversation.")
        return
    try:
        table.count_asked(overview)
    except CoreError as error:
        layout.show_problem(error)
    sought = _filter().strip()
    groups = [group for group in overview.groups if _matches(overview, group, sought)]
    _tools(overview, groups, sought)
    table.show(table.order().sorted(groups, overview), overview, sought)


def _filter() -> str:
    return st.text_input(
        "Filter", key="q", type="search", live=True, bind="query-params",
        placeholder="Filter by member, last message or id", label_visibility="collapsed",
    ) or ""  # fmt: skip


def _row(group: Conversation, overview: AllConversations) -> dict[str, Any]:
    return {
        "members": table.members_text(overview, group),
        "last_message": " ".join(group.newest_row.preview.split()),
        "last_message_at": group.newest_row.last_message_at,
        "messages": overview.counts.get(group.message_group_uuid),
        "message_group_uuid": group.message_group_uuid,
    }


def _overview(stores: Stores) -> AllConversations:
    overview = st.session_state.get("overview")
    if not isinstance(overview, AllConversations) or st.session_state.get("read again"):
        overview = AllConversations()
        overview.read_on(stores.db, stores.table)
        st.session_state["overview"] = overview
    elif st.session_state.get("read on") and overview.cursor:
        overview.read_on(stores.db, stores.table)
    return overview


def _matches(overview: AllConversations, group: Conversation, sought: str) -> bool:
    parts = (
        table.members_text(overview, group),
        group.newest_row.preview,
        group.message_group_uuid,
    )
    return sought.casefold() in "\n".join(parts).casefold()


def _tools(overview: AllConversations, shown: list[Conversation], sought: str) -> None:
    """How much is shown, and what can be done with all of it."""
    extent = "there are more" if overview.cursor else "the whole store"
    with st.container(horizontal=True, vertical_alignment="center", key="tools"):
        st.caption(
            f"{len(shown):,} of {len(overview.groups):,} loaded conversations: {extent}",
            width="content",
        )
        if overview.cursor:
            st.button("Load more", key="read on", help="One request, of up to 128 RCU")
        st.button("Refresh", key="read again", type="tertiary", icon=":material/refresh:")
        _downloads(overview, sought)
        layout.commands_popover(layout.command_of("ddb.scan", "--json"))


def _downloads(overview: AllConversations, sought: str) -> None:
    more = "; the conversations that are not loaded are read first" if overview.cursor else ""
    desk = access.desk(access.reason_for(SUBJECT))
    for label, mime, text in (
        ("CSV", "text/csv", functools.partial(spreadsheets.csv_text, columns=COLUMNS)),
        ("JSON Lines", "application/jsonl", spreadsheets.json_lines),
    ):
        st.download_button(
            label,
            # Read, built and audited only after a click.
            data=functools.partial(_built, desk, overview, sought, text),
            mime=mime,
            file_name=f"message-groups.{'csv' if label == 'CSV' else 'jsonl'}",
            on_click="ignore",
            icon=":material/download:",
            type="tertiary",
            help=f"Download all that match{more}.",
        )


def _built(
    desk: Desk,
    overview: AllConversations,
    sought: str,
    text: Callable[[list[dict[str, Any]]], str],
) -> str:
    """The downloaded text, audited before. Does not call Streamlit."""
    with desk.open(actions.DOWNLOAD_MESSAGE_GROUPS) as stores:
        whole = overview.whole(stores.db, stores.table)
        groups = [group for group in whole.groups if _matches(whole, group, sought)]
        return text([_row(group, whole) for group in groups])


page()
