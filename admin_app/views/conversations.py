"""Find a person, see their conversations, read one, answer in it."""

from __future__ import annotations

import functools

import streamlit as st

from admin_app import access, layout, login, people, resources, thread
from admin_app.access import Desk
from admin_app.composer import composer
from admin_app.loaded import Inbox
from core import messaging
from core.errors import CoreError, NotAMemberError, NotFoundError
from core.messaging import Membership, Retry
from core.models import Conversation, SentMessage, User
from core.postgres import users
from core.texts import MAX_CODE_POINTS

INBOX_REFRESH_S = 10
PREVIEW = 60


def page() -> None:
    """The page: people and their conversations on the left, the thread on the right."""
    left, right = st.columns([2, 3], gap="large")
    with left:
        user = _choose_user()
        if user is not None:
            _inbox(user)
            layout.command("ddb.patterns.list-conversations", "--user", user.handle)
    with right:
        group = st.query_params.get("conversation")
        if user is not None and group:
            _show_conversation(user, group)
        elif user is not None:
            st.info("Choose a conversation.", icon="💬")


def _choose_user() -> User | None:
    """The person whose conversations are shown: whom the link names."""
    handle = st.query_params.get("user", "")
    sought = people.search_box("Find a person", "sought")
    if sought or not handle:
        with st.container(gap="xxsmall", key="list-people"):
            found = people.matches(sought, "people", _open_user)
        if not found:
            _nobody(sought)
    if not handle:
        return None
    user = _known_user(handle)
    st.header(layout.escaped(user.display_name), anchor=False)
    st.caption(f"{layout.escaped('@' + user.handle)} · {layout.escaped(user.email)}")
    return user


def _known_user(handle: str) -> User:
    """The person; asked for once for as long as they are chosen."""
    known = st.session_state.get("user")
    if not isinstance(known, User) or known.handle != handle:
        known = users.find_by_handle(resources.database(), handle)
        st.session_state["user"] = known
    return known


def _nobody(sought: str) -> None:
    if sought:
        st.info(f"Nobody’s handle, name or email holds {layout.escaped(sought)}.")
    else:
        people.no_users()


def _open_user(handle: str) -> None:
    st.session_state["sought"] = ""
    st.query_params.from_dict({"user": handle})


@st.fragment(run_every=INBOX_REFRESH_S)
@login.required
def _inbox(user: User) -> None:
    """Their conversations, newest first; those with news move to the top by themselves."""
    inbox = _loaded(user)
    try:
        inbox.refresh(resources.table())
        if st.session_state.get("more conversations"):
            inbox.load_more(resources.table())
    except CoreError as error:
        layout.show_problem(error)
    if not inbox.entries:
        st.info("No conversations yet. Start one on the page New conversation.")
        return
    sought = st.text_input(
        "Filter", key="filter", type="search", live=True, label_visibility="collapsed",
        placeholder="Filter by person or last message",
    )  # fmt: skip
    shown = [entry for entry in inbox.entries if _matches(entry, sought or "")]
    with layout.rows("conversations", len(shown), most=7, height=460):
        for entry in shown:
            _conversation_button(entry)
        if sought and not shown:
            more = " so far: there are more" if inbox.cursor else ""
            st.caption(f"None of the {len(inbox.entries)} loaded{more}.")
        if inbox.cursor is not None:
            st.button("Show more conversations", key="more conversations", width="stretch")


def _loaded(user: User) -> Inbox:
    found = st.session_state.get("inbox")
    if not isinstance(found, Inbox) or found.user_uuid != user.uuid:
        found = st.session_state["inbox"] = Inbox(user.uuid)
    return found


def _matches(entry: Conversation, sought: str) -> bool:
    other = entry.other
    text = f"{other.display_name}\n@{other.handle}\n{entry.last_message}"
    return sought.strip().casefold() in text.casefold()


