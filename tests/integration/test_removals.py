"""A removed message is gone: from its conversation, from both inboxes, and for good."""

from __future__ import annotations

import json

import pytest

from core.dynamodb import keys
from core.dynamodb.dynamodb_json import raw_item
from core.dynamodb.integrity.faults import FaultKind
from core.dynamodb.integrity.repairs import repair
from core.dynamodb.integrity.verification import Verification
from core.dynamodb.items import message_item, removal_item
from core.dynamodb.patterns import reads
from core.dynamodb.patterns.bulk_load import TranscriptMessage, load_transcript
from core.dynamodb.patterns.holds import held_users, hold, release
from core.dynamodb.patterns.removal_reads import list_removals, list_thread
from core.dynamodb.patterns.removals import remove_message
from core.dynamodb.patterns.sends import Draft, send, start
from core.dynamodb.stream.handler import project
from core.dynamodb.table import Table
from core.dynamodb.transfer.exports import export_file
from core.dynamodb.transfer.imports import import_file
from core.errors import HeldError, MessageRemovedError, UsageError
from core.models import REMOVED_TEXT, Message, Person, Removal
from core.usecases import conversations


@pytest.fixture
def sent(table, ana, ben) -> list[Message]:
    """Three messages of one conversation."""
    first = start(table, Draft(ana, ben, "first"))[0]
    more = [Draft(ben, ana, "second"), Draft(ana, ben, "third")]
    return [first, *(send(table, first.message_group_uuid, draft) for draft in more)]


def previews(table: Table, *people: Person) -> list[str]:
    return [
        row.preview
        for person in people
        for row in reads.list_inbox(table, person.uuid, limit=9).entries
    ]


def texts(table: Table, group: str) -> list[str]:
    return [entry.text for entry in list_thread(table, group, limit=9, newest_first=False).entries]


def stored(table: Table) -> list[dict]:
    return sorted(map(raw_item, reads.scan(table)), key=json.dumps)


def faults(table: Table, *people: Person) -> list[FaultKind]:
    known = {person.uuid: person for person in people}
    return [fault.kind for fault in Verification(table, lambda uuids: known).findings()]


def insert(message: Message) -> dict:
    item = message_item(message)
    change = {"Keys": {"pk": item["pk"], "sk": item["sk"]}, "NewImage": item}
    return {"eventName": "INSERT", "dynamodb": change | {"SequenceNumber": "1"}}


def test_a_page_begins_below_a_removed_message_whose_sort_key_is_no_time(table, sent) -> None:
    group = sent[0].message_group_uuid
    table.request("put_item", Item=message_item(sent[0]) | {"sk": {"S": "no time"}})
    (odd, *_) = reads.list_messages(table, group, limit=1).entries
    assert odd.sort_key == "no time"
    remove_message(table, odd)
    below = conversations.list_messages(table, group, limit=9, below="no time").entries
    assert [message.text for message in below] == ["third", "second", "first"]
    with pytest.raises(UsageError):
        conversations.list_messages(table, group, limit=9, below=keys.ERASURE_SK)


class TestTheNewestMessage:
    def test_leaves_both_inboxes_with_the_one_before_it(self, table, ana, ben, sent) -> None:
        assert remove_message(table, sent[2])
        assert previews(table, ana, ben) == ["second", "second"]
        assert texts(table, sent[0].message_group_uuid) == ["first", "second", REMOVED_TEXT]
        assert faults(table, ana, ben) == []

    def test_leaves_a_removal_without_text_or_names(self, table, ana, ben, sent) -> None:
        remove_message(table, sent[2])
        (removal,) = list_removals(table, sent[0].message_group_uuid)
        assert (removal.message_uuid, removal.sort_key) == (sent[2].message_uuid, sent[2].sort_key)
        (item,) = [raw_item(i) for i in reads.scan(table) if i["pk"]["S"].startswith("GONE#")]
        assert set(item) == {"pk", "sk", "message_uuid", "removed_at", "reason_code"}
        assert "third" not in json.dumps(stored(table))

    def test_is_followed_by_the_next_message(self, table, ana, ben, sent) -> None:
        remove_message(table, sent[2])
        send(table, sent[0].message_group_uuid, Draft(ben, ana, "fourth"))
        assert previews(table, ana, ben) == ["fourth", "fourth"]
        assert faults(table, ana, ben) == []


