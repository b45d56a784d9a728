"""The policies of the template allow what each role does, and nothing else of the table's items."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aws_template import template
from unguarded import make_table

from core.dynamodb import description, marker, schema
from core.dynamodb.integrity.repairs import repair
from core.dynamodb.integrity.verification import Verification
from core.dynamodb.items import inbox_row_item, message_item
from core.dynamodb.patterns import all_conversations, reads
from core.dynamodb.patterns.last_senders import last_senders
from core.dynamodb.patterns.sends import Draft, send, start
from core.dynamodb.stream.projection import move
from core.dynamodb.table import Table
from core.dynamodb.transfer import exports, imports
from core.models import InboxRow, Message, Person
from core.targets import Environment
from core.timestamps import parse

LATE = "2999-01-01T00:00:00.000000+00:00"
RESOURCES = template()["Resources"]
STREAM = {f"dynamodb:{name}" for name in ("DescribeStream", "GetRecords", "GetShardIterator")}


def statements(policy: str) -> list[dict[str, Any]]:
    return RESOURCES[policy]["Properties"]["PolicyDocument"]["Statement"]


def allowed(policy: str) -> set[str]:
    """What a policy allows to do with the table itself."""
    return set(statements(policy)[0]["Action"])


@pytest.fixture
def used(no_table) -> Iterator[set[str]]:
    """The IAM actions of every request that the test makes from here on.

    A transaction needs those of its parts, an INSERT one of its own:
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-iam.html
    """
    actions: set[str] = set()

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        if model.name == "TransactWriteItems":
            parts = [next(iter(action)) for action in params["TransactItems"]]
            actions.update(f"dynamodb:{part}Item" for part in parts)
        elif model.name == "BatchExecuteStatement":
            actions.add("dynamodb:PartiQLInsert")
        else:
            actions.add(f"dynamodb:{model.name}")

    events = no_table.client.meta.events
    events.register("before-parameter-build.dynamodb", note)
    yield actions
    events.unregister("before-parameter-build.dynamodb", note)


@pytest.fixture
def conversation(table, ana, ben) -> str:
    return start(table, Draft(ana, ben, "hi"))[0].message_group_uuid


def look(table: Table, ana: Person, ben: Person, group: str) -> None:
    """The requests of the tasks and pages that change nothing."""
    reads.list_messages(table, group, limit=5)
    inbox = reads.list_inbox(table, ana.uuid, limit=5)
    assert last_senders(table, inbox.entries)
    reads.newest_row_with(table, ana.uuid, ben.uuid)
    reads.pair_group(table, ana.uuid, ben.uuid)
    reads.inbox_row(table, ana.uuid, group)
    all_conversations.list_all_inbox_rows(table)
    all_conversations.count_messages(table, group)
    description.describe_table(table)
    marker.read_state(table)
    list(reads.scan(table))
    list(Verification(table, lambda uuids: {}).findings())


def test_the_read_policy_allows_every_read(table, ana, ben, conversation, used) -> None:
    look(table, ana, ben, conversation)
    assert used == allowed("ReadPolicy")


def test_the_write_policy_allows_reading_starting_and_answering(
    table, ana, ben, conversation, used
) -> None:
    look(table, ana, ben, conversation)
    start(table, Draft(ben, ana, "yo"))
    again = Draft(ana, ben, "so", tried_from=LATE)  # its first try may be stored
    send(table, conversation, again)
    assert used == allowed("WritePolicy")


def test_the_projection_policy_allows_moving_rows(table, ana, ben, conversation, used) -> None:
    """Also if another conversation of a member has exactly the same time."""
    message = Message(conversation, "m", ben, "plain", LATE, parse(LATE))
    table.request("put_item", Item=message_item(message))
    in_the_way = InboxRow("h", ana.uuid, Person("cleo", "cleo", "Cleo"), "x", LATE, None)
    table.request("put_item", Item=inbox_row_item(in_the_way))
    used.clear()
    assert move(table, message)
    assert used == allowed("ProjectionPolicy")


def test_the_admin_policy_allows_what_the_tasks_do(
    table, ana, ben, conversation, used, tmp_path: Path
) -> None:
    look(table, ana, ben, conversation)
    ahead = InboxRow(conversation, ana.uuid, ben, "filler", LATE, parse(LATE))
    table.request("put_item", Item=inbox_row_item(ahead))
    people = {person.uuid: person for person in (ana, replace(ben, display_name="Another"))}
    assert repair(Verification(table, lambda uuids: people)) > 0
    exports.export_file(table, tmp_path / "items", lambda count, total: None)
    imports.import_file(table, tmp_path / "items", lambda count, total: None)
    schema.drop_table(table)
    schema.create_table(table, Environment.LOCAL)
    imports.import_file(table, tmp_path / "items", lambda count, total: None)
    # An operator turns the stream on with the command that ddb.follow-stream shows.
    assert used | {"dynamodb:UpdateTable"} == allowed("AdminPolicy")


def test_the_admin_policy_allows_following_every_later_stream_of_the_table(no_table) -> None:
    """A table that is dropped and loaded again has another stream, with a time in its name."""
    reading = [entry for entry in statements("AdminPolicy") if set(entry["Action"]) >= STREAM]
    (pattern,) = (entry["Resource"].partition(":table/")[2] for entry in reading)
    pattern = pattern.replace("${TableName}", no_table.name)
    streams = []
    for _ in range(2):
        make_table(no_table)
        arn = schema.describe(no_table)["LatestStreamArn"]
        streams.append(arn.partition(":table/")[2])
        schema.drop_table(no_table)
    assert len(set(streams)) == 2
    assert fnmatch.filter(streams, pattern) == streams


@pytest.mark.parametrize("policy", ["ReadPolicy", "WritePolicy", "AdminPolicy", "ProjectionPolicy"])
def test_no_policy_reaches_beyond_the_table(policy) -> None:
    for statement in statements(policy):
        everywhere = statement["Resource"] == "*"
        narrowest = {"dynamodb:ListTables", "lambda:ListEventSourceMappings"}
        assert not everywhere or set(statement["Action"]) <= narrowest
        assert not any("*" in action for action in statement["Action"])
