"""Cruddur's own way of reading and writing the message table, together with ours."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.dynamodb import keys
from core.dynamodb.integrity.faults import FaultKind
from core.dynamodb.integrity.repairs import repair_fault
from core.dynamodb.integrity.verification import Verification
from core.dynamodb.marker import read_state
from core.dynamodb.patterns import reads
from core.dynamodb.patterns.bulk_load import TranscriptMessage, load_transcript
from core.dynamodb.patterns.sends import Draft, send, start
from core.dynamodb.schema import create_table
from core.dynamodb.stream.shards import open_follower
from core.dynamodb.table import Table
from core.models import Person
from core.targets import Environment

Item = dict[str, dict[str, Any]]

NOW = datetime.now(UTC)
GROUP = str(uuid.uuid4())


def message(sender: Person, sent_at: datetime, text: str, group: str = GROUP) -> Item:
    """A message as its app puts it."""
    return {
        "pk": {"S": f"MSG#{group}"},
        "sk": {"S": sent_at.isoformat(timespec="microseconds")},
        "message_uuid": {"S": str(uuid.uuid4())},
        "message": {"S": text},
        "user_uuid": {"S": sender.uuid},
        "user_display_name": {"S": sender.display_name},
        "user_handle": {"S": sender.handle},
    }


def rows(
    one: Person, other: Person, sent_at: datetime, text: str, group: str = GROUP
) -> list[Item]:
    """Both members' rows as its app puts them."""
    return [
        {
            "pk": {"S": f"GRP#{owner.uuid}"},
            "sk": {"S": sent_at.isoformat(timespec="microseconds")},
            "message_group_uuid": {"S": group},
            "message": {"S": text},
            "user_uuid": {"S": shown.uuid},
            "user_display_name": {"S": shown.display_name},
            "user_handle": {"S": shown.handle},
        }
        for owner, shown in ((one, other), (other, one))
    ]


def put(table: Table, *items: Item) -> None:
    requests = [{"PutRequest": {"Item": item}} for item in items]
    table.client.batch_write_item(RequestItems={table.name: requests})


def seed(table: Table, one: Person, other: Person, first_at: datetime) -> None:
    """The result of its seed: rows of now with a filler text, and a message per minute."""
    put(table, *rows(one, other, NOW, "filler"))
    for n in range(5):
        sent_at = first_at + timedelta(minutes=n)
        put(table, message((one, other)[n % 2], sent_at, f"seeded {n}"))


def listed(table: Table, pk: str, year: str) -> list[Item]:
    """The newest 20 of one year, newest first: the request of its reader."""
    items: list[Item] = table.client.query(
        TableName=table.name,
        KeyConditionExpression="pk = :pk AND begins_with(sk, :year)",
        ExpressionAttributeValues={":pk": {"S": pk}, ":year": {"S": year}},
        ScanIndexForward=False,
        Limit=20,
    )["Items"]
    return items


class StreamFunction:
    """Its stream function: it handles a batch's first record, and moves the rows in the index."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def __call__(self, records: list[Mapping[str, Any]]) -> None:
        change = records[0]["dynamodb"]
        pk = change["Keys"]["pk"]["S"]
        if records[0]["eventName"] == "REMOVE" or not pk.startswith("MSG#"):
            return
        text = change["NewImage"]["message"]
        self.move(self.rows_found(pk.removeprefix("MSG#")), change["Keys"]["sk"], text)

    def rows_found(self, group: str) -> list[Item]:
        items: list[Item] = self.table.client.query(
            TableName=self.table.name,
            IndexName="message-group-sk-index",
            KeyConditionExpression="message_group_uuid = :group",
            ExpressionAttributeValues={":group": {"S": group}},
        )["Items"]
        return items

    def move(self, rows: list[Item], sk: dict[str, str], text: dict[str, str]) -> None:
        for row in rows:
            key = {"pk": row["pk"], "sk": row["sk"]}
            self.table.client.delete_item(TableName=self.table.name, Key=key)
            put(self.table, row | {"sk": sk, "message": text})


@pytest.fixture
def its_function(table: Table) -> StreamFunction:
    return StreamFunction(table)


@pytest.fixture
def people(ana, ben):
    known = {person.uuid: person for person in (ana, ben)}
    return lambda uuids: {uuid: known[uuid] for uuid in uuids if uuid in known}


def faults(table: Table, people) -> set[FaultKind]:
    return {finding.kind for finding in Verification(table, people).findings()}


def texts(table: Table, group: str) -> list[str]:
    page = reads.list_messages(table, group, limit=200, newest_first=False)
    return [entry.text for entry in page.entries]


def previews(table: Table, *owners: Person) -> list[list[str]]:
    return [
        [row.preview for row in reads.list_inbox(table, owner.uuid, limit=20).entries]
        for owner in owners
    ]


def stream_records(table: Table, folder) -> list[Mapping[str, Any]]:
    """Every record so far of the table's stream, as a Lambda function would get it."""
    follower, records = open_follower(table, folder), []
    for _ in range(2):
        for batch in follower.poll():
            records += batch.records
            follower.done(batch)
    return records


