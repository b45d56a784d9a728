"""What a session has loaded of an inbox, and what to ask for next.

A rerun asks DynamoDB for what is new, never again for what is there.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from core.dynamodb import Table, list_inbox
from core.models import InboxRow

PAGE = 20
"""Conversations asked for at a time."""


@dataclass
class Inbox:
    """The newest conversations of one user, as far as somebody has asked for them."""

    user_uuid: str
    entries: list[InboxRow] = field(default_factory=list)
    cursor: str | None = None

    def refresh(self, table: Table) -> None:
        """Take in what has moved to the top. One request of :data:`PAGE` rows."""
        newest = list_inbox(table, self.user_uuid, limit=PAGE)
        fresh = newest.entries
        top = self.entries[0].sort_key if self.entries else ""
        if newest.cursor is None or not self.entries or fresh[-1].sort_key > top:
            # All there is, or more has moved than one page holds: begin again.
            self.entries, self.cursor = list(fresh), newest.cursor
            return
        moved = {entry.message_group_uuid for entry in fresh}
        older = [
            entry
            for entry in self.entries
            if entry.sort_key < fresh[-1].sort_key and entry.message_group_uuid not in moved
        ]
        if self.cursor is None and not older:
            self.cursor = newest.cursor
        self.entries = [*fresh, *older]

    def load_more(self, table: Table) -> None:
        """One page further back."""
        page = list_inbox(table, self.user_uuid, limit=PAGE, cursor=self.cursor)
        self.entries += page.entries
        self.cursor = page.cursor
