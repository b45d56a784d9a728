"""The items in a file to import: our own export, or one from AWS.

==========================================  ==================================================
what                                        form
==========================================  ==================================================
``ddb.export``                              a line of DynamoDB JSON for each item
``aws dynamodb scan`` (or query)            one JSON document: ``{"Items": […], "Count": …}``
an export to S3, one of its data files      lines of ``{"Item": …}``, compressed with gzip
an export to S3, its folder                 the same in ``data/``, with manifests to check
==========================================  ==================================================

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
"""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from core import json_objects
from core.dynamodb import keys
from core.dynamodb.dynamodb_json import checked_item, item_of_strings
from core.dynamodb.keys import Item
from core.dynamodb.transfer.files import naming_file
from core.errors import InputError
from core.json_objects import RepeatedNameError

_SUMMARY, _FILES = "manifest-summary.json", "manifest-files.json"
_GZIP = b"\x1f\x8b"

Entry = tuple[str, Item]
"""An item and its place in the file: ``line 3``."""

Wanted = Callable[[], bool]
"""Called for each item of a file, in order: False where it is to be passed over, and not read."""

_MaybeEntry = tuple[str, Item | None]


def _all() -> bool:
    return True


def read_items(path: Path, wanted: Wanted = _all) -> Iterator[Entry]:
    """The ``wanted`` items of a file or an export's folder with their places.

    The marker is among them: :func:`is_marker`.

    Raises:
        InputError: a line is not an item, or the export is not complete. Counts and checksums of an
            export's manifests are compared as its files are read.
    """
    folder = _export_folder(path)
    entries = _items_of_file(path, wanted) if folder is None else _items_of_export(folder, wanted)
    for place, item in entries:
        if item is not None:
            yield place, item


def is_marker(item: Item) -> bool:
    """Whether an item is the environment marker, which is not imported."""
    return item["pk"] == keys.ENVIRONMENT_KEY["pk"]


def _items_of_file(path: Path, wanted: Wanted, prefix: str = "") -> Iterator[_MaybeEntry]:
    with naming_file(path), _opened(path) as file:
        try:
            document = _document(file)
            if document is not None:
                yield from _items_of_document(path, document, wanted)
                return
            for number, line in enumerate(file, start=1):
                if line.strip():
                    place = f"{prefix}line {number}"
                    yield place, _item(path, place, line) if wanted() else None
        except (EOFError, gzip.BadGzipFile) as error:
            raise InputError(f"{path} is cut off or damaged: {error}", "Copy it again.") from error


def _opened(path: Path) -> BinaryIO:
    with path.open("rb") as file:
        is_compressed = file.read(2) == _GZIP
    return gzip.open(path) if is_compressed else path.open("rb")  # type: ignore[return-value]


def _document(file: BinaryIO) -> Any | None:
    """The one JSON document of the file; None if each line is a document. Begins at the start."""
    first = next((line for line in file if line.strip()), b"")
    try:
        value = json_objects.parse(first)
        is_lines = not (isinstance(value, list) or _names(value) >= {"Items"})
    except (ValueError, RecursionError):
        # A document of several lines begins with a line that is not JSON; so does a damaged file.
        is_lines = first.strip() not in (b"{", b"[") and not first.strip().startswith(b'{"Items"')
    file.seek(0)
    if is_lines:
        return None
    try:
        return json_objects.parse(file.read())
    except (ValueError, RecursionError) as error:
        raise InputError(f"This is not a JSON document: {error}", "Write it again.") from error


def _items_of_document(path: Path, document: Any, wanted: Wanted) -> Iterator[_MaybeEntry]:
    """The items that ``aws dynamodb scan`` printed, or a list of items."""
    items = document.get("Items") if isinstance(document, Mapping) else document
    if not isinstance(items, list):
        raise _not_an_item(path, "line 1")
    if isinstance(document, Mapping):
        if document.get("NextToken") or document.get("LastEvaluatedKey"):
            raise InputError(f"{path} has only a part of the items", "Scan without --max-items.")
        count = document.get("Count", len(items))
        if count != len(items):
            raise InputError(
                f"{path} has {len(items):,} items, but its Count is {count}", "Scan again."
            )
    for number, item in enumerate(items, start=1):
        place = f"item {number}"
        yield place, _checked(path, place, item) if wanted() else None


