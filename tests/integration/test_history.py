"""Many writers at once, on a good day and on a bad one: what was acknowledged is found once.

A small run by default; ``--deep`` runs the numbers on dynoxide, whose query time does not grow with
a conversation. It is one binary: ``npm install -g @dynoxide/linux-x64``, or DYNOXIDE names it.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import botocore.exceptions
import pytest

from core.aws.clients import make_client
from core.dynamodb import reads
from core.dynamodb.client import Table
from core.dynamodb.sends import Draft, send, start
from core.dynamodb.table import _SCHEMA
from core.dynamodb.verification import Verification
from core.engines import processes
from core.errors import MessageUnconfirmedError, StoreError
from core.models import Message, Person
from core.targets import AwsTarget

WRITERS = 8
PEOPLE = [Person(f"user-{n}", f"user{n}", f"User {n}") for n in range(5)]
PAIRS = [(0, 1), (0, 2), (0, 3), (1, 2), (3, 4)]

FAULTS = {
    "reset before": 0.01,
    "reset after": 0.01,
    "internal error": 0.01,
    "throttled": 0.05,
    "conflict": 0.10,
}


class FaultyClient:
    """A client over a bad line to a busy store; what goes wrong is drawn from a seed."""

    def __init__(self, client, seed: int) -> None:
        self._client, self._random = client, random.Random(seed)

    def __getattr__(self, name: str):
        call = getattr(self._client, name)
        if name not in ("query", "get_item", "transact_write_items"):
            return call
        return lambda **params: self._call(name, call, params)

    def _call(self, name: str, call, params):
        kinds, weights = [*FAULTS, None], [*FAULTS.values(), 1 - sum(FAULTS.values())]
        fault = self._random.choices(kinds, weights)[0]
        if fault == "conflict" and name == "transact_write_items":
            reasons = [{"Code": "TransactionConflict"}] * len(params["TransactItems"])
            raise refusal("TransactionCanceledException", CancellationReasons=reasons)
        if fault == "throttled":
            raise refusal("ProvisionedThroughputExceededException")
        if fault == "internal error":
            raise refusal("InternalServerError")
        if fault == "reset before":
            raise botocore.exceptions.ConnectionClosedError(endpoint_url="http://model")
        reply = call(**params)
        if fault == "reset after":
            raise botocore.exceptions.ConnectionClosedError(endpoint_url="http://model")
        return reply


def refusal(code: str, **more) -> botocore.exceptions.ClientError:
    error = {"Error": {"Code": code, "Message": code}, **more}
    return botocore.exceptions.ClientError(error, "TransactWriteItems")


@dataclass
class History:
    """What one writer was promised, in order, and what it was left in doubt of."""

    acknowledged: list[Message] = field(default_factory=list)
    in_doubt: set[str] = field(default_factory=set)


def write(table: Table, groups: list[str], writer: int, sends: int) -> History:
    history, chance = History(), random.Random(writer)
    for n in range(sends):
        which = chance.randrange(len(PAIRS))
        one, other = (PEOPLE[index] for index in PAIRS[which][:: chance.choice((1, -1))])
        draft = Draft(one, other, f"{writer}-{n}")
        for _ in range(20):  # a person, who tries again
            try:
                history.acknowledged.append(send(table, groups[which], draft))
                break
            except MessageUnconfirmedError as error:
                again = (draft.message_uuid, error.created_at)
                draft = Draft(one, other, draft.text, *again)
            except StoreError:
                pass  # it is certain that nothing was stored
        else:
            history.in_doubt.add(draft.message_uuid)
    return history


def check(table: Table, total: int, *, faulty: bool) -> None:
    groups = [
        start(table, Draft(PEOPLE[a], PEOPLE[b], "first"))[0].message_group_uuid for a, b in PAIRS
    ]

    def one_writer(writer: int) -> History:
        client = FaultyClient(table.client, writer) if faulty else table.client
        return write(Table(client, table.name, table.target), groups, writer, total // WRITERS)

    with ThreadPoolExecutor(WRITERS) as pool:
        histories = list(pool.map(one_writer, range(WRITERS)))
    stored = {
        group: reads.list_messages(table, group, limit=10**6, newest_first=False).entries
        for group in groups
    }
    found = Counter(message.message_uuid for messages in stored.values() for message in messages)
    assert set(found.values()) == {1}
    acknowledged = [message for history in histories for message in history.acknowledged]
    assert [m.text for m in acknowledged if m.message_uuid not in found] == []
    in_doubt = set().union(*(history.in_doubt for history in histories))
    assert sum(found.values()) <= len(acknowledged) + len(in_doubt) + len(PAIRS)
    assert len(acknowledged) >= total * 0.99
    for messages in stored.values():
        for writer in range(WRITERS):
            own = [int(m.text.split("-")[1]) for m in messages if m.text.startswith(f"{writer}-")]
            assert own == sorted(own)
    people = {person.uuid: person for person in PEOPLE}
    known = lambda uuids: {u: people[u] for u in uuids if u in people}  # noqa: E731
    assert list(Verification(table, known).findings()) == []


@pytest.mark.parametrize("faulty", [False, True], ids=["good day", "bad day"])
def test_every_acknowledged_message_is_found_once_and_in_order(table, faulty) -> None:
    check(table, 400, faulty=faulty)


@pytest.fixture(scope="module")
def durable_target(tmp_path_factory) -> Iterator[AwsTarget]:
    """dynoxide, on a file of its own."""
    binary = os.environ.get("DYNOXIDE") or shutil.which("dynoxide")
    if binary is None:
        pytest.fail("dynoxide is not installed: npm install -g @dynoxide/linux-x64")
    port = next(port for port in range(15_000, 30_000) if processes.is_free(port))
    path = tmp_path_factory.mktemp("dynoxide") / "db.sqlite"
    server = subprocess.Popen(
        [binary, "serve", "--host", "127.0.0.1", "--port", str(port), "--db-path", path],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert processes.wait_until(lambda: not processes.is_free(port), 10)
    yield AwsTarget(f"http://127.0.0.1:{port}", "us-east-1", placeholder_credentials=True)
    server.terminate()
    server.wait(10)


@pytest.mark.deep
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("total", "faulty"), [(30_000, False), (15_000, True)], ids=["good day", "bad day"]
)
def test_every_acknowledged_message_is_found_once_in_depth(durable_target, total, faulty) -> None:
    client = make_client(durable_target, "dynamodb")
    table = Table(client, f"messages-{total}", durable_target)
    # Without a stream: its records would slow the writes down more and more.
    client.create_table(TableName=table.name, BillingMode="PAY_PER_REQUEST", **_SCHEMA)
    check(table, total, faulty=faulty)
    client.close()
