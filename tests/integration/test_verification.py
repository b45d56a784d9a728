"""Verification finds each fault, repairs what it can, and reports nothing else."""

from __future__ import annotations

import uuid
from collections import Counter

import pytest

from core.dynamodb import keys
from core.dynamodb.integrity import repairs, verification
from core.dynamodb.integrity.faults import SAMPLES, Fault, FaultKind, FaultSummary
from core.dynamodb.integrity.repairs import repair_fault
from core.dynamodb.integrity.verification import Verification
from core.dynamodb.items import inbox_row_item, message_item
from core.dynamodb.patterns import reads
from core.dynamodb.patterns.sends import Draft, send, start
from core.dynamodb.table import Table
from core.errors import DynamoDBError
from core.models import InboxRow, Message, Person
from core.timestamps import parse

EARLY = "2024-01-01T00:00:00.000000+00:00"
CLEO = Person("cleo", "cleo", "Cleo")
LATE = "2999-01-01T00:00:00.000000+00:00"


@pytest.fixture
def people(ana, ben):
    known = {person.uuid: person for person in (ana, ben, CLEO)}
    return lambda uuids: {uuid: known[uuid] for uuid in uuids if uuid in known}


@pytest.fixture
def group(table, ana, ben) -> str:
    group = start(table, Draft(ana, ben, "hi"))[0].message_group_uuid
    send(table, group, Draft(ben, ana, "newest"))
    return group


def faults(table: Table, people) -> Counter:
    return Counter(finding.kind for finding in Verification(table, people).findings())


def repair(table: Table, people) -> None:
    for finding in list(Verification(table, people).findings()):
        repair_fault(table, people, finding)


def content(table: Table) -> list:
    return sorted((item["pk"]["S"], item["sk"]["S"], item) for item in reads.scan(table))


def row_of(table: Table, owner: Person) -> InboxRow:
    return reads.list_inbox(table, owner.uuid, limit=1).entries[0]


def put_row(
    table: Table, group: str, owner: Person, other: Person, sort_key: str, text: str
) -> None:
    row = InboxRow(group, owner.uuid, other, text, sort_key, parse(sort_key))
    table.request("put_item", Item=inbox_row_item(row))


def put_message(table: Table, group: str, sender: Person, sort_key: str = EARLY, **extra) -> None:
    item = message_item(
        Message(group, str(uuid.uuid4()), sender, "text", sort_key, parse(sort_key))
    )
    table.request("put_item", Item=item | extra)


def delete_row(table: Table, owner: Person) -> None:
    key = keys.key(keys.inbox_pk(owner.uuid), row_of(table, owner).sort_key)
    table.request("delete_item", Key=key)


def missing_row(table, group, ana, ben):
    delete_row(table, ben)
    return FaultKind.MISSING_ROW


def both_rows_missing(table, group, ana, ben):
    delete_row(table, ana)
    delete_row(table, ben)
    return None  # two findings: of the pair, and of the messages


def duplicate_row(table, group, ana, ben):
    put_row(table, group, ana, ben, EARLY, "hi")
    return FaultKind.DUPLICATE_ROW


def stale_preview(table, group, ana, ben):
    delete_row(table, ana)
    put_row(table, group, ana, ben, EARLY, "hi")
    return FaultKind.STALE_PREVIEW


def preview_ahead(table, group, ana, ben):
    delete_row(table, ana)
    put_row(table, group, ana, ben, LATE, "this is a filler message")
    return FaultKind.PREVIEW_AHEAD


def name_differs(table, group, ana, ben):
    row = row_of(table, ana)
    put_row(table, group, ana, Person(ben.uuid, "ben", "Old Name"), row.sort_key, row.preview)
    return FaultKind.NAME_DIFFERS


def indexed_message(table, group, ana, ben):
    put_message(table, group, ana, message_group_uuid={"S": group})
    return FaultKind.INDEXED_MESSAGE


def orphan_messages(table, group, ana, ben):
    put_message(table, "lost", ana)
    put_message(table, "lost", CLEO, "2024-01-01T00:00:01.000000+00:00")
    return FaultKind.ORPHAN_MESSAGES


def orphan_pair(table, group, ana, ben):
    item = keys.pair_key(ana.uuid, "somebody") | {"group_uuid": {"S": "not there"}}
    table.request("put_item", Item=item)
    return FaultKind.ORPHAN_PAIR


def no_messages(table, group, ana, ben):
    put_row(table, "empty", ana, ben, EARLY, "filler")
    put_row(table, "empty", ben, ana, "2024-01-01T00:00:01", "filler")
    return FaultKind.NO_MESSAGES


def stranger_message(table, group, ana, ben):
    put_message(table, group, Person("eve", "eve", "Eve"))
    return FaultKind.STRANGER_MESSAGE


