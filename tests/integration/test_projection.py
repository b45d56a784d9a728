"""Pattern E on a real engine: rows follow plain writes, in any order of delivery."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from core.dynamodb import keys
from core.dynamodb.items import inbox_row_item, message_item
from core.dynamodb.patterns import reads
from core.dynamodb.patterns.sends import Draft, send, start
from core.dynamodb.stream.handler import project
from core.dynamodb.stream.projection import move, plan
from core.dynamodb.stream.shards import open_follower
from core.dynamodb.table import Table
from core.errors import MissingSchemaError
from core.models import InboxRow, Message, Person
from core.timestamps import parse


def at(n: int) -> str:
    return f"2026-05-01T12:00:00.{n:06d}+00:00"


def write(table: Table, sender: Person, n: int, group: str = "g") -> Message:
    """Put a message as Cruddur does: the message alone."""
    message = Message(group, f"m-{group}-{n}", sender, f"text {n}", at(n), parse(at(n)))
    table.request("put_item", Item=message_item(message))
    return message


def rows_at(table: Table, n: int, one: Person, other: Person, group: str = "g") -> None:
    for owner, shown in ((one, other), (other, one)):
        row = InboxRow(group, owner.uuid, shown, f"text {n}", at(n), parse(at(n)))
        table.request("put_item", Item=inbox_row_item(row))


def inboxes(table: Table, *people: Person) -> list[list[tuple[str, str]]]:
    return [
        [
            (row.preview, row.other.handle)
            for row in reads.list_inbox(table, person.uuid, limit=100).entries
        ]
        for person in people
    ]


def record(message: Message, name: str = "INSERT") -> dict:
    item = message_item(message)
    return {
        "eventName": name,
        "dynamodb": {
            "Keys": {"pk": item["pk"], "sk": item["sk"]},
            "NewImage": item,
            "SequenceNumber": message.message_uuid,
        },
    }


@pytest.fixture
def written(table, ana, ben) -> list[Message]:
    rows_at(table, 0, ana, ben)
    return [write(table, (ana, ben)[n % 2], n) for n in range(1, 6)]


def test_a_batch_moves_a_conversation_once_to_its_newest_message(table, ana, ben, written) -> None:
    meter = table.metered()
    assert project(meter, [record(m) for m in written]) == {"batchItemFailures": []}
    assert inboxes(table, ana, ben) == [[("text 5", "ben")], [("text 5", "ana")]]
    assert (meter.capacity.read_units, meter.capacity.write_units) == (2.5, 16)


def test_a_hundred_messages_in_two_batches_cost_less_than_1_4_units_each(table, ana, ben) -> None:
    rows_at(table, 0, ana, ben)
    meter = table.metered()
    messages = [write(meter, ana, n) for n in range(1, 101)]
    project(meter, [record(m) for m in messages[:50]])
    project(meter, [record(m) for m in messages[50:]])
    assert meter.capacity.write_units == 100 + 2 * 16


def test_redelivery_in_any_order_leaves_one_state(table, ana, ben, written) -> None:
    for seed in range(30):
        order = written * 2
        random.Random(seed).shuffle(order)
        for message in order[:7]:
            project(table, [record(message)])
    project(table, [record(written[-1])])
    assert inboxes(table, ana, ben) == [[("text 5", "ben")], [("text 5", "ana")]]


MALFORMED = [
    None,
    7,
    {},
    {"eventName": "INSERT"},
    {"eventName": "INSERT", "dynamodb": None},
    {"eventName": "INSERT", "dynamodb": {"NewImage": {"pk": {"S": "MSG#g"}}}},
    {"eventName": "INSERT", "dynamodb": {"Keys": {"pk": {"S": "MSG#g"}}}},
    {"eventName": "INSERT", "dynamodb": {"Keys": {"pk": {"N": "1"}}, "NewImage": {}}},
    {"eventName": "INSERT", "dynamodb": {"Keys": {"pk": {"S": "MSG#g"}}, "NewImage": {"sk": 1}}},
    {"eventName": "INSERT", "dynamodb": {"NewImage": "no image", "SequenceNumber": 4}},
]


def shuffled(messages: list[Message], seed: int) -> list[dict]:
    """Each record once to three times, in any order, among malformed ones."""
    chance = random.Random(seed)
    records = [record(m) for m in messages for _ in range(chance.randint(1, 3))]
    records += chance.sample(MALFORMED, chance.randint(1, len(MALFORMED)))
    chance.shuffle(records)
    return records


def test_a_thousand_orders_of_a_batch_with_malformed_records_ask_for_one_move(written) -> None:
    asked = set()
    for seed in range(1000):
        planned = plan(shuffled(written, seed))
        assert planned.dropped
        (move,) = planned.moves
        asked.add((move.message, move.since))
    assert asked == {(written[-1], written[0].sort_key)}


def test_a_hundred_orders_delivered_in_batches_of_any_size_leave_one_state(
    busy_table, ana, ben
) -> None:
    left = set()
    for seed in range(100):
        chance = random.Random(seed)
        one, two = Person(f"one-{seed}", "ana", "Ana"), Person(f"two-{seed}", "ben", "Ben")
        rows_at(busy_table, 0, one, two, f"g-{seed}")
        messages = [write(busy_table, (one, two)[n % 2], n, f"g-{seed}") for n in range(1, 6)]
        records = shuffled(messages, seed)
        while records:
            size = chance.randint(1, len(records))
            project(busy_table, records[:size])
            records = records[size:]
        left.add(str(inboxes(busy_table, one, two)))
    assert left == {str([[("text 5", "ben")], [("text 5", "ana")]])}


def test_after_our_own_writes_nothing_is_left_to_do(table, ana, ben) -> None:
    first, _ = start(table, Draft(ana, ben, "hi"))
    second = send(table, first.message_group_uuid, Draft(ben, ana, "yo"))
    meter = table.metered()
    project(meter, [record(first), record(second)])
    assert meter.capacity.write_units == 0


@pytest.mark.parametrize("lost", ["sender", "recipient"])
def test_a_row_that_was_lost_comes_back(table, ana, ben, written, lost) -> None:
    sender, recipient = written[-1].sender, ben if written[-1].sender == ana else ana
    gone = sender if lost == "sender" else recipient
    table.request("delete_item", Key=keys.key(keys.inbox_pk(gone.uuid), at(0)))
    project(table, [record(m) for m in written])
    assert inboxes(table, ana, ben) == [[("text 5", "ben")], [("text 5", "ana")]]


def test_a_row_left_by_a_crash_is_deleted_by_the_redelivery(table, ana, ben, written) -> None:
    row = InboxRow("g", ana.uuid, ben, "text 5", at(5), parse(at(5)))
    table.request(
        "put_item", Item=inbox_row_item(row)
    )  # the crash came before the old one's delete
    project(table, [record(written[-1])])
    assert inboxes(table, ana, ben) == [[("text 5", "ben")], [("text 5", "ana")]]


def test_two_conversations_at_one_instant_both_stay(table, ana, ben) -> None:
    cleo = Person("cleo", "cleo", "Cleo")
    rows_at(table, 0, ana, ben, "g")
    rows_at(table, 1, ana, cleo, "h")
    project(table, [record(write(table, ben, 7, "g")), record(write(table, cleo, 7, "h"))])
    assert sorted(inboxes(table, ana)[0]) == [("text 7", "ben"), ("text 7", "cleo")]


class TestWhereTimesAreNotEnough:
    """Rows move by a microsecond if another row has the same time, and so past newer messages."""

    @pytest.fixture
    def messages(self, table, ana, written) -> list[Message]:
        """Five messages, and Ana's row is missing: the test puts it."""
        table.request("delete_item", Key=keys.key(keys.inbox_pk(ana.uuid), at(0)))
        return written

    def show(self, table: Table, owner: Person, other: Person, text: str, key: str) -> None:
        row = InboxRow("g", owner.uuid, other, text, key, parse(key))
        table.request("put_item", Item=inbox_row_item(row))

    @pytest.mark.parametrize(
        "key",
        [at(5), at(6), at(1000), "2026-05-01T12:00:01+05:00", "some day", "9999-12-31T23:59:59.9"],
    )
    def test_a_late_row_with_an_older_message_follows(self, table, ana, ben, messages, key) -> None:
        self.show(table, ana, ben, "text 4", key)
        for delivered in (messages[-1:], messages):
            assert project(table, [record(m) for m in delivered]) == {"batchItemFailures": []}
            assert inboxes(table, ana, ben) == [[("text 5", "ben")], [("text 5", "ana")]]

    def test_a_row_with_a_newer_message_stays(self, table, ana, ben, messages) -> None:
        self.show(table, ana, ben, "text 5", at(6))
        self.show(table, ben, ana, "text 5", at(5))
        table.request("delete_item", Key=keys.key(keys.inbox_pk(ben.uuid), at(0)))
        before = reads.list_inbox(table, ana.uuid, limit=9)
        meter = table.metered()
        for message in messages:
            assert move(meter, message) is False
        assert meter.capacity.write_units == 0
        assert reads.list_inbox(table, ana.uuid, limit=9) == before

    @pytest.mark.parametrize("delivered", [3, 4])
    def test_an_older_message_that_moved_on_past_a_newer_one_does_not_win(
        self, table, ana, ben, messages, delivered
    ) -> None:
        """Two rows left by a crash, after the newer message's record was handled."""
        self.show(table, ana, ben, "text 5", at(5))
        self.show(table, ana, ben, "text 4", at(6))
        project(table, [record(messages[delivered - 1])])
        assert inboxes(table, ana) == [[("text 5", "ben")]]

    def test_a_lost_row_comes_back_with_the_newest_message(self, table, ana, messages) -> None:
        project(table, [record(messages[1])])
        assert inboxes(table, ana) == [[("text 5", "ben")]]

    def test_a_stranger_s_message_is_not_the_newest(self, table, ana, ben, messages) -> None:
        self.show(table, ana, ben, "text 4", at(6))
        write(table, Person("eve", "eve", "Eve"), 9)
        project(table, [record(messages[-1])])
        assert inboxes(table, ana) == [[("text 5", "ben")]]

    def test_a_deleted_message_is_not_shown_as_preview(self, table, ana, ben, messages) -> None:
        self.show(table, ana, ben, "text 4", at(6))
        for message in messages:
            table.request("delete_item", Key=keys.key(keys.message_pk("g"), message.sort_key))
        project(table, [record(messages[-1])])
        assert inboxes(table, ana) == [[("text 4", "ben")]]

    def test_each_such_row_costs_one_more_unit(self, table, ana, ben, written) -> None:
        project(table, [record(written[-1])])
        meter = table.metered()
        project(meter, [record(written[0])])
        assert (meter.capacity.read_units, meter.capacity.write_units) == (2.5 + 2, 0)

    @pytest.fixture
    def meanwhile(self, table, ana, ben, monkeypatch) -> Callable[[str], None]:
        """Another process puts Ana's row at the key of the fifth message, before our first put."""

        def put_first(text: str) -> None:
            put = table.client.transact_write_items

            def behind_somebody_else(**params):
                monkeypatch.undo()
                self.show(table, ana, ben, text, at(5))
                return put(**params)

            monkeypatch.setattr(table.client, "transact_write_items", behind_somebody_else)

        return put_first

    def test_a_row_put_meanwhile_with_a_newer_message_is_not_overwritten(
        self, table, ana, ben, written, meanwhile
    ) -> None:
        """A projection of the older message took exactly the key of the newer one."""
        rows_at(table, 4, ana, Person("cleo", "cleo", "Cleo"), "h")
        meanwhile("text 5")
        move(table, written[3])
        assert ("text 5", "ben") in inboxes(table, ana)[0]
        assert len(inboxes(table, ana)[0]) == 2

    def test_a_row_put_meanwhile_with_an_older_message_follows(
        self, table, ana, ben, written, meanwhile
    ) -> None:
        meanwhile("text 4")
        move(table, written[-1])
        assert inboxes(table, ana, ben) == [[("text 5", "ben")], [("text 5", "ana")]]


