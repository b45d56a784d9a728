"""Find a person, see their conversations, read one, answer in it."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import streamlit as st

from admin_app import access, layout, resources
from admin_app.access import Desk
from admin_app.composer import composer
from core import messaging
from core.errors import NotAMemberError, NotFoundError
from core.messaging import Membership, Retry
from core.models import Conversation, Message, SentMessage, User
from core.postgres import users
from core.texts import MAX_CODE_POINTS

PAGE = 20
THREAD = 50
REFRESH_S = 5


def page() -> None:
    """The page: people and their conversations on the left, the thread on the right."""
    left, right = st.columns([2, 3], gap="large")
    with left:
        user = _choose_user()
        if user is None:
            return
        shown = _list_conversations(user)
    with right:
        group = st.query_params.get("conversation") or (
            shown[0].message_group_uuid if shown else ""
        )
        if group:
            _show_conversation(user, group)


def _choose_user() -> User | None:
    """The person whose conversations are shown, also named by the link."""
    db = resources.database()
    wanted = st.query_params.get("user", "")
    sought = st.text_input(
        "Find a person", placeholder="Handle, name or email", key="sought", max_chars=100
    )
    found = list(users.search(db, sought, limit=PAGE).entries)
    if wanted and not sought:
        linked = users.find_by_handle(db, wanted)
        found = [linked, *(user for user in found if user.uuid != linked.uuid)]
    if not found:
        st.info(f"Nobody’s handle, name or email holds {layout.escaped(sought) or 'anything'}.")
        if not sought:
            st.code("invoke db.seed", language=None)
        return None
    handles = {user.handle: user for user in found}
    chosen = st.selectbox(
        "Person",
        list(handles),
        format_func=lambda handle: f"{handles[handle].display_name} (@{handle})",
        index=list(handles).index(wanted) if wanted in handles else 0,
    )
    if chosen != wanted:
        st.query_params.update({"user": chosen})
        if wanted:
            st.query_params.pop("conversation", None)
            st.session_state.pop("listed", None)
    return handles[chosen]


def _list_conversations(user: User) -> Sequence[Conversation]:
    listed: int = st.session_state.get("listed", PAGE)
    found = messaging.list_conversations(
        resources.database(), resources.table(), user.handle, limit=listed
    )
    st.subheader("Conversations")
    if not found.entries:
        st.info("No conversations yet. Start one on the page New conversation.")
    current = st.query_params.get("conversation") or (
        found.entries[0].message_group_uuid if found.entries else ""
    )
    for entry in found.entries:
        _conversation_button(entry, chosen=entry.message_group_uuid == current)
    if found.cursor is not None:
        st.button("Show more conversations", on_click=_show_more, args=("listed", PAGE, listed))
    layout.command("ddb.patterns.list-conversations", "--user", user.handle)
    return found.entries


def _conversation_button(entry: Conversation, *, chosen: bool) -> None:
    name = layout.escaped(entry.other.display_name or entry.other.handle or "somebody")
    when = layout.escaped(layout.ago(entry.last_message_at))
    preview = entry.last_message if len(entry.last_message) <= 60 else entry.last_message[:59] + "…"
    st.button(
        f"**{name}** · {when}  \n{layout.escaped(preview) or '—'}",
        # Others may have left a conversation twice: rows differ in their sort keys.
        key=f"open {entry.message_group_uuid} {entry.sort_key}",
        help=layout.exact(entry.last_message_at),
        type="primary" if chosen else "secondary",
        width="stretch",
        on_click=_open,
        args=(entry.message_group_uuid,),
    )


def _open(message_group_uuid: str) -> None:
    st.query_params["conversation"] = message_group_uuid
    st.session_state.pop("thread", None)


def _show_more(key: str, step: int, now: int) -> None:
    st.session_state[key] = now + step


def _show_conversation(user: User, group: str) -> None:
    try:
        place = messaging.membership(resources.database(), resources.table(), user.handle, group)
    except (NotFoundError, NotAMemberError) as error:
        layout.show_problem(error)
        return
    _audit_once(user, group)
    other = layout.escaped(place.other.display_name or place.other.handle or place.other.uuid)
    st.subheader(f"{layout.escaped(user.display_name)} and {other}")
    _thread(user, group)
    if access.may_write():
        _compose(place, group)
    else:
        st.info("Read-only. To answer here, start the admin UI with --write.")
    layout.command(
        *("ddb.patterns.get-conversation", "--user", user.handle, "--conversation", group)
    )


def _audit_once(user: User, group: str) -> None:
    """One audit line when a conversation is opened, not one a rerun."""
    if st.session_state.get("opened") != (user.handle, group):
        st.session_state["opened"] = (user.handle, group)
        access.audit("conversation opened", as_user=user.handle, message_group_uuid=group)


@st.fragment(run_every=REFRESH_S)
def _thread(user: User, group: str) -> None:
    """The messages, oldest first; new ones appear by themselves."""
    shown: int = st.session_state.get("thread", THREAD)
    found = messaging.list_messages(resources.table(), group, limit=shown)
    with st.container(height=460, autoscroll=True, gap="small"):
        if found.cursor is not None:
            st.button("Show older messages", on_click=_show_more, args=("thread", THREAD, shown))
        day = ""
        for message in reversed(found.entries):
            if (its_day := _day(message)) != day:
                day = its_day
                st.caption(day, text_alignment="center")
            _bubble(message, mine=message.sender.uuid == user.uuid)
        if not found.entries:
            st.info("No messages yet.")


def _day(message: Message) -> str:
    return f"{message.created_at:%A, %-d %B %Y}" if message.created_at else "Unknown day"


def _bubble(message: Message, *, mine: bool) -> None:
    who = message.sender.display_name or message.sender.handle or "somebody"
    at = f"{message.created_at:%H:%M}" if message.created_at else layout.escaped(message.sort_key)
    with (
        st.chat_message("user" if mine else "other", avatar=None if mine else ":material/person:"),
        st.container(gap="xxsmall"),
    ):
        st.caption(f"**{layout.escaped(who)}** · {at}")
        # Never Markdown or HTML: what people wrote is shown as they wrote it.
        st.text(message.text)


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


def _send(group: str, key: str, sender_key: str) -> None:
    sender = str(st.session_state[sender_key])
    deliver = functools.partial(_deliver, access.desk(), sender, group)
    composer(f"answer {group}").submit(key, deliver)


def _deliver(desk: Desk, sender: str, group: str, text: str, retry: Retry) -> SentMessage:
    """Send, and leave the audit line. Calls nothing of Streamlit's: see the composer."""
    desk.require_write()
    sent = messaging.send_message(desk.db, desk.table, sender, group, text, retry=retry)
    uuid = sent.message.message_uuid
    desk.record("message sent", as_user=sender, message_group_uuid=group, message_uuid=uuid)
    return sent


page()
