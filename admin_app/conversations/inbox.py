"""What a session has loaded of an inbox, and what to ask for next.

A rerun asks DynamoDB for what is new, never again for what is there.
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
"""Rows that the page gets at a time."""

_LONG_PAGE = 1000
"""Conversations asked for at a time by a filter, which reads all of them."""

_FILTER_FOR_S = 0.4
"""After this time a filter shows what it has found, and reads on in the next run."""

_NAMES_ARE_GOOD_FOR_S = 60.0
_REFRESH_S = 7.0


@dataclass
class Inbox:
    """The newest conversations of one user, as far as somebody has asked for them.

    ``sought`` is what the filter holds, ``start`` the first row that is in view.
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
        """Take in what has moved to the top, where that has not been asked for a while."""
        if anew or time.monotonic() - self._refreshed_at >= _REFRESH_S:
            self.refresh(table)
            self._refreshed_at = time.monotonic()

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

    def load_more(self, table: Table, limit: int = PAGE) -> None:
        """One page further back."""
        page = list_inbox(table, self.user_uuid, limit=limit, cursor=self.cursor)
        self.entries += page.entries
        self.cursor = page.cursor

    def read_for_view(self, table: Table) -> None:
        """What the rows in view take: the next page, or for a filter all there is, in a while."""
        if not self.sought:
            if self.cursor is not None and self.start + VIEW > len(self.entries):
                self.load_more(table, VIEW)
            return
        ends_at = time.monotonic() + _FILTER_FOR_S
        while self.cursor is not None and time.monotonic() < ends_at:
            self.load_more(table, _LONG_PAGE)

    @property
    def is_searching(self) -> bool:
        """Whether a filter has not seen all conversations yet."""
        return bool(self.sought) and self.cursor is not None

    def named(self, db: Database) -> None:
        """Know the names of now: of all rows, in one query; asked again after a minute."""
        if time.monotonic() - self._named_at > _NAMES_ARE_GOOD_FOR_S:
            self._names.clear()
            self._named_at = time.monotonic()
        unknown = {entry.other.uuid for entry in self.entries} - self._names.keys()
        if unknown:
            known = find_people_by_uuid(db, unknown)
            self._names |= {user_uuid: known.get(user_uuid) for user_uuid in unknown}

    def other(self, entry: InboxRow) -> Person:
        """The other member: as Postgres names them, else as the row does."""
        return self._names.get(entry.other.uuid) or entry.other

    def matching(self) -> Sequence[InboxRow]:
        """The conversations whose person or last message holds what is sought."""
        sought = self.sought.strip().casefold()
        return [entry for entry in self.entries if sought in self._text(entry)]

    def _text(self, entry: InboxRow) -> str:
        other = self.other(entry)
        return f"{other.display_name}\n@{other.handle}\n{entry.preview}".casefold()

    def senders(self, table: Table, rows: Sequence[InboxRow]) -> Iterator[str]:
        """Who wrote the last message of each row, by uuid; empty where that is not known."""
        unknown = [row for row in rows if _place(row) not in self._senders]
        if unknown:
            self._senders |= dict.fromkeys(map(_place, unknown), "")
            self._senders |= last_senders(table, unknown)
        return (self._senders[_place(row)] for row in rows)


def _place(row: InboxRow) -> tuple[str, str]:
    return row.message_group_uuid, row.sort_key
