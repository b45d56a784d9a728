"""The form that asks before a message is removed."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import streamlit as st

from admin_app import access, actions, layout, login, resources
from admin_app.conversations import addresses
from admin_app.conversations.inbox import Inbox
from admin_app.search.searching import Searching
from core.dynamodb import Search
from core.errors import CoreError, InputError
from core.models import Message
from core.usecases import removals
from core.usecases.conversations import Membership


@dataclass(frozen=True, slots=True)
class Asked:
    """The message to remove, and the two members of its conversation."""

    message: Message
    about: tuple[str, ...]


def ask(place: Membership, message: Message) -> None:
    """Show the form for ``message`` in the next run."""
    st.session_state["removing"] = Asked(message, (place.user.uuid, place.other.uuid))
    st.session_state.pop("removing refused", None)


def show(group: str) -> bool:
    """Show the form to remove a message of this conversation; return whether it is shown."""
    asked = st.session_state.get("removing")
    if not isinstance(asked, Asked) or asked.message.message_group_uuid != group:
        return False
    if not access.may_write():
        st.session_state.pop("removing")
        return False
    with (
        st.container(key="asks to remove"),
        st.form("remove a message", enter_to_submit=False),
    ):
        st.subheader("Remove this message?", anchor=False)
        sender = asked.message.sender
        who = layout.escaped(sender.display_name or sender.handle or "unknown sender")
        st.caption(f"{who}, {layout.exact(asked.message.created_at)}")
        st.text(asked.message.text)
        st.caption(
            "It disappears for good from the conversation and from both inboxes."
            " “A message was removed” stays in its place."
        )
        st.text_input("Reason", key="removing why", max_chars=access.MOST_OF_A_REASON)
        layout.table_name_box("removing name")
        with st.container(horizontal=True):
            st.form_submit_button("Remove", type="primary", on_click=_remove, args=(asked,))
            st.form_submit_button("Cancel", on_click=_cancel, args=(asked.message,))
        problem = st.session_state.get("removing refused")
        if isinstance(problem, CoreError):
            layout.show_problem(problem)
    return True


@login.action
def _remove(asked: Asked) -> None:
    """Remove the message; if the reason or the name is missing, the form says so."""
    message = asked.message
    desk = access.desk(
        reason=str(st.session_state.get("removing why", "")),
        typed_name=str(st.session_state.get("removing name", "")).strip(),
    )
    try:
        desk.require_reason()
        if not desk.visitor.typed_name:
            raise InputError("The table’s name is missing", "Type it to remove the message.")
        with desk.open(
            actions.REMOVE_MESSAGE,
            about=asked.about,
            conversation=message.message_group_uuid,
            message=message.message_uuid,
        ) as stores:
            removals.remove_message(
                stores.table, message.message_group_uuid, message_uuid=message.message_uuid
            )
    except CoreError as error:
        st.session_state["removing refused"] = error
        return
    _close()
    resources.shared_reads().outdate(message.message_group_uuid)
    _forget_matches(message.message_uuid)
    for key in ("thread", "overview"):
        st.session_state.pop(key, None)
    inbox = st.session_state.get("inbox")
    if isinstance(inbox, Inbox):
        inbox.forget()
    addresses.go(at=message.sort_key)


def _forget_matches(message_uuid: str) -> None:
    """Show the removed message no longer among the matches of this tab's searches."""
    search = st.session_state.get("search")
    if isinstance(search, Search):
        hits = tuple(hit for hit in search.hits if hit.message_uuid != message_uuid)
        st.session_state["search"] = dataclasses.replace(search, hits=hits)
    searching = st.session_state.get("searching")
    if isinstance(searching, Searching):
        searching.forget(message_uuid)


def _cancel(message: Message) -> None:
    """Return to the message, which may be far above the newest."""
    _close()
    addresses.go(at=message.sort_key)


def _close() -> None:
    for key in ("removing", "removing refused"):
        st.session_state.pop(key, None)
