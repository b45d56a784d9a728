"""The explored parts of core: the only place that names its modules.

Apart from the table, an operation gets everything from the current :class:`Surroundings`: the time,
how long it waited, random numbers, and uuids.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
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
from core.dynamodb.integrity import erased, repairs, verification
from core.dynamodb.integrity.faults import FaultKind
from core.dynamodb.integrity.repairs import repair
from core.dynamodb.integrity.verification import Verification
from core.dynamodb.items import inbox_row_from, inbox_row_item, message_from, message_item
from core.dynamodb.patterns import (
    bulk_load,
    erasing,
    erasure_reads,
    holds,
    reads,
    removal_reads,
    removals,
    renames,
    row_moves,
    sends,
    transactions,
)
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
from core.dynamodb.stream import projection
from core.dynamodb.stream.handler import project
from core.dynamodb.table import Table
from core.dynamodb.transfer import imports, inserts, known_groups, puts
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

from .parts import Owner, Parts, Place, known

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

PARTS: Mapping[Owner, tuple[str, ...]] = {
    reads: (
        "conversation_of",
        "find_message",
        "inbox_row",
        "inbox_row_at",
        "inbox_rows",
        "latest_message_of",
        "list_rows_of",
        "message_at",
        "newest_message",
        "newest_row_with",
        "pair_group",
        "senders_of",
    ),
    removal_reads: ("find_removal", "has_removals"),
    erasure_reads: ("find_erasure",),
    holds: ("find_hold",),
    erasing: ("find_erased_user", "erase_item", "_newest_of"),
    erasing._Erasing: (
        "begin",
        "take",
        "flush",
        "_commit",
        "_detach",
        "_message",
        "_pair",
        "_reread",
        "_row",
    ),
    erasing._Detaching: ("settle", "_read_rows"),
    bulk_load: (
        "load_transcript",
        "_known",
        "_loaded",
        "_removed",
        "_rows",
        "_rows_to_move",
        "_stored",
    ),
    bulk_load._Chunk: ("commit",),
    sends: ("existing_group", "send", "start"),
    sends._Sending: ("_already_stored", "_read_rows_again", "_run", "_settle", "_would_be_newest"),
    row_moves._Bringing: ("run", "_is_member", "_read_again", "_delete_others"),
    row_moves: ("bring", "list_again", "settle", "_put", "_put_behind", "_tried"),
    projection: ("move", "person_in", "_own"),
    removals: ("remove_message",),
    removals._Removing: ("run", "_is_gone", "_read_rows_again", "_settle"),
    renames: ("_rename",),
    repairs: ("repair_fault", "_list_again", "_newest_message", "_set_preview", "_show_newest"),
    verification: ("read_conversation", "_looked_up"),
    erased: ("erase_again", "erase_items", "is_replacement"),
    known_groups: ("look_for_groups", "look_for_rows", "settle", "_correct_rows"),
    puts.Putter: ("put", "erase_again", "names_erased", "_is_new", "_put_beside", "_put_alone"),
    inserts: ("stored_items",),
    inserts.Inserter: ("insert",),
}
"""The parts of the operations: nothing but their result is known of them afterwards."""

TURNS: tuple[Place, ...] = (
    (transactions, "commit"),
    (removals._Removing, "_try"),
    (bulk_load._Chunk, "commit"),
    (row_moves, "_to_show"),
)
LOOPS: Mapping[Place, tuple[str, ...]] = {
    (sends._Sending, "_run"): ("outcome", "stored"),
    (sends, "start"): ("outcome", "begun"),
    (sends, "existing_group"): ("outcome", "stored"),
    (erasing._Erasing, "_commit"): ("outcome",),
    (erasing._Erasing, "begin"): ("outcome",),
    (removals._Removing, "run"): ("outcome",),
    (bulk_load, "load_transcript"): ("stored",),
    (row_moves, "_tried"): ("outcome",),
    (row_moves._Bringing, "run"): ("newest", "kept", "replaced"),
    (puts.Putter, "_put_beside"): ("outcome", "stored"),
}
"""The loops that try again, with the variables that the next try sets before it reads them."""

UNUSED: Mapping[type, tuple[str, ...]] = {retries.Backoff: ("_ceiling_s",)}
"""How long a pause is to be decides nothing: the exploration says how long it was."""

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
        parts = Parts(PARTS, TURNS, LOOPS, current, lambda value: known(value, Table, UNUSED))
        stack.enter_context(parts.forgotten())
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


def import_items(table: Table, items: Iterable[Mapping[str, Any]], folder: Path) -> None:
    """Import the export of ``items``, from a file that other processes may import too."""
    lines = [json.dumps(raw_item(item)) for item in items]
    text = "".join(f"{line}\n" for line in lines)
    path = folder / f"{hashlib.sha256(text.encode()).hexdigest()}.jsonl"
    if not path.is_file():
        unfinished = path.with_suffix(f".{os.getpid()}")
        unfinished.write_text(text)
        unfinished.replace(path)
    import_file(table, path, lambda done, total: None)


MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(2026, 12, 31, 23, 59, 58, tzinfo=UTC)