def test_an_earlier_message_leaves_the_inboxes_as_they_are(table, ana, ben, sent) -> None:
    remove_message(table, sent[0])
    assert previews(table, ana, ben) == ["third", "third"]
    assert texts(table, sent[0].message_group_uuid) == [REMOVED_TEXT, "second", "third"]
    assert faults(table, ana, ben) == []


def test_the_only_message_leaves_inboxes_that_say_so(table, ana, ben) -> None:
    message = start(table, Draft(ana, ben, "hi"))[0]
    remove_message(table, message)
    assert previews(table, ana, ben) == [REMOVED_TEXT, REMOVED_TEXT]
    assert faults(table, ana, ben) == []
    again, is_new = start(table, Draft(ben, ana, "hello again"))
    assert (again.message_group_uuid, is_new) == (message.message_group_uuid, False)
    assert previews(table, ana, ben) == ["hello again", "hello again"]


def test_a_message_is_removed_once(table, sent) -> None:
    assert remove_message(table, sent[1])
    before = stored(table)
    assert not remove_message(table, sent[1])
    assert stored(table) == before


def test_a_message_that_has_the_key_of_a_removed_one_can_be_removed_too(
    table, ana, ben, sent
) -> None:
    remove_message(table, sent[2])
    other = Message(*[getattr(sent[2], n) for n in ("message_group_uuid",)], "another uuid", ben,
                    "at that very key", sent[2].sort_key, sent[2].created_at)  # fmt: skip
    table.request("put_item", Item=message_item(other))
    assert remove_message(table, other)
    removals = list(list_removals(table, other.message_group_uuid))
    assert {removal.message_uuid for removal in removals} == {sent[2].message_uuid, "another uuid"}
    assert {removal.sort_key for removal in removals} == {other.sort_key}
    assert texts(table, other.message_group_uuid) == ["first", "second", REMOVED_TEXT]


class TestNothingComesBack:
    """Each way in which it could: the table stays as the removal left it."""

    @pytest.fixture
    def gone(self, table, sent) -> Message:
        remove_message(table, sent[2])
        return sent[2]

    def test_through_the_stream(self, table, sent, gone) -> None:
        before = stored(table)
        for records in ([insert(gone)], [insert(message) for message in reversed(sent)]):
            assert project(table, records) == {"batchItemFailures": []}
        assert stored(table) == before

    def test_through_a_retried_send(self, table, ana, ben, gone) -> None:
        before = stored(table)
        draft = Draft(ana, ben, gone.text, gone.message_uuid, gone.sort_key)
        for again in (
            lambda: send(table, gone.message_group_uuid, draft),
            lambda: start(table, draft),
        ):
            with pytest.raises(MessageRemovedError, match="removed since"):
                again()
        assert stored(table) == before

    def test_through_an_import(self, table, ana, ben, sent, tmp_path) -> None:
        export_file(table, tmp_path / "older", lambda count, total: None)
        remove_message(table, sent[2])
        before = stored(table)
        done = import_file(table, tmp_path / "older", lambda count, total: None)
        assert (done.added, done.present, done.differing, done.removed) == (0, 3, 0, 3)
        assert stored(table) == before
        assert faults(table, ana, ben) == []

    def test_through_a_transcript(self, table, ana, ben) -> None:
        lines = [TranscriptMessage(ana, "one"), TranscriptMessage(ben, "two")]
        group = load_transcript(table, (ana, ben), lines).message_group_uuid
        newest = reads.newest_message(table, group)
        remove_message(table, newest)
        before = stored(table)
        again = load_transcript(table, (ana, ben), lines)
        assert (again.added, again.present, again.removed) == (0, 1, 1)
        assert stored(table) == before

    def test_through_a_repair(self, table, ana, ben, gone) -> None:
        """Also where Cruddur's function has brought it back into a preview."""
        before = stored(table)
        (row,) = reads.list_inbox(table, ana.uuid, limit=1).entries
        moved = {"sk": {"S": gone.sort_key}, "message": {"S": gone.text}}
        (item,) = [i for i in reads.scan(table) if i["pk"]["S"] == keys.inbox_pk(ana.uuid)]
        table.request("delete_item", Key=keys.key(keys.inbox_pk(ana.uuid), row.sort_key))
        table.request("put_item", Item=item | moved)
        assert faults(table, ana, ben) == [FaultKind.PREVIEW_AHEAD]
        assert repair(Verification(table, lambda uuids: {p.uuid: p for p in (ana, ben)}))
        assert previews(table, ana, ben) == ["second", "second"]
        assert len(stored(table)) == len(before)
        assert faults(table, ana, ben) == []


