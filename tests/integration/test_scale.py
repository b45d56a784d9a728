"""A million messages in one conversation, ten thousand conversations of one user.

Small in every run, complete with ``--deep``: on dynoxide, without a stream.
"""

from __future__ import annotations

import concurrent.futures
import itertools
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from unguarded import Database, open_table_named

from core.dynamodb.items import inbox_row_item, message_item
from core.dynamodb.keys import Item, pair_key
from core.dynamodb.patterns import reads
from core.dynamodb.schema import create_table, drop_table
from core.dynamodb.table import Table
from core.models import InboxRow, Message, Page, Person
from core.postgres.statements import load
from core.settings import PROJECT_ROOT
from core.targets import Environment
from core.timestamps import MICROSECOND, parse, sort_key

GROUP = "00000000-0000-4000-8000-000000000000"
BEGINNING = parse("2025-01-01T00:00:00+00:00")
MOST_MB = 150
MOST_RATIO = 1.3
TIMED = 60
LARGE = 100_000
BATCH = 25

PEAK = (
    "import resource, subprocess, sys; code = subprocess.call(sys.argv[1:]);"
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024, file=sys.stderr);"
    "sys.exit(code)"
)
"""Runs a command and prints its maximum memory in MB as the last line of stderr."""


@dataclass(frozen=True)
class Store:
    """Messages ``0`` to ``messages - 1`` of ana and the first of her many others."""

    table: Table
    messages: int
    conversations: int


def other(n: int) -> Person:
    return Person(f"00000000-0000-4000-8000-{n + 1:012}", f"other{n}", f"Other {n}")


ANA = Person("00000000-0000-4000-9000-000000000000", "ana", "Ana")


def instant(n: int) -> str:
    return sort_key(BEGINNING + n * MICROSECOND)


def message(group: str, n: int) -> Item:
    return message_item(Message(group, f"message-{n}", ANA, f"text {n}", instant(n), None))


def items(store: Store) -> Iterator[Item]:
    """All items of the store, as our own sends would have left them."""
    for n in range(store.messages):
        yield message(GROUP, n)
    for n in range(store.conversations):
        group = GROUP if n == 0 else f"00000000-0000-4000-8000-{n:012}"
        last = store.messages - 1 if n == 0 else store.messages + n
        if n:
            yield message(group, last)
        for owner, shown in ((ANA, other(n)), (other(n), ANA)):
            row = InboxRow(group, owner.uuid, shown, f"text {last}", instant(last), None)
            yield inbox_row_item(row)
        yield {**pair_key(ANA.uuid, other(n).uuid), "group_uuid": {"S": group}}


def fill(store: Store) -> None:
    def put(batch: tuple[Item, ...]) -> None:
        requests = {store.table.name: [{"PutRequest": {"Item": item}} for item in batch]}
        while requests:
            requests = store.table.client.batch_write_item(RequestItems=requests)[
                "UnprocessedItems"
            ]

    batches = _batched(items(store))
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        # Only a few batches at a time, so that a million items do not wait in a queue.
        while window := list(itertools.islice(batches, 400)):
            list(pool.map(put, window))


def _batched(items: Iterator[Item]) -> Iterator[tuple[Item, ...]]:
    while batch := tuple(itertools.islice(items, BATCH)):
        yield batch


@pytest.fixture(
    params=[
        ("table", 3_000, 60),
        pytest.param(("durable_table", 1_000_000, 10_000), marks=pytest.mark.deep),
    ],
    ids=["small", "large"],
)
def store(request: pytest.FixtureRequest) -> Store:
    name, messages, conversations = request.param
    store = Store(request.getfixturevalue(name), messages, conversations)
    fill(store)
    return store


def walk(ask: Callable[..., Page], **question: object) -> Iterator[object]:
    cursor = None
    while True:
        page = ask(limit=500, cursor=cursor, **question)
        yield from page.entries
        if (cursor := page.cursor) is None:
            return


