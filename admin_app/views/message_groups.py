"""All conversations of the store, for an operator: sort, filter, count, open, download."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import streamlit as st

from admin_app import access, actions, layout
from admin_app.access import Desk, Subject
from admin_app.message_groups.all_conversations import AllConversations
from core import spreadsheets
from core.access import Stores
from core.dynamodb import count_messages
from core.models import Conversation, Person

COLUMNS = ("members", "last_message", "last_message_at", "messages", "message_group_uuid")


SUBJECT = Subject(actions.OPEN_MESSAGE_GROUPS, "Why do you open all conversations?")


def page() -> None:
    """Show the table, and the actions for its rows."""
    st.title("Message groups")
    if (stores := access.opened(SUBJECT)) is None:
        return
    overview = _overview(stores)
    if not overview.groups:
        st.info("No conversations yet. Start one on the page New conversation.")
        return
    sought = st.text_input(
        "Filter", key="q", type="search", live=True, bind="query-params",
        placeholder="Filter by member, last message or id",
    )  # fmt: skip
    groups = [group for group in overview.groups if _matches(group, (sought or "").strip())]
    _say_how_much(overview, groups)
    rows = [_row(group, overview) for group in groups]
    chosen = _table([_as_rows(row) for row in rows], sought or "")
    _actions([groups[index] for index in chosen if index < len(groups)], overview)
    _downloads(overview, sought or "")
    layout.command("ddb.scan", "--json")


def _overview(stores: Stores) -> AllConversations:
    overview = st.session_state.get("overview")
    if not isinstance(overview, AllConversations) or st.session_state.get("read again"):
        overview = AllConversations()
        overview.read_on(stores.db, stores.table)
        st.session_state["overview"] = overview
    elif st.session_state.get("read on") and overview.cursor:
        overview.read_on(stores.db, stores.table)
    return overview


def _matches(group: Conversation, sought: str) -> bool:
    text = f"{_members(group)}\n{group.newest_row.preview}\n{group.message_group_uuid}"
    return sought.casefold() in text.casefold()


def _say_how_much(overview: AllConversations, shown: list[Conversation]) -> None:
    extent = "there are more" if overview.cursor else "the whole store"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{len(shown):,} of {len(overview.groups):,} loaded conversations: {extent}")
        if overview.cursor:
            st.button("Load more", key="read on", help="One request, of up to 128 RCU")
        st.button("Refresh", key="read again", type="tertiary", icon=":material/refresh:")


def _row(group: Conversation, overview: AllConversations) -> dict[str, Any]:
    return {
        "members": _members(group),
        "last_message": " ".join(group.newest_row.preview.split()),
        "last_message_at": group.newest_row.last_message_at,
        "messages": overview.counts.get(group.message_group_uuid),
        "message_group_uuid": group.message_group_uuid,
    }


def _as_rows(row: dict[str, Any]) -> dict[str, Any]:
    """The row, with each name in its own text direction: all rows begin at the left."""
    return row | {"members": ", ".join(map(layout.isolated, row["members"].split(", ")))}


def _members(group: Conversation) -> str:
    return ", ".join(_name(person) for person in group.members)


def _name(person: Person) -> str:
    handle = f"@{person.handle}" if person.handle else person.uuid
    return f"{person.display_name} ({handle})" if person.display_name else handle


def _table(rows: list[dict[str, Any]], sought: str) -> list[int]:
    """The table; the positions of the rows that are selected in it."""
    event = st.dataframe(
        rows,
        column_order=COLUMNS,
        column_config={
            "members": st.column_config.TextColumn("Members", width="large"),
            "last_message": st.column_config.TextColumn("Last message", width="large"),
            "last_message_at": st.column_config.DatetimeColumn(
                "Last activity (UTC)", format="YYYY-MM-DD HH:mm:ss", timezone="UTC"
            ),
            "messages": st.column_config.NumberColumn("Messages", help="Counted on demand"),
            "message_group_uuid": st.column_config.TextColumn("Message group"),
        },
        hide_index=True,
        placeholder="",
        on_select="rerun",
        selection_mode="multi-row",
        key=f"groups {sought}",  # a selection belongs to one filter
        alt="Conversations",
    )
    return list(event.selection.rows)


def _actions(chosen: list[Conversation], overview: AllConversations) -> None:
    if not chosen:
        st.caption("Select rows to open a conversation, or to count messages.")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        if len(chosen) == 1:
            for person in chosen[0].members:
                if person.handle:
                    _open_as(person, chosen[0].message_group_uuid)
        if st.button("Count messages", help="Reads them: 0.5 RCU per 4 KB"):
            for group in chosen:
                counted = count_messages(access.look().table, group.message_group_uuid)
                overview.counts[group.message_group_uuid] = counted
            st.rerun()


def _open_as(person: Person, group: str) -> None:
    st.page_link(
        "views/conversations.py",
        label=f"Open as {layout.escaped(person.display_name or person.handle)}",
        icon=":material/forum:",
        query_params={"user": person.handle, "conversation": group},
    )


def _downloads(overview: AllConversations, sought: str) -> None:
    more = "; the conversations that are not loaded are read first" if overview.cursor else ""
    st.caption(f"Download all that match{more}:")
    desk = access.desk(access.reason_for(SUBJECT))
    with st.container(horizontal=True):
        for label, mime, text in (
            ("CSV", "text/csv", functools.partial(spreadsheets.csv_text, columns=COLUMNS)),
            ("JSON Lines", "application/jsonl", spreadsheets.json_lines),
        ):
            st.download_button(
                label,
                # Read, built and audited only after a click.
                data=functools.partial(_built, desk, overview, sought.strip(), text),
                mime=mime,
                file_name=f"message-groups.{'csv' if label == 'CSV' else 'jsonl'}",
                on_click="ignore",
                icon=":material/download:",
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
        return text([_row(group, whole) for group in whole.groups if _matches(group, sought)])


page()
