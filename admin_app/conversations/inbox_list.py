"""One user's conversations on the screen: the element's data, and its questions."""

from __future__ import annotations

from typing import Any

import streamlit as st

from admin_app.conversations import addresses, elements
from admin_app.conversations.elements import Question
from admin_app.conversations.inbox import VIEW, Inbox
from core.access import Stores
from core.errors import CoreError
from core.models import InboxRow, Person

_PREVIEW = 160
_BEFORE_VIEW = 10


def show(person: Person, stores: Stores) -> None:
    """Show the list, newest first; conversations with new messages move to the top."""
    elements.show("inbox", _look(person, stores), _answer)


def has_news(person: Person, stores: Stores) -> bool:
    """Whether it would be drawn differently now; reads what is new."""
    return not elements.shows("inbox", _look(person, stores))


def _look(person: Person, stores: Stores) -> dict[str, Any]:
    """The element's data, with what is new."""
    inbox = _loaded(person)
    trouble = None
    try:
        _read(inbox, stores)
    except CoreError as error:
        if not inbox.entries:
            raise
        trouble = error
    return _data(inbox, person, stores, trouble)


def show_again(person: Person, error: CoreError) -> None:
    """Show the list as it was, and that the stores do not answer now."""
    elements.show_again("inbox", person.uuid, error)


def _loaded(person: Person) -> Inbox:
    inbox = st.session_state.get("inbox")
    if not isinstance(inbox, Inbox) or inbox.user_uuid != person.uuid:
        inbox = st.session_state["inbox"] = Inbox(person.uuid)
    return inbox


def _read(inbox: Inbox, stores: Stores) -> None:
    inbox.refresh_if_due(stores.table, anew=st.session_state.pop("inbox moved", False))
    inbox.read_for_view(stores.table)
    inbox.named(stores.db)


def _data(
    inbox: Inbox, person: Person, stores: Stores, trouble: CoreError | None
) -> dict[str, Any]:
    rows = inbox.matching()
    start = max(0, min(inbox.start - _BEFORE_VIEW, len(rows) - 1))
    view = rows[start : start + VIEW]
    try:
        senders = list(inbox.senders(stores.table, view))
    except CoreError as error:
        trouble, senders = trouble or error, [""] * len(view)
    return {
        "subject": person.uuid,
        "owner": person.uuid,
        "handle": person.handle,
        "chosen": addresses.conversation(),
        "sought": inbox.sought,
        "total": len(rows),
        "loaded": len(inbox.entries),
        "more": inbox.cursor is not None and not inbox.sought,
        "isSearching": inbox.is_searching,
        "start": start,
        "rows": [
            _row(inbox, row, sender, person) for row, sender in zip(view, senders, strict=True)
        ],
        "trouble": elements.trouble(trouble),
    }


def _row(inbox: Inbox, row: InboxRow, sender: str, person: Person) -> dict[str, Any]:
    other = inbox.other(row)
    wrote = {person.uuid: "me", row.other.uuid: "them"}.get(sender) if sender else None
    return {
        "group": row.message_group_uuid,
        "key": row.sort_key,
        "name": other.display_name,
        "handle": other.handle,
        "preview": " ".join(row.preview.split())[:_PREVIEW],
        "ms": elements.milliseconds(row.last_message_at),
        "from": wrote,
    }


def _answer(question: Question) -> None:
    inbox = st.session_state.get("inbox")
    if not isinstance(inbox, Inbox):
        return
    match question:
        case {"kind": "open", "group": str(group)}:
            addresses.go(conversation=group)
        case {"kind": "filter", "words": str(words)}:
            inbox.sought, inbox.start = words[:200].strip(), 0
        case {"kind": "view", "start": int(start)}:
            inbox.start = max(0, start)
