"""One conversation on the screen: the element's data, and its questions."""

from __future__ import annotations

import functools
from typing import Any

import streamlit as st

from admin_app import access, actions, resources
from admin_app.access import Desk
from admin_app.conversations import addresses, elements, exporting, removing
from admin_app.conversations.elements import Question
from admin_app.conversations.messages import Thread
from admin_app.conversations.outbox import Outcome
from core.access import Stores
from core.dynamodb import Search, Table, search_further, search_messages
from core.errors import CoreError
from core.models import DELETED_NAME, Message, Person, SentMessage
from core.texts import MAX_CODE_POINTS, excerpt, message_text
from core.usecases import conversations
from core.usecases.conversations import Membership, Retry

_OUTCOMES = 20
"""How many of this tab's latest sends are reported to its page again."""


_AROUND = 40
"""Characters of a match that are shown on either side of the words."""

_HITS = 50
"""How many matches of a search are shown, newest first."""


def show(stores: Stores, place: Membership, group: str, reason: str) -> None:
    """Show the messages, oldest first, and the box for an answer; new ones appear automatically.

    ``reason`` is the one that the conversation was opened with.
    """
    if removing.show(group):
        return
    answer = functools.partial(_answer, place, group, reason)
    elements.show("thread", _look(stores, place, group), answer)


def has_news(stores: Stores, place: Membership, group: str) -> bool:
    """Whether it would be drawn differently now; reads what is new."""
    return not elements.shows("thread", _look(stores, place, group))


def _look(stores: Stores, place: Membership, group: str) -> dict[str, Any]:
    """The element's data, with what is new."""
    thread = _loaded(group, addresses.place())
    problem = None
    try:
        _read(thread, stores.table)
        _search(group, stores.table)
    except CoreError as error:
        if not thread.entries:
            raise
        problem = error
    return _data(thread, place, problem)


def show_again(group: str, error: CoreError) -> None:
    """Show the conversation as it was, and that its stores do not answer now."""
    elements.show_again("thread", group, error)


def _loaded(group: str, at: str) -> Thread:
    thread = st.session_state.get("thread")
    if not isinstance(thread, Thread) or (thread.message_group_uuid, thread.at) != (group, at):
        thread = st.session_state["thread"] = Thread(group, at)
        st.session_state["thread place"] = st.session_state.get("thread place", 0) + 1
    return thread


def _read(thread: Thread, table: Table) -> None:
    """Read what was asked for. If that was asked of another thread, open this one."""
    match st.session_state.pop("thread wants", None):
        case ("older", str(before)) if thread.entries:
            thread.load_older(table, before)
        case ("newer", str(after)) if thread.entries:
            thread.load_newer(table, after)
        case wanted:
            newest = resources.shared_reads().newest
            anew = wanted == ("sent", thread.message_group_uuid)
            thread.refresh(
                table,
                lambda anew: newest(table, thread.message_group_uuid, anew=anew),
                anew=anew,
            )


def _data(thread: Thread, place: Membership, problem: CoreError | None) -> dict[str, Any]:
    return {
        "subject": thread.message_group_uuid,
        "scope": resources.target().table_name,
        "group": thread.message_group_uuid,
        "place": st.session_state["thread place"],
        "at": thread.at,
        "user": place.user.handle,
        "title": title(place),
        "me": _person(place.user),
        "other": _person(place.other),
        "messages": [_message(message, place) for message in thread.entries],
        "hasOlder": thread.has_older,
        "hasNewer": thread.has_newer,
        "search": _hits(thread.message_group_uuid),
        "mayWrite": access.may_write(),
        "whyNot": _why_not(place),
        "senders": [person.handle for person in _senders(place)],
        "gone": _gone(place),
        "limit": MAX_CODE_POINTS,
        "outbox": resources.outbox().id,
        "outcomes": st.session_state.get("outcomes", []),
        "trouble": elements.trouble(problem),
        "download": exporting.data(thread.message_group_uuid),
    }


def title(place: Membership) -> str:
    """The two members; the owner of the inbox is first."""
    return f"{place.user.display_name or place.user.handle} and {_name(place.other)}"


def _name(person: Person) -> str:
    return person.display_name or person.handle or person.uuid


def _senders(place: Membership) -> list[Person]:
    """The members whose messages can be sent: those who are in Postgres."""
    return [place.user, place.other] if place.other_is_known else [place.user]


def _gone(place: Membership) -> str:
    """A line that says that the other member is no longer in Postgres; empty if they are."""
    if place.other_is_known or _is_erased(place):
        return ""
    return f"{_name(place.other)} is no longer in Postgres."


def _why_not(place: Membership) -> str:
    """Why no message can be written here; empty if one can."""
    if _is_erased(place):
        return f"{_name(place.other)}: the other member was erased. No message can be sent."
    if not access.may_write():
        return "Read-only. To answer here, start the admin UI with --write."
    return ""


def _is_erased(place: Membership) -> bool:
    """Whether the other member is the replacement of an erased user: only they have its names."""
    names = (place.other.handle, place.other.display_name)
    return not place.other_is_known and names == (DELETED_NAME, DELETED_NAME)


def _person(person: Person) -> dict[str, str]:
    return {"uuid": person.uuid, "handle": person.handle, "name": person.display_name}


