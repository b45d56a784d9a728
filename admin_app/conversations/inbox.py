"""What a session has loaded of an inbox, and what to ask for next.

A rerun reads only new rows from DynamoDB, never the loaded ones again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from core.dynamodb import Table, last_senders, list_inbox
from core.models import InboxRow, Person
from core.postgres import Database, find_people_by_uuid

PAGE = 20
"""Conversations asked for at a time."""

VIEW = 40
"""Rows sent to the page at a time."""

_LONG_PAGE = 1000
"""Conversations asked for at a time by a filter, which reads all of them."""

_FILTER_FOR_S = 0.4
"""After this time a filter shows its matches, and continues in the next run."""

_NAMES_ARE_GOOD_FOR_S = 60.0
_REFRESH_S = 7.0


@dataclass
class Inbox:
    """The newest conversations of one user, up to the last one that was loaded.

    ``sought`` is the text of the filter, ``start`` the first visible row.
    """

    user_uuid: str
    entries: list[InboxRow] = field(default_factory=list)
    cursor: str | None = None
    sought: str = ""
    start: int = 0
    _senders: dict[tuple[str, str], str] = field(default_factory=dict)
    _names: dict[str, Person | None] = field(default_factory=dict)
    _named_at: float = float("-inf")
    _refreshed_at: float = float("-inf")

    def refresh_if_due(self, table: Table, *, anew: bool = False) -> None:
        """Load the rows that have moved to the top, unless this was done a moment ago."""
        if anew or time.monotonic() - self._refreshed_at >= _REFRESH_S:
            self.refresh(table)
            self._refreshed_at = time.monotonic()

    def refresh(self, table: Table) -> None:
        """Load the rows that have moved to the top, in one request; at first, all that are seen."""
        newest = list_inbox(table, self.user_uuid, limit=PAGE if self.entries else VIEW)
        fresh = newest.entries
        top = self.entries[0].sort_key if self.entries else ""
        moved = {entry.message_group_uuid for entry in fresh}
        others = [entry for entry in self.entries if entry.message_group_uuid not in moved]
        if (
            newest.cursor is None
            or not self.entries
            or fresh[-1].sort_key > top
            or any(entry.sort_key >= fresh[-1].sort_key for entry in others)
        ):
            # The whole inbox; or more rows have moved than fit in one page; or a removal has moved
            # one back, to where nothing is read again: start again.
            self.entries, self.cursor = list(fresh), newest.cursor
            return
        older = [entry for entry in others if entry.sort_key < fresh[-1].sort_key]
        if self.cursor is None and not older:
            self.cursor = newest.cursor
        self.entries = [*fresh, *older]

    def forget(self) -> None:
        """Read every row again: one that is not among the newest has changed."""
        self.entries, self.cursor, self._refreshed_at = [], None, float("-inf")

    def load_more(self, table: Table, limit: int = PAGE) -> None:
        """Load one page further back."""
        page = list_inbox(table, self.user_uuid, limit=limit, cursor=self.cursor)
        self.entries += page.entries
        self.cursor = page.cursor

    def read_for_view(self, table: Table) -> None:
        """Load what the visible rows need: the next page, or everything for a filter, in steps."""
        if not self.sought:
            if self.cursor is not None and self.start + VIEW > len(self.entries):
                self.load_more(table, max(VIEW, self.start + VIEW - len(self.entries)))
            return
        ends_at = time.monotonic() + _FILTER_FOR_S
        while self.cursor is not None and time.monotonic() < ends_at:
            self.load_more(table, _LONG_PAGE)

    @property
    def is_searching(self) -> bool:
        """Whether the filter has not read all conversations yet."""
        return bool(self.sought) and self.cursor is not None

    def named(self, db: Database) -> None:
        """Load the current names of all rows in one query, again after a minute."""
        if time.monotonic() - self._named_at > _NAMES_ARE_GOOD_FOR_S:
            self._names.clear()
            self._named_at = time.monotonic()
        unknown = {entry.other.uuid for entry in self.entries} - self._names.keys()
        if unknown:
            known = find_people_by_uuid(db, unknown)
            self._names |= {user_uuid: known.get(user_uuid) for user_uuid in unknown}

    def other(self, entry: InboxRow) -> Person:
        """The other member, with the name from Postgres, or else from the row."""
        return self._names.get(entry.other.uuid) or entry.other

    def matching(self) -> Sequence[InboxRow]:
        """The conversations whose person or last message contains the filter's text."""
        sought = self.sought.strip().casefold()
        return [entry for entry in self.entries if sought in self._text(entry)]

    def _text(self, entry: InboxRow) -> str:
        other = self.other(entry)
        return f"{other.display_name}\n@{other.handle}\n{entry.preview}".casefold()

    def senders(self, table: Table, rows: Sequence[InboxRow]) -> Iterator[str]:
        """The uuid of the sender of each row's last message; empty if unknown."""
        unknown = [row for row in rows if _place(row) not in self._senders]
        if unknown:
            self._senders |= dict.fromkeys(map(_place, unknown), "")
            self._senders |= last_senders(table, unknown)
        return (self._senders[_place(row)] for row in rows)


def _place(row: InboxRow) -> tuple[str, str]:
    return row.message_group_uuid, row.sort_key