def _conversation_button(entry: Conversation) -> None:
    name = layout.escaped(entry.other.display_name or entry.other.handle or "somebody")
    when = layout.escaped(layout.ago(entry.last_message_at))
    text = entry.last_message
    preview = layout.escaped(text if len(text) <= PREVIEW else text[: PREVIEW - 1] + "…")
    chosen = entry.message_group_uuid == st.query_params.get("conversation")
    if st.button(
        f"**{name}** · {when}  \n{preview or '—'}",
        # Others may have left a conversation twice: rows differ in their sort keys.
        key=f"open {entry.message_group_uuid} {entry.sort_key}",
        help=layout.exact(entry.last_message_at),
        type="primary" if chosen else "secondary",
        width="stretch",
    ):
        st.query_params.from_dict(
            {"user": st.query_params["user"], "conversation": entry.message_group_uuid}
        )
        st.rerun()


def _show_conversation(user: User, group: str) -> None:
    try:
        place = _membership(user, group)
    except (NotFoundError, NotAMemberError) as error:
        layout.show_problem(error)
        return
    other = layout.escaped(place.other.display_name or place.other.handle or place.other.uuid)
    st.header(f"{layout.escaped(user.display_name)} and {other}", anchor=False)
    if access.ask_for_reason(group) is None:
        return
    _audit_once(user, group)
    thread.find(group)
    thread.show(user.uuid, group)
    if access.may_write():
        _compose(place, group)
    else:
        st.info("Read-only. To answer here, start the admin UI with --write.")
    layout.command(
        *("ddb.patterns.get-conversation", "--user", user.handle, "--conversation", group)
    )


def _membership(user: User, group: str) -> Membership:
    """Who takes part: read once for as long as the conversation is open, it does not change."""
    asked = (user.uuid, group)
    known = st.session_state.get("membership")
    if known is None or known[0] != asked:
        found = messaging.membership(resources.database(), resources.table(), user.handle, group)
        known = st.session_state["membership"] = (asked, found)
    place: Membership = known[1]
    return place


def _audit_once(user: User, group: str) -> None:
    """One audit line when a conversation is opened, not one a rerun."""
    if st.session_state.get("opened") != (user.handle, group):
        st.session_state["opened"] = (user.handle, group)
        access.audit("conversation opened", as_user=user.handle, message_group_uuid=group)


def _compose(place: Membership, group: str) -> None:
    people = {place.user.handle: place.user, place.other.handle: place.other}
    box = composer(f"answer {group}")
    sender_key = f"as {group} {place.user.handle}"
    with st.form(f"compose {group}", enter_to_submit=True, border=False):
        st.text_input(
            "Message",
            key=box.key,
            max_chars=MAX_CODE_POINTS,
            placeholder="Write a message; Enter sends it",
            persist_state="session",
        )
        with st.container(horizontal=True, horizontal_alignment="distribute"):
            sender = st.segmented_control(
                "Send as",
                [handle for handle in people if handle],
                default=place.user.handle,
                required=True,
                label_visibility="collapsed",
                format_func=lambda handle: f"as {layout.escaped(handle)}",
                key=sender_key,
            )
            st.form_submit_button(
                "Send", type="primary", on_click=_send, args=(group, box.key, sender_key)
            )
    if box.problem is not None:
        layout.show_problem(box.problem)
    layout.command(
        *("ddb.patterns.create-message", "--user", str(sender), "--conversation", group),
        *("--message", "TEXT"),
    )


@login.action
def _send(group: str, key: str, sender_key: str) -> None:
    sender = str(st.session_state[sender_key])
    deliver = functools.partial(_deliver, access.desk(group), sender, group)
    composer(f"answer {group}").submit(key, deliver, sender)


def _deliver(desk: Desk, sender: str, group: str, text: str, retry: Retry) -> SentMessage:
    """Send, and leave the audit line. Calls nothing of Streamlit's: see the composer."""
    desk.require_write()
    sent = messaging.send_message(desk.db, desk.table, sender, group, text, retry=retry)
    uuid = sent.message.message_uuid
    desk.record("message sent", as_user=sender, message_group_uuid=group, message_uuid=uuid)
    return sent


page()
