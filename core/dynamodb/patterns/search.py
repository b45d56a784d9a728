"""Searches one conversation for words, a number of messages at a time."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.dynamodb.patterns.reads import list_messages
from core.dynamodb.table import Table
from core.errors import InputError
from core.models import Message

STRETCH = 5000
"""The messages that one call reads: 1 MB, or 125 RCU, at 200 bytes each."""


@dataclass(frozen=True, slots=True)
class Search:
    """The matches so far, newest first.

    ``looked_at`` counts messages from the newest end; ``cursor`` continues where the search
    stopped, None once it has seen the whole conversation.
    """

    message_group_uuid: str
    words: str
    hits: tuple[Message, ...] = field(default=())
    looked_at: int = 0
    cursor: str | None = None


def search_messages(table: Table, message_group_uuid: str, words: str) -> Search:
    """The messages among the newest :data:`STRETCH` whose text contains ``words``.

    Ignores case, and blanks at either end. Costs as much as reading the messages, pattern A,
    whether or not they match: DynamoDB has no index of words.

    Raises:
        InputError: there are no words.
    """
    if not words.strip():
        raise InputError("The search is empty", "Type a word of the message.")
    return search_further(table, Search(message_group_uuid, words.strip()))


def search_further(table: Table, search: Search) -> Search:
    """The same search, another :data:`STRETCH` of messages further back."""
    page = list_messages(table, search.message_group_uuid, limit=STRETCH, cursor=search.cursor)
    wanted = search.words.casefold()
    hits = tuple(message for message in page.entries if wanted in message.text.casefold())
    return Search(
        search.message_group_uuid,
        search.words,
        search.hits + hits,
        search.looked_at + len(page.entries),
        page.cursor,
    )