def newer_stranger_message(table, group, ana, ben):
    put_message(table, group, Person("eve", "eve", "Eve"), LATE)
    return FaultKind.STRANGER_MESSAGE


def double_message(table, group, ana, ben):
    first = next(item for item in reads.scan(table) if item["pk"]["S"].startswith("MSG#"))
    table.request("put_item", Item=first | {"sk": {"S": EARLY}})
    return FaultKind.DOUBLE_MESSAGE


def third_person_s_row(table, group, ana, ben):
    put_row(table, group, CLEO, ana, EARLY, "hi")
    return FaultKind.MEMBERS_DIFFER


def rows_of_different_pairs(table, group, ana, ben):
    row = row_of(table, ana)
    put_row(table, group, ana, CLEO, row.sort_key, row.preview)
    return FaultKind.MEMBERS_DIFFER


def unknown_user(table, group, ana, ben):
    start(table, Draft(ana, Person("gone", "gone", "Gone"), "hello?"))
    return FaultKind.UNKNOWN_USER


def unreadable(table, group, ana, ben):
    put_message(table, group, ana, "not a time")
    put_message(table, group, ana, user_handle={"N": "7"})
    put_message(table, "", ana)
    put_message(table, group, Person("x" * 3000, "x", "X"), "2024-01-01T00:00:02")
    pair = keys.pair_key(ana.uuid, "somebody") | {"group_uuid": {"S": "x" * 3000}}
    table.request("put_item", Item=pair)
    put_row(table, "monologue", ana, ana, EARLY, "hi")
    return FaultKind.UNREADABLE


REPAIRABLE = [
    missing_row,
    duplicate_row,
    stale_preview,
    preview_ahead,
    name_differs,
    indexed_message,
    orphan_messages,
    orphan_pair,
]
LEFT = [
    no_messages,
    double_message,
    third_person_s_row,
    rows_of_different_pairs,
    stranger_message,
    newer_stranger_message,
    unknown_user,
    unreadable,
]


def test_our_own_writes_leave_no_problems(table, people, group) -> None:
    assert faults(table, people) == Counter()


def test_an_empty_table_has_no_problems(table, people) -> None:
    assert faults(table, people) == Counter()


@pytest.mark.parametrize("break_it", REPAIRABLE + LEFT, ids=lambda broken: broken.__name__)
def test_each_fault_is_reported_as_its_kind(table, people, group, ana, ben, break_it) -> None:
    fault = break_it(table, group, ana, ben)
    assert set(faults(table, people)) == {fault}


def test_a_member_who_is_not_in_postgres_is_reported_with_each_message_of_theirs(
    table, people, group, ana
) -> None:
    start(table, Draft(Person("gone", "gone", "Gone"), ana, "hello!"))
    kinds = {FaultKind.UNKNOWN_USER: 1, FaultKind.UNKNOWN_SENDER: 1}
    assert faults(table, people) == kinds


@pytest.mark.parametrize(
    "break_it", [*REPAIRABLE, both_rows_missing], ids=lambda broken: broken.__name__
)
def test_every_repairable_fault_is_repaired(table, people, group, ana, ben, break_it) -> None:
    break_it(table, group, ana, ben)
    repair(table, people)
    assert faults(table, people) == Counter()
    assert row_of(table, ben).message_group_uuid == group


@pytest.mark.parametrize("break_it", LEFT, ids=lambda broken: broken.__name__)
def test_a_fault_that_cannot_be_repaired_is_left_unchanged(
    table, people, group, ana, ben, break_it
) -> None:
    break_it(table, group, ana, ben)
    before = content(table)
    repair(table, people)
    assert content(table) == before


@pytest.mark.parametrize("break_it", [missing_row, stale_preview, preview_ahead])
def test_a_stranger_s_newer_message_does_not_prevent_a_repair(
    table, people, group, ana, ben, break_it
) -> None:
    newer_stranger_message(table, group, ana, ben)
    break_it(table, group, ana, ben)
    repair(table, people)
    assert faults(table, people) == Counter([FaultKind.STRANGER_MESSAGE])
    assert {row_of(table, person).preview for person in (ana, ben)} == {"newest"}


def test_a_preview_ahead_keeps_its_place_and_shows_the_newest_text(
    table, people, group, ana, ben
) -> None:
    preview_ahead(table, group, ana, ben)
    repair(table, people)
    assert (row_of(table, ana).sort_key, row_of(table, ana).preview) == (LATE, "newest")


def test_items_of_other_kinds_are_counted_and_left_alone(table, people, group) -> None:
    table.request("put_item", Item=keys.key("OTHER#1", "x"))
    verification = Verification(table, people)
    assert list(verification.findings()) == []
    assert verification.counts["other items"] == 1
    assert verification.counts["messages"] == 2