@pytest.mark.parametrize("key", ["9999-12-31T23:59:59.999999+00:00", "20261123T180405Z"])
def test_a_row_at_the_last_possible_key_ends_it(table, ana, ben, key) -> None:
    message = Message("g", "m", ben, "late", key, parse(key))
    table.request("put_item", Item=message_item(message))
    for owner, other in ((ana, ben), (ben, ana)):
        row = InboxRow("g", owner.uuid, other, "another text", key, parse(key))
        table.request("put_item", Item=inbox_row_item(row))
    assert project(table, [record(message)]) == {"batchItemFailures": []}
    assert inboxes(table, ana) == [[("another text", "ben")]]


def test_no_row_can_follow_the_end_of_time(table, ana, ben) -> None:
    end = "9999-12-31T23:59:59.999999+00:00"
    message = Message("g", "m", ben, "late", end, parse(end))
    for group, key in (("g", at(0)), ("h", end)):
        row = InboxRow(group, ana.uuid, ben, "text 0", key, parse(key))
        table.request("put_item", Item=inbox_row_item(row))
    table.request("put_item", Item=message_item(message))
    assert project(table, [record(message)]) == {"batchItemFailures": []}
    assert inboxes(table, ana) == [[("text 0", "ben")] * 2]


def test_a_stranger_s_message_is_not_shown_as_preview(table, ana, ben) -> None:
    rows_at(table, 0, ana, ben)
    assert move(table, write(table, Person("eve", "eve", "Eve"), 3)) is False
    assert inboxes(table, ana, ben) == [[("text 0", "ben")], [("text 0", "ana")]]


