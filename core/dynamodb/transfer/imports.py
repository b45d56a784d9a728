"""Imports items into the table from a file of DynamoDB JSON, or from an export that AWS wrote."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from core.dynamodb import keys
from core.dynamodb.items import text_of
from core.dynamodb.keys import Item
from core.dynamodb.retries import retry_while_busy
from core.dynamodb.table import Table
from core.dynamodb.transfer import puts
from core.dynamodb.transfer.files import Progress
from core.dynamodb.transfer.puts import Putter
from core.dynamodb.transfer.sources import Entry, read_items
from core.errors import DynamoDBError, InputError

_WRITERS = 8
_CHUNK = 400
_MAX_SAMPLES = 3


@dataclass(frozen=True, slots=True)
class Imported:
    """The result of an import, in numbers of items.

    ``added``; ``present`` already, or replaced by a later inbox row; ``differing``, whose key has
    another item in the table, which was kept. ``places`` are those of the first of them.
    ``removed`` were left out: the table says that they were removed.
    """

    added: int
    present: int
    differing: int
    places: tuple[str, ...]
    removed: int = 0


def import_file(table: Table, path: Path, progress: Progress) -> Imported:
    """Put the items of ``path`` into the table, unless another item has their key.

    The whole file is checked before anything is written: removals first, inbox rows last. Each put
    is conditional, 8 at a time; running it again changes nothing. It skips the marker, removed
    messages, and an inbox row if the table has a later one. In a conversation that is not in the
    table yet, an item costs 1 WCU per KB, and 2 RCU once for the conversation; in any other
    conversation, a missing message costs 6 WCU and 1 RCU. An export is not a snapshot, and others
    may write meanwhile: a verification finds inbox rows that are then stored twice. If the table
    throttles, each item is retried for up to five minutes; if it does not answer, for half a
    minute.

    Raises:
        InputError: a line is not an item, and nothing was written; or DynamoDB refused an item,
            for example one over 400 KB, and other items were written.
    """
    # Every line is checked before the first is written.
    in_file = Counter(_pass_of(item) for _, item in read_items(path))
    counts: Counter[str] = Counter()
    differing: list[str] = []
    with _writers(table, path) as put_all:
        for chunk in _chunks(path, sorted(in_file)):
            for (place, _), outcome in zip(chunk, put_all(chunk), strict=True):
                counts[outcome] += 1
                if outcome == puts.DIFFERS and len(differing) < _MAX_SAMPLES:
                    differing.append(place)
            progress(counts.total(), in_file.total())
    return Imported(
        counts[puts.ADDED],
        counts[puts.PRESENT],
        counts[puts.DIFFERS],
        tuple(differing),
        counts[puts.REMOVED],
    )


def _chunks(path: Path, passes: Iterable[int]) -> Iterator[list[Entry]]:
    """The items of a file with their places, some at a time: once for each pass."""
    for each_pass in passes:
        items = (entry for entry in read_items(path) if _pass_of(entry[1]) == each_pass)
        while chunk := list(islice(items, _CHUNK)):
            yield chunk


def _pass_of(item: Item) -> int:
    """The order in which items are put: removals and holds first, inbox rows after messages."""
    pk = text_of(item, "pk")
    if keys.removal_group_of(pk) is not None or pk in (keys.HOLD_PK, keys.ERASED_PK):
        return 0
    return 1 if keys.owner_of(pk) is None else 2


@contextmanager
def _writers(table: Table, path: Path) -> Iterator[Callable[[list[Entry]], Iterator[str]]]:
    """Yields a function that puts items, several at a time, and returns their outcomes in order."""
    is_over = threading.Event()  # retries for a throttled table then stop
    putter = Putter(table)
    # A dry run prints, and two threads must not print at once.
    with ThreadPoolExecutor(1 if table.dry else _WRITERS) as pool:
        try:
            yield lambda chunk: pool.map(
                lambda entry: retry_while_busy(
                    lambda: _put_line(putter, path, *entry), is_over.is_set
                ),
                chunk,
            )
        finally:
            is_over.set()
            pool.shutdown(wait=False, cancel_futures=True)


def _put_line(putter: Putter, path: Path, place: str, item: Item) -> str:
    try:
        return putter.put(item)
    except DynamoDBError as error:
        if error.code != "ValidationException":
            raise
        raise InputError(
            f"{path}, {place}: {error.problem}", "Fix the line or remove it."
        ) from error
