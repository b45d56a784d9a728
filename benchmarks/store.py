"""The store's write path, compared with Cruddur's: a message alone, then its stream function."""

from __future__ import annotations

import itertools
import uuid
from dataclasses import replace
from typing import Any

from report import Row, compared, in_turn, print_rows

from core.dynamodb import keys
from core.dynamodb.items import inbox_row_item, message_item
from core.dynamodb.patterns.bulk_load import TranscriptMessage, load_transcript
from core.dynamodb.patterns.sends import Draft, send, start
from core.dynamodb.schema import create_table
from core.dynamodb.table import Table, open_table
from core.models import InboxRow, Message, Person
from core.purposes import Purpose
from core.settings import Settings
from core.targets import Environment, resolve
from core.timestamps import now, parse, sort_key

SENDS = 100
LOADS = 5
LINES = 200
TEXT = "Did you see the heron on the pier this morning? It stood there for an hour."


def bench_store(endpoint: str) -> None:
    target = resolve(Settings(endpoint_url=endpoint), prod=False)
    ours, theirs = (
        replace(open_table(target, Purpose.DESTROYING), name=name)
        for name in ("cruddur-messages", "cruddur-beside")
    )
    for table in (ours, theirs):
        create_table(table, Environment.LOCAL)
    _bench_sends(ours, theirs)
    _bench_loads(ours, theirs)
    ours.client.close()
    theirs.client.close()


def _bench_sends(ours: Table, theirs: Table) -> None:
    ana, ben = _people()
    group = start(ours, Draft(ana, ben, TEXT))[0].message_group_uuid
    _put_rows(theirs, group, ana, ben)
    here, peer = ours.metered(), theirs.metered()
    ours_took, theirs_took = in_turn(
        SENDS,
        lambda: send(here, group, Draft(ana, ben, TEXT)),
        lambda: _send_as_cruddur(peer, group, ana),
    )
    print_rows(
        "A message sent, beside a put and what Cruddur's stream function does then",
        compared("time", "ms", ours_took.elapsed, theirs_took.elapsed, 0.8),
        _capacity("requests", "", here, peer),
        _capacity("write_units", "WCU", here, peer),
        _capacity("read_units", "RCU", here, peer),
    )


def _capacity(name: str, unit: str, here: Table, peer: Table) -> Row:
    """The capacity that one message consumed."""
    sent = SENDS + 1  # the first does not count for time
    ours, theirs = (getattr(table.capacity, name) / sent for table in (here, peer))
    return Row(name.replace("_", " "), unit, ours, theirs)


def _people() -> tuple[Person, Person]:
    return Person(str(uuid.uuid4()), "ana", "Ana"), Person(str(uuid.uuid4()), "ben", "Ben")


def _put(table: Table, item: dict[str, Any]) -> None:
    table.request("put_item", Item=item)


def _put_rows(table: Table, group: str, one: Person, other: Person) -> None:
    at = sort_key(now())
    for owner, shown in ((one, other), (other, one)):
        _put(table, inbox_row_item(InboxRow(group, owner.uuid, shown, TEXT, at, parse(at))))


def _put_message(table: Table, group: str, sender: Person) -> str:
    at = sort_key(now())
    _put(table, message_item(Message(group, str(uuid.uuid4()), sender, TEXT, at, parse(at))))
    return at


def _send_as_cruddur(table: Table, group: str, sender: Person) -> None:
    """Six requests: the message; the group's rows; for each row a delete and a put."""
    at = _put_message(table, group, sender)
    rows = table.request(
        "query",
        IndexName=keys.INDEX,
        KeyConditionExpression="message_group_uuid = :group",
        ExpressionAttributeValues={":group": {"S": group}},
    )["Items"]
    for row in rows:
        table.request("delete_item", Key={"pk": row["pk"], "sk": row["sk"]})
        _put(table, row | {"sk": {"S": at}, "message": {"S": TEXT}})


def _bench_loads(ours: Table, theirs: Table) -> None:
    here, peer = in_turn(LOADS, lambda: _load(ours), lambda: _load_as_cruddur(theirs))
    print_rows(
        f"A conversation of {LINES} lines loaded, beside one put a line",
        compared("time", "ms", here.elapsed, peer.elapsed, 0.5),
    )


def _load(table: Table) -> None:
    people = _people()
    lines = [
        TranscriptMessage(sender, TEXT)
        for sender in itertools.islice(itertools.cycle(people), LINES)
    ]
    load_transcript(table, people, lines)


def _load_as_cruddur(table: Table) -> None:
    people, group = _people(), str(uuid.uuid4())
    _put_rows(table, group, *people)
    for sender in itertools.islice(itertools.cycle(people), LINES):
        _put_message(table, group, sender)