class TestAVerification:
    def test_finds_a_removal_without_effect_and_a_repair_removes_the_message(
        self, table, ana, ben, sent
    ) -> None:
        key, _ = keys.removal_keys(sent[2].message_group_uuid, sent[2].sort_key, "")
        removal = Removal(
            sent[2].message_group_uuid, sent[2].message_uuid, sent[2].sort_key, "", "removed"
        )
        table.request("put_item", Item=removal_item(removal, key))
        assert faults(table, ana, ben) == [FaultKind.REMOVAL_WITHOUT_EFFECT]
        assert repair(Verification(table, lambda uuids: {p.uuid: p for p in (ana, ben)})) == 1
        assert previews(table, ana, ben) == ["second", "second"]
        assert faults(table, ana, ben) == []

    def test_finds_a_text_that_is_shown_where_every_message_was_removed(
        self, table, ana, ben
    ) -> None:
        message = start(table, Draft(ana, ben, "hi"))[0]
        remove_message(table, message)
        table.request(
            "update_item",
            Key=keys.key(keys.inbox_pk(ben.uuid), message.sort_key),
            UpdateExpression="SET message = :text",
            ExpressionAttributeValues={":text": {"S": "hi"}},
        )
        assert faults(table, ana, ben) == [FaultKind.REMOVED_SHOWN]
        assert repair(Verification(table, lambda uuids: {p.uuid: p for p in (ana, ben)})) == 1
        assert previews(table, ana, ben) == [REMOVED_TEXT, REMOVED_TEXT]


class TestAHold:
    def test_that_comes_before_the_transaction_counts(
        self, table, ana, ben, sent, monkeypatch
    ) -> None:
        commit = table.client.transact_write_items

        def held_first(**params):
            monkeypatch.undo()
            hold(table, ana.uuid, "case 12")
            return commit(**params)

        monkeypatch.setattr(table.client, "transact_write_items", held_first)
        with pytest.raises(HeldError):
            remove_message(table, sent[2])
        assert previews(table, ana, ben) == ["third", "third"]
        assert list(held_users(table)) == [ana.uuid]
        assert release(table, ana.uuid)
        assert remove_message(table, sent[2])


class TestAThread:
    def test_is_paged_with_its_removals_each_once(self, table, ana, ben, sent) -> None:
        group = sent[0].message_group_uuid
        remove_message(table, sent[1])
        for newest_first in (True, False):
            seen, cursor = [], None
            while True:
                page = list_thread(table, group, limit=1, newest_first=newest_first, cursor=cursor)
                seen += [entry.text for entry in page.entries]
                if (cursor := page.cursor) is None:
                    break
            assert seen == ["third", REMOVED_TEXT, "first"][:: 1 if newest_first else -1]

    def test_is_bounded(self, table, sent) -> None:
        group = sent[0].message_group_uuid
        remove_message(table, sent[1])
        bound = sent[1].sort_key
        assert [e.text for e in list_thread(table, group, limit=9, before=bound).entries] == [
            "first"
        ]
        assert [e.text for e in list_thread(table, group, limit=9, after=bound).entries] == [
            "third"
        ]


class TestCapacity:
    """The figures of docs/access-patterns.md, as the engine reports them."""

    @pytest.mark.parametrize(("which", "reads_units", "write_units"), [(2, 2.5, 20), (0, 3.5, 14)])
    def test_a_removal(self, table, sent, which, reads_units, write_units) -> None:
        table = table.metered()
        remove_message(table, sent[which])
        assert (table.capacity.read_units, table.capacity.write_units) == (reads_units, write_units)

    def test_the_removal_of_the_only_message(self, table, ana, ben) -> None:
        message = start(table, Draft(ana, ben, "hi"))[0]
        table = table.metered()
        remove_message(table, message)
        assert (table.capacity.read_units, table.capacity.write_units) == (2.5, 12)

    def test_a_page_with_its_removals(self, table, sent) -> None:
        table = table.metered()
        list_thread(table, sent[0].message_group_uuid, limit=10)
        assert (table.capacity.read_units, table.capacity.requests) == (1, 2)
