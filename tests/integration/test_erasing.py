"""An erased user is gone from the message table, for good; everyone else keeps what is theirs."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable

import pytest
from botocore.exceptions import ConnectionClosedError

from core.dynamodb import keys
from core.dynamodb.dynamodb_json import raw_item
from core.dynamodb.integrity.repairs import repair
from core.dynamodb.integrity.verification import Verification
from core.dynamodb.items import inbox_row_item, message_item
from core.dynamodb.patterns import reads
from core.dynamodb.patterns.bulk_load import TranscriptMessage, load_transcript
from core.dynamodb.patterns.erasing import close_erasure, erase_user, plan_erasure
from core.dynamodb.patterns.erasure_reads import find_erasure
from core.dynamodb.patterns.holds import find_hold, hold, release
from core.dynamodb.patterns.removals import remove_message
from core.dynamodb.patterns.sends import Draft, send, start
from core.dynamodb.stream.handler import project
from core.dynamodb.table import Table
from core.dynamodb.transfer.exports import export_file
from core.dynamodb.transfer.imports import import_file
from core.errors import HeldError, MemberErasedError, MessageRemovedError
from core.models import DELETED_NAME, REMOVED_TEXT, InboxRow, Message, Person
from core.timestamps import parse


@pytest.fixture
def cleo() -> Person:
    return Person(str(uuid.uuid4()), "cleo", "Cleo")


@pytest.fixture
def sent(table, ana, ben) -> list[Message]:
    """Three messages of one conversation, the first and the last of them Ana's."""
    first = start(table, Draft(ana, ben, "ana's first"))[0]
    more = [Draft(ben, ana, "ben's"), Draft(ana, ben, "ana's last")]
    return [first, *(send(table, first.message_group_uuid, draft) for draft in more)]


def stored(table: Table) -> list[dict]:
    return sorted(map(raw_item, reads.scan(table)), key=json.dumps)


def inbox(table: Table, person: Person) -> list[InboxRow]:
    return list(reads.list_inbox(table, person.uuid, limit=99).entries)


def people(*known: Person):
    return lambda uuids: {person.uuid: person for person in known if person.uuid in set(uuids)}


def faults(table: Table, *known: Person) -> list[str]:
    return [str(fault.kind) for fault in Verification(table, people(*known)).findings()]


def insert(message: Message) -> dict:
    item = message_item(message)
    change = {"Keys": {"pk": item["pk"], "sk": item["sk"]}, "NewImage": item}
    return {"eventName": "INSERT", "dynamodb": change | {"SequenceNumber": "1"}}


def naming(table: Table, words: Iterable[str]) -> list[str]:
    text = json.dumps(stored(table), ensure_ascii=False)
    return [word for word in words if word in text]


def delete_row_of(table: Table, person: Person) -> None:
    (row,) = inbox(table, person)
    table.request("delete_item", Key=keys.key(keys.inbox_pk(person.uuid), row.sort_key))


def names_of(person: Person) -> tuple[str, ...]:
    return person.uuid, f'"{person.handle}"', person.display_name


