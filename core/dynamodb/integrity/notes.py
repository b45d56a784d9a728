"""What a verification remembers of every conversation: its rows, and each sender's newest message.

It lives in a private temporary database, which SQLite keeps in memory while it is small and then in
a file without a name: https://www.sqlite.org/inmemorydb.html#temp_db. So the memory of a
verification does not grow with the table. Of a text only a number is kept.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import groupby

from core.dynamodb.items import inbox_row_from
from core.dynamodb.keys import Item
from core.dynamodb.patterns.reads import names_a_conversation
from core.models import InboxRow, Message, Pair, Person

_MOST_WAITING = 10_000

_SCHEMA = """
PRAGMA synchronous = OFF;
PRAGMA journal_mode = OFF;
CREATE TABLE rows (
    conversation TEXT, owner TEXT, sk TEXT, other TEXT, preview TEXT,
    PRIMARY KEY (conversation, owner, sk)
) WITHOUT ROWID;
CREATE TABLE newest (
    conversation TEXT, sender TEXT, sk TEXT, text TEXT,
    PRIMARY KEY (conversation, sender)
) WITHOUT ROWID;
CREATE TABLE pairs (one TEXT, other TEXT, conversation TEXT, PRIMARY KEY (one, other));
BEGIN;
"""


class Notes:
    """The notes of one verification; close them at its end."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._database.executescript(_SCHEMA)
        self._waiting: dict[tuple[str, str], tuple[str, str]] = {}
        self._last: tuple[str, list[InboxRow]] = ("", [])

    def close(self) -> None:
        self._database.close()

    def add_rows(self, items: Iterable[Item]) -> None:
        """Note inbox rows, as the index has them; others may have put other items there."""
        self._database.executemany(
            "INSERT OR REPLACE INTO rows VALUES (?, ?, ?, ?, ?)",
            (
                (
                    row.message_group_uuid,
                    row.owner_uuid,
                    row.sort_key,
                    row.other.uuid,
                    _mark(row.preview),
                )
                for row in filter(names_a_conversation, map(inbox_row_from, items))
            ),
        )

    def add_message(self, message: Message) -> None:
        """Note a message, if it is the newest so far of its sender."""
        place = (message.message_group_uuid, message.sender.uuid)
        waiting = self._waiting.get(place)
        if waiting is not None and waiting[0] >= message.sort_key:
            return
        self._waiting[place] = (message.sort_key, _mark(message.text))
        if len(self._waiting) > _MOST_WAITING:
            self._store_waiting()

    def _store_waiting(self) -> None:
        self._database.executemany(
            "INSERT INTO newest VALUES (?, ?, ?, ?) ON CONFLICT (conversation, sender) DO UPDATE"
            " SET sk = excluded.sk, text = excluded.text WHERE excluded.sk > sk",
            ((*place, *newest) for place, newest in self._waiting.items()),
        )
        self._waiting = {}

    def rows_of(self, message_group_uuid: str) -> list[InboxRow]:
        """A conversation's rows. Their previews are marks, as are the texts of messages."""
        if self._last[0] != message_group_uuid:
            stored = self._database.execute(
                "SELECT * FROM rows WHERE conversation = ?", (message_group_uuid,)
            )
            self._last = (message_group_uuid, list(map(_row, stored)))
        return self._last[1]

    def conversations(self) -> Iterator[tuple[str, list[InboxRow]]]:
        """Every conversation that has rows, with them."""
        rows = map(_row, self._database.execute("SELECT * FROM rows"))
        for group, group_rows in groupby(rows, lambda row: row.message_group_uuid):
            yield group, list(group_rows)

    def newest_message(self, message_group_uuid: str, senders: Iterable[str]) -> Message | None:
        """The newest message that one of ``senders`` wrote. Its text is a mark."""
        self._store_waiting()
        newest: Message | None = None
        for sender in senders:
            stored = self._database.execute(
                "SELECT sk, text FROM newest WHERE conversation = ? AND sender = ?",
                (message_group_uuid, sender),
            ).fetchone()
            if stored is not None and (newest is None or stored[0] > newest.sort_key):
                person = Person(sender, "", "")
                newest = Message(message_group_uuid, "", person, stored[1], stored[0], None)
        return newest

    def first_conversation_of(self, pair: Pair, message_group_uuid: str) -> str:
        """The first conversation of two users that was noted: this one if there was none."""
        self._database.execute(
            "INSERT OR IGNORE INTO pairs VALUES (?, ?, ?)", (*pair, message_group_uuid)
        )
        stored = self._database.execute(
            "SELECT conversation FROM pairs WHERE one = ? AND other = ?", pair
        ).fetchone()
        return str(stored[0])


def _mark(text: str) -> str:
    """The same for the same text, in this process; nothing of the text itself."""
    return f"{hash(text):x}"


def _row(stored: tuple[str, ...]) -> InboxRow:
    group, owner, sort_key, other, preview = stored
    return InboxRow(group, owner, Person(other, "", ""), preview, sort_key, None)
