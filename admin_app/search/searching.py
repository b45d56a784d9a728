"""A search that runs in the background, while its page shows the matches so far.

It belongs to one tab. It does not call Streamlit.
"""

from __future__ import annotations

import heapq
import threading
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime

from admin_app import actions
from admin_app.access import Desk
from admin_app.store.jobs import Job
from core.models import Message
from core.usecases.search import search

SHOWN = 50
"""How many messages are kept and shown, newest first."""


@dataclass(frozen=True, slots=True)
class Question:
    """The words and limits of a search; ``user``, ``sender`` are handles, ``about`` their uuids."""

    words: str
    user: str = ""
    sender: str = ""
    after: datetime | None = None
    before: datetime | None = None
    about: tuple[str, ...] = ()


@dataclass
class Searching:
    """One search: its job, how many messages match so far, and the newest of them."""

    question: Question
    job: Job
    count: int = 0
    _newest: list[tuple[str, str, Message]] = field(default_factory=list)
    _removed: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, desk: Desk) -> None:
        """Search in a separate thread; the audit line comes first."""
        thread = threading.Thread(
            target=self.job.run, args=(lambda job: self._search(desk, job),), daemon=True
        )
        thread.start()

    @property
    def newest(self) -> list[Message]:
        """The newest matches so far, newest first."""
        with self._lock:
            return [message for _, _, message in sorted(self._newest, reverse=True)]

    def forget(self, message_uuid: str) -> None:
        """Keep no match that was removed, whether it was found already or is found later."""
        with self._lock:
            self._removed.add(message_uuid)
            kept = [entry for entry in self._newest if entry[1] != message_uuid]
            self.count -= len(self._newest) - len(kept)
            self._newest = kept

    def _search(self, desk: Desk, job: Job) -> bool:
        """Whether everything was read."""
        asked = self.question
        with desk.open(actions.SEARCH_MESSAGES, about=asked.about) as stores:
            pages = search(
                stores.db,
                job.metered(stores.table),
                asked.words,
                user=asked.user,
                sender=asked.sender,
                after=asked.after,
                before=asked.before,
            )
            with closing(pages):
                seen = 0
                for page in pages:
                    desk.visitor.require_login()
                    seen += page.looked_at
                    self._take(page.messages)
                    if not job.go_on(seen):
                        return False
        return True

    def _take(self, messages: tuple[Message, ...]) -> None:
        with self._lock:
            fresh = [
                (m.sort_key, m.message_uuid, m)
                for m in messages
                if m.message_uuid not in self._removed
            ]
            self.count += len(fresh)
            self._newest = heapq.nlargest(
                SHOWN, [*self._newest, *fresh], key=lambda entry: entry[:2]
            )
