"""The table of all conversations: the element's data, and its questions."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from admin_app import access
from admin_app.conversations import elements
from admin_app.conversations.elements import Question
from admin_app.message_groups import downloading
from admin_app.message_groups.all_conversations import AllConversations
from core.dynamodb import count_messages
from core.models import Conversation

_VIEW = 80
"""Rows sent to the page at a time."""

_BEFORE_VIEW = 20
_PREVIEW = 160
_COUNT = "conversations to count"
_START = "groups start"
_SUBJECT = "groups"


@dataclass(frozen=True, slots=True)
class Order:
    """The column that the table is sorted by."""

    column: str = "at"
    descending: bool = True

    @classmethod
    def parse(cls, text: str) -> Order:
        """The order that an address names: a column, with a ``-`` before it if descending."""
        column = text.removeprefix("-")
        return cls(column, text.startswith("-")) if column in _KEYS else cls()

    def __str__(self) -> str:
        return f"-{self.column}" if self.descending else self.column

    def by(self, column: str) -> Order:
        """The order after a click on the head of ``column``."""
        if column == self.column:
            return Order(column, not self.descending)
        return Order(column, column != "members")

    def sorted(
        self, groups: Sequence[Conversation], overview: AllConversations
    ) -> list[Conversation]:
        key = functools.partial(_KEYS[self.column], overview)
        return sorted(groups, key=key, reverse=self.descending)


_KEYS: dict[str, Callable[[AllConversations, Conversation], Any]] = {
    "members": lambda overview, group: overview.members_text(group).casefold(),
    "at": lambda _, group: group.newest_row.sort_key,
    "messages": lambda overview, group: overview.counts.get(group.message_group_uuid, -1),
}


def order() -> Order:
    """The order that the address names."""
    return Order.parse(st.query_params.get("sort", ""))


def count_asked(overview: AllConversations) -> None:
    """Count the messages of the conversations that this was clicked for.

    Raises:
        CoreError: the store does not answer. The counts so far are kept.
    """
    asked: list[str] = st.session_state.pop(_COUNT, [])
    for group in asked:
        overview.counts[group] = count_messages(access.look().table, group)


def show(groups: list[Conversation], overview: AllConversations, sought: str) -> None:
    """Show these conversations, in this order."""
    start = max(0, min(int(st.session_state.get(_START, 0)) - _BEFORE_VIEW, len(groups) - 1))
    now_sorted = order()
    data = {
        "subject": _SUBJECT,
        "order": f"{now_sorted} {sought}",
        "sort": {
            "column": now_sorted.column,
            "descending": now_sorted.descending,
            "next": {column: str(now_sorted.by(column)) for column in _KEYS},
        },
        "total": len(groups),
        "start": start,
        "rows": [_row(group, overview) for group in groups[start : start + _VIEW]],
        "download": downloading.data(),
    }
    elements.show("groups", data, _answer)


def _row(group: Conversation, overview: AllConversations) -> dict[str, Any]:
    newest = group.newest_row
    return {
        "group": group.message_group_uuid,
        "key": newest.sort_key,
        "ms": elements.milliseconds(newest.last_message_at),
        "preview": " ".join(newest.preview.split())[:_PREVIEW],
        "count": overview.counts.get(group.message_group_uuid),
        "members": [
            {"uuid": person.uuid, "handle": person.handle, "name": person.display_name}
            for person in overview.members(group)
        ],
    }


def _answer(question: Question) -> None:
    match question:
        case {"kind": "count", "group": str(group)}:
            st.session_state.setdefault(_COUNT, []).append(group)
        case {"kind": "sort", "order": str(wanted)} if str(Order.parse(wanted)) == wanted:
            st.query_params["sort"] = wanted
        case {"kind": "view", "start": int(first)}:
            st.session_state[_START] = max(0, first)
