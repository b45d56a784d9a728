"""Imports items into the table from a file of DynamoDB JSON, or from an export that AWS wrote."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TypeVar

from core.dynamodb import keys
from core.dynamodb.items import text_of
from core.dynamodb.keys import Item
from core.dynamodb.retries import retry_while_busy
from core.dynamodb.table import Table
from core.dynamodb.transfer import puts
from core.dynamodb.transfer.files import Progress
from core.dynamodb.transfer.inserts import (
    MAX_KEYS,
    MAX_STATEMENTS,
    Inserted,
    Inserter,
    Place,
    place_of,
    stored_items,
)
from core.dynamodb.transfer.known_groups import (
    KnownGroups,
    group_of,
    look_for_groups,
    look_for_rows,
    settle,
)
from core.dynamodb.transfer.puts import Putter
from core.dynamodb.transfer.sources import Entry, is_marker, read_items
from core.errors import DynamoDBError, InputError

_WRITERS = 8
_BATCHES = 4
"""Requests at once: of single items, and of batches, which keep a processor busy."""
Done = TypeVar("Done")

_CHUNK = 1000
_MAX_SAMPLES = 3
_REMOVALS, _ERASURES, _OTHERS, _ROWS, _MARKER = 0, 1, 2, 3, 255
"""Passes: inbox rows come last, and the marker is in none."""


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

    The whole file is checked before anything is written: removals first, inbox rows last. Running
    it again changes nothing. It skips the marker, removed messages, and an inbox row if the table
    has a later one.

    Conversations that the table does not have are inserted in batches of 25, at 1 WCU per KB; the
    removals are read before and after, and what others removed meanwhile is deleted again. That
    reads the table twice, at 1 RCU per 4 KB of it, unless it is much larger than the file. In any
    other conversation a missing message costs 8 WCU and 1 RCU; an item that is there costs 1 RCU.

    An export is not a snapshot, and others may write meanwhile: a verification finds inbox rows
    that are then stored twice. If the table throttles, each request is retried for up to five
    minutes; if it does not answer, for half a minute.

    Raises:
        InputError: a line is not an item, and nothing was written; or DynamoDB refused an item,
            for example one over 400 KB, and other items were written.
    """
    # Every line is checked before the first is written.
    passes = bytearray(_pass_of(item) for _, item in read_items(path))
    total = len(passes) - passes.count(_MARKER)
    counts: Counter[str] = Counter()
    differing: list[str] = []
    with _writers(table, path, total) as writers:
        for chunk in _chunks(path, passes, writers.begin_pass):
            outcomes = writers.put_all(chunk)
            counts.update(outcomes)
            places = [
                place
                for (place, _), outcome in zip(chunk, outcomes, strict=True)
                if outcome == puts.DIFFERS
            ]
            differing += places[: _MAX_SAMPLES - len(differing)]
            progress(counts.total(), total)
        deleted = writers.settle()
    return Imported(
        counts[puts.ADDED] - deleted,
        counts[puts.PRESENT],
        counts[puts.DIFFERS],
        tuple(differing),
        counts[puts.REMOVED] + deleted,
    )


def _chunks(
    path: Path, passes: bytearray, begin_pass: Callable[[int], None]
) -> Iterator[list[Entry]]:
    """The items with their places, some at a time, pass by pass.

    A pass parses no line of the others.
    """
    for each_pass in sorted(set(passes) - {_MARKER}):
        begin_pass(each_pass)
        numbers = iter(passes)
        items = read_items(path, lambda: next(numbers, _MARKER) == each_pass)  # noqa: B023
        while chunk := list(islice(items, _CHUNK)):
            yield chunk


def _pass_of(item: Item) -> int:
    """The order in which items are put: removals and holds first, inbox rows after messages.

    An erasure may name a user of whose own erasure the file has the record, so it comes after that.
    """
    if is_marker(item):
        return _MARKER
    pk = text_of(item, "pk")
    if keys.removal_group_of(pk) is not None:
        return _ERASURES if text_of(item, "sk") == keys.ERASURE_SK else _REMOVALS
    if pk in (keys.HOLD_PK, keys.ERASED_PK):
        return _REMOVALS
    return _OTHERS if keys.owner_of(pk) is None else _ROWS


