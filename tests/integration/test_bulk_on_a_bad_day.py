"""Bulk loads through a proxy that makes requests fail: complete in the end, and nothing twice."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

import botocore.exceptions
import pytest
from fault_proxy import BAD_DAY, Fault, FaultProxy

from core.aws.clients import make_client
from core.dynamodb.dynamodb_json import raw_item
from core.dynamodb.integrity.verification import Verification
from core.dynamodb.items import message_item
from core.dynamodb.patterns import reads
from core.dynamodb.patterns.bulk_load import TranscriptMessage, load_transcript
from core.dynamodb.patterns.sends import Draft, start
from core.dynamodb.stream.projection import move
from core.dynamodb.table import Table
from core.dynamodb.transfer.imports import import_file
from core.errors import StoreError
from core.models import Message, Person
from core.timestamps import MICROSECOND, parse, sort_key

Done = TypeVar("Done")

BATCH = 25


@dataclass
class Bulk:
    """The size of a load, the faulty connection, and ``table`` for reading the result."""

    size: int
    table: Table
    line: Table
    proxy: FaultProxy


@pytest.fixture(
    params=[("table", 200), pytest.param(("durable_table", 5_000), marks=pytest.mark.deep)],
    ids=["small", "large"],
)
def bulk(request) -> Iterator[Bulk]:
    kind, size = request.param
    table = request.getfixturevalue(kind)
    with FaultProxy(table.target.endpoint_url, BAD_DAY, seed=7) as proxy:
        target = replace(table.target, endpoint_url=proxy.url)
        client = make_client(target, "dynamodb")
        yield Bulk(size, table, Table(client, table.name, target), proxy)
        client.close()


def retry_while_busy(act: Callable[[], Done]) -> Done:
    """The result of ``act``, which is repeated as its error says."""
    for _ in range(50):
        try:
            return act()
        except StoreError:
            pass
    raise AssertionError("it never came to an end")


def findings(table: Table, *people: Person) -> list:
    known = {person.uuid: person for person in people}
    return list(Verification(table, lambda uuids: {u: known[u] for u in uuids}).findings())


def texts(table: Table, group: str) -> list[str]:
    page = reads.list_messages(table, group, limit=10**6, newest_first=False)
    return [message.text for message in page.entries]


@pytest.mark.timeout(900)
def test_a_transcript_is_stored_completely_and_once(bulk, ana, ben, figures) -> None:
    lines = [TranscriptMessage((ana, ben)[n % 2], f"line {n}") for n in range(bulk.size)]
    loaded = retry_while_busy(lambda: load_transcript(bulk.line, (ana, ben), lines))
    again = retry_while_busy(lambda: load_transcript(bulk.line, (ana, ben), lines))
    assert (again.added, again.present) == (0, bulk.size)
    assert texts(bulk.table, loaded.message_group_uuid) == [line.text for line in lines]
    assert findings(bulk.table, ana, ben) == []
    assert bulk.proxy.faults
    figures(f"{bulk.size:,} lines of a transcript; {bulk.proxy.summary()}")


@pytest.mark.timeout(900)
def test_an_import_is_complete_and_recognises_its_own_items(
    bulk, ana, ben, tmp_path, figures
) -> None:
    count = 5 * bulk.size  # 25 of them are one request
    items = plain_messages("a-conversation", ana, count)
    path = tmp_path / "items.jsonl"
    path.write_text(
        "".join(json.dumps(raw_item(message_item(message))) + "\n" for message in items)
    )
    imported = retry_while_busy(lambda: import_file(bulk.line, path, lambda count, total: None))
    assert imported.added + imported.present == count
    assert imported.differing == 0
    assert texts(bulk.table, "a-conversation") == [message.text for message in items]
    assert bulk.proxy.faults
    figures(f"{count:,} items imported; {bulk.proxy.summary()}")


@pytest.mark.timeout(900)
def test_partly_unprocessed_batches_are_complete_after_the_rest_is_put_and_projected(
    bulk, ana, ben, figures
) -> None:
    first, _ = start(bulk.table, Draft(ana, ben, "first"))
    group = first.message_group_uuid
    items = plain_messages(group, ana, bulk.size, after=first.sort_key)
    for begin in range(0, bulk.size, BATCH):
        put_all(bulk.line, [message_item(message) for message in items[begin : begin + BATCH]])
    retry_while_busy(lambda: move(bulk.line, items[-1]))
    assert texts(bulk.table, group) == ["first", *(message.text for message in items)]
    assert findings(bulk.table, ana, ben) == []
    assert bulk.proxy.faults[Fault.UNPROCESSED]
    figures(f"{bulk.size:,} messages in batches of {BATCH}; {bulk.proxy.summary()}")


def plain_messages(
    group: str, sender: Person, count: int, after: str = "2026-01-01T00:00:00.000000+00:00"
) -> list[Message]:
    instants = (parse(after) + n * MICROSECOND for n in range(1, count + 1))
    return [
        Message(group, f"message-{n}", sender, f"text {n}", sort_key(instant), instant)
        for n, instant in enumerate(instants)
    ]


def put_all(table: Table, items: list) -> None:
    """Put items as a bulk loader does: in plain batches, and unprocessed items again."""
    requests = {table.name: [{"PutRequest": {"Item": item}} for item in items]}
    while requests:
        try:
            reply = table.client.batch_write_item(RequestItems=requests)
        except (botocore.exceptions.ClientError, botocore.exceptions.HTTPClientError):
            continue
        requests = reply["UnprocessedItems"]


def test_what_the_proxy_calls_unprocessed_is_what_it_left_out(table, ana) -> None:
    items = [message_item(message) for message in plain_messages("a-conversation", ana, BATCH)]
    requests = [{"PutRequest": {"Item": item}} for item in items]
    with FaultProxy(table.target.endpoint_url, {Fault.UNPROCESSED: 1}) as proxy:
        client = make_client(replace(table.target, endpoint_url=proxy.url), "dynamodb")
        reply = client.batch_write_item(RequestItems={table.name: requests})
        client.close()
    left_out = [
        request["PutRequest"]["Item"]["message"]["S"]
        for request in reply["UnprocessedItems"][table.name]
    ]
    stored = texts(table, "a-conversation")
    assert left_out
    assert stored
    assert Counter(left_out + stored) == Counter(item["message"]["S"] for item in items)
