"""All conversations of the store, read page by page from the sparse index."""

from __future__ import annotations

import uuid

import pytest

from core.dynamodb import keys
from core.dynamodb.patterns.all_conversations import (
    conversations_of,
    count_messages,
    list_all_inbox_rows,
)
from core.dynamodb.patterns.sends import Draft, send, start
from core.errors import InputError
from core.models import Person


def person(name: str) -> Person:
    return Person(str(uuid.uuid4()), name, name.title())


def everything(table):
    rows, cursor = [], None
    while True:
        page = list_all_inbox_rows(table, cursor=cursor)
        rows += page.entries
        if (cursor := page.cursor) is None:
            return rows


def test_every_conversation_is_there_once_with_both_members(table, ana, monkeypatch) -> None:
    monkeypatch.setattr(
        "core.dynamodb.patterns.all_conversations._MOST_ROWS", 3
    )  # ends between two rows of one
    others = [person(f"other{n}") for n in range(7)]
    for other in others:
        start(table, Draft(ana, other, f"hello {other.handle}"))
    groups = conversations_of(everything(table))
    assert [group.newest_row.preview for group in groups] == [
        f"hello {other.handle}" for other in reversed(others)
    ]
    for group, other in zip(groups, reversed(others), strict=True):
        assert set(group.members) == {ana, other}


def test_messages_are_not_read(table, ana, ben) -> None:
    message, _ = start(table, Draft(ana, ben, "x" * 1024))
    for _ in range(20):
        send(table, message.message_group_uuid, Draft(ana, ben, "x" * 1024))
    meter = table.metered()
    assert len(list_all_inbox_rows(meter).entries) == 2
    assert meter.capacity.requests == 1
    assert meter.capacity.read_units <= 1


def test_a_conversation_with_one_row_names_the_member_it_cannot_name_by_uuid(table, ana) -> None:
    owner = str(uuid.uuid4())
    values = {"message_group_uuid": "g", "message": "hi", "user_uuid": ana.uuid}
    item = keys.key(keys.inbox_pk(owner), "2024-01-01T00:00:00")
    table.request("put_item", Item=item | {k: {"S": v} for k, v in values.items()})
    (group,) = conversations_of(everything(table))
    assert {member.uuid for member in group.members} == {owner, ana.uuid}


def test_items_that_are_not_inbox_rows_are_left_out(table) -> None:
    item = keys.key(keys.message_pk("g"), "2024-01-01T00:00:00")
    table.request("put_item", Item=item | {"message_group_uuid": {"S": "g"}})
    assert everything(table) == []


def test_an_empty_store_has_none(table) -> None:
    assert conversations_of(everything(table)) == []


@pytest.mark.parametrize("cursor", ["nonsense", "W10="])
def test_a_foreign_cursor_is_refused(table, cursor) -> None:
    with pytest.raises(InputError):
        list_all_inbox_rows(table, cursor=cursor)


def test_messages_are_counted_over_all_pages(table, ana, ben) -> None:
    message, _ = start(table, Draft(ana, ben, "first"))
    group = message.message_group_uuid
    for n in range(150):
        values = {"message": "x" * 10_000, "message_uuid": str(n), "user_uuid": ana.uuid}
        item = keys.key(keys.message_pk(group), f"2024-01-01T00:00:00.{n:06}+00:00")
        table.request("put_item", Item=item | {k: {"S": v} for k, v in values.items()})
    meter = table.metered()
    assert count_messages(meter, group) == 151
    assert meter.capacity.requests > 1
    assert count_messages(table, "nobody's") == 0
