"""Exports the whole table to JSON Lines of DynamoDB JSON, without loss.

An export may be interrupted at any moment and run again. Memory does not grow with the table.
"""

from __future__ import annotations

import fcntl
import functools
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from core.dynamodb import keys, paging
from core.dynamodb.dynamodb_json import base64_text, raw_item
from core.dynamodb.elsewhere import missing_table
from core.dynamodb.keys import Item
from core.dynamodb.retries import SILENCE_S, retry_while_busy
from core.dynamodb.schema import describe
from core.dynamodb.table import Table
from core.dynamodb.transfer.files import Progress, naming_file
from core.errors import InputError
from core.json_lines import json_line
from core.private_files import open_private, replace_private_file


def export_lines(table: Table, *, ascii_only: bool = False) -> Iterator[str]:
    """A line for every item but the environment marker, in the scan's order.

    ``ascii_only`` escapes all other characters, for an output that cannot hold them.
    """
    for page in _pages(table, None):
        yield from _lines(page["Items"], ascii_only=ascii_only)
        del page


def export_file(table: Table, path: Path, progress: Progress) -> int:
    """The number of items written to ``path``, mode 0600: all except the environment marker.

    An interrupted export resumes where it stopped, from the ``.part`` file beside ``path``, if that
    is from the same table. ``path`` appears only when it is complete. ``progress`` gets DynamoDB's
    own count as the total, which may be hours old.

    Raises:
        InputError: ``path`` is a folder or a device, or cannot be written, or is being written.
        MissingSchemaError: there is no table.
    """
    path = Path(os.path.realpath(path))  # a link stays one
    described = describe(table)
    if described is None:
        raise missing_table(table)
    with naming_file(path):
        return _export(table, described, path, progress)


def _export(table: Table, described: Mapping[str, Any], path: Path, progress: Progress) -> int:
    part, place = path.with_name(path.name + ".part"), path.with_name(path.name + ".part.json")
    identity = _identity(table, described)
    with _only_writer(part) as file:
        reached = _reached(place, identity, part.stat().st_size)
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
                progress_so_far = {
                    "of": identity,
                    "items": count,
                    "bytes": file.tell(),
                    "after": raw_item(after),
                }
                replace_private_file(place, json.dumps(progress_so_far))
            progress(count, described.get("ItemCount"))
            del page, lines
        part.replace(path)
        place.unlink(missing_ok=True)
    return count


@contextmanager
def _only_writer(part: Path) -> Iterator[IO[bytes]]:
    """The file ``part``, opened for appending and locked; created if it is missing."""
    with open_private(part) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # An export that has just ended has renamed it.
            free = part.exists() and os.path.samestat(part.stat(), os.fstat(file.fileno()))
        except BlockingIOError:
            free = False
        if not free:
            raise InputError(
                f"Another export is writing {part}",
                "Wait for it, or name another file with --file.",
            )
        yield file


def _identity(table: Table, described: Mapping[str, Any]) -> list[str]:
    """What identifies this table: many targets have a table of the same name."""
    ids = (described.get(name) for name in ("TableArn", "TableId", "CreationDateTime"))
    return [str(value) for value in (table.target.endpoint_url, table.name, *ids)]


def _pages(table: Table, after: Mapping[str, Any] | None) -> Iterator[dict[str, Any]]:
    silence_s = 0.0  # a store that never answered is reported at once

    def request(operation: str, **params: Any) -> dict[str, Any]:
        nonlocal silence_s
        act = functools.partial(table.request, operation, **params)
        response = retry_while_busy(act, silence_s=silence_s)
        silence_s = SILENCE_S
        return response

    start = {"ExclusiveStartKey": after} if after else {}
    return paging.pages(request, "scan", **start)


def _lines(items: list[Item], *, ascii_only: bool = False) -> Iterator[str]:
    """What :func:`raw_item` makes of each item, without making it."""
    for item in items:
        if item.get("pk") != keys.ENVIRONMENT_KEY["pk"]:
            yield json_line(item, base64_text, ascii_only=ascii_only)


@dataclass(frozen=True, slots=True)
class _Reached:
    """The progress of an export: what it has written, and the key after which its scan resumes."""

    items: int
    bytes: int
    after: Mapping[str, Any] | None


def _reached(place: Path, identity: list[str], size_bytes: int) -> _Reached | None:
    """The progress of an earlier export of the same table; None if there is nothing to resume."""
    try:
        stored = json.loads(place.read_text())
        reached = _Reached(int(stored["items"]), int(stored["bytes"]), dict(stored["after"]))
        return reached if stored["of"] == identity and 0 <= reached.bytes <= size_bytes else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
