"""The whole table to a file and back: JSON Lines of DynamoDB JSON, every type kept.

Both can be cut off at any moment and run again. Memory does not grow with the table.
"""

from __future__ import annotations

import fcntl
import functools
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

from core.aws.clients import translating
from core.dynamodb import keys
from core.dynamodb.client import Table
from core.dynamodb.dynamodb_json import parsed_item, raw_item, same_item
from core.dynamodb.items import group_from
from core.dynamodb.keys import Item
from core.dynamodb.patience import SILENCE_S, patiently
from core.dynamodb.reads import group_rows, names_a_conversation
from core.dynamodb.table import describe, missing
from core.errors import DynamoDBError, InputError
from core.json_objects import RepeatedNameError
from core.private_files import open_private, replace_private_file

Progress = Callable[[int, int | None], None]
"""Takes how many items are dealt with, and how many there are, as far as that is known."""

_WRITERS = 8
_CHUNK = 400
_MAX_SAMPLES = 3


def export_lines(table: Table, *, ascii_only: bool = False) -> Iterator[str]:
    """A line for every item but the environment marker, in the scan's order.

    ``ascii_only`` escapes all other characters, for an output that cannot hold them.
    """
    for page in _pages(table, None):
        yield from _lines(page["Items"], ascii_only=ascii_only)


def export_file(table: Table, path: Path, progress: Progress) -> int:
    """Write every item but the environment marker to ``path``, mode 0600; how many there are.

    What was begun and cut off goes on where it stopped, from the ``.part`` beside ``path``, if that
    is of this very table. The file is there when it is whole. How many items there are is
    DynamoDB's own count, which may be hours old.

    Raises:
        InputError: ``path`` is a folder or a device, cannot be written, or somebody is writing it.
        MissingSchemaError: there is no table.
    """
    path = Path(os.path.realpath(path))  # a link stays one
    described = describe(table)
    if described is None:
        raise missing(table)
    with _naming(path):
        return _export(table, described, path, progress)


def _export(table: Table, described: Mapping[str, Any], path: Path, progress: Progress) -> int:
    part, place = path.with_name(path.name + ".part"), path.with_name(path.name + ".part.json")
    of = _identity(table, described)
    with _only_writer(part) as file:
        reached = _reached(place, of, part.stat().st_size)
        if reached is None:
            place.unlink(missing_ok=True)
            reached = _Reached(0, 0, None)
        file.truncate(reached.bytes)
        file.seek(0, os.SEEK_END)
        count = reached.items
        for page in _pages(table, reached.after):
            lines = list(_lines(page["Items"]))
            file.writelines(line.encode() + b"\n" for line in lines)
            file.flush()
            count += len(lines)
            if after := page.get("LastEvaluatedKey"):
                there = {"of": of, "items": count, "bytes": file.tell(), "after": raw_item(after)}
                replace_private_file(place, json.dumps(there))
            progress(count, described.get("ItemCount"))
        part.replace(path)
        place.unlink(missing_ok=True)
    return count


@contextmanager
def _only_writer(part: Path) -> Iterator[IO[bytes]]:
    """The file ``part``, for appending, made if it is not there; nobody else gets it meanwhile."""
    with open_private(part) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Somebody who has just ended would have made it the whole file.
            free = part.exists() and os.path.samestat(part.stat(), os.fstat(file.fileno()))
        except BlockingIOError:
            free = False
        if not free:
            raise InputError(f"another export is writing {part}", "Wait, or give another --file.")
        yield file


def _identity(table: Table, described: Mapping[str, Any]) -> list[str]:
    """What no other table has in common with this one: names are the same on many targets."""
    told = (described.get(name) for name in ("TableArn", "TableId", "CreationDateTime"))
    return [str(each) for each in (table.target.endpoint_url, table.name, *told)]


def _pages(table: Table, after: Mapping[str, Any] | None) -> Iterator[dict[str, Any]]:
    params: dict[str, Any] = {"ExclusiveStartKey": after} if after else {}
    silence_s = 0.0  # a store that was never there is told at once
    while True:
        scan = functools.partial(table.request, "scan", **params)
        response = patiently(scan, silence_s=silence_s)
        yield response
        silence_s = SILENCE_S
        if not (last := response.get("LastEvaluatedKey")):
            return
        params["ExclusiveStartKey"] = last


def _lines(items: list[Item], *, ascii_only: bool = False) -> Iterator[str]:
    for item in items:
        if item.get("pk") != keys.ENVIRONMENT_KEY["pk"]:
            yield json.dumps(raw_item(item), ensure_ascii=ascii_only, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class _Reached:
    """How far an export came: what it has written, and the key that its scan goes on behind."""

    items: int
    bytes: int
    after: Mapping[str, Any] | None


def _reached(place: Path, of: list[str], size_bytes: int) -> _Reached | None:
    """How far an export ``of`` this very table came; None where there is nothing to go on from."""
    try:
        stored = json.loads(place.read_text())
        reached = _Reached(int(stored["items"]), int(stored["bytes"]), dict(stored["after"]))
        return reached if stored["of"] == of and 0 <= reached.bytes <= size_bytes else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Tell what the system says of ``path``, and refuse what is there and no regular file.

    An export would replace a device by a file; an import, which reads twice, find a pipe empty.
    """
    hint = "Give another --file."
    try:
        if path.exists() and not path.is_file():
            raise InputError(f"{path} is not a regular file", hint)
        yield
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}", hint) from error


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
                lambda entry: patiently(lambda: _put_line(table, path, *entry), is_over.is_set),
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
    row = group_from(item)
    return names_a_conversation(row) and any(
        there.owner_uuid == row.owner_uuid and there.sort_key > row.sort_key
        for there in group_rows(table, row.message_group_uuid)
    )


def _items(path: Path) -> Iterator[tuple[int, Item]]:
    """The items of a file with their line numbers, the marker and blank lines aside."""
    with _naming(path), path.open("rb") as file:
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
