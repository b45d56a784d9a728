"""Whole tables: an import beside boto3's batch_writer, and how times grow with the table.

The engine is dynoxide, whose requests do not slow down as the table grows; its stream is off.
"""

from __future__ import annotations

import gc
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from report import Row, medians, print_rows

from core.dynamodb.dynamodb_json import raw_item
from core.dynamodb.integrity.verification import Verification
from core.dynamodb.items import inbox_row_item, message_item
from core.dynamodb.keys import Item, pair_key
from core.dynamodb.patterns.bulk_load import TranscriptMessage, load_transcript
from core.dynamodb.schema import create_table
from core.dynamodb.table import Table, open_client
from core.dynamodb.transfer.imports import import_file
from core.engines import processes
from core.models import InboxRow, Message, Person
from core.purposes import Purpose
from core.settings import PROJECT_ROOT
from core.targets import AwsTarget, Environment
from core.timestamps import MICROSECOND, now, sort_key

RUNS = 3
MESSAGES = 100
"""Messages in a conversation."""

TEXT = "Did you see the heron on the pier this morning? It stood there for an hour."


def bench_bulk(scratch: Path, *, quick: bool) -> None:
    dynoxide = os.environ.get("DYNOXIDE") or shutil.which("dynoxide")
    if not dynoxide:
        print_rows("Whole tables", note="not measured, without dynoxide")
        return
    gc.set_threshold(100_000)  # as task_groups/terminal.py does for every task; for both sides
    conversations = 30 if quick else 200
    with _engine(dynoxide, scratch / "bulk.sqlite") as target:
        _bench_import(target, conversations)
        _bench_seed(target, 2_500 if quick else 10_000)
        _bench_scan(target, conversations)
        _bench_verify(target, 250 if quick else 2_500)