class TestItsReader:
    def test_it_finds_what_we_sent(self, table, ana, ben) -> None:
        sent, _ = start(table, Draft(ana, ben, "hi"))
        (item,) = listed(table, f"MSG#{sent.message_group_uuid}", sent.sort_key[:4])
        assert item == message(ana, sent.created_at, "hi", sent.message_group_uuid) | {
            "message_uuid": {"S": sent.message_uuid}
        }

    def test_it_finds_the_conversation_in_both_inboxes(self, table, ana, ben) -> None:
        sent, _ = start(table, Draft(ana, ben, "hi"))
        inboxes = [listed(table, f"GRP#{p.uuid}", sent.sort_key[:4]) for p in (ana, ben)]
        expected = rows(ana, ben, sent.created_at, "hi", sent.message_group_uuid)
        assert inboxes == [[row] for row in expected]

    def test_it_reads_the_times_that_we_write(self, table, ana, ben) -> None:
        speakers = itertools.islice(itertools.cycle((ana, ben)), 30)
        lines = [TranscriptMessage(sender, "text") for sender in speakers]
        group = load_transcript(table, (ana, ben), lines).message_group_uuid
        newest = reads.list_messages(table, group, limit=1).entries[0]
        items = listed(table, f"MSG#{group}", newest.sort_key[:4])
        read = [datetime.strptime(item["sk"]["S"], "%Y-%m-%dT%H:%M:%S.%f%z") for item in items]
        assert read == sorted(read, reverse=True)
        assert read[0] == newest.created_at


class TestWhatItWrote:
    @pytest.fixture
    def started(self, table, ana, ben) -> None:
        """A conversation as its app starts one: all three items at one instant."""
        put(table, *rows(ana, ben, NOW, "hello"), message(ana, NOW, "hello"))

    def test_a_conversation_that_it_started_has_no_problems(self, table, people, started) -> None:
        assert faults(table, people) == set()

    def test_a_conversation_that_it_started_is_continued(self, table, ana, ben, started) -> None:
        sent, first = start(table, Draft(ben, ana, "hello back"))
        assert (sent.message_group_uuid, first) == (GROUP, False)
        assert texts(table, GROUP) == ["hello", "hello back"]

    def test_a_message_that_it_added_lags_in_the_inboxes_until_our_next_send(
        self, table, people, ana, ben, started
    ) -> None:
        put(table, message(ben, NOW + timedelta(microseconds=1), "alone"))
        assert faults(table, people) == {FaultKind.STALE_PREVIEW}
        send(table, GROUP, Draft(ana, ben, "after it"))
        assert texts(table, GROUP) == ["hello", "alone", "after it"]
        assert previews(table, ana, ben) == [["after it"], ["after it"]]
        assert faults(table, people) == set()

    def test_a_message_with_its_clock_s_offset_keeps_its_place(
        self, table, ana, ben, started
    ) -> None:
        east = NOW.astimezone(tz=datetime.strptime("+05:30", "%z").tzinfo)
        put(table, *rows(ana, ben, east, "from the east", "east"))
        put(table, message(ana, east, "from the east", "east"))
        sent = send(table, "east", Draft(ben, ana, "from here"))
        assert texts(table, "east") == ["from the east", "from here"]
        assert sent.sort_key.endswith("+00:00")

    def test_its_seed_s_filler_is_shown_as_it_is_until_our_next_send(
        self, table, people, ana, ben
    ) -> None:
        seed(table, ana, ben, NOW - timedelta(days=1))
        assert previews(table, ana, ben) == [["filler"], ["filler"]]
        assert faults(table, people) == {FaultKind.PREVIEW_AHEAD}
        send(table, GROUP, Draft(ana, ben, "real"))
        assert previews(table, ana, ben) == [["real"], ["real"]]
        assert texts(table, GROUP) == [*(f"seeded {n}" for n in range(5)), "real"]
        assert faults(table, people) == set()

    def test_a_seed_ahead_of_the_clock_is_repaired_and_then_followed(
        self, table, people, ana, ben
    ) -> None:
        seed(table, ana, ben, NOW + timedelta(hours=1))
        for finding in list(Verification(table, people).findings()):
            assert finding.kind is FaultKind.STALE_PREVIEW
            repair_fault(table, people, finding)
        assert previews(table, ana, ben) == [["seeded 4"], ["seeded 4"]]
        send(table, GROUP, Draft(ben, ana, "after it"))
        assert texts(table, GROUP)[-2:] == ["seeded 4", "after it"]
        assert faults(table, people) == set()

    def test_a_transcript_goes_into_the_conversation_that_it_made_once(
        self, table, people, ana, ben
    ) -> None:
        seed(table, ana, ben, NOW - timedelta(days=1))
        lines = [TranscriptMessage(ana, "one"), TranscriptMessage(ben, "two")]
        loads = [load_transcript(table, (ana, ben), lines) for _ in range(2)]
        assert [(load.message_group_uuid, load.added) for load in loads] == [(GROUP, 2), (GROUP, 0)]
        assert texts(table, GROUP)[-2:] == ["one", "two"]
        assert faults(table, people) == set()