def _item(path: Path, place: str, line: bytes) -> Item:
    if (item := item_of_strings(line)) is not None:
        return item
    try:
        value = json_objects.parse(line)
    except RepeatedNameError as error:
        problem = f"{path}, {place}: {error}"
        raise InputError(problem, "Keep one of them, or remove the line.") from error
    except (ValueError, RecursionError) as error:
        raise _not_an_item(path, place) from error
    if not isinstance(value, Mapping):
        raise _not_an_item(path, place)
    if "pk" not in value and value.keys() & {"Keys", "NewImage", "OldImage", "Metadata"}:
        raise InputError(
            f"{path}, {place}: This is a line of an incremental export, which has changes",
            "Export the whole table.",
        )
    is_wrapped = len(value) == 1 and "Item" in value
    return _checked(path, place, value["Item"] if is_wrapped else value)


def _checked(path: Path, place: str, value: Any) -> Item:
    try:
        return checked_item(value)
    except ValueError as error:
        raise _not_an_item(path, place) from error


def _names(value: Any) -> set[str]:
    return set(value) if isinstance(value, Mapping) else set()


def _not_an_item(path: Path, place: str) -> InputError:
    return InputError(
        f"{path}, {place}: This is not a message table item in DynamoDB JSON",
        'Write each line like {"pk":{"S":"…"},"sk":{"S":"…"},…}, as ddb.export writes it.',
    )


def _export_folder(path: Path) -> Path | None:
    """The folder of the export to S3 at ``path``; None if it is another file."""
    if path.name in (_SUMMARY, _FILES):
        return path.parent
    if not path.is_dir():
        return None
    folders = [path, *sorted(path.glob("AWSDynamoDB/*/")), *sorted(path.glob("*/"))]
    found_in = [folder for folder in folders if (folder / _FILES).is_file()]
    if len(found_in) != 1:
        number = "no export" if not found_in else "several exports"
        raise InputError(
            f"{path} holds {number} to S3: {_FILES} is in {len(found_in)} folders",
            "Name the folder of one with --file.",
        )
    return found_in[0]


def _items_of_export(folder: Path, wanted: Wanted) -> Iterator[_MaybeEntry]:
    """The items of an export's data files, after comparing its counts and checksums."""
    summary = _summary(folder)
    total = 0
    for entry in _data_files(folder):
        path = folder / "data" / entry["dataFileS3Key"].rpartition("/")[2]
        with naming_file(path):
            digest = _md5(path)
        if digest != entry["md5Checksum"]:
            raise InputError(
                f"{path} is damaged: its MD5 is not that of {_FILES}", "Copy it again."
            )
        count = 0
        for count, (place, item) in enumerate(_items_of_file(path, wanted), start=1):  # noqa: B007
            yield f"{path.relative_to(folder)}, {place}", item
        _compare(path, count, entry["itemCount"])
        total += count
    if summary is not None:
        _compare(folder / _SUMMARY, total, summary)


def _summary(folder: Path) -> int | None:
    """The number of items in an export's summary; None without a summary."""
    path = folder / _SUMMARY
    if not path.is_file():
        return None
    _check_md5(path)
    summary = _parsed(path, path.read_bytes())
    form, kind = summary.get("outputFormat", "DYNAMODB_JSON"), summary.get("exportType", "")
    if form != "DYNAMODB_JSON" or "INCREMENTAL" in str(kind):
        raise InputError(
            f"{folder} is an export in another form: {form} {kind}".rstrip(),
            "Export the whole table as DYNAMODB_JSON.",
        )
    count = summary.get("itemCount")
    return int(count) if count is not None else None


def _data_files(folder: Path) -> list[Mapping[str, Any]]:
    path = folder / _FILES
    with naming_file(path):
        _check_md5(path)
        lines = path.read_bytes().splitlines()
    entries = [_parsed(path, line) for line in lines if line.strip()]
    if any(not {"itemCount", "md5Checksum", "dataFileS3Key"} <= entry.keys() for entry in entries):
        raise InputError(f"{path} is not the manifest of an export to S3", "Copy it again.")
    return entries


def _check_md5(path: Path) -> None:
    """Compare a manifest with the checksum beside it, if there is one."""
    beside = path.with_suffix(".md5")
    if beside.is_file() and beside.read_text("utf-8").strip() != _md5(path):
        raise InputError(
            f"{path} is damaged: its MD5 is not that of {beside.name}", "Copy it again."
        )


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False))
    return base64.b64encode(digest.digest()).decode("ascii")


def _parsed(path: Path, text: bytes) -> Mapping[str, Any]:
    try:
        value = json_objects.parse(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not JSON: {error}", "Copy it again.") from error
    if not isinstance(value, Mapping):
        raise InputError(f"{path} is not the manifest of an export to S3", "Copy it again.")
    return value


def _compare(path: Path, count: int, expected: Any) -> None:
    if count != expected:
        raise InputError(
            f"{path} should have {expected} items, but {count} were read", "Copy the export again."
        )