@contextmanager
def _engine(dynoxide: str, path: Path) -> Iterator[AwsTarget]:
    port = next(port for port in range(15_000, 30_000) if processes.is_free(port))
    place = ["--host", "127.0.0.1", "--port", str(port), "--db-path", str(path)]
    engine = subprocess.Popen(
        [dynoxide, "serve", *place], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        processes.wait_until(lambda: not processes.is_free(port), 10)
        yield AwsTarget(f"http://127.0.0.1:{port}", "us-east-1", placeholder_credentials=True)
    finally:
        engine.terminate()
        engine.wait()


def _new_table(target: AwsTarget, name: str = "") -> Table:
    client = open_client(target, "dynamodb", Purpose.DESTROYING)
    name = name or f"messages-{uuid.uuid4().hex[:12]}"
    table = Table(client, name, target, purpose=Purpose.DESTROYING)
    create_table(table, Environment.LOCAL)
    client.update_table(TableName=name, StreamSpecification={"StreamEnabled": False})
    return table


def _items(conversations: int, messages: int = MESSAGES) -> list[Item]:
    end = now()
    items: list[Item] = []
    for number in range(conversations):
        group = str(uuid.uuid4())
        one, other = (Person(str(uuid.uuid4()), f"u{number}{side}", "U") for side in "ab")
        instant = end
        for place in range(messages):
            instant = end - (messages - place) * MICROSECOND
            sender, key = (one, other)[place % 2], sort_key(instant)
            message = Message(group, str(uuid.uuid4()), sender, f"{place} {TEXT}", key, instant)
            items.append(message_item(message))
        for owner, shown in ((one, other), (other, one)):
            row = InboxRow(group, owner.uuid, shown, message.text, message.sort_key, instant)
            items.append(inbox_row_item(row))
        items.append({**pair_key(one.uuid, other.uuid), "group_uuid": {"S": group}})
    return items


def _file(items: list[Item]) -> Path:
    path = Path(tempfile.mkstemp(suffix=".jsonl")[1])
    path.write_text("".join(json.dumps(raw_item(item)) + "\n" for item in items))
    return path


def _bench_import(target: AwsTarget, conversations: int) -> None:
    items = _items(conversations)
    plain = [{name: value["S"] for name, value in item.items()} for item in items]
    path = _file(items)
    took = medians(
        RUNS,
        lambda: import_file(_new_table(target), path, lambda count, total: None),
        lambda: _batch_write(target, plain),
    )
    path.unlink()
    print_rows(
        f"{len(items):,} items imported, beside boto3's batch_writer, which overwrites",
        Row("time", "ms", *took.elapsed_ms, target=1 / 1.2),
        Row("processor", "ms", *took.processor_ms, target=0.7),
    )


def _batch_write(target: AwsTarget, items: list[dict[str, Any]]) -> None:
    import boto3

    resource = boto3.resource(
        "dynamodb",
        endpoint_url=target.endpoint_url,
        region_name=target.region,
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106 - any will do
    )
    with resource.Table(_new_table(target).name).batch_writer() as writer:
        for item in items:
            writer.put_item(Item=item)


def _bench_seed(target: AwsTarget, lines: int) -> None:
    took = medians(RUNS, lambda: _load(target, 2 * lines), lambda: _load(target, lines))
    print_rows(
        f"A transcript of {2 * lines:,} lines, beside one of {lines:,}",
        Row("time", "ms", *took.elapsed_ms, target=2.2),
        Row("processor", "ms", *took.processor_ms, target=2.2),
    )


def _load(target: AwsTarget, lines: int) -> None:
    people = Person(str(uuid.uuid4()), "ana", "Ana"), Person(str(uuid.uuid4()), "ben", "Ben")
    senders = itertools.islice(itertools.cycle(people), lines)
    load_transcript(_new_table(target), people, [TranscriptMessage(s, TEXT) for s in senders])


def _bench_scan(target: AwsTarget, conversations: int) -> None:
    table = _new_table(target, "cruddur-messages")
    path = _file(_items(conversations))
    import_file(table, path, lambda count, total: None)
    path.unlink()
    runs = [(_scan(target), _scan(target, "--json")) for _ in range(RUNS)]
    here, peer = (sorted(times)[RUNS // 2] for times in zip(*runs, strict=True))
    print_rows(
        "ddb.scan for people, beside --json", Row("processor", "ms", here, peer, target=1.15)
    )


def _scan(target: AwsTarget, *options: str) -> float:
    """The processor's milliseconds of the command."""
    before = os.times()
    subprocess.run(
        [sys.executable, "-m", "invoke", "ddb.scan", *options],
        cwd=PROJECT_ROOT,
        env={"PATH": os.environ["PATH"], "AWS_ENDPOINT_URL": str(target.endpoint_url)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    after = os.times()
    used = after.children_user + after.children_system
    return (used - before.children_user - before.children_system) * 1000


def _bench_verify(target: AwsTarget, conversations: int) -> None:
    large, small = (_verify(target, count) for count in (2 * conversations, conversations))
    print_rows(
        f"ddb.verify of {2 * conversations:,} conversations, beside {conversations:,}",
        Row("time", "ms", large[0], small[0]),  # the engine's scan slows down as its file grows
        Row("processor", "ms", large[1], small[1], target=2.3),
        Row("requests, beside conversations", "", large[2], 2 * conversations, target=2.1),
    )


def _verify(target: AwsTarget, conversations: int) -> tuple[float, float, int]:
    """The milliseconds, those of this process's processor, and the requests of a verification."""
    table = _new_table(target)
    path = _file(_items(conversations, messages=4))
    import_file(table, path, lambda count, total: None)
    path.unlink()
    metered = table.metered()
    began, began_processor = time.perf_counter(), time.process_time()
    for _ in Verification(metered, lambda uuids: {}).findings():
        pass
    elapsed_ms = (time.perf_counter() - began) * 1000
    processor_ms = (time.process_time() - began_processor) * 1000
    return elapsed_ms, processor_ms, metered.capacity.requests
