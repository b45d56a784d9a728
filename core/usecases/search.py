"""Use case: search the messages of a user's conversations, or of the whole store."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from datetime import datetime

from core.dynamodb import (
    Found,
    Table,
    Wanted,
    list_inbox,
    search_conversations,
    search_store,
)
from core.postgres import Database, find_person
from core.timestamps import Instants

_PAGE = 1000


def search(
    db: Database,
    table: Table,
    words: str,
    *,
    user: str = "",
    sender: str = "",
    after: datetime | None = None,
    before: datetime | None = None,
) -> Generator[Found, None, None]:
    """The messages that contain ``words``, page by page as they are found, in no order.

    ``user`` and ``sender`` are handles: only that user's conversations; only messages from that
    sender. ``after`` and ``before`` are exclusive.

    Cost: see :func:`~core.dynamodb.search_store` and :func:`~core.dynamodb.search_conversations`; a
    user's inbox is read besides.

    Raises:
        InputError: there are no words.
        NotFoundError: nobody has one of the handles.
    """
    wanted = Wanted(
        words,
        sender_uuid=find_person(db, sender).uuid if sender else "",
        between=Instants(after, before),
    )
    if not user:
        return search_store(table, wanted)
    return search_conversations(table, _groups(table, find_person(db, user).uuid), wanted)


def _groups(table: Table, user_uuid: str) -> Iterator[str]:
    """A user's conversations, each once, newest first; read when they are needed."""
    known: set[str] = set()
    cursor: str | None = None
    while True:
        page = list_inbox(table, user_uuid, limit=_PAGE, cursor=cursor)
        for row in page.entries:
            if row.message_group_uuid and row.message_group_uuid not in known:
                known.add(row.message_group_uuid)
                yield row.message_group_uuid
        if (cursor := page.cursor) is None:
            return
