"""Imports items into the table from JSON Lines of DynamoDB JSON, as an export writes them."""

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
from core.dynamodb.dynamodb_json import parsed_item
from core.dynamodb.items import text_of
from core.dynamodb.keys import Item
from core.dynamodb.retries import retry_while_busy
from core.dynamodb.table import Table
from core.dynamodb.transfer import puts
from core.dynamodb.transfer.files import Progress, naming_file
from core.dynamodb.transfer.puts import Putter
from core.errors import DynamoDBError, InputError
from core.json_objects import RepeatedNameError

_WRITERS = 8
_CHUNK = 400
_MAX_SAMPLES = 3


@dataclass(frozen=True, slots=True)
class Imported:
    """The result of an import, in numbers of items.

    ``added``; ``present`` already, or replaced by a later inbox row; ``differing``, whose key has
    another item in the table, which was kept. ``lines`` are the first lines of those. ``removed``
    were left out: the table says that they were removed.
    """

    added: int
    present: int
    differing: int
    lines: tuple[int, ...]
    removed: int = 0


def import_file(table: Table, path: Path, progress: Progress) -> Imported:
    """Put the items of ``path`` into the table, unless another item has their key.

    The whole file is checked before anything is written: removals first, inbox rows last. Each put
    is conditional, 8 at a time; running it again changes nothing. The marker is skipped, and so are
    an inbox row of which the table has a later one, and what was removed. Into a conversation that
    the table had nothing of an item costs 1 WCU per KB, and 2 RCU once for the conversation; into
    any other, a message that is missing there 6 WCU and 1 RCU. An export is not a snapshot, and
    others may write meanwhile: a verification finds inbox rows that are then stored twice. If the
    table throttles, each item is retried for up to five minutes; if it does not answer, for half a
    minute.

    Raises:
        InputError: a line is not an item, and nothing was written; or DynamoDB refused an item,
            for example one over 400 KB, and other items were written.
    """
    # Every line is checked before the first is written.
    in_file = Counter(_pass_of(item) for _, item in _items(path))
    counts: Counter[str] = Counter()
    differing: list[int] = []
    with _writers(table, path) as put_all:
        for chunk in _chunks(path, sorted(in_file)):
            for (number, _), outcome in zip(chunk, put_all(chunk), strict=True):
                counts[outcome] += 1
                if outcome == puts.DIFFERS and len(differing) < _MAX_SAMPLES:
                    differing.append(number)
            progress(counts.total(), in_file.total())
    return Imported(
        counts[puts.ADDED],
        counts[puts.PRESENT],
        counts[puts.DIFFERS],
        tuple(sorted(differing)),
        counts[puts.REMOVED],
    )


def _chunks(path: Path, passes: Iterable[int]) -> Iterator[list[tuple[int, Item]]]:
    """The items of a file with their line numbers, some at a time: once for each pass."""
    for each_pass in passes:
        items = (entry for entry in _items(path) if _pass_of(entry[1]) == each_pass)
        while chunk := list(islice(items, _CHUNK)):
            yield chunk


def _pass_of(item: Item) -> int:
    """When an item is put: removals and holds first, inbox rows after the messages they show."""
    pk = text_of(item, "pk")
    if keys.removal_group_of(pk) is not None or pk == keys.HOLD_PK:
        return 0
    return 1 if keys.owner_of(pk) is None else 2


@contextmanager
def _writers(
    table: Table, path: Path
) -> Iterator[Callable[[list[tuple[int, Item]]], Iterator[str]]]:
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


def _put_line(putter: Putter, path: Path, number: int, item: Item) -> str:
    try:
        return putter.put(item)
    except DynamoDBError as error:
        if error.code != "ValidationException":
            raise
        raise InputError(
            f"{path}, line {number}: {error.problem}", "Fix the line or remove it."
        ) from error


def _items(path: Path) -> Iterator[tuple[int, Item]]:
    """The items of a file with their line numbers, the marker and blank lines aside."""
    with naming_file(path), path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                item = parsed_item(line)
            except RepeatedNameError as error:
                problem = f"{path}, line {number}: {error}"
                raise InputError(problem, "Keep one of them, or remove the line.") from error
            except ValueError as error:
                raise _no_item(path, number) from error
            if item["pk"] != keys.ENVIRONMENT_KEY["pk"]:
                yield number, item


def _no_item(path: Path, number: int) -> InputError:
    return InputError(
        f"{path}, line {number}: This is not a message table item in DynamoDB JSON",
        'Write each line like {"pk":{"S":"…"},"sk":{"S":"…"},…}, as ddb.export writes it.',
    )
