"""The table of all conversations as a file, with the conversations that are not loaded."""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import streamlit as st

from admin_app import access, actions, latest_downloads, layout, login
from admin_app.access import Desk
from admin_app.conversations import elements
from admin_app.downloads import Download, Progress, State
from admin_app.message_groups.all_conversations import AllConversations
from core import spreadsheets
from core.models import Conversation

_KIND = "groups"
_LOOK_EVERY_S = 1.0
_COLUMNS = ("members", "last_message", "last_message_at", "messages", "message_group_uuid")


@dataclass(frozen=True, slots=True)
class Form:
    """A form of the file."""

    label: str
    ending: str
    media_type: str
    text: Callable[[list[dict[str, Any]]], str]


FORMS = (
    Form("CSV", "csv", "text/csv", functools.partial(spreadsheets.csv_text, columns=_COLUMNS)),
    Form("JSON Lines", "jsonl", "application/jsonl", spreadsheets.json_lines),
)


@login.action
def begin(form: Form, reason: str, overview: AllConversations, sought: str) -> None:
    """Begin a download of all conversations that match, audited."""
    source = functools.partial(_parts, access.desk(reason), form, overview, sought)
    latest_downloads.stop(_KIND)
    name = f"message-groups.{form.ending}"
    latest_downloads.begin(_KIND, name, form.media_type, "rows", source)


def data() -> dict[str, Any] | None:
    """The latest download, for the element that lets the browser fetch it."""
    download = latest_downloads.latest(_KIND)
    return elements.download(download) if download is not None else None


def show_progress() -> None:
    """Show how far the latest download is, or why there is none."""
    download = latest_downloads.latest(_KIND)
    if (problem := latest_downloads.problem(_KIND)) is not None:
        layout.show_problem(problem)
    elif download is not None and download.is_open:
        _watch(download)
    elif download is not None and download.state is not State.DONE:
        st.caption("The download ended early: the file is not complete.", width="content")


@st.fragment(run_every=_LOOK_EVERY_S)
@login.required
def _watch(download: Download) -> None:
    if not download.is_open:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center", width="content"):
        st.caption(f"Downloading… {download.seen:,} rows", width="content")
        st.button("Stop", key="stop download", on_click=login.action(download.stop))


def _parts(
    desk: Desk, form: Form, overview: AllConversations, sought: str, progress: Progress
) -> Generator[str]:
    """Read what is not loaded, audited. Does not call Streamlit."""
    with desk.open(actions.DOWNLOAD_MESSAGE_GROUPS) as stores:
        yield ""  # the rest takes longer than a click
        progress(len(overview.rows))
        whole = overview.whole(stores.db, stores.table, progress)
        yield form.text([_row(group, whole) for group in whole.matching(sought)])


def _row(group: Conversation, overview: AllConversations) -> dict[str, Any]:
    return {
        "members": overview.members_text(group),
        "last_message": group.newest_row.preview,
        "last_message_at": group.newest_row.last_message_at,
        "messages": overview.counts.get(group.message_group_uuid),
        "message_group_uuid": group.message_group_uuid,
    }
