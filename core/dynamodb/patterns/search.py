"""Looking for words in one conversation, a stretch of it at a time."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.dynamodb.patterns.reads import list_messages
from core.dynamodb.table import Table
from core.errors import InputError
from core.models import Message

STRETCH = 5000
"""Messages that one call looks at: at 200 bytes each 1 MB, or 125 RCU."""


@dataclass(frozen=True, slots=True)
class Search:
    """What has been found so far, newest first.

    ``looked_at`` counts messages from the newest end; ``cursor`` continues where the search
    stopped, None once it has seen the whole conversation.
    """

    message_group_uuid: str
    words: str
    hits: tuple[Message, ...] = field(default=())
    looked_at: int = 0
    cursor: str | None = None


def search_messages(table: Table, message_group_uuid: str, words: str) -> Search:
    """The messages among the newest :data:`STRETCH` whose text holds ``words``.

    Case does not count, blanks at either end are left out. Costs what reading them costs, pattern
    A, whatever is found: DynamoDB has no index of words.

    Raises:
        InputError: there are no words.
    """
    if not words.strip():
        raise InputError("there is nothing to look for", "Type a word of the message.")
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
