"""Find a person, see their conversations, read one, answer in it."""

from __future__ import annotations

import functools

import streamlit as st

from admin_app import access, actions, layout, login, person_search
from admin_app.access import Desk, Subject
from admin_app.composer import composer
from admin_app.conversations import thread
from admin_app.conversations.inbox import Inbox
from core.access import Stores
from core.errors import CoreError, NotAMemberError, NotFoundError
from core.models import InboxRow, Person, SentMessage
from core.postgres import find_person
from core.texts import MAX_CODE_POINTS, message_text
from core.usecases import conversations
from core.usecases.conversations import Membership, Retry

INBOX_REFRESH_S = 10
PREVIEW = 60


def page() -> None:
    """The page: people and their conversations on the left, the thread on the right."""
    left, right = st.columns([2, 3], gap="large")
    with left:
        person = _choose_person()
        if person is not None:
            _show_inbox(person)
    with right:
        group = st.query_params.get("conversation")
        if person is not None and group:
            _show_conversation(person, group)
        elif person is not None:
            st.info("Choose a conversation.", icon="💬")


def _choose_person() -> Person | None:
    """The person whose conversations are shown: whom the link names."""
    handle = st.query_params.get("user", "")
    sought = person_search.search_box("Find a person", "sought")
    if sought or not handle:
        with st.container(gap="xxsmall", key="list-people"):
            count = person_search.matches(sought, "people", _open_person)
        if not count:
            _nobody(sought)
    if not handle:
        return None
    person = _known_person(handle)
    st.header(layout.escaped(person.display_name), anchor=False)
    st.caption(layout.escaped("@" + person.handle))
    return person


def _known_person(handle: str) -> Person:
    """The person; asked for once for as long as they are chosen."""
    known = st.session_state.get("person")
    if not isinstance(known, Person) or known.handle != handle:
        known = find_person(access.look().db, handle)
        st.session_state["person"] = known
    return known


def _nobody(sought: str) -> None:
    if sought:
        st.info(f"No handle or name matches {layout.escaped(sought)}.")
    else:
        person_search.no_users()


def _open_person(handle: str) -> None:
    st.session_state["sought"] = ""
    st.query_params.from_dict({"user": handle})


def _show_inbox(person: Person) -> None:
    """Their conversations, once it is known why they are read."""
    subject = Subject(actions.OPEN_INBOX, "Why do you open this inbox?", about=(person.uuid,))
    if access.opened(subject) is None:
        return
    _inbox(person, subject)
    layout.command("ddb.patterns.list-conversations", "--user", person.handle)


@st.fragment(run_every=INBOX_REFRESH_S)
@login.required
def _inbox(person: Person, subject: Subject) -> None:
    """Their conversations, newest first; those with news move to the top by themselves."""
    if (stores := access.opened(subject)) is None:
        st.rerun()
    inbox = _loaded(person)
    try:
        inbox.refresh(stores.table)
        if st.session_state.get("more conversations"):
            inbox.load_more(stores.table)
        inbox.entries = conversations.rows_with_current_names(stores.db, inbox.entries)
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


def _loaded(person: Person) -> Inbox:
    inbox = st.session_state.get("inbox")
    if not isinstance(inbox, Inbox) or inbox.user_uuid != person.uuid:
        inbox = st.session_state["inbox"] = Inbox(person.uuid)
    return inbox


def _matches(entry: InboxRow, sought: str) -> bool:
    other = entry.other
    text = f"{other.display_name}\n@{other.handle}\n{entry.preview}"
    return sought.strip().casefold() in text.casefold()


def _conversation_button(entry: InboxRow) -> None:
    name = layout.escaped(entry.other.display_name or entry.other.handle or "unknown user")
    when = layout.escaped(layout.ago(entry.last_message_at))
    text = entry.preview
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


def _show_conversation(person: Person, group: str) -> None:
    subject = Subject(
        actions.OPEN_CONVERSATION,
        "Why do you open this conversation?",
        about=(person.uuid,),
        conversation=group,
    )
    if (stores := access.opened(subject)) is None:
        return
    try:
        place = _membership(stores, person, group)
    except (NotFoundError, NotAMemberError) as error:
        layout.show_problem(error)
        return
    other = layout.escaped(place.other.display_name or place.other.handle or place.other.uuid)
    st.header(f"{layout.escaped(person.display_name)} and {other}", anchor=False)
    thread.find(group, stores.table)
    thread.show(person.uuid, group, subject)
    if access.may_write():
        _compose(place, group)
    else:
        st.info("Read-only. To answer here, start the admin UI with --write.")
    layout.command(
        *("ddb.patterns.get-conversation", "--user", person.handle, "--conversation", group)
    )


def _membership(stores: Stores, person: Person, group: str) -> Membership:
    """Who takes part: read once for as long as the conversation is open, it does not change."""
    asked = (person.uuid, group)
    known = st.session_state.get("membership")
    if known is None or known[0] != asked:
        place = conversations.membership(stores.db, stores.table, person.handle, group)
        known = st.session_state["membership"] = (asked, place)
    membership: Membership = known[1]
    return membership


def _compose(place: Membership, group: str) -> None:
    people = {place.user.handle: place.user, place.other.handle: place.other}
    box = composer(f"answer {group}")
    sender_key = f"as {group} {place.user.handle}"
    uuids = {person.handle: person.uuid for person in people.values()}
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
                "Send", type="primary", on_click=_send, args=(group, box.key, sender_key, uuids)
            )
    if box.problem is not None:
        layout.show_problem(box.problem)
    layout.command(
        *("ddb.patterns.create-message", "--user", str(sender), "--conversation", group),
        *("--message", "TEXT"),
    )


@login.action
def _send(group: str, key: str, sender_key: str, uuids: dict[str, str]) -> None:
    sender = str(st.session_state[sender_key])
    deliver = functools.partial(_deliver, access.desk(), sender, group, tuple(uuids.values()))
    composer(f"answer {group}").submit(key, deliver, sender)


def _deliver(
    desk: Desk, sender: str, group: str, about: tuple[str, ...], text: str, retry: Retry
) -> SentMessage:
    """Send, audited. Calls nothing of Streamlit's: see the composer."""
    message_text(text)  # an empty message is nothing to audit
    with desk.open(
        actions.SEND_MESSAGE, about=about, conversation=group, message=retry.message_uuid
    ) as stores:
        return conversations.send_message(stores.db, stores.table, sender, group, text, retry=retry)


page()
