"""The whole table to a file and back: JSON Lines of DynamoDB JSON, every type kept.

Both can be cut off at any moment and run again. Memory does not grow with the table.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from core.aws.clients import translating
from core.dynamodb import keys
from core.dynamodb.client import Table
from core.dynamodb.items import raw_item
from core.dynamodb.keys import Item
from core.dynamodb.table import describe
from core.errors import InputError

Progress = Callable[[int, int | None], None]
"""Takes how many items are dealt with, and how many there are, as far as that is known."""

_TYPES = {"S", "N", "B", "SS", "NS", "BS", "M", "L", "NULL", "BOOL"}
_WRITERS = 8
_CHUNK = 400
_MAX_SAMPLES = 3


def export_lines(table: Table) -> Iterator[str]:
    """A line for every item but the environment marker, in the scan's order."""
    for page in _pages(table, None):
        yield from _lines(page["Items"])


def export_file(table: Table, path: Path, progress: Progress) -> int:
    """Write every item but the environment marker to ``path``; how many there are.

    What was begun and cut off goes on where it stopped, from the ``.part`` beside ``path``, if that
    is of this very table. The file is there when it is whole. How many items there are is
    DynamoDB's own count, which may be hours old.

    Raises:
        InputError: ``path`` is a folder or a device, or cannot be written.
    """
    with _naming(path):
        return _export(table, path, progress)


def _export(table: Table, path: Path, progress: Progress) -> int:
    part, place = _part(path), _place(path)
    described = describe(table) or {}
    of = _identity(table, described)
    begun = _begun(place, of) if part.exists() else None
    count = int(begun["items"]) if begun else 0
    with part.open("r+b" if begun else "wb") as file:
        if begun:
            file.truncate(int(begun["bytes"]))
            file.seek(0, 2)
        for page in _pages(table, begun["after"] if begun else None):
            lines = list(_lines(page["Items"]))
            file.writelines(line.encode() + b"\n" for line in lines)
            file.flush()
            count += len(lines)
            if after := page.get("LastEvaluatedKey"):
                reached = {"of": of, "items": count, "bytes": file.tell()}
                _replace(place, json.dumps(reached | {"after": raw_item(after)}))
            progress(count, described.get("ItemCount"))
    part.replace(path)
    place.unlink(missing_ok=True)
    return count


def _identity(table: Table, described: Mapping[str, Any]) -> list[str]:
    """What no other table has in common with this one: names are the same on many targets."""
    told = (described.get(name) for name in ("TableArn", "TableId", "CreationDateTime"))
    return [str(each) for each in (table.target.endpoint_url, table.name, *told)]


def _pages(table: Table, after: Mapping[str, Any] | None) -> Iterator[dict[str, Any]]:
    params: dict[str, Any] = {"ExclusiveStartKey": after} if after else {}
    while True:
        response = table.request("scan", **params)
        yield response
        if not (last := response.get("LastEvaluatedKey")):
            return
        params["ExclusiveStartKey"] = last


def _lines(items: list[Item]) -> Iterator[str]:
    for item in items:
        if item["pk"] != keys.ENVIRONMENT_KEY["pk"]:
            yield json.dumps(raw_item(item), ensure_ascii=False, separators=(",", ":"))


def _part(path: Path) -> Path:
    return path.with_name(path.name + ".part")


def _place(path: Path) -> Path:
    return path.with_name(path.name + ".part.json")


def _begun(place: Path, of: list[str]) -> dict[str, Any] | None:
    """How far an export ``of`` this very table came; None where there is nothing to go on from."""
    try:
        stored: dict[str, Any] = json.loads(place.read_text())
        return stored if stored["of"] == of else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _replace(path: Path, text: str) -> None:
    draft = path.with_name(path.name + ".new")
    draft.write_text(text)
    draft.replace(path)


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
    """What an import did: items ``added``, ``present`` as they are, and kept as they were though
    the file has another item under their key: ``differing``, with the first of their lines."""

    added: int
    present: int
    differing: int
    lines: tuple[int, ...]


def import_file(table: Table, path: Path, progress: Progress) -> Imported:
    """Put the items of ``path`` into the table, unless another item has their key.

    The file is read through once and checked before anything is written. Each put is conditional,
    1 WCU per KB, 8 at a time; running it again changes nothing. The marker is passed over.

    Raises:
        InputError: a line that is no item, with its number. Nothing was written.
    """
    of = sum(1 for _ in _items(path))  # every line is checked before the first is written
    counts = {"added": 0, "present": 0}
    differing: list[int] = []
    total = 0
    items = _items(path)
    # A dry run prints, and two threads must not print at once.
    with ThreadPoolExecutor(1 if table.dry else _WRITERS) as pool:
        while chunk := list(islice(items, _CHUNK)):
            outcomes = pool.map(lambda entry: _put(table, entry[1]), chunk)
            for (number, _), outcome in zip(chunk, outcomes, strict=True):
                if outcome == "differs":
                    total += 1
                    differing += [number] if len(differing) < _MAX_SAMPLES else []
                else:
                    counts[outcome] += 1
            progress(counts["added"] + counts["present"] + total, of)
    return Imported(counts["added"], counts["present"], total, tuple(differing))


def _put(table: Table, item: Item) -> str:
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
            return "present" if _same(stored, item) else "differs"
    table.capacity.add("put_item", response)
    return "added"


def _same(stored: Any, item: Item) -> bool:
    return stored is not None and _canonical(raw_item(stored)) == _canonical(raw_item(item))


def _canonical(value: Any) -> Any:
    """DynamoDB JSON with the members of sets in one order."""
    if isinstance(value, dict):
        return {
            name: sorted(entry) if name in ("SS", "NS", "BS") else _canonical(entry)
            for name, entry in value.items()
        }
    return [_canonical(entry) for entry in value] if isinstance(value, list) else value


def _items(path: Path) -> Iterator[tuple[int, Item]]:
    """The items of a file with their line numbers, the marker and blank lines aside."""
    with _naming(path), path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                item = {name: _parsed(value) for name, value in json.loads(line).items()}
                complete = "S" in item["pk"] and "S" in item["sk"]
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                raise _no_item(path, number) from error
            if not complete:
                raise _no_item(path, number)
            if item["pk"] != keys.ENVIRONMENT_KEY["pk"]:
                yield number, item


def _no_item(path: Path, number: int) -> InputError:
    return InputError(
        f"{path}, line {number}: this is no item of the message table in DynamoDB JSON",
        'A line looks like {"pk":{"S":"…"},"sk":{"S":"…"},…}, as ddb.export writes it.',
    )


def _parsed(value: Mapping[str, Any]) -> dict[str, Any]:
    """A value of DynamoDB JSON as the SDK takes it: binary in bytes."""
    ((kind, content),) = value.items()
    if kind not in _TYPES or (kind in ("S", "N") and not isinstance(content, str)):
        raise ValueError(kind)
    try:
        if kind == "B":
            return {kind: base64.b64decode(content, validate=True)}
        if kind == "BS":
            return {kind: [base64.b64decode(entry, validate=True) for entry in content]}
    except binascii.Error as error:
        raise ValueError(kind) from error
    if kind == "L":
        return {kind: [_parsed(entry) for entry in content]}
    if kind == "M":
        return {kind: {name: _parsed(entry) for name, entry in content.items()}}
    return {kind: content}