class TestItsStreamFunction:
    @pytest.fixture
    def group(self, table, ana, ben) -> str:
        group = start(table, Draft(ana, ben, "one"))[0].message_group_uuid
        for sender, text in ((ben, "two"), (ana, "three")):
            send(table, group, Draft(sender, ben if sender == ana else ana, text))
        return group

    def test_it_leaves_our_inboxes_as_they_were(
        self, table, people, its_function, ana, ben, group, tmp_path
    ) -> None:
        before = [listed(table, f"GRP#{p.uuid}", "2") for p in (ana, ben)]
        for record in stream_records(table, tmp_path):
            its_function([record])
        assert [listed(table, f"GRP#{p.uuid}", "2") for p in (ana, ben)] == before
        assert faults(table, people) == set()

    def test_what_it_writes_itself_asks_for_nothing_more(
        self, table, its_function, group, tmp_path
    ) -> None:
        for record in stream_records(table, tmp_path):
            its_function([record])
        caused = stream_records(table, tmp_path)
        assert {record["dynamodb"]["Keys"]["pk"]["S"][:4] for record in caused} == {"GRP#"}
        for record in caused:
            its_function([record])
        assert stream_records(table, tmp_path) == []

    def test_it_never_finds_our_other_items(self, table, its_function, ana, ben, group) -> None:
        partition_keys = {row["pk"]["S"] for row in its_function.rows_found(group)}
        assert partition_keys == {keys.inbox_pk(ana.uuid), keys.inbox_pk(ben.uuid)}

    def test_a_batch_of_which_it_moved_only_the_first_is_corrected_by_our_next_send(
        self, table, people, its_function, ana, ben, group, tmp_path
    ) -> None:
        records = stream_records(table, tmp_path)
        its_function([r for r in records if r["dynamodb"]["Keys"]["pk"]["S"].startswith("MSG#")])
        assert previews(table, ana, ben) == [["one"], ["one"]]
        send(table, group, Draft(ana, ben, "four"))
        assert texts(table, group) == ["one", "two", "three", "four"]
        assert previews(table, ana, ben) == [["four"], ["four"]]
        assert faults(table, people) == set()

    def test_rows_that_it_moved_while_we_sent_are_corrected_by_our_next_send(
        self, table, people, its_function, ana, ben, group
    ) -> None:
        old_rows = its_function.rows_found(group)
        sent = send(table, group, Draft(ben, ana, "meanwhile"))
        its_function.move(old_rows, old_rows[0]["sk"], {"S": "three"})
        assert previews(table, ana, ben) == [["meanwhile", "three"], ["meanwhile", "three"]]
        send(table, group, Draft(ana, ben, "after it"))
        assert texts(table, group)[-2:] == [sent.text, "after it"]
        assert previews(table, ana, ben) == [["after it"], ["after it"]]
        assert faults(table, people) == set()

    def test_rows_that_it_lost_come_back_with_our_next_send(
        self, table, people, its_function, ana, ben, group
    ) -> None:
        for row in its_function.rows_found(group):
            key = {"pk": row["pk"], "sk": row["sk"]}
            table.client.delete_item(TableName=table.name, Key=key)
        send(table, group, Draft(ana, ben, "still here"))
        assert previews(table, ana, ben) == [["still here"], ["still here"]]
        assert faults(table, people) == set()


def test_a_table_that_its_script_made_is_accepted_and_counts_as_production(
    no_table, ana, ben
) -> None:
    attributes = ("message_group_uuid", "pk", "sk")
    units = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}

    def key(partition: str) -> list[dict[str, str]]:
        return [
            {"AttributeName": partition, "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ]

    no_table.client.create_table(
        TableName=no_table.name,
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in attributes],
        KeySchema=key("pk"),
        GlobalSecondaryIndexes=[
            {
                "IndexName": "message-group-sk-index",
                "KeySchema": key("message_group_uuid"),
                "Projection": {"ProjectionType": "ALL"},
                "ProvisionedThroughput": units,
            }
        ],
        BillingMode="PROVISIONED",
        ProvisionedThroughput=units,
    )
    seed(no_table, ana, ben, NOW - timedelta(days=1))
    assert create_table(no_table, Environment.LOCAL) is False
    state = read_state(no_table)
    assert (state.environment, state.holds_data) == (None, True)
    assert send(no_table, GROUP, Draft(ana, ben, "hi")).text == "hi"
