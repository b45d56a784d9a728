"""One group id for two pairs, and two for one: as Cruddur's seed leaves them when run again."""

from __future__ import annotations

import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from core.dynamodb import keys
from core.dynamodb.integrity.faults import FaultKind
from core.dynamodb.integrity.repairs import repair_fault
from core.dynamodb.integrity.verification import Verification
from core.dynamodb.items import inbox_row_item, message_item
from core.dynamodb.patterns import reads
from core.dynamodb.patterns.holds import hold, release
from core.dynamodb.patterns.sends import Draft, send, start
from core.dynamodb.stream.projection import move
from core.dynamodb.table import Table
from core.dynamodb.transfer.exports import export_file
from core.dynamodb.transfer.imports import import_file
from core.models import InboxRow, Message, Person
from core.timestamps import parse, sort_key

GROUP = "5ae290ed-55d1-47a0-bc6d-fe2bc2700399"
OLD = (Person("old-ana", "ana", "Ana"), Person("old-ben", "ben", "Ben"))
NOW = datetime.now(UTC) - timedelta(hours=1)


def at(minutes: int) -> str:
    return sort_key(NOW + timedelta(minutes=minutes))


def put_message(table: Table, sender: Person, when: str, text: str, group: str = GROUP) -> Message:
    message = Message(group, str(uuid.uuid4()), sender, text, when, parse(when))
    table.request("put_item", Item=message_item(message))
    return message


def put_rows(table: Table, pair, when: str, text: str, group: str = GROUP) -> None:
    for owner, other in (pair, pair[::-1]):
        row = InboxRow(group, owner.uuid, other, text, when, parse(when))
        table.request("put_item", Item=inbox_row_item(row))


@pytest.fixture
def pair(ana: Person, ben: Person) -> tuple[Person, Person]:
    return ana, ben


@pytest.fixture
def people(pair):
    known = {person.uuid: person for person in pair}
    return lambda uuids: {uuid: known[uuid] for uuid in uuids if uuid in known}


@pytest.fixture
def shared(table: Table, pair) -> Table:
    """Two pairs under one id: the users were deleted, created again, and seeded again."""
    for minutes, members in ((0, OLD), (10, pair)):
        put_message(table, members[0], at(minutes), f"{minutes} hello")
        put_message(table, members[1], at(minutes + 1), f"{minutes} bye")
        put_rows(table, members, at(minutes + 1), f"{minutes} bye")
    return table


def faults(table: Table, people) -> Counter:
    return Counter(fault.kind for fault in Verification(table, people).findings())


def repair(table: Table, people) -> None:
    for fault in list(Verification(table, people).findings()):
        repair_fault(table, people, fault)


def messages(table: Table) -> list[Message]:
    return reads.list_messages(table, GROUP, limit=9).entries


def previews(table: Table, *owners: Person) -> list[str]:
    return [
        row.preview
        for owner in owners
        for row in reads.list_inbox(table, owner.uuid, limit=9).entries
    ]


def test_each_pair_s_rows_are_judged_by_its_own_messages(shared, people, pair) -> None:
    everybody = {person.uuid: person for person in (*pair, *OLD)}
    known = lambda uuids: {u: everybody[u] for u in uuids if u in everybody}  # noqa: E731
    assert faults(shared, known) == Counter()
    put_message(shared, pair[0], at(20), "newer")
    assert faults(shared, known) == {FaultKind.STALE_PREVIEW: 2}
    repair(shared, known)
    assert previews(shared, *pair) == ["newer", "newer"]
    assert previews(shared, *OLD) == ["0 bye", "0 bye"]


def test_a_message_moves_the_rows_of_its_sender_s_pair(shared, pair) -> None:
    assert move(shared, put_message(shared, pair[1], at(20), "newer"))
    assert previews(shared, *pair, *OLD) == ["newer", "newer", "0 bye", "0 bye"]
    assert not move(shared, put_message(shared, Person("eve", "eve", "Eve"), at(30), "whose?"))


def test_our_own_message_moves_them_too(shared, pair) -> None:
    send(shared, GROUP, Draft(*pair, "ours"))
    assert previews(shared, *pair, *OLD) == ["ours", "ours", "0 bye", "0 bye"]


