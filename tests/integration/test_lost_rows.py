"""Rows that are lost are put back while others write: each member's inbox lists it once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from core.dynamodb import keys
from core.dynamodb.integrity.repairs import repair
from core.dynamodb.integrity.verification import Verification
from core.dynamodb.patterns import reads
from core.dynamodb.patterns.bulk_load import TranscriptMessage, load_transcript
from core.dynamodb.patterns.sends import Draft, send, start
from core.dynamodb.stream.projection import move
from core.dynamodb.table import Table
from core.models import Person

Write = Callable[[Table, str, Person, Person], object]


@pytest.fixture
def group(table: Table, ana: Person, ben: Person) -> str:
    group = start(table, Draft(ana, ben, "hi"))[0].message_group_uuid
    send(table, group, Draft(ben, ana, "before"))
    return group


def lose_row(table: Table, group: str, owner: Person) -> None:
    row = reads.inbox_row(table, owner.uuid, group)
    assert row is not None
    table.request("delete_item", Key=keys.key(keys.inbox_pk(owner.uuid), row.sort_key))


def lose_pair(table: Table, one: Person, other: Person) -> None:
    table.request("delete_item", Key=keys.pair_key(one.uuid, other.uuid))


def one_repair(table: Table, group: str, ana: Person, ben: Person) -> None:
    known = {person.uuid: person for person in (ana, ben)}
    repair(Verification(table, lambda uuids: {u: known[u] for u in uuids if u in known}))


def one_move(table: Table, group: str, ana: Person, ben: Person) -> None:
    newest = reads.newest_message(table, group, consistent=True)
    assert newest is not None
    move(table, newest)


def one_send(table: Table, group: str, ana: Person, ben: Person) -> None:
    send(table, group, Draft(ben, ana, "own"))


def one_load(table: Table, group: str, ana: Person, ben: Person) -> None:
    load_transcript(table, (ana, ben), [TranscriptMessage(ana, "own")])


@pytest.fixture
def send_before(monkeypatch: pytest.MonkeyPatch, table: Table, ana: Person, ben: Person):
    """Carries out another writer's send directly before the first request of this kind."""

    def arrange(operation: str, group: str) -> list[str]:
        raced: list[str] = []
        make = table.client._make_api_call

        def first_send(name, params):
            if name == operation and not raced:
                raced.append(name)
                send(table, group, Draft(ana, ben, "meanwhile"))
            return make(name, params)

        monkeypatch.setattr(table.client, "_make_api_call", first_send)
        return raced

    return arrange


RACES = [
    (write, "TransactWriteItems", lost, has_pair)
    for write in (one_repair, one_move, one_send, one_load)
    for lost in ("ana", "ben", "both")
    for has_pair in (True, False)
    # With both rows lost, a move cannot know the members; without the pair, a load starts a new
    # conversation.
    if lost != "both" or not (write is one_move or (write is one_load and not has_pair))
]


@pytest.mark.parametrize(("write", "operation", "lost", "has_pair"), RACES)
def test_a_send_while_lost_rows_are_put_back_leaves_one_row_each(
    table, group, ana, ben, send_before, write: Write, operation, lost, has_pair
) -> None:
    for person in (ana, ben):
        if lost in ("both", person.handle):
            lose_row(table, group, person)
    if not has_pair:
        lose_pair(table, ana, ben)
    raced = send_before(operation, group)
    write(table, group, ana, ben)
    assert raced, "nothing was raced"
    newest = reads.newest_message(table, group, consistent=True)
    assert newest is not None
    for person in (ana, ben):
        rows = reads.inbox_rows(table, person.uuid, group)
        assert [row.preview for row in rows] == [newest.text], person.handle
