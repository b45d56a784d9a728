"""The conversations of the whole store that a session has loaded."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from core.dynamodb import Table, conversations_of, list_all_inbox_rows
from core.models import Conversation, InboxRow, Person
from core.postgres import Database
from core.usecases.conversations import current_names


@dataclass
class AllConversations:
    """The conversations of the whole store, up to the last one that was loaded."""

    rows: list[InboxRow] = field(default_factory=list)
    cursor: str | None = None
    groups: list[Conversation] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    """The number of messages, by ``message_group_uuid``, of the counted conversations."""

    people: dict[str, Person] = field(default_factory=dict)
    """The members that Postgres has, by uuid."""

    _named: set[str] = field(default_factory=set)
    """The members that Postgres was asked for: each once."""

    def read_on(self, db: Database, table: Table) -> None:
        """Load the next rows: one request, and one query for their names in Postgres."""
        self._read_page(table)
        self._name(db)

    def read_for(self, db: Database, table: Table, duration_s: float) -> None:
        """Load pages for so long, or to the end, and then their names."""
        ends_at = time.monotonic() + duration_s
        while self.cursor is not None and time.monotonic() < ends_at:
            self._read_page(table)
        self._name(db)

    def whole(
        self, db: Database, table: Table, progress: Callable[[int], None]
    ) -> AllConversations:
        """All conversations: the loaded ones, and the rest, read now.

        ``progress`` receives the number of rows, two for a conversation.
        """
        everything = AllConversations(
            [*self.rows], self.cursor, [*self.groups], self.counts, {**self.people}, {*self._named}
        )
        while everything.cursor is not None:
            everything._read_page(table)
            progress(len(everything.rows))
        everything._name(db)
        return everything

    def _read_page(self, table: Table) -> None:
        page = list_all_inbox_rows(table, cursor=self.cursor)
        self.rows += page.entries
        self.cursor = page.cursor

    def _name(self, db: Database) -> None:
        self.groups = conversations_of(self.rows)
        members = {person.uuid for group in self.groups for person in group.members}
        if unknown := members - self._named:
            self.people |= current_names(db, unknown)
            self._named |= unknown

    def members(self, group: Conversation) -> list[Person]:
        """The members, with the names in Postgres, or else those in the rows.

        A row names only the other member, and the other row may not be loaded.
        """
        return [self.people.get(person.uuid, person) for person in group.members]

    def members_text(self, group: Conversation) -> str:
        """The members' names and handles, on one line."""
        return ", ".join(person.full_name for person in self.members(group))

    def matching(self, sought: str) -> list[Conversation]:
        """The conversations whose members, last message or id contain ``sought``."""
        words = sought.casefold()
        return [group for group in self.groups if words in self._text(group).casefold()]

    def _text(self, group: Conversation) -> str:
        preview = group.newest_row.preview
        return "\n".join((self.members_text(group), preview, group.message_group_uuid))