class TestAnErasedUser:
    def test_is_gone_and_the_other_member_keeps_their_own_messages(
        self, table, ana, ben, sent
    ) -> None:
        group = sent[0].message_group_uuid
        record = erase_user(table, ana.uuid)
        assert naming(table, (*names_of(ana), "ana's")) == []
        (row,) = inbox(table, ben)
        assert (row.preview, row.other.display_name) == ("ben's", DELETED_NAME)
        assert row.other.uuid == find_erasure(table, group).replacement_uuid
        thread = [m.text for m in reads.list_messages(table, group, limit=9).entries]
        assert thread == ["ben's"]
        assert raw_item(message_item(sent[1])) in stored(table)
        assert faults(table, ben) == []
        assert record.removed == {
            "changed_rows": 1, "conversations": 1, "inbox_rows": 1, "messages": 2, "pairs": 1,
        }  # fmt: skip

    def test_who_sent_everything_leaves_an_inbox_that_says_so(self, table, ana, ben) -> None:
        start(table, Draft(ana, ben, "ana's only"))
        erase_user(table, ana.uuid)
        assert [row.preview for row in inbox(table, ben)] == [REMOVED_TEXT]
        assert faults(table, ben) == []

    def test_is_erased_once(self, table, ana, sent) -> None:
        erase_user(table, ana.uuid)
        before = stored(table)
        erase_user(table, ana.uuid)
        assert stored(table) == before

    def test_whose_conversations_no_inbox_lists_is_gone_too(self, table, ana, ben, sent) -> None:
        for row in inbox(table, ana):
            table.request("delete_item", Key=keys.key(keys.inbox_pk(ana.uuid), row.sort_key))
        erase_user(table, ana.uuid)
        assert naming(table, (*names_of(ana), "ana's")) == []
        assert [row.preview for row in inbox(table, ben)] == ["ben's"]
        assert faults(table, ben) == []

    def test_and_then_the_other_member_leave_nothing_of_either(self, table, ana, ben, sent) -> None:
        erase_user(table, ana.uuid)
        erase_user(table, ben.uuid)
        assert naming(table, (*names_of(ana), *names_of(ben), "ana's", "ben's")) == []
        assert faults(table) == []

    def test_and_then_the_other_member_whose_row_was_lost_leave_nothing_of_either(
        self, table, ana, ben, sent
    ) -> None:
        erase_user(table, ana.uuid)
        delete_row_of(table, ben)
        assert plan_erasure(table, ben.uuid).conversations == 1
        erase_user(table, ben.uuid)
        assert naming(table, (*names_of(ana), *names_of(ben), "ana's", "ben's")) == []
        assert faults(table) == []

    def test_who_remained_is_named_by_no_erasure_and_none_is_imported(
        self, table, ana, ben, sent, tmp_path
    ) -> None:
        group = sent[0].message_group_uuid
        erase_user(table, ana.uuid)
        with (tmp_path / "file.jsonl").open("w") as file:
            file.writelines(f"{json.dumps(raw_item(item))}\n" for item in reads.scan(table))
        erasure = table.request("get_item", Key=keys.erasure_key(group))["Item"]
        erase_user(table, ben.uuid)
        import_file(table, tmp_path / "file.jsonl", lambda done, total: None)
        assert naming(table, [ben.uuid]) == []
        # A table that has only the record of the erasure, and a file that has both.
        record = table.request("get_item", Key=keys.erased_user_key(ben.uuid))["Item"]
        for item in list(reads.scan(table)):
            table.request("delete_item", Key={"pk": item["pk"], "sk": item["sk"]})
        with (tmp_path / "both.jsonl").open("w") as file:
            file.writelines(f"{json.dumps(raw_item(item))}\n" for item in (erasure, record))
        for name in ("both", "file"):
            import_file(table, tmp_path / f"{name}.jsonl", lambda done, total: None)
            assert naming(table, [ben.uuid]) == []
        table.request("put_item", Item=erasure)  # as other software might
        assert faults(table) == ["erased user"]
        repair(Verification(table, people()))
        assert (naming(table, [ben.uuid]), faults(table)) == ([], [])

    def test_leaves_other_conversations_as_they_are(self, table, ana, ben, cleo, sent) -> None:
        start(table, Draft(ben, cleo, "between others"))
        kept = [i for i in stored(table) if "between others" in json.dumps(i)]
        erase_user(table, ana.uuid)
        assert [i for i in stored(table) if "between others" in json.dumps(i)] == kept
        assert len(inbox(table, ben)) == 2
        assert faults(table, ben, cleo) == []

    def test_has_more_messages_than_a_transaction_can_remove(self, table, ana, ben) -> None:
        lines = [TranscriptMessage((ana, ben)[n % 2], f"line {n}") for n in range(203)]
        load_transcript(table, (ana, ben), lines)
        assert erase_user(table, ana.uuid).removed["messages"] == 102
        assert naming(table, names_of(ana)) == []
        assert faults(table, ben) == []

    def test_who_wrote_where_they_are_no_member_is_gone_there_too(
        self, table, ana, ben, cleo
    ) -> None:
        message = start(table, Draft(ben, cleo, "between others"))[0]
        key = "2999-01-01T00:00:00.000000+00:00"
        group = message.message_group_uuid
        strange = Message(group, "strange", ana, "ana's, by mistake", key, parse(key))
        table.request("put_item", Item=message_item(strange))
        row = InboxRow(group, cleo.uuid, ben, strange.text, key, parse(key))
        table.request("put_item", Item=inbox_row_item(row))  # as Cruddur's function does
        erase_user(table, ana.uuid)
        assert naming(table, (*names_of(ana), "by mistake")) == []


