"""A form for the first message to somebody."""

from __future__ import annotations

import functools

import streamlit as st

from admin_app import access, layout
from admin_app.access import Desk
from admin_app.composer import composer
from core import messaging
from core.errors import InputError
from core.messaging import Retry
from core.models import SentMessage
from core.texts import MAX_CODE_POINTS

FORM = "new conversation"


def page() -> None:
    """The form, and what became of it."""
    st.subheader("New conversation")
    if not access.may_write():
        st.info("Read-only. To start a conversation, start the admin UI with --write.")
        return
    box = composer(FORM)
    with st.form(FORM):
        sender = st.text_input("From", key="from", placeholder="Handle", max_chars=100)
        recipient = st.text_input("To", key="to", placeholder="Handle", max_chars=100)
        st.text_area(
            "First message",
            key=box.key,
            max_chars=MAX_CODE_POINTS,
            placeholder="What do you want to say?",
        )
        st.form_submit_button("Send", type="primary", on_click=_submit, args=(box.key,))
        if box.problem is not None:
            layout.show_problem(box.problem)
    if box.last is not None:
        _show_sent(box.last)
    layout.command(
        *("ddb.patterns.create-conversation", "--user", sender or "HANDLE"),
        *("--with", recipient or "HANDLE", "--message", "TEXT"),
    )


def _submit(key: str) -> None:
    sender, recipient = (str(st.session_state[name]).strip() for name in ("from", "to"))
    deliver = functools.partial(_deliver, access.desk(), sender, recipient)
    composer(FORM).submit(key, deliver)


def _deliver(desk: Desk, sender: str, recipient: str, text: str, retry: Retry) -> SentMessage:
    """Send, and leave the audit line. Calls nothing of Streamlit's: see the composer."""
    for what, handle in (("From", sender), ("To", recipient)):
        if not handle:
            raise InputError(f"{what} is empty", "Type somebody’s handle.")
    desk.require_write()
    sent = messaging.start_conversation(desk.db, desk.table, sender, recipient, text, retry=retry)
    desk.record(
        "conversation started" if sent.started else "message sent",
        as_user=sent.message.sender.handle,
        message_group_uuid=sent.message.message_group_uuid,
        message_uuid=sent.message.message_uuid,
    )
    return sent


def _show_sent(sent: SentMessage) -> None:
    other = layout.escaped(sent.recipient.display_name or sent.recipient.handle)
    if sent.started:
        st.success(f"Sent. The conversation with {other} has begun.")
    else:
        st.success(f"The two talk already: sent in their conversation with {other}.")
    st.page_link(
        "views/conversations.py",
        label="Open the conversation",
        icon="💬",
        query_params={
            "user": sent.message.sender.handle,
            "conversation": sent.message.message_group_uuid,
        },
    )


page()