def _message(message: Message, place: Membership) -> dict[str, Any]:
    """One message, with its sender's current names; for a removed message, only a line."""
    known = {person.uuid: person for person in (place.user, place.other)}
    sender = known.get(message.sender.uuid, message.sender)
    return {
        "key": message.sort_key,
        "uuid": message.message_uuid,
        "sender": sender.uuid,
        "handle": sender.handle,
        "name": sender.display_name,
        "removed": bool(message.removal),
        "text": message.text,
        "ms": elements.milliseconds(message.created_at),
    }


# Questions of the element


def _answer(place: Membership, group: str, reason: str, question: Question) -> None:
    """Answer a question about the conversation ``group``, as long as it is open.

    A click on another conversation may be answered between: then the question is no longer wanted,
    and the reason was given for the first one. A message names its own conversation.
    """
    if question.get("kind") == "send":
        _send(place, question)
    elif question.get("group") == group == addresses.conversation():
        _show_other(question)
        _act(place, group, reason, question)


def _show_other(question: Question) -> None:
    """Show other messages, as far as the question is about that."""
    match question:
        case {"kind": "older", "before": str(before)}:
            st.session_state["thread wants"] = ("older", before)
        case {"kind": "newer", "after": str(after)}:
            st.session_state["thread wants"] = ("newer", after)
        case {"kind": "go", "at": str(at)}:
            st.session_state.pop("thread", None)
            addresses.go(at=at[:100])
        case {"kind": "close"}:
            addresses.go(conversation="")
        case {"kind": "search", "words": str(words)}:
            st.session_state.pop("search", None)  # its matches are of other words
            st.session_state["search wants"] = words[:200]
        case {"kind": "further"}:
            st.session_state["search wants"] = True


def _act(place: Membership, group: str, reason: str, question: Question) -> None:
    match question:
        case {"kind": "export", "format": str(format_name)}:
            exporting.begin(place, group, format_name, reason)
        case {"kind": "stop"}:
            exporting.stop()
        case {"kind": "remove", "id": str(message_uuid)}:
            _ask_to_remove(place, message_uuid)


def _ask_to_remove(place: Membership, message_uuid: str) -> None:
    thread = st.session_state.get("thread")
    if isinstance(thread, Thread):
        for message in thread.entries:
            if message.message_uuid == message_uuid and not message.removal:
                removing.ask(place, message)


def _send(place: Membership, question: Question) -> None:
    """Send a message that was written in this conversation, or in another one of this tab."""
    names = ("id", "text", "sender", "group", "outbox")
    message_uuid, text, sender, asked_group, outbox = (str(question.get(n, "")) for n in names)
    asked = (str(question.get("me", place.user.uuid)), asked_group)
    known = st.session_state.get("memberships", {}).get(asked)
    # Of a conversation that was left too long ago, the audit has the id alone.
    about = (known.user.uuid, known.other.uuid) if known else ()
    deliver = functools.partial(_deliver, access.desk(), sender, asked_group, about)
    where = (sender, asked_group)
    outcome = resources.outbox().submit(message_uuid, text, where, deliver, outbox)
    outcomes = [one for one in st.session_state.get("outcomes", []) if one["id"] != message_uuid]
    outcomes.append({"id": message_uuid, **_told(outcome)})
    st.session_state["outcomes"] = outcomes[-_OUTCOMES:]
    st.session_state["thread wants"] = ("sent", asked_group)
    st.session_state["inbox moved"] = True


def _told(outcome: Outcome) -> dict[str, str]:
    if (problem := elements.trouble(outcome.problem)) is not None:
        return {"problem": problem["text"], "command": problem["command"]}
    return {"key": outcome.sort_key}


def _deliver(
    desk: Desk, sender: str, group: str, about: tuple[str, ...], text: str, retry: Retry
) -> SentMessage:
    """Send, audited. Does not call Streamlit: see :class:`~admin_app.access.Desk`."""
    message_text(text)  # do not audit an empty message
    with desk.open(
        actions.SEND_MESSAGE, about=about, conversation=group, message=retry.message_uuid
    ) as stores:
        return conversations.send_message(stores.db, stores.table, sender, group, text, retry=retry)


# Search


def _search(group: str, table: Table) -> None:
    """Search once for each question: a rerun does not read the conversation again."""
    wanted = st.session_state.pop("search wants", None)
    search = st.session_state.get("search")
    if isinstance(wanted, str):
        st.session_state["search"] = search_messages(table, group, wanted)
    elif wanted and isinstance(search, Search) and search.message_group_uuid == group:
        st.session_state["search"] = search_further(table, search)


def _hits(group: str) -> dict[str, Any] | None:
    search = st.session_state.get("search")
    if not isinstance(search, Search) or search.message_group_uuid != group:
        return None
    return {
        "words": search.words,
        "lookedAt": search.looked_at,
        "more": search.cursor is not None,
        "found": len(search.hits),
        "hits": [
            {
                "key": hit.sort_key,
                "ms": elements.milliseconds(hit.created_at),
                "handle": hit.sender.handle,
                "excerpt": excerpt(hit.text, search.words, _AROUND),
            }
            for hit in search.hits[:_HITS]
        ],
    }