def test_a_repair_that_dynamodb_refuses_does_not_stop_the_others(
    table, people, group, ana, ben, monkeypatch
) -> None:
    missing_row(table, group, ana, ben)
    orphan_pair(table, group, ana, ben)
    refused = []

    def refuse_the_first(*args):
        if not refused:
            refused.append(args)
            raise DynamoDBError("no", code="ValidationException")
        return repair_fault(*args)

    monkeypatch.setattr(repairs, "repair_fault", refuse_the_first)
    assert repairs.repair(Verification(table, people)) == 1
    assert sum(faults(table, people).values()) == 1
    assert repairs.repair(Verification(table, people)) == 1
    assert faults(table, people) == Counter()


def test_a_summary_adds_up_by_kind_and_keeps_a_few_samples(table, group, people, ana) -> None:
    for n in range(SAMPLES + 2):
        put_message(table, group, ana, f"2024-01-01T00:00:0{n}", message_group_uuid={"S": group})
    put_message(table, group, Person("stranger", "s", "S"))
    summary = FaultSummary()
    for finding in Verification(table, people).findings():
        summary.add(finding)
    assert summary.counts == {FaultKind.INDEXED_MESSAGE: SAMPLES + 2, FaultKind.STRANGER_MESSAGE: 1}
    assert len(summary.samples[FaultKind.INDEXED_MESSAGE]) == SAMPLES
    assert (summary.total, summary.repairable) == (SAMPLES + 3, SAMPLES + 2)


def test_an_interrupted_pass_says_so(table, group, people) -> None:
    seen: list[int] = []
    verification = Verification(table, people)
    list(verification.findings(lambda items: seen.append(items) or items < 2))
    assert seen == [0, 1, 2]
    assert sum(verification.counts.values()) == 2
    assert not verification.is_complete
    list(verification.findings())
    assert verification.is_complete


def test_a_repair_reports_what_it_repaired_and_the_next_finds_nothing(
    table, group, people, ana, ben
) -> None:
    stale_preview(table, group, ana, ben)
    put_message(table, group, Person("stranger", "s", "S"))  # nothing can be done about it
    repaired: list[Fault] = []
    assert repairs.repair(Verification(table, people), on_repaired=repaired.append) == 1
    assert [finding.kind for finding in repaired] == [FaultKind.STALE_PREVIEW]
    assert repairs.repair(Verification(table, people), on_repaired=repaired.append) == 0
    assert len(repaired) == 1


@pytest.fixture
def stale_index(table, monkeypatch: pytest.MonkeyPatch):
    """Lets the index show what it is given, whatever it has by then."""

    def show(rows: list[InboxRow]) -> None:
        real = table.client.scan
        items = list(map(inbox_row_item, rows))

        def scan(**params):
            return {"Items": items} if "IndexName" in params else real(**params)

        monkeypatch.setattr(table.client, "scan", scan)

    return show


def test_an_index_that_lags_is_not_a_fault(table, people, group, ana, ben, stale_index) -> None:
    before = reads.list_rows_of(table, group)
    send(table, group, Draft(ana, ben, "newer still"))
    stale_index(before)
    assert faults(table, people) == Counter()


def test_a_conversation_that_the_index_does_not_show_yet_is_not_an_orphan(
    table, people, group, stale_index
) -> None:
    stale_index([])
    assert faults(table, people) == Counter()


def test_no_conversation_needs_a_request_or_a_look_into_postgres_of_its_own(
    table, people, ana
) -> None:
    asked: list[set[str]] = []

    def find_people(uuids):
        asked.append(set(uuids))
        return {uuid: Person(uuid, "o", "O") for uuid in uuids} | people(uuids)

    def requests_of_a_verification() -> int:
        metered = table.metered()
        asked.clear()
        assert list(Verification(metered, find_people).findings()) == []
        assert len([uuids for uuids in asked if uuids]) == 1
        return metered.capacity.requests

    def add_conversation(number: int) -> None:
        other = Person(f"other-{number}", "o", "O")
        put_message(table, f"group-{number}", ana)
        for owner, shown in ((ana, other), (other, ana)):
            key = f"{EARLY[:-7]}{number}+00:00"
            put_row(table, f"group-{number}", owner, shown, key, "text")

    add_conversation(0)
    before = requests_of_a_verification()
    for number in range(1, 12):
        add_conversation(number)
    assert requests_of_a_verification() == before


@pytest.mark.parametrize("break_it", [stale_preview, preview_ahead, no_messages])
def test_a_fault_of_rows_that_are_there_is_found_without_a_walk_through_inboxes(
    table, people, group, ana, ben, monkeypatch: pytest.MonkeyPatch, break_it
) -> None:
    fault = break_it(table, group, ana, ben)
    monkeypatch.setattr(verification, "inbox_rows", lambda *_: pytest.fail("walked an inbox"))
    assert set(faults(table, people)) == {fault}