def test_a_stranger_s_message_hides_no_member_s_in_its_batch(table, ana, ben) -> None:
    rows_at(table, 0, ana, ben)
    messages = [write(table, ana, 1), write(table, Person("eve", "eve", "Eve"), 2)]
    assert project(table, [record(m) for m in messages]) == {"batchItemFailures": []}
    assert inboxes(table, ana, ben) == [[("text 1", "ben")], [("text 1", "ana")]]


def test_contradicting_rows_show_the_conversation_to_no_further_person(table, ana, ben) -> None:
    cleo = Person("cleo", "cleo", "Cleo")
    for owner, shown in ((ana, cleo), (ben, ana)):
        row = InboxRow("g", owner.uuid, shown, "text 0", at(0), parse(at(0)))
        table.request("put_item", Item=inbox_row_item(row))
    assert project(table, [record(write(table, ana, 1))]) == {"batchItemFailures": []}
    assert inboxes(table, ana, ben, cleo) == [[("text 0", "cleo")], [("text 0", "ana")], []]


def test_a_row_that_would_be_too_large_blocks_nothing(table, ana, ben) -> None:
    """The recipient's name comes from a stored row and makes the new row too large."""
    long = Person(ben.uuid, "ben", "B" * 20_000)
    rows_at(table, 0, ana, long)
    message = Message("g", "m", ana, "x" * 389_900, at(1), parse(at(1)))
    table.request("put_item", Item=message_item(message))
    assert project(table, [record(message)]) == {"batchItemFailures": []}


