"""What a session has loaded of a conversation, and what to ask for next.

A rerun asks DynamoDB for what is new, never again for what is there.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from core.dynamodb import Table, list_thread
from core.models import Message, Page

STEP = 50
"""Messages asked for at a time."""

CONTEXT = 2
"""Messages shown up to the one that a link or a search leads to: it is among the first in view."""

OVERLAP = 10
"""Messages at the newest end that are read again, for writers whose clocks are behind."""

MOST = 200
"""Messages kept: loading at one end lets go at the other."""


@dataclass
class Thread:
    """A stretch of one conversation, oldest first.

    ``at`` is the sort key that it was opened at; empty for its newest end. ``has_older`` and
    ``has_newer`` tell whether the conversation goes on beyond what is loaded.
    """

    message_group_uuid: str
    at: str = ""
    entries: list[Message] = field(default_factory=list)
    has_older: bool = False
    has_newer: bool = False
    _opened: bool = False

    def refresh(self, table: Table) -> None:
        """Open it, or take in what was sent since.

        Two requests, for messages and removals; four to open it ``at`` a place.
        """
        if not self._opened:
            self._open(table)
        elif not self.has_newer:
            self.load_newer(table)
        self._opened = True

    def _open(self, table: Table) -> None:
        if not self.at:
            self._take_older(self._before(table, None, STEP))
            return
        # The place itself is the last of the first page: a bound is exclusive.
        self._take_older(self._before(table, f"{self.at}\0", CONTEXT))
        self._take_newer(self._after(table, self.at, STEP - CONTEXT))

    def load_older(self, table: Table) -> None:
        """One page further back."""
        self._take_older(self._before(table, self._first, STEP))

    def load_newer(self, table: Table) -> None:
        """One page further on, beginning a little before the end of what is loaded."""
        overlap = self.entries[-OVERLAP:]
        since = overlap[0].sort_key if overlap else None
        self._take_newer(self._after(table, since, STEP))

    @property
    def _first(self) -> str | None:
        return self.entries[0].sort_key if self.entries else None

    def _before(self, table: Table, bound: str | None, limit: int) -> Page[Message]:
        return list_thread(table, self.message_group_uuid, limit=limit, before=bound)

    def _after(self, table: Table, bound: str | None, limit: int) -> Page[Message]:
        return list_thread(
            table, self.message_group_uuid, limit=limit, after=bound, newest_first=False
        )

    def _take_older(self, page: Page[Message]) -> None:
        merged = [*reversed(page.entries), *self.entries]
        self.has_older = page.cursor is not None
        self.has_newer = self.has_newer or len(merged) > MOST
        self.entries = merged[:MOST]

    def _take_newer(self, page: Page[Message]) -> None:
        by_key = {message.sort_key: message for message in (*self.entries, *page.entries)}
        merged = [by_key[sort_key] for sort_key in sorted(by_key, key=str.encode)]
        self.has_newer = page.cursor is not None
        self.has_older = self.has_older or len(merged) > MOST
        self.entries = merged[-MOST:]
