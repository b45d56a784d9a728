"""The newest messages of a conversation, read once for all tabs that show it.

Thirty tabs on one conversation read the store as often as one tab. Each tab needs its own
permission, reason and audit line before it gets here: only the answer is shared.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from core.dynamodb import Table, list_messages, list_thread, removed_places
from core.models import Message

STEP = 60
"""Messages asked for at a time."""

_OVERLAP = 10
"""Messages at the newest end that are read again, for writers whose clocks are behind."""

_KEPT = 2 * STEP
_MOST_CONVERSATIONS = 500

Newest = Callable[[bool], tuple[Sequence[Message], bool]]
"""The newest messages, oldest first, and whether there are older ones; True reads again."""


@dataclass
class _End:
    """The newest messages of one conversation, as they were ``read_at``."""

    entries: list[Message] = field(default_factory=list)
    has_older: bool = False
    read_at: float = float("-inf")
    lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, table: Table, message_group_uuid: str) -> None:
        """Read a page: all its messages the first time, then only the last few, and what was
        removed among all. Two requests.
        """
        if len(self.entries) <= _OVERLAP or not self._read_on(table, message_group_uuid):
            page = list_thread(table, message_group_uuid, limit=STEP)
            self.entries, self.has_older = [*reversed(page.entries)], page.cursor is not None
        self.read_at = time.monotonic()

    def _read_on(self, table: Table, message_group_uuid: str) -> bool:
        """Whether all later messages are here now; False if they are more than a page."""
        kept = self.entries[:-_OVERLAP]
        since = kept[-1].sort_key
        page = list_messages(table, message_group_uuid, limit=STEP, after=since, newest_first=False)
        if page.cursor is not None:
            return False
        removed = removed_places(table, message_group_uuid, kept[0].sort_key)
        gone = {place.message_uuid for place in removed}
        left = [message for message in kept if message.message_uuid not in gone]
        # A message with the key of a removed one is shown there, as in ``list_thread``.
        by_key = {message.sort_key: message for message in (*removed, *left, *page.entries)}
        entries = [by_key[sort_key] for sort_key in sorted(by_key, key=str.encode)]
        self.has_older = self.has_older or len(entries) > _KEPT
        self.entries = entries[-_KEPT:]
        return True


class SharedReads:
    """The newest messages that this server has read, each valid for ``good_for_s``."""

    def __init__(self, good_for_s: float) -> None:
        self._good_for_s = good_for_s
        self._lock = threading.Lock()
        self._ends: OrderedDict[str, _End] = OrderedDict()

    def newest(
        self, table: Table, message_group_uuid: str, *, anew: bool = False
    ) -> tuple[Sequence[Message], bool]:
        """The newest messages, oldest first, and whether there are older ones.

        At most one read for all tabs that ask at once; ``anew`` always reads.
        """
        end = self._end(message_group_uuid)
        with end.lock:
            if anew or time.monotonic() - end.read_at >= self._good_for_s:
                end.read(table, message_group_uuid)
            return tuple(end.entries), end.has_older

    def outdate(self, message_group_uuid: str) -> None:
        """Have the next tab that asks read again: a message was removed."""
        end = self._end(message_group_uuid)
        with end.lock:
            end.read_at = float("-inf")

    def forget(self) -> None:
        """Read every conversation again, from the beginning: a user is erased."""
        with self._lock:
            self._ends.clear()

    def _end(self, message_group_uuid: str) -> _End:
        with self._lock:
            end = self._ends.setdefault(message_group_uuid, _End())
            self._ends.move_to_end(message_group_uuid)
            while len(self._ends) > _MOST_CONVERSATIONS:
                self._ends.popitem(last=False)
            return end
