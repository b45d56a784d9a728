"""An import inserts in batches what the table does not have, without giving up a guarantee."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from core.dynamodb import keys
from core.dynamodb.dynamodb_json import raw_item, same_item
from core.dynamodb.integrity.verification import Verification
from core.dynamodb.items import inbox_row_item, message_from, message_item
from core.dynamodb.keys import Item
from core.dynamodb.patterns import reads
from core.dynamodb.patterns.removals import remove_message
from core.dynamodb.patterns.sends import Draft, send
from core.dynamodb.table import Table
from core.dynamodb.transfer import sources
from core.dynamodb.transfer.imports import Imported, import_file
from core.dynamodb.transfer.inserts import Inserter
from core.errors import InputError
from core.models import REMOVED_TEXT, InboxRow, Message, Person
from core.timestamps import parse

GROUP = "a-conversation"


def at(second: int) -> str:
    return f"2026-01-01T00:00:{second:02}.000000+00:00"


def message(number: int, sender: Person, group: str = GROUP) -> Message:
    key = at(number)
    return Message(group, f"message-{number}", sender, f"text {number}", key, parse(key))


def conversation(ana: Person, ben: Person, count: int = 3, group: str = GROUP) -> list[Item]:
    messages = [message(number, ana, group) for number in range(count)]
    last = messages[-1]
    rows = [
        InboxRow(group, owner.uuid, other, last.text, last.sort_key, last.created_at)
        for owner, other in ((ana, ben), (ben, ana))
    ]
    pair = keys.pair_key(ana.uuid, ben.uuid) | {"group_uuid": {"S": group}}
    return [*map(message_item, messages), *map(inbox_row_item, rows), pair]


def load(table: Table, path: Path, items: list[Item]) -> Imported:
    path.write_text("".join(json.dumps(raw_item(item)) + "\n" for item in items))
    return import_file(table, path, lambda count, total: None)


def stored(table: Table) -> list[Item]:
    return [item for item in reads.scan(table) if item["pk"] != keys.ENVIRONMENT_KEY["pk"]]


def faults(table: Table, *people: Person) -> list:
    known = {person.uuid: person for person in people}
    return list(Verification(table, lambda uuids: {u: known[u] for u in uuids}).findings())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "items.jsonl"


def test_a_new_conversation_needs_a_request_for_25_items_and_no_reads_of_it(
    table, ana, ben, file
) -> None:
    items = conversation(ana, ben, count=50)
    done = load(table, file, items)
    assert (done.added, done.present, done.removed) == (53, 0, 0)
    # Before: the table, the index. The messages and the pair, the rows. After: removals, the index.
    # Before and after: who is erased.
    assert table.capacity.requests == 2 + 3 + 1 + 2 + 2
    assert len(stored(table)) == 53
    assert faults(table, ana, ben) == []
    again = load(table, file, items)
    assert (again.added, again.present, again.differing) == (0, 53, 0)


ODD_ATTRIBUTES = {
    "binary": {"B": b"\x00\xff"},
    "binaries": {"BS": [b"\x00", b"\xff"]},
    "number": {"N": "12345678901234567890"},
    "numbers": {"NS": ["1", "2.5"]},
    "texts": {"SS": ["a", "ж"]},
    "nothing": {"NULL": True},
    "yes": {"BOOL": True},
    "nested": {"M": {"list": {"L": [{"S": "'?\""}, {"N": "1"}]}}},
    "empty": {"S": ""},
    "text": {"S": "'; ? \" \\ \n \U0001f600"},
}


@pytest.mark.parametrize("engine_s_table", ["table", "durable_table"])
def test_every_type_arrives_as_it_was(request, file, engine_s_table) -> None:
    table = request.getfixturevalue(engine_s_table)
    plain = keys.key("other", "plain") | ODD_ATTRIBUTES
    named = keys.key("other", "named") | {'it\'s ? "odd"': {"S": "x"}, "ж": {"S": "y"}}
    many = keys.key("other", "many") | {f"a{number:0250}": {"S": "x"} for number in range(40)}
    done = load(table, file, [plain, named, many])
    assert (done.added, done.differing) == (3, 0)
    by_key = {item["sk"]["S"]: item for item in stored(table)}
    assert same_item(by_key["plain"], plain)
    assert same_item(by_key["named"], named)
    assert same_item(by_key["many"], many)


def test_a_key_that_is_taken_or_twice_in_the_file_is_never_overwritten(table, ana, file) -> None:
    other = keys.key("other", "1") | {"text": {"S": "stored"}}
    table.request("put_item", Item=other)
    one, two = (keys.key("other", "2") | {"text": {"S": text}} for text in ("one", "two"))
    done = load(table, file, [other | {"text": {"S": "new"}}, one, two, one])
    assert (done.added, done.present, done.differing) == (1, 1, 2)
    assert done.places == ("line 1", "line 3")
    assert sorted(item["text"]["S"] for item in stored(table)) == ["one", "stored"]


def test_an_item_that_dynamodb_refuses_is_named_by_its_line(table, ana, ben, file) -> None:
    too_large = keys.key("other", "1") | {"text": {"L": [{"S": "x" * 1000}] * 500}}
    with pytest.raises(InputError, match="line 7: "):
        load(table, file, [*conversation(ana, ben), too_large])


@pytest.mark.parametrize("code", ["AccessDeniedException", "UnknownOperationException"])
def test_where_batches_are_refused_items_are_put_one_by_one(
    table, ana, ben, file, monkeypatch, code
) -> None:
    """By a policy from before the batches, or by an engine without PartiQL."""
    calls = []

    def refuse(**params):
        calls.append(params)
        raise ClientError({"Error": {"Code": code, "Message": code}}, "BatchExecuteStatement")

    monkeypatch.setattr(table.client, "batch_execute_statement", refuse)
    done = load(table, file, conversation(ana, ben))
    assert (done.added, done.differing, len(calls)) == (6, 0, 1)
    assert faults(table, ana, ben) == []


def test_a_conversation_with_a_removal_is_put_with_a_check_of_each_message(
    table, ana, ben, file
) -> None:
    """Also if the removal is in the same file, before or after the messages."""
    items = conversation(ana, ben)
    load(table, file, items)
    newest = reads.newest_message(table, GROUP)
    remove_message(table, newest)
    with_removal = stored(table)
    for item in with_removal:
        table.request("delete_item", Key={"pk": item["pk"], "sk": item["sk"]})
    done = load(table, file, [*items, *with_removal])
    assert done.removed
    assert newest.message_uuid not in {
        message_from(item).message_uuid
        for item in stored(table)
        if keys.message_group_of(item["pk"]["S"]) is not None
    }


@pytest.fixture
def meanwhile(table, monkeypatch):
    """Runs something once, just before the import sends its first batch with a given text."""

    def arrange(text: str, act) -> None:
        real, left = Inserter.insert, [act]

        def insert(self, items):
            if left and any(item.get("message", {}).get("S") == text for item in items):
                left.pop()()
            return real(self, items)

        monkeypatch.setattr(Inserter, "insert", insert)

    return arrange


def test_what_is_removed_while_it_is_inserted_is_deleted_again(
    table, ana, ben, file, meanwhile
) -> None:
    """Another import had put the conversation, and someone removed its newest message."""
    items = conversation(ana, ben)

    def another_import_and_a_removal() -> None:
        for item in items:
            table.request("put_item", Item=item)
        remove_message(table, message(2, ana))

    meanwhile("text 0", another_import_and_a_removal)
    done = load(table, file, items)
    assert done.removed == 1
    assert [m.text for m in reads.list_messages(table, GROUP, limit=9).entries] == [
        "text 1",
        "text 0",
    ]
    assert {row.preview for row in reads.list_rows_of(table, GROUP)} == {"text 1"}
    assert faults(table, ana, ben) == []


def test_a_row_does_not_show_what_was_removed_before_it_was_put(
    table, ana, ben, file, monkeypatch
) -> None:
    items = conversation(ana, ben, count=1)
    rows = [item for item in items if item["pk"]["S"].startswith("GRP#")]
    real = Inserter.insert

    def remove_all_before_rows(self, batch):
        if rows[0] in batch:
            remove_message(table, message(0, ana))
        return real(self, batch)

    monkeypatch.setattr(Inserter, "insert", remove_all_before_rows)
    load(table, file, items)
    assert {row.preview for row in reads.list_rows_of(table, GROUP)} == {REMOVED_TEXT}
    assert faults(table, ana, ben) == []


def test_rows_that_others_listed_as_the_messages_arrived_are_there_once(
    table, ana, ben, file, meanwhile
) -> None:
    items = conversation(ana, ben)
    later = [item for item in items if item["pk"]["S"].startswith("GRP#")]

    def list_and_send() -> None:
        for row in later:
            table.request("put_item", Item=row)
        send(table, GROUP, Draft(ben, ana, "an answer"))

    meanwhile("text 2", list_and_send)
    load(table, file, items)
    rows = reads.list_rows_of(table, GROUP)
    assert sorted(row.preview for row in rows) == ["an answer", "an answer"]
    assert faults(table, ana, ben) == []


def test_each_line_is_parsed_twice_however_many_kinds_of_items_there_are(
    table, ana, ben, file, monkeypatch
) -> None:
    parsed = []
    real = sources.item_of_strings
    monkeypatch.setattr(sources, "item_of_strings", lambda line: parsed.append(line) or real(line))
    hold = keys.hold_key(ana.uuid) | {"held_at": {"S": at(0)}, "reason": {"S": "asked"}}
    items = [*conversation(ana, ben), hold]
    load(table, file, items)
    assert len(parsed) == 2 * len(items)
