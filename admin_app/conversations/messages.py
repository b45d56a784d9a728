"""What a session has loaded of a conversation, and what to ask for next.

A rerun reads only new messages from DynamoDB, never the loaded ones again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from admin_app.conversations.shared_reads import STEP, Newest
from core.dynamodb import Table, list_thread
from core.models import Message, Page

CONTEXT = 20
"""Messages loaded up to the one that a link or a search opens."""

MOST = 240
"""Messages kept: loading at one end drops messages at the other."""


@dataclass
class Thread:
    """A stretch of one conversation, oldest first.

    ``at`` is the sort key that it was opened at; empty for its newest end. ``has_older`` and
    ``has_newer`` say whether the conversation has more than what is loaded.
    """

    message_group_uuid: str
    at: str = ""
    entries: list[Message] = field(default_factory=list)
    has_older: bool = False
    has_newer: bool = False
    _opened: bool = False

    def refresh(self, table: Table, newest: Newest, *, anew: bool = False) -> None:
        """Open it, or load the messages sent since.

        Two requests, for messages and removals; four to open it ``at`` a place.
        """
        if not self._opened and self.at:
            # A bound is exclusive, so the place itself is the last of the first page.
            self._take_older(self._before(table, f"{self.at}\0", CONTEXT))
            self._take_newer(self._after(table, self.at, STEP - CONTEXT))
        elif not self.has_newer:
            self._take_newest(table, *newest(anew))
        self._opened = True

    def load_older(self, table: Table, before: str) -> None:
        """Load one page further back, if it begins with ``before``; a repeat loads nothing."""
        if self.has_older and self.entries and self.entries[0].sort_key == before:
            self._take_older(self._before(table, before, STEP))

    def load_newer(self, table: Table, after: str) -> None:
        """Load one page further on, if it ends with ``after``."""
        if self.has_newer and self.entries and self.entries[-1].sort_key == after:
            self._take_newer(self._after(table, after, STEP))

    def _take_newest(self, table: Table, newest: Sequence[Message], has_older: bool) -> None:
        if not self.entries:
            self.entries, self.has_older = list(newest), has_older
            return
        last = self.entries[-1].sort_key
        if has_older and newest[0].sort_key.encode() > last.encode():
            self._take_newer(self._after(table, last, STEP))  # many messages have been sent since
            return
        first = newest[0].sort_key.encode() if newest else b""
        kept = [m for m in self.entries if m.sort_key.encode() < first] if has_older else []
        self._keep_newest([*kept, *newest], has_older=has_older and not kept)

    def _before(self, table: Table, bound: str, limit: int) -> Page[Message]:
        return list_thread(table, self.message_group_uuid, limit=limit, before=bound)

    def _after(self, table: Table, bound: str, limit: int) -> Page[Message]:
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
        self._keep_newest(merged)

    def _keep_newest(self, entries: list[Message], *, has_older: bool = False) -> None:
        self.has_older = self.has_older or has_older or len(entries) > MOST
        self.entries = entries[-MOST:]