def test_a_pair_that_nobody_knows_is_removed_and_nothing_is_left_to_repair(
    shared, people, pair
) -> None:
    shared.request(
        "put_item", Item=keys.pair_key(*(p.uuid for p in OLD)) | {"group_uuid": {"S": GROUP}}
    )
    assert faults(shared, people) == {
        FaultKind.LEFTOVER_PAIR: 2,
        FaultKind.ORPHAN_PAIR: 1,
        FaultKind.UNKNOWN_SENDER: 2,
    }
    repair(shared, people)
    assert faults(shared, people) == Counter()
    assert previews(shared, *pair, *OLD) == ["10 bye", "10 bye"]
    assert [message.text for message in messages(shared)] == ["10 bye", "10 hello"]


def test_nothing_of_a_removed_pair_comes_back(shared, people, pair, tmp_path) -> None:
    """Not from a late stream record, nor from an older export, whatever texts the others share."""
    put_message(shared, pair[0], at(-1), "0 bye")
    late = next(message for message in messages(shared) if message.sender == OLD[1])
    export_file(shared, tmp_path / "older", lambda count, total: None)
    repair(shared, people)
    after = sorted(map(str, reads.scan(shared)))
    assert not move(shared, late)
    done = import_file(shared, tmp_path / "older", lambda count, total: None)
    assert (done.added, done.removed) == (0, 4)
    assert sorted(map(str, reads.scan(shared))) == after
    assert not any(person.uuid in item for item in after for person in OLD)


def test_a_removed_pair_is_kept_while_one_of_the_two_is_held(shared, people) -> None:
    hold(shared, OLD[0].uuid, "a court order")
    repair(shared, people)
    assert previews(shared, *OLD) == ["0 bye", "0 bye"]
    release(shared, OLD[0].uuid)
    repair(shared, people)
    assert faults(shared, people) == Counter()


@pytest.mark.parametrize("known", [[], ["one of the others"], ["one of the two"]])
def test_nothing_is_removed_unless_both_others_and_neither_of_the_two_are_known(
    shared, pair, known
) -> None:
    """An empty Postgres, or another one, knows nobody: nothing is a leftover there."""
    people = {"one of the others": [pair[0]], "one of the two": [*pair, OLD[0]]}
    table = {p.uuid: p for name in known for p in people[name]}
    before = list(reads.scan(shared))
    kinds = faults(shared, lambda uuids: {u: table[u] for u in uuids if u in table})
    assert FaultKind.LEFTOVER_PAIR not in kinds
    repair(shared, lambda uuids: {u: table[u] for u in uuids if u in table})
    assert len(list(reads.scan(shared))) == len(before)


def test_two_conversations_of_one_pair_are_reported_once(table, people, pair) -> None:
    start(table, Draft(*pair, "first"))
    other = str(uuid.uuid4())
    put_message(table, pair[0], at(0), "second", other)
    put_rows(table, pair, at(0), "second", other)
    assert faults(table, people) == {FaultKind.TWO_CONVERSATIONS: 1}


def test_a_stale_row_with_an_old_name_takes_one_repair(table, pair, people) -> None:
    ana, ben = pair
    was = Person(ben.uuid, "benjamin", "Benjamin")
    put_message(table, was, at(0), "old")
    put_rows(table, (ana, was), at(0), "old")
    put_message(table, was, at(5), "new")
    assert faults(table, people)[FaultKind.NAME_DIFFERS] == 1
    repair(table, people)
    assert faults(table, people) == Counter()


def test_a_missing_row_of_one_who_never_wrote_gets_their_name_from_postgres(
    table, pair, people
) -> None:
    ana, ben = pair
    put_message(table, ana, at(0), "anybody there?")
    row = InboxRow(GROUP, ben.uuid, ana, "anybody there?", at(0), parse(at(0)))
    table.request("put_item", Item=inbox_row_item(row))  # ana's own row is missing
    repair(table, people)
    (row,) = reads.list_inbox(table, ana.uuid, limit=9).entries
    assert (row.other, faults(table, people)) == (ben, Counter())