def test_an_id_too_long_for_a_key_blocks_nothing(table, ana, ben) -> None:
    row = InboxRow("g", ana.uuid, Person("x" * 3000, "x", "X"), "text 0", at(0), parse(at(0)))
    table.request("put_item", Item=inbox_row_item(row))
    assert project(table, [record(write(table, ana, 1))]) == {"batchItemFailures": []}


def test_malformed_records_are_dropped_and_the_others_moved(table, ana, ben, written) -> None:
    planned = plan([*MALFORMED, *(record(m) for m in written)])
    assert [m.message.text for m in planned.moves] == ["text 5"]
    assert len(planned.dropped) == len(MALFORMED)


@pytest.mark.parametrize("name", ["MODIFY", "REMOVE"])
def test_only_inserts_count(written, name) -> None:
    assert plan([record(m, name) for m in written]).moves == ()


def test_rows_and_pairs_in_the_stream_cause_no_requests(ana, ben) -> None:
    row = inbox_row_item(InboxRow("g", ana.uuid, ben, "x", at(1), parse(at(1))))
    change = {"Keys": {"pk": row["pk"], "sk": row["sk"]}, "NewImage": row}
    planned = plan([{"eventName": "INSERT", "dynamodb": change}])
    assert (planned.moves, planned.dropped) == ((), ())


def test_every_order_of_a_batch_asks_for_the_same_move(written) -> None:
    moves = {
        plan([record(m) for m in order]).moves[0].message
        for order in itertools.permutations(written)
    }
    assert moves == {written[-1]}


