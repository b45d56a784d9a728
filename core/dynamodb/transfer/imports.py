"""A file of items into the table: JSON Lines of DynamoDB JSON, as an export writes them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from core.aws.clients import translating
from core.dynamodb import keys
from core.dynamodb.dynamodb_json import parsed_item, same_item
from core.dynamodb.items import inbox_row_from
from core.dynamodb.keys import Item
from core.dynamodb.patterns.reads import list_rows_of, names_a_conversation
from core.dynamodb.retries import retry_while_busy
from core.dynamodb.table import Table
from core.dynamodb.transfer.files import Progress, naming_file
from core.errors import DynamoDBError, InputError
from core.json_objects import RepeatedNameError

_WRITERS = 8
_CHUNK = 400
_MAX_SAMPLES = 3


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did: items ``added``, and ``present`` already, or in the case of an inbox row
    further on; kept as they were though the file has another item under their key: ``differing``,
    with the first of their lines."""

    added: int
    present: int
    differing: int
    lines: tuple[int, ...]


def import_file(table: Table, path: Path, progress: Progress) -> Imported:
    """Put the items of ``path`` into the table, unless another item has their key.

    The file is read through once and checked before anything is written. Each put is conditional,
    1 WCU per KB, 8 at a time; running it again changes nothing. The marker is passed over, and so
    is an inbox row of which the table has a later one: 0.5 RCU each. An export is no snapshot, and
    others may write meanwhile: a verification finds the rows that this leaves in two places.
    Throttled, it waits, up to five minutes an item; where nobody answers, half a minute.

    Raises:
        InputError: a line that is no item, with its number. Nothing was written. Or one that
            DynamoDB will not have, as it is over 400 KB, say: others were written.
    """
    of = sum(1 for _ in _items(path))  # every line is checked before the first is written
    counts = {"added": 0, "present": 0}
    differing: list[int] = []
    total = 0
    items = _items(path)
    with _writers(table, path) as put_all:
        while chunk := list(islice(items, _CHUNK)):
            for (number, _), outcome in zip(chunk, put_all(chunk), strict=True):
                if outcome == "differs":
                    total += 1
                    differing += [number] if len(differing) < _MAX_SAMPLES else []
                else:
                    counts[outcome] += 1
            progress(counts["added"] + counts["present"] + total, of)
    return Imported(counts["added"], counts["present"], total, tuple(differing))


@contextmanager
def _writers(
    table: Table, path: Path
) -> Iterator[Callable[[list[tuple[int, Item]]], Iterator[str]]]:
    """Puts a chunk of items, several at a time; what became of each, in their order."""
    is_over = threading.Event()  # those who wait for a throttled table then give up
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


def _put_line(table: Table, path: Path, number: int, item: Item) -> str:
    try:
        return _put(table, item)
    except DynamoDBError as error:
        if error.code != "ValidationException":
            raise
        raise InputError(f"{path}, line {number}: {error.problem}", "Mend or drop it.") from error


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
            # Only a refused put is compared: the first one costs no read.
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
        there.owner_uuid == row.owner_uuid and there.sort_key > row.sort_key
        for there in list_rows_of(table, row.message_group_uuid)
    )


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
        f"{path}, line {number}: this is no item of the message table in DynamoDB JSON",
        'A line looks like {"pk":{"S":"…"},"sk":{"S":"…"},…}, as ddb.export writes it.',
    )
