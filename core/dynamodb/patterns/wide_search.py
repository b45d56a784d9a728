"""Searches many conversations for words: those of one user, or all of the store.

There is no index of words and no second copy of the messages, so every message is read. Several
requests run at the same time, and matches are returned as they are found.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from core.dynamodb import keys, paging
from core.dynamodb.items import message_from
from core.dynamodb.keys import Item
from core.dynamodb.patterns.reads import key_condition
from core.dynamodb.table import Table
from core.errors import CoreError, InputError
from core.models import Message
from core.timestamps import ANY_TIME, Instants

THREADS = 4
"""Requests at the same time."""

_LOOK_FOR_STOP_S = 0.2


@dataclass(frozen=True, slots=True)
class Wanted:
    """The criteria of a match: words in the text, in any case; a sender; a time."""

    words: str
    sender_uuid: str = ""
    between: Instants = ANY_TIME

    def matches(self, message: Message) -> bool:
        """Whether a message is a match."""
        return (
            self.words.strip().casefold() in message.text.casefold()
            and (not self.sender_uuid or message.sender.uuid == self.sender_uuid)
            and self.between.includes(message.sort_key)
        )


@dataclass(frozen=True, slots=True)
class Found:
    """The matches of one page, in no order, and how many items were read for it."""

    messages: tuple[Message, ...]
    looked_at: int


def search_store(table: Table, wanted: Wanted) -> Generator[Found, None, None]:
    """The matches of the whole table, page by page.

    A parallel scan: 0.5 RCU for every 4 KB of the table, however many match. A sender or a time
    does not make it cheaper. Ending the iteration early ends the requests.

    Raises:
        InputError: there are no words.
    """
    segments = (
        {"operation": "scan", "Segment": segment, "TotalSegments": THREADS}
        for segment in range(THREADS)
    )
    return _search(table, segments, wanted)


def search_conversations(
    table: Table, groups: Iterable[str], wanted: Wanted
) -> Generator[Found, None, None]:
    """The matches of these conversations, by ``message_group_uuid``, page by page.

    A query each: 0.5 RCU for every 4 KB of the messages within a day of the given time, as a sort
    key may carry any offset from UTC.

    Raises:
        InputError: there are no words.
    """
    after, before = wanted.between.narrowed(None, None)
    if after is not None and before is not None and after >= before:
        return _search(table, (), wanted)  # nothing lies between them
    return _search(table, (_query(group, after, before) for group in groups), wanted)


def _query(group: str, after: str | None, before: str | None) -> dict[str, Any]:
    condition, values = key_condition(keys.message_pk(group), after, before)
    return {
        "operation": "query",
        "KeyConditionExpression": condition,
        "ExpressionAttributeValues": values,
    }


def _search(
    table: Table, requests: Iterable[dict[str, Any]], wanted: Wanted
) -> Generator[Found, None, None]:
    if not wanted.words.strip():
        raise InputError("The search is empty", "Type a word of the message.")
    return _run(_Readers(table, requests), wanted)


def _run(readers: _Readers, wanted: Wanted) -> Generator[Found, None, None]:
    try:
        for items in readers.pages():
            messages = map(message_from, filter(_is_message, items))
            yield Found(tuple(filter(wanted.matches, messages)), len(items))
    finally:
        readers.stop()


def _is_message(item: Item) -> bool:
    return keys.message_group_of(item["pk"]["S"]) is not None


class _Readers:
    """Threads; each takes the next request and reads all its pages."""

    def __init__(self, table: Table, requests: Iterable[dict[str, Any]]) -> None:
        self._table = table
        self._requests = iter(requests)
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._pages: queue.Queue[list[Item] | CoreError | None] = queue.Queue(2 * THREADS)

    def pages(self) -> Iterator[list[Item]]:
        """The pages that the threads read, as they arrive."""
        threads = [
            threading.Thread(target=self._read, daemon=True, name="search") for _ in range(THREADS)
        ]
        for thread in threads:
            thread.start()
        running = len(threads)
        while running:
            page = self._pages.get()
            if page is None:
                running -= 1
            elif isinstance(page, CoreError):
                raise page
            else:
                yield page

    def stop(self) -> None:
        """Make the threads end at their next page."""
        self._stopped.set()

    def _read(self) -> None:
        try:
            while (request := self._next()) is not None:
                operation = request.pop("operation")
                for page in paging.pages(self._table.request, operation, **request):
                    self._put(page["Items"])
                    if self._stopped.is_set():
                        return
        except CoreError as error:
            self._put(error)
        finally:
            self._put(None)

    def _next(self) -> dict[str, Any] | None:
        with self._lock:
            return None if self._stopped.is_set() else next(self._requests, None)

    def _put(self, page: list[Item] | CoreError | None) -> None:
        while not self._stopped.is_set():
            try:
                self._pages.put(page, timeout=_LOOK_FOR_STOP_S)
            except queue.Full:
                continue
            return
