"""Whole tables: imports, exports and scans beside their peers, and how times grow with the table.

The engine is dynoxide, whose requests do not slow down as the table grows; its stream is off.
"""

from __future__ import annotations

import functools
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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from browser import running_dynoxide
from commands import environment
from peers import Peers, install_peers
from report import Row, Run, Took, compared, in_turn, print_rows

from admin_app.message_groups.all_conversations import AllConversations
from core import spreadsheets
from core.dynamodb.dynamodb_json import raw_item
from core.dynamodb.integrity.verification import Verification
from core.dynamodb.items import inbox_row_item, message_item
from core.dynamodb.keys import Item, pair_key
from core.dynamodb.patterns.bulk_load import TranscriptMessage, load_transcript
from core.dynamodb.schema import create_table
from core.dynamodb.table import Table, open_client
from core.dynamodb.transfer.imports import import_file
from core.models import InboxRow, Message, Person
from core.postgres import admin
from core.postgres.database import Database
from core.purposes import Purpose
from core.settings import PROJECT_ROOT
from core.targets import AwsTarget, Environment
from core.targets.postgres import parse_url
from core.timestamps import MICROSECOND, now, sort_key

RUNS = 3
MESSAGES = 100
"""Messages in a conversation."""

TEXT = "Did you see the heron on the pier this morning? It stood there for an hour."
IMPORTERS = {"batch_writer": 1 / 1.2, "pynamodb": 1.0, "pydynox": 1 / 0.6}
"""The peers of an import, and the greatest ratio of times that is good enough."""
READERS = {"boto3's paginator and json": 1 / 1.7, "aws dynamodb scan": 1 / 3.5}
"""The same for those who read a whole table."""

PAGINATOR = """
import sys, json, boto3
client = boto3.client("dynamodb", endpoint_url=sys.argv[1], region_name="us-east-1")
for page in client.get_paginator("scan").paginate(TableName="cruddur-messages"):
    for item in page["Items"]:
        print(json.dumps(item))
"""


def bench_bulk(scratch: Path, postgres_url: str, *, quick: bool) -> None:
    dynoxide = os.environ.get("DYNOXIDE") or shutil.which("dynoxide")
    if not dynoxide:
        print_rows("Whole tables", note="not measured, without dynoxide")
        return
    gc.set_threshold(100_000)  # as task_groups/terminal.py does for every task; for both sides
    conversations = 30 if quick else 200
    peers = install_peers()
    with running_dynoxide(dynoxide, scratch / "bulk.sqlite") as endpoint:
        target = AwsTarget(endpoint, "us-east-1", placeholder_credentials=True)
        _bench_import(target, conversations, peers)
        _bench_seed(target, 2_500 if quick else 10_000)
        _bench_reads(target, 100 if quick else 400, peers, environment(scratch, endpoint))
        _bench_verify(target, 250 if quick else 2_500)
        _bench_message_groups(target, postgres_url, 500 if quick else 5_000)


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


def _bench_import(target: AwsTarget, conversations: int, peers: Peers) -> None:
    path = _file(_items(conversations))
    lines = conversations * (MESSAGES + 3)
    with ExitStack() as stack:
        names = list(IMPORTERS) if peers.python else []
        others = [stack.enter_context(_importer(peers, name, target, path)) for name in names]
        here, *there = in_turn(
            RUNS,
            lambda: import_file(_new_table(target), path, lambda count, total: None),
            *others,
        )
    path.unlink()
    rows = [
        compared(f"time, beside {name}", "ms", here.elapsed, side.elapsed, IMPORTERS[name])
        for name, side in zip(names, there, strict=True)
    ]
    if there:
        rows += [
            compared(
                "processor, beside batch_writer", "ms", here.processor, there[0].processor, 0.7
            )
        ]
    print_rows(
        f"{lines:,} items imported, beside libraries that check nothing and overwrite",
        *rows,
        note=peers.missing,
    )


