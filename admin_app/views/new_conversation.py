"""A form for the first message of a conversation."""

from __future__ import annotations

import functools

import streamlit as st

from admin_app import access, actions, layout, login, person_search
from admin_app.access import Desk
from admin_app.composer import Composer, composer
from core.errors import InputError, NotFoundError
from core.models import Person, SentMessage
from core.postgres import Queries, find_person
from core.texts import MAX_CODE_POINTS, message_text
from core.usecases import conversations
from core.usecases.conversations import Retry

FORM = "new conversation"

Shown = dict[str, str]
"""The uuids of the people whom the page shows, by what was typed."""


def page() -> None:
    """Show the two people, the message, and the result of sending it."""
    st.title("New conversation", anchor=False)
    if not access.may_write():
        st.info("Read-only. To start a conversation, start the admin UI with --write.")
        return
    box = composer(FORM)
    one, two = st.columns(2)
    with one:
        sender = _person("From", "from")
    with two:
        recipient = _person("To", "to")
        if sender and recipient and sender.uuid == recipient.uuid:
            st.error("A conversation needs two different people.", icon=":material/warning:")
            recipient = None
    if sender and recipient:
        _say_if_known(sender, recipient, box)
    people = zip(_typed(), (sender, recipient), strict=True)
    _message(box, {handle: person.uuid for handle, person in people if person})
    layout.command(
        *("ddb.patterns.create-conversation", "--user", sender.handle if sender else "HANDLE"),
        *("--with", recipient.handle if recipient else "HANDLE", "--message", "TEXT"),
    )


def _person(label: str, key: str) -> Person | None:
    """The user with the typed handle; until there is one, show similar users."""
    sought = person_search.search_box(label, key)
    if not sought.strip():
        return None
    try:
        person = find_person(access.look().db, sought)
    except NotFoundError:
        person = None
    if person is not None:
        st.caption(f"✓ {layout.escaped(person.full_name)}")
        return person
    with st.container(gap="xxsmall", key=f"list-{key}"):
        if not person_search.matches(sought, f"{key} people", functools.partial(_choose, key)):
            st.error(
                f"No handle or name matches {layout.escaped(sought)}.", icon=":material/warning:"
            )
    return None


def _choose(key: str, handle: str) -> None:
    st.session_state[key] = handle


def _say_if_known(sender: Person, recipient: Person, box: Composer) -> None:
    """Say that the two already have a conversation, before anything is sent.

    Not on production, where the partners of a user are not shown without a reason.
    """
    if access.why_production():
        return
    asked = (sender.uuid, recipient.uuid, box.done)
    known = st.session_state.get("known conversation")
    if known is None or known[0] != asked:
        with access.desk().open(actions.OPEN_INBOX, about=(sender.uuid,)) as stores:
            group = conversations.find_existing(stores.table, sender, recipient)
        known = st.session_state["known conversation"] = (asked, group)
    if known[1] and not _are_members(box.last, {sender.uuid, recipient.uuid}):
        st.info(
            "These two already have a conversation: the message is added to it.",
            icon=":material/forum:",
        )
        _link(sender.handle, known[1])


def _are_members(sent: SentMessage | None, uuids: set[str]) -> bool:
    """Whether the latest message of this form was sent between these two."""
    return sent is not None and {sent.message.sender.uuid, sent.recipient.uuid} == uuids


def _message(box: Composer, shown: Shown) -> None:
    with st.form(FORM):
        st.text_area(
            "First message",
            key=box.key,
            max_chars=MAX_CODE_POINTS,
            placeholder="What do you want to say?",
            persist_state="session",
        )
        st.form_submit_button("Send", type="primary", on_click=_submit, args=(box.key, shown))
        if box.problem is not None:
            layout.show_problem(box.problem)
    if box.last is not None:
        _show_sent(box.last)


def _typed() -> tuple[str, str]:
    """What the two boxes for a person have now."""
    sender, recipient = (
        person_search.visible(str(st.session_state.get(name) or "")).strip()
        for name in ("from", "to")
    )
    return sender, recipient


@login.action
def _submit(key: str, shown: Shown) -> None:
    sender, recipient = _typed()
    deliver = functools.partial(_deliver, access.desk(), sender, recipient, shown)
    composer(FORM).submit(key, deliver, sender, recipient)


def _deliver(
    desk: Desk, sender: str, recipient: str, shown: Shown, text: str, retry: Retry
) -> SentMessage:
    """Send, audited, to nobody else than was ``shown``: another tab may have given away a handle.

    Does not call Streamlit: see the composer.
    """
    for what, handle in (("From", sender), ("To", recipient)):
        if not handle:
            raise InputError(f"{what} is empty", "Type a user’s handle.")
    message_text(text)  # do not audit an empty message
    db = desk.look().db
    one, two = (_person_shown(db, handle, shown) for handle in (sender, recipient))
    about = [one.uuid, two.uuid]
    with desk.open(actions.START_CONVERSATION, about=about, message=retry.message_uuid) as stores:
        return conversations.start_between(stores.table, one, two, text, retry=retry)


def _person_shown(db: Queries, handle: str, shown: Shown) -> Person:
    """The user with the handle.

    Raises:
        InputError: the page showed another one.
    """
    person = find_person(db, handle)
    if shown.get(handle, person.uuid) != person.uuid:
        raise InputError(
            f"@{person.handle} is another user now", "Check who that is, then send it again."
        )
    return person


def _show_sent(sent: SentMessage) -> None:
    other = layout.escaped(sent.recipient.display_name or sent.recipient.handle)
    if sent.started:
        st.success(f"Sent. This started the conversation with {other}.")
    else:
        st.success(f"Sent in the existing conversation with {other}.")
    _link(sent.message.sender.handle, sent.message.message_group_uuid)


def _link(handle: str, group: str) -> None:
    st.page_link(
        "views/conversations.py",
        label="Open the conversation",
        icon=":material/forum:",
        query_params={"user": handle, "conversation": group},
    )


page()