class TestAHold:
    def test_refuses_the_erasure(self, table, ana, sent) -> None:
        hold(table, ana.uuid, "case 12")
        before = stored(table)
        with pytest.raises(HeldError):
            erase_user(table, ana.uuid)
        assert stored(table) == before
        release(table, ana.uuid)
        assert erase_user(table, ana.uuid).removed["messages"] == 2

    def test_that_comes_in_between_keeps_what_is_left(
        self, table, ana, ben, sent, monkeypatch
    ) -> None:
        commit, done = table.client.transact_write_items, []

        def held_first(**params):
            done.append(params)
            if len(done) == 3:
                hold(table, ana.uuid, "case 12")
            return commit(**params)

        monkeypatch.setattr(table.client, "transact_write_items", held_first)
        with pytest.raises(HeldError):
            erase_user(table, ana.uuid)
        texts = {
            m.text for m in reads.list_messages(table, sent[0].message_group_uuid, limit=9).entries
        }
        assert texts == {"ana's first", "ben's", "ana's last"}

    def test_that_comes_last_keeps_what_is_elsewhere(self, table, ana, sent) -> None:
        erase_user(table, ana.uuid)
        assert hold(table, ana.uuid, "case 12")
        with pytest.raises(HeldError):
            close_erasure(table, ana.uuid, {"profiles": 1})

    def test_whose_answer_is_lost_is_put(self, table, ana, monkeypatch) -> None:
        commit = table.client.transact_write_items

        def lost(**params):
            monkeypatch.undo()
            commit(**params)
            raise ConnectionClosedError(endpoint_url="http://lost")

        monkeypatch.setattr(table.client, "transact_write_items", lost)
        assert hold(table, ana.uuid, "case 12")
        assert not hold(table, ana.uuid, "case 13")
        assert find_hold(table, ana.uuid).reason == "case 12"

    def test_on_the_other_member_keeps_their_messages(self, table, ana, ben, sent) -> None:
        hold(table, ben.uuid, "case 12")
        erase_user(table, ana.uuid)
        assert raw_item(message_item(sent[1])) in stored(table)

    def test_that_stopped_an_erasure_is_imported_with_it(
        self, table, ana, sent, tmp_path, monkeypatch
    ) -> None:
        erase_user(table, ana.uuid)
        hold(table, ana.uuid, "case 12")
        export_file(table, tmp_path / "all.jsonl", lambda done, total: None)
        kept = stored(table)
        release(table, ana.uuid)
        import_file(table, tmp_path / "all.jsonl", lambda done, total: None)
        assert stored(table) == kept


