"""What a session has loaded of all conversations of the store."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.dynamodb import Table, conversations_of, list_all_inbox_rows
from core.models import Conversation, InboxRow
from core.postgres import Database
from core.usecases import conversations


@dataclass
class AllConversations:
    """The conversations of the whole store, as far as somebody has asked for them."""

    rows: list[InboxRow] = field(default_factory=list)
    cursor: str | None = None
    groups: list[Conversation] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    """Messages, by ``message_group_uuid``; of those that were counted."""

    def read_on(self, db: Database, table: Table) -> None:
        """The next rows: one request, and one query for the names that Postgres knows."""
        page = list_all_inbox_rows(table, cursor=self.cursor)
        self.rows += page.entries
        self.cursor = page.cursor
        self.groups = conversations.with_current_names(db, conversations_of(self.rows))

    def whole(self, db: Database, table: Table) -> AllConversations:
        """All there are: what is loaded, and the rest, read now."""
        everything = AllConversations([*self.rows], self.cursor, [*self.groups], self.counts)
        while everything.cursor is not None:
            page = list_all_inbox_rows(table, cursor=everything.cursor)
            everything.rows += page.entries
            everything.cursor = page.cursor
        everything.groups = conversations.with_current_names(db, conversations_of(everything.rows))
        return everything