@dataclass(slots=True)
class _Writers:
    """Puts items, several at a time: those of new conversations in batches."""

    table: Table
    path: Path
    total: int
    pool: ThreadPoolExecutor
    batch_pool: ThreadPoolExecutor
    is_over: Callable[[], bool]
    putter: Putter
    inserter: Inserter
    known: KnownGroups = field(default_factory=KnownGroups)

    def put_all(self, chunk: list[Entry]) -> list[str]:
        """The outcomes, in order."""
        outcomes: dict[int, str] = {}
        numbers = range(len(chunk))
        if not self.table.dry:
            # Of two lines with one key, the first is put.
            first = {place_of(chunk[number][1]): number for number in reversed(numbers)}
            fresh = [number for number in first.values() if self._can_insert(chunk[number][1])]
            outcomes |= self._inserted(chunk, fresh[::-1])
            there = [number for number in numbers if number not in outcomes]
            outcomes |= self._found(chunk, there)
        rest = [number for number in numbers if number not in outcomes]
        put = self.pool.map(lambda number: self._put(*chunk[number]), rest)
        outcomes |= zip(rest, put, strict=True)
        return [outcomes[number] for number in numbers]

    def _can_insert(self, item: Item) -> bool:
        group = group_of(item)
        is_removal = keys.removal_group_of(text_of(item, "pk")) is not None
        if is_removal:
            self.known.add(group)  # its messages are put one by one, with a check
        if text_of(item, "pk") == keys.HOLD_PK or self.putter.names_erased(item):
            return False
        if is_removal:
            return self.inserter.can_hold(item)
        return (not group or self.known.is_new(group)) and self.inserter.can_hold(item)

    def _inserted(self, chunk: list[Entry], numbers: list[int]) -> dict[int, str]:
        """The items that were added."""
        added: dict[int, str] = {}
        for batch, results in self._by_batch(self._insert, chunk, numbers, MAX_STATEMENTS):
            for number, result in zip(batch, results, strict=True):
                if result is Inserted.ADDED:
                    added[number] = puts.ADDED
                if result is not Inserted.FAILED:  # taken by this import, if a reply was lost
                    self.known.note_insert(group_of(chunk[number][1]))
        return added

    def _found(self, chunk: list[Entry], numbers: list[int]) -> dict[int, str]:
        """The items that the table has already, exactly as they are."""
        present: dict[int, str] = {}
        for batch, stored in self._by_batch(self._stored, chunk, numbers, MAX_KEYS):
            for number in batch:
                item = chunk[number][1]
                if puts.is_same(stored.get(place_of(item)), item):
                    present[number] = puts.PRESENT
        return present

    def _by_batch(
        self,
        act: Callable[[list[Item]], Done],
        chunk: list[Entry],
        numbers: list[int],
        most: int,
    ) -> Iterator[tuple[list[int], Done]]:
        """The results of ``act`` for up to ``most`` items at a time, with their numbers."""
        sent = [numbers[begin : begin + most] for begin in range(0, len(numbers), most)]
        items = [[chunk[number][1] for number in batch] for batch in sent]
        return zip(sent, self.batch_pool.map(act, items), strict=True)

    def _insert(self, items: list[Item]) -> list[Inserted]:
        return retry_while_busy(lambda: self.inserter.insert(items), self.is_over)

    def _stored(self, items: list[Item]) -> Mapping[Place, Item]:
        return retry_while_busy(lambda: stored_items(self.table, items), self.is_over)

    def _put(self, place: str, item: Item) -> str:
        return retry_while_busy(
            lambda: _put_line(self.putter, self.path, place, item), self.is_over
        )

    def begin_pass(self, number: int) -> None:
        if number == _ROWS and self.known.groups is not None:
            look_for_rows(self.table, self.known, self.total)

    def settle(self) -> int:
        return settle(self.table, self.known) + self.putter.erase_again()


@contextmanager
def _writers(table: Table, path: Path, total: int) -> Iterator[_Writers]:
    is_over = threading.Event()  # retries for a throttled table then stop
    known = KnownGroups() if table.dry or not total else look_for_groups(table, total)
    # A dry run prints, and two threads must not print at once.
    pools = ThreadPoolExecutor(1 if table.dry else _WRITERS), ThreadPoolExecutor(_BATCHES)
    putter, inserter = Putter(table), Inserter(table)
    try:
        yield _Writers(table, path, total, *pools, is_over.is_set, putter, inserter, known)
    finally:
        is_over.set()
        for pool in pools:
            pool.shutdown(cancel_futures=True)


def _put_line(putter: Putter, path: Path, place: str, item: Item) -> str:
    try:
        return putter.put(item)
    except DynamoDBError as error:
        if error.code != "ValidationException":
            raise
        raise InputError(
            f"{path}, {place}: {error.problem}", "Fix the line or remove it."
        ) from error