class TestNothingComesBack:
    @pytest.fixture
    def gone(self, table, ana, ben, sent, tmp_path) -> list[Message]:
        export_file(table, tmp_path / "older.jsonl", lambda done, total: None)
        erase_user(table, ana.uuid)
        return sent

    def test_through_the_stream(self, table, gone) -> None:
        before = stored(table)
        for records in ([insert(m)] for m in [*gone, *reversed(gone)]):
            assert project(table, records) == {"batchItemFailures": []}
        assert stored(table) == before

    def test_through_a_message_that_the_other_member_sends_by_cruddur(
        self, table, ana, ben, gone
    ) -> None:
        key = "2999-01-01T00:00:00.000000+00:00"
        group = gone[0].message_group_uuid
        plain = Message(group, "plain", ben, "ben's plain put", key, parse(key))
        table.request("put_item", Item=message_item(plain))
        assert project(table, [insert(plain)]) == {"batchItemFailures": []}
        assert [row.preview for row in inbox(table, ben)] == ["ben's plain put"]
        assert naming(table, names_of(ana)) == []
        assert faults(table, ben) == []

    def test_through_a_send_of_either(self, table, ana, ben, gone) -> None:
        before = stored(table)
        group = gone[0].message_group_uuid
        other = inbox(table, ben)[0].other
        for draft in (Draft(ana, ben, "x"), Draft(ben, ana, "x"), Draft(ben, other, "x")):
            with pytest.raises(MemberErasedError):
                send(table, group, draft)
        for draft in (Draft(ana, ben, "x"), Draft(ben, ana, "x")):
            with pytest.raises(MemberErasedError):
                start(table, draft)
        assert stored(table) == before

    def test_through_a_retried_send(self, table, ana, ben, gone) -> None:
        before = stored(table)
        mine = Draft(ana, ben, gone[2].text, gone[2].message_uuid, gone[2].sort_key)
        with pytest.raises(MessageRemovedError):
            send(table, gone[2].message_group_uuid, mine)
        theirs = Draft(ben, ana, gone[1].text, gone[1].message_uuid, gone[1].sort_key)
        assert send(table, gone[1].message_group_uuid, theirs).sort_key == gone[1].sort_key
        assert stored(table) == before

    def test_through_a_transcript(self, table, ana, ben, gone) -> None:
        before = stored(table)
        with pytest.raises(MemberErasedError):
            load_transcript(table, (ana, ben), [TranscriptMessage(ana, "again")])
        assert stored(table) == before

    def test_through_an_import_of_an_older_export(self, table, gone, tmp_path) -> None:
        before = stored(table)
        result = import_file(table, tmp_path / "older.jsonl", lambda done, total: None)
        assert (result.added, result.removed) == (0, 5)
        assert stored(table) == before

    def test_through_an_import_where_only_the_erasures_are_known(
        self, table, ana, gone, tmp_path
    ) -> None:
        table.request("delete_item", Key=keys.erased_user_key(ana.uuid))
        before = stored(table)
        result = import_file(table, tmp_path / "older.jsonl", lambda done, total: None)
        assert (result.added, result.removed) == (0, 5)
        assert stored(table) == before

    def test_through_a_hold_in_an_older_export(self, table, ana, sent, tmp_path) -> None:
        hold(table, ana.uuid, "case 12")
        export_file(table, tmp_path / "older.jsonl", lambda done, total: None)
        release(table, ana.uuid)
        erase_user(table, ana.uuid)
        close_erasure(table, ana.uuid, {})
        before = stored(table)
        result = import_file(table, tmp_path / "older.jsonl", lambda done, total: None)
        assert (result.added, result.removed) == (0, 6)
        assert stored(table) == before

    def test_through_a_hold_that_comes_too_late(self, table, ana, gone) -> None:
        close_erasure(table, ana.uuid, {})
        before = stored(table)
        with pytest.raises(MemberErasedError):
            hold(table, ana.uuid, "case 12")
        assert stored(table) == before

    def test_through_a_repair(self, table, ana, ben, gone) -> None:
        before = stored(table)
        assert repair(Verification(table, people(ben))) == 0
        assert stored(table) == before

    def test_through_a_removal(self, table, ben, gone) -> None:
        remove_message(table, gone[1])
        assert [row.preview for row in inbox(table, ben)] == [REMOVED_TEXT]
        assert len([i for i in stored(table) if i["pk"].get("S", "").startswith("GRP#")]) == 1
        assert faults(table, ben) == []


class TestCapacity:
    """The figures of docs/access-patterns.md, as the engine reports them."""

    def test_an_erasure(self, table, ana, sent) -> None:
        table = table.metered()
        erase_user(table, ana.uuid)
        # The record 4; the conversation 19; the messages 2 × 4, and 4.
        assert table.capacity.write_units == 4 + 19 + 2 * 4 + 4
        # The record 1, the inbox 1; the conversation 4.5; the pass over the table 1.
        assert table.capacity.read_units == 1 + 1 + 4.5 + 1

    def test_an_erasure_where_the_other_member_wrote_last(self, table, ana, ben, sent) -> None:
        send(table, sent[0].message_group_uuid, Draft(ben, ana, "ben's last"))
        table = table.metered()
        erase_user(table, ana.uuid)
        assert table.capacity.write_units == 4 + 16 + 2 * 4 + 4

    def test_the_end_of_an_erasure_and_a_hold(self, table, ana, sent) -> None:
        erase_user(table, ana.uuid)
        table = table.metered()
        close_erasure(table, ana.uuid, {"profiles": 1})
        assert (table.capacity.write_units, table.capacity.read_units) == (4, 1)
        table = table.metered()
        hold(table, str(uuid.uuid4()), "case 12")
        assert table.capacity.write_units == 4

    def test_a_plan_costs_half_of_that_pass_and_says_the_rest(self, table, ana, sent) -> None:
        table = table.metered()
        plan = plan_erasure(table, ana.uuid)
        assert (plan.messages, plan.conversations, plan.pairs) == (2, 1, 1)
        # As above, and its end: 4 + 1.
        assert plan.write_units == 4 + 19 + 2 * 4 + 4 + 5