@pytest.mark.parametrize(
    "code",
    [
        "ProvisionedThroughputExceededException",
        "InternalServerError",
        "AccessDeniedException",
        "ValidationException",  # what it says of an index that is being made
    ],
)
def test_a_retry_begins_at_the_conversation_s_first_record(
    table, written, monkeypatch, code
) -> None:
    def refuse(**_):
        raise ClientError({"Error": {"Code": code, "Message": "no"}}, "TransactWriteItems")

    monkeypatch.setattr(table.client, "transact_write_items", refuse)
    reply = project(table, [record(m) for m in written])
    assert reply == {"batchItemFailures": [{"itemIdentifier": "m-g-1"}]}


def test_a_row_that_a_transaction_finds_too_large_is_dropped(table, written, monkeypatch) -> None:
    """As AWS says it of a transaction: the reason is in the list of reasons."""
    reasons = [{"Code": "ValidationError", "Message": "Item size too large"}, {"Code": "None"}]

    def refuse(**_):
        error = {"Error": {"Code": "TransactionCanceledException", "Message": "no"}}
        raise ClientError(error | {"CancellationReasons": reasons}, "TransactWriteItems")

    monkeypatch.setattr(table.client, "transact_write_items", refuse)
    assert project(table, [record(m) for m in written]) == {"batchItemFailures": []}


@pytest.mark.parametrize(
    ("group", "sender", "text"),
    [
        ("", "ana", "x"),
        ("g", "", "x"),
        ("g", "x" * 3000, "x"),
        ("g", "ana", "x" * 390_001),
        ("g", "ana", "x" * 390_000),  # and the name
        ("\ud800", "ana", "x"),
    ],
)
def test_a_record_that_can_never_work_is_dropped(table, ana, ben, group, sender, text) -> None:
    """An index's key may not be empty, no key be over 2 KB, no item over 400, no id broken."""
    if sender == "ana":
        rows_at(table, 0, ana, ben)
        sender = ana.uuid
    message = Message(group, "m", Person(sender, "a", "A"), text, at(3), parse(at(3)))
    planned = plan([record(message)])
    assert (planned.moves, [reason for _, reason in planned.dropped]) == (
        (),
        ["it cannot become an inbox row"],
    )


def test_a_row_with_its_owner_as_the_other_member_blocks_nothing(table, ana, ben, written) -> None:
    row = InboxRow("h", ana.uuid, ana, "monologue", at(2), parse(at(2)))
    table.request("put_item", Item=inbox_row_item(row))
    records = [record(write(table, ana, 3, "h")), *map(record, written)]
    assert project(table, records) == {"batchItemFailures": []}
    assert inboxes(table, ben) == [[("text 5", "ana")]]


class TestFollowing:
    def rounds(self, table, folder, times: int = 3) -> int:
        follower, seen = open_follower(table, folder), 0
        for _ in range(times):
            for batch in follower.poll():
                seen += len(batch.records)
                project(table, batch.records)
                follower.done(batch)
        return seen

    def test_the_stream_s_records_move_the_rows(self, table, ana, ben, written, tmp_path) -> None:
        assert self.rounds(table, tmp_path) >= len(written)
        assert inboxes(table, ana, ben) == [[("text 5", "ben")], [("text 5", "ana")]]

    def test_a_later_run_resumes_after_the_last_one(
        self, table, ana, ben, written, tmp_path
    ) -> None:
        self.rounds(table, tmp_path, times=5)
        assert self.rounds(table, tmp_path) == 0
        write(table, ana, 9)
        assert self.rounds(table, tmp_path) >= 1
        assert inboxes(table, ben) == [[("text 9", "ana")]]

    def test_a_batch_that_was_not_handled_is_delivered_again(
        self, table, written, tmp_path
    ) -> None:
        first = list(open_follower(table, tmp_path).poll())
        again = list(open_follower(table, tmp_path).poll())
        assert [b.records for b in again] == [b.records for b in first]

    def test_a_table_without_a_stream_is_refused_with_the_command_that_turns_it_on(
        self, table, tmp_path
    ) -> None:
        table.client.update_table(
            TableName=table.name, StreamSpecification={"StreamEnabled": False}
        )
        with pytest.raises(MissingSchemaError, match="update-table"):
            open_follower(table, tmp_path)

    def test_a_stream_with_only_keys_is_refused(self, table, tmp_path) -> None:
        for stream in ({}, {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}):
            specification = {"StreamEnabled": False} | stream
            table.client.update_table(TableName=table.name, StreamSpecification=specification)
        with pytest.raises(MissingSchemaError, match="does not contain what was written"):
            open_follower(table, tmp_path)