@contextmanager
def _importer(peers: Peers, library: str, target: AwsTarget, path: Path) -> Iterator[Run]:
    """A run of a peer, in a process that has its library and the items in memory."""
    script = str(Path(__file__).with_name("peer_imports.py"))
    command = [peers.python, script, library, str(target.endpoint_url), str(path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:

        def run() -> Took:
            print(_new_table(target).name, file=process.stdin, flush=True)
            return Took(*map(float, next(process.stdout).split()))

        yield run
        process.stdin.close()


def _bench_seed(target: AwsTarget, lines: int) -> None:
    large, small = in_turn(RUNS, lambda: _load(target, 2 * lines), lambda: _load(target, lines))
    print_rows(
        f"A transcript of {2 * lines:,} lines, beside one of {lines:,}",
        compared("time", "ms", large.elapsed, small.elapsed, target=2.2),
        compared("processor", "ms", large.processor, small.processor, target=2.2),
    )


def _load(target: AwsTarget, lines: int) -> None:
    people = Person(str(uuid.uuid4()), "ana", "Ana"), Person(str(uuid.uuid4()), "ben", "Ben")
    senders = itertools.islice(itertools.cycle(people), lines)
    load_transcript(_new_table(target), people, [TranscriptMessage(s, TEXT) for s in senders])


def _bench_reads(
    target: AwsTarget, conversations: int, peers: Peers, env: Mapping[str, str]
) -> None:
    table = _new_table(target, "cruddur-messages")
    path = _file(_items(conversations))
    import_file(table, path, lambda count, total: None)
    path.unlink()
    task = functools.partial(_command, env, [sys.executable, "-m", "invoke"])
    sides = [
        lambda: task("ddb.scan"),
        lambda: task("ddb.scan", "--json"),
        lambda: task("ddb.export"),
    ]
    if peers.python:
        sides += [functools.partial(_command, env, scan) for scan in _peer_scans(target, peers)]
    for_people, as_json, export, *others = [side.processor for side in in_turn(RUNS, *sides)]
    rows = [
        compared(f"{name}, beside {peer}", "ms", here, there, target)
        for (peer, target), there in zip(READERS.items(), others, strict=False)
        for name, here in (("ddb.export", export), ("ddb.scan --json", as_json))
    ]
    print_rows(
        f"{conversations * (MESSAGES + 3):,} items read: the processor of the whole command",
        *rows,
        compared("ddb.scan for people, beside --json", "ms", for_people, as_json, target=1.15),
        note=peers.missing,
    )


def _peer_scans(target: AwsTarget, peers: Peers) -> Iterator[list[str]]:
    """The commands of the peers in ``READERS``."""
    endpoint = str(target.endpoint_url)
    yield [peers.python, "-c", PAGINATOR, endpoint]
    scan = [peers.aws, "dynamodb", "scan", "--table-name", "cruddur-messages"]
    yield [*scan, "--endpoint-url", endpoint, "--output", "json"]


def _command(env: Mapping[str, str], command: Sequence[str], *options: str) -> Took:
    """The milliseconds of a command, whose output nobody reads."""
    began, before = time.perf_counter(), os.times()
    subprocess.run(
        [*command, *options],
        cwd=PROJECT_ROOT,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    after, elapsed = os.times(), time.perf_counter() - began
    used = after.children_user + after.children_system
    return Took(elapsed * 1000, (used - before.children_user - before.children_system) * 1000)


def _bench_verify(target: AwsTarget, conversations: int) -> None:
    stores = [_talked(target, count) for count in (2 * conversations, conversations)]
    metered = stores[0][0].metered()
    _verify(metered, stores[0][1])
    large, small = in_turn(RUNS, *(functools.partial(_verify, *store) for store in stores))
    print_rows(
        f"ddb.verify of {2 * conversations:,} conversations, beside {conversations:,}",
        compared("time", "ms", large.elapsed, small.elapsed, target=2.3),
        compared("processor", "ms", large.processor, small.processor, target=2.3),
        Row(
            "requests, beside conversations",
            "",
            metered.capacity.requests,
            2 * conversations,
            target=2.1,
        ),
    )


def _talked(target: AwsTarget, conversations: int) -> tuple[Table, Mapping[str, Person]]:
    """A table with that many conversations of four messages, and their people."""
    table, items = _new_table(target), _items(conversations, messages=4)
    path = _file(items)
    import_file(table, path, lambda count, total: None)
    path.unlink()
    senders = (_sender(item) for item in items if "user_uuid" in item)
    return table, {person.uuid: person for person in senders}


def _verify(table: Table, people: Mapping[str, Person]) -> None:
    for _ in Verification(table, lambda uuids: people).findings():
        pass


def _bench_message_groups(target: AwsTarget, postgres_url: str, conversations: int) -> None:
    url = urlsplit(postgres_url)._replace(path="/message-groups").geturl()
    with Database(parse_url(url, "CONNECTION_URL"), Purpose.DESTROYING) as db:
        admin.create_database(db)
        admin.load_schema(db, "local")
        tables = [_filled(target, count) for count in (2 * conversations, conversations)]
        large, small = in_turn(RUNS, *(functools.partial(_read_groups, db, one) for one in tables))
    print_rows(
        f"The download of {2 * conversations:,} message groups, beside {conversations:,}",
        compared("time", "ms", large.elapsed, small.elapsed),
        compared("processor", "ms", large.processor, small.processor, target=2.3),
    )


def _filled(target: AwsTarget, conversations: int) -> Table:
    table, path = _new_table(target), _file(_items(conversations, messages=1))
    import_file(table, path, lambda count, total: None)
    path.unlink()
    return table


def _read_groups(db: Database, table: Table) -> None:
    """What the page's download does: it reads the rows that are not loaded, and groups them."""
    overview = AllConversations()
    overview.read_on(db, table)
    whole = overview.whole(db, table, lambda rows: None)
    rows = [{"members": whole.members_text(group)} for group in whole.matching("")]
    spreadsheets.csv_text(rows, columns=("members",))


def _sender(item: Item) -> Person:
    return Person(*(item[name]["S"] for name in ("user_uuid", "user_handle", "user_display_name")))
