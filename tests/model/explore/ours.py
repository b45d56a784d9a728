"""The explored parts of core: the only place that names its modules.

Apart from the table, an operation gets everything from the current :class:`Surroundings`: the time,
how long it waited, random numbers, and uuids.
"""

from __future__ import annotations

import json
import logging
import random
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol
from unittest import mock

import botocore.exceptions

import core.timestamps as timestamps
from core.dynamodb import keys, retries
from core.dynamodb.dynamodb_json import raw_item
from core.dynamodb.integrity.faults import FaultKind
from core.dynamodb.integrity.repairs import repair
from core.dynamodb.integrity.verification import Verification
from core.dynamodb.items import inbox_row_from, inbox_row_item, message_from, message_item
from core.dynamodb.patterns import transactions
from core.dynamodb.patterns.bulk_load import (
    TranscriptMessage,
    _message_uuids,
    load_transcript,
)
from core.dynamodb.patterns.erasing import erase_user
from core.dynamodb.patterns.reads import list_messages, message_at, newest_message
from core.dynamodb.patterns.removals import remove_message
from core.dynamodb.patterns.renames import rename_in_inboxes
from core.dynamodb.patterns.sends import Draft, send, start
from core.dynamodb.stream.handler import project
from core.dynamodb.table import Table
from core.dynamodb.transfer import imports
from core.dynamodb.transfer.imports import import_file
from core.errors import (
    MemberErasedError,
    MessageRemovedError,
    MessageUnconfirmedError,
    StoreError,
)
from core.models import REMOVED_TEXT, InboxRow, Message, Person
from core.targets import AwsTarget
from core.timestamps import next_sort_key, sort_key

__all__ = [
    "EPOCH",
    "INDEX",
    "MICROSECOND",
    "REMOVED_TEXT",
    "SDK_ERRORS",
    "Draft",
    "FaultKind",
    "InboxRow",
    "MemberErasedError",
    "Message",
    "MessageRemovedError",
    "MessageUnconfirmedError",
    "Person",
    "StoreError",
    "Surroundings",
    "Table",
    "TranscriptMessage",
    "Verification",
    "erase_user",
    "import_items",
    "in_charge",
    "inbox_row_from",
    "inbox_row_item",
    "list_messages",
    "load_transcript",
    "message_at",
    "message_from",
    "message_item",
    "newest_message",
    "next_sort_key",
    "open_table",
    "pair_item",
    "project",
    "remove_message",
    "rename_in_inboxes",
    "repair",
    "send",
    "sort_key",
    "start",
    "transcript_uuids",
    "uuid_of",
]

INDEX = keys.INDEX
SDK_ERRORS = (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError)
transcript_uuids = _message_uuids

NOWHERE = AwsTarget("http://model", "us-east-1", placeholder_credentials=True)


class Surroundings(Protocol):
    """The surroundings of an operation: what it would get from the machine."""

    def now(self) -> datetime: ...

    def waited(self) -> float:
        """The length of a pause, in seconds."""

    def uuid4(self) -> uuid.UUID: ...


class _Stopwatch:
    """Replaces the module ``time`` in the retries: time passes only during a wait."""

    def __init__(self, current: Callable[[], Any]) -> None:
        self._current = current

    def monotonic(self) -> float:
        return float(self._current().elapsed_s)

    def sleep(self, _: float) -> None:
        surroundings = self._current()
        surroundings.elapsed_s += surroundings.waited()


@contextmanager
def in_charge(current: Callable[[], Any]) -> Iterator[None]:
    """Core's operations get their time, waits, random numbers and uuids from ``current()``.

    A random move is always by one microsecond. There are no threads: a pool runs a task when it
    is asked for the result.
    """
    clock = SimpleNamespace(
        now=lambda _: current().now(),
        fromisoformat=datetime.fromisoformat,
    )
    no_chance = SimpleNamespace(randint=lambda low, high: low, uniform=lambda low, high: low)
    logger = logging.getLogger("cruddur.projection")
    with ExitStack() as stack:
        for target, name, stand_in in (
            (timestamps, "datetime", clock),
            (transactions, "random", no_chance),
            (retries, "random", no_chance),
            (retries, "time", _Stopwatch(current)),
            (imports, "ThreadPoolExecutor", OneAtATime),
            (uuid, "uuid4", lambda: current().uuid4()),
            (logger, "disabled", True),
        ):
            stack.enter_context(mock.patch.object(target, name, stand_in))
        yield


class OneAtATime:
    """A pool of threads without threads."""

    def __init__(self, _: int) -> None: ...

    def __enter__(self) -> OneAtATime:
        return self

    def __exit__(self, *_: object) -> None: ...

    def map(self, function: Callable[[Any], Any], entries: Iterable[Any]) -> Iterator[Any]:
        return map(function, entries)

    def shutdown(self, **_: Any) -> None: ...


def open_table(client: Any) -> Table:
    return Table(client, "messages", NOWHERE)


def uuid_of(name: str) -> uuid.UUID:
    """The same uuid for the same name, in every run."""
    return uuid.UUID(int=random.Random(name).getrandbits(128), version=4)


def pair_item(one: Person, other: Person, group: str) -> Mapping[str, Any]:
    return keys.pair_key(one.uuid, other.uuid) | {"group_uuid": {"S": group}}


def import_items(table: Table, items: Iterable[Mapping[str, Any]], path: Path) -> None:
    """Import the export of ``items``."""
    lines = [json.dumps(raw_item(item)) for item in items]
    text = "".join(f"{line}\n" for line in lines)
    if not path.is_file() or path.read_text() != text:
        path.write_text(text)
    import_file(table, path, lambda done, total: None)


MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(2026, 12, 31, 23, 59, 58, tzinfo=UTC)
