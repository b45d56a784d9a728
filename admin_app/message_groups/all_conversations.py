"""The conversations of the whole store that a session has loaded."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.dynamodb import Table, conversations_of, list_all_inbox_rows
from core.models import Conversation, InboxRow
from core.postgres import Database
from core.usecases import conversations


@dataclass
class AllConversations:
    """The conversations of the whole store, up to the last one that was loaded."""

    rows: list[InboxRow] = field(default_factory=list)
    cursor: str | None = None
    groups: list[Conversation] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    """The number of messages, by ``message_group_uuid``, of the counted conversations."""

    def read_on(self, db: Database, table: Table) -> None:
        """Load the next rows: one request, and one query for their names in Postgres."""
        page = list_all_inbox_rows(table, cursor=self.cursor)
        self.rows += page.entries
        self.cursor = page.cursor
        self.groups = conversations.with_current_names(db, conversations_of(self.rows))

    def whole(self, db: Database, table: Table) -> AllConversations:
        """All conversations: the loaded ones, and the rest, read now."""
        everything = AllConversations([*self.rows], self.cursor, [*self.groups], self.counts)
        while everything.cursor is not None:
            page = list_all_inbox_rows(table, cursor=everything.cursor)
            everything.rows += page.entries
            everything.cursor = page.cursor
        everything.groups = conversations.with_current_names(db, conversations_of(everything.rows))
        return everything