def every_page_is_right(store: Store) -> None:
    def messages(**question):
        return reads.list_messages(store.table, GROUP, **question)

    for newest_first in (True, False):
        numbers = reversed(range(store.messages)) if newest_first else range(store.messages)
        entries = walk(messages, newest_first=newest_first)
        for n, entry in itertools.zip_longest(numbers, entries):
            assert entry.text == f"text {n}"

    def conversations(**question):
        return reads.list_inbox(store.table, ANA.uuid, **question)

    seen = [entry.other.handle for entry in walk(conversations)]
    expected = [f"other{n}" for n in reversed(range(store.conversations))]
    assert seen == [*expected[:-1], "other0"]


def ratio(large: Callable[[], object], small: Callable[[], object]) -> float:
    """The ratio of the two times: medians of many runs in turn."""
    took: tuple[list[float], list[float]] = ([], [])
    for _ in range(TIMED):
        for act, times in zip((large, small), took, strict=True):
            began = time.perf_counter()
            act()
            times.append(time.perf_counter() - began)
    return statistics.median(took[0]) / statistics.median(took[1])


def page_ratios(store: Store) -> dict[str, float]:
    """A page's time relative to a small table: at both ends, in the middle, and of the inbox."""
    small = Store(open_table_named(f"{store.table.name}-small", store.table.target), 200, 60)
    create_table(small.table, Environment.LOCAL)
    fill(small)

    def page(measured: Store, **bounds: object) -> Callable[[], object]:
        return lambda: reads.list_messages(measured.table, GROUP, limit=50, **bounds)

    def inbox(measured: Store) -> Callable[[], object]:
        return lambda: reads.list_inbox(measured.table, ANA.uuid, limit=50)

    ratios = {
        "newest": ratio(page(store), page(small)),
        "middle": ratio(
            page(store, before=instant(store.messages // 2)), page(small, before=instant(100))
        ),
        "oldest": ratio(page(store, newest_first=False), page(small, newest_first=False)),
        "inbox": ratio(inbox(store), inbox(small)),
    }
    drop_table(small.table)
    return ratios


def add_people(db: Database, count: int) -> None:
    with db.transaction() as transaction:
        for person in (ANA, *(other(n) for n in range(count))):
            values = {
                "uuid": person.uuid,
                "handle": person.handle,
                "display_name": person.display_name,
                "email": f"{person.handle}@example.com",
            }
            transaction.query_commit(load("users/create"), values)


@pytest.mark.timeout(1800)
def test_at_any_size_pages_are_right_and_fast_and_checks_use_little_memory(
    store, db, environ, figures
) -> None:
    every_page_is_right(store)
    timed = ""
    if store.messages > LARGE:  # a small one is not worth timing
        ratios = page_ratios(store)
        assert max(ratios.values()) < MOST_RATIO
        places = ", ".join(f"{place} {value:.2f}" for place, value in ratios.items())
        timed = f"; a page beside one of a small table: {places}"
    add_people(db, store.conversations)
    export = Path(environ["HOME"]) / "all.jsonl"
    export_mb = peak_mb(["ddb.export", "--file", str(export)], environ)
    with export.open() as lines:
        assert sum(1 for _ in lines) == sum(1 for _ in items(store))
    verify_mb = peak_mb(["ddb.verify"], environ)
    assert max(export_mb, verify_mb) < MOST_MB
    figures(
        f"{store.messages:,} messages, {store.conversations:,} conversations: every page right"
        f"{timed}; export {export_mb} MB, verify {verify_mb} MB"
    )


@pytest.fixture
def environ(store, no_database, engines, tmp_path) -> dict[str, str]:
    """The environment of a task on these stores."""
    server = urlsplit(engines.postgres_url)
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "CONNECTION_URL": server._replace(path=f"/{no_database.dbname}").geturl(),
        "AWS_ENDPOINT_URL": str(store.table.target.endpoint_url),
        "DDB_MESSAGE_TABLE": store.table.name,
    }


def peak_mb(words: list[str], env: dict[str, str]) -> int:
    """The maximum memory of a task, which must find no problem."""
    done = subprocess.run(
        [sys.executable, "-c", PEAK, sys.executable, "-m", "invoke", *words],
        cwd=PROJECT_ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return int(done.stderr.splitlines()[-1])
