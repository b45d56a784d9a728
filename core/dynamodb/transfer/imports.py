"""Imports items into the table from a file of DynamoDB JSON, or from an export that AWS wrote."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from core.aws.clients import translating
from core.dynamodb.dynamodb_json import same_item
from core.dynamodb.items import inbox_row_from
from core.dynamodb.keys import Item
from core.dynamodb.patterns.reads import list_rows_of, names_a_conversation
from core.dynamodb.retries import retry_while_busy
from core.dynamodb.table import Table
from core.dynamodb.transfer.files import Progress
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
    """

    added: int
    present: int
    differing: int
    places: tuple[str, ...]


def import_file(table: Table, path: Path, progress: Progress) -> Imported:
    """Put the items of ``path`` into the table, unless another item has their key.

    The whole file is checked before anything is written. Each put is conditional, 1 WCU per KB, 8
    at a time; running it again changes nothing. The marker is skipped, and so is an inbox row of
    which the table has a later one: 0.5 RCU each. An export is not a snapshot, and others may write
    meanwhile: a verification finds inbox rows that are then stored twice. If the table throttles,
    each item is retried for up to five minutes; if it does not answer, for half a minute.

    Raises:
        InputError: a line is not an item, and nothing was written; or DynamoDB refused an item,
            for example one over 400 KB, and other items were written.
    """
    line_count = sum(
        1 for _ in read_items(path)
    )  # every line is checked before the first is written
    counts = {"added": 0, "present": 0}
    differing: list[str] = []
    total = 0
    items = read_items(path)
    with _writers(table, path) as put_all:
        while chunk := list(islice(items, _CHUNK)):
            for (place, _), outcome in zip(chunk, put_all(chunk), strict=True):
                if outcome == "differs":
                    total += 1
                    differing += [place] if len(differing) < _MAX_SAMPLES else []
                else:
                    counts[outcome] += 1
            progress(counts["added"] + counts["present"] + total, line_count)
    return Imported(counts["added"], counts["present"], total, tuple(differing))


@contextmanager
def _writers(table: Table, path: Path) -> Iterator[Callable[[list[Entry]], Iterator[str]]]:
    """Yields a function that puts items, several at a time, and returns their outcomes in order."""
    is_over = threading.Event()  # retries for a throttled table then stop
    # A dry run prints, and two threads must not print at once.
    with ThreadPoolExecutor(1 if table.dry else _WRITERS) as pool:
        try:
            yield lambda chunk: pool.map(
                lambda entry: retry_while_busy(
                    lambda: _put_line(table, path, *entry), is_over.is_set
                ),
                chunk,
            )
        finally:
            is_over.set()
            pool.shutdown(wait=False, cancel_futures=True)


def _put_line(table: Table, path: Path, place: str, item: Item) -> str:
    try:
        return _put(table, item)
    except DynamoDBError as error:
        if error.code != "ValidationException":
            raise
        raise InputError(
            f"{path}, {place}: {error.problem}", "Fix the line or remove it."
        ) from error


def _put(table: Table, item: Item) -> str:
    if _has_moved_on(table, item):
        return "present"
    with translating("dynamodb", table.target):
        try:
            response = table.client.put_item(
                TableName=table.name,
                Item=item,
                ConditionExpression="attribute_not_exists(pk)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                ReturnConsumedCapacity="TOTAL",
            )
        except table.client.exceptions.ConditionalCheckFailedException as error:
            # Compare only after a refused put: a successful one costs no read.
            stored = error.response.get("Item")
            if stored is None:
                stored = table.request(
                    "get_item", Key={"pk": item["pk"], "sk": item["sk"]}, ConsistentRead=True
                ).get("Item")
            return "present" if same_item(stored, item) else "differs"
    table.capacity.add("put_item", response)
    return "added"


def _has_moved_on(table: Table, item: Item) -> bool:
    """Whether the item is an inbox row whose conversation has a later one in that inbox."""
    row = inbox_row_from(item)
    return names_a_conversation(row) and any(
        stored.owner_uuid == row.owner_uuid and stored.sort_key > row.sort_key
        for stored in list_rows_of(table, row.message_group_uuid)
    )
