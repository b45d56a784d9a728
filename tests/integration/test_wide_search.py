"""Words are found in every conversation of a user, and in the whole table."""

from __future__ import annotations

import threading
import uuid
from datetime import UTC, datetime

import pytest
from unguarded import put_items

from core.dynamodb import keys
from core.dynamodb.patterns.wide_search import Wanted, search_conversations, search_store
from core.dynamodb.table import Table
from core.errors import CoreError, InputError, UnreachableError
from core.timestamps import Instants

ANA, BEN = (str(uuid.uuid4()) for _ in range(2))
GROUPS = [str(uuid.uuid4()) for _ in range(9)]


def at(day: int) -> str:
    return f"2026-01-{day:02}T12:00:00.000000+00:00"


def day(number: int) -> datetime:
    return datetime(2026, 1, number, 12, tzinfo=UTC)


@pytest.fixture
def messages(table) -> Table:
    """Nine conversations of a message a day, from ana and from ben by turns."""
    items = [
        keys.key(keys.message_pk(group), at(day))
        | {
            "message": {"S": f"Needle {n}" if day == 3 else "hay"},
            "user_uuid": {"S": ANA if n % 2 else BEN},
        }
        for n, group in enumerate(GROUPS)
        for day in range(1, 6)
    ]
    row = keys.key(keys.inbox_pk(ANA), at(3)) | {"message": {"S": "needle of an inbox row"}}
    put_items(table, [*items, row])
    return table


def texts(pages) -> list[str]:
    return sorted(message.text for page in pages for message in page.messages)


def test_the_whole_table_is_searched_and_no_row_but_messages(messages) -> None:
    wanted = Wanted(" nEEdle ")
    assert texts(search_store(messages, wanted)) == [f"Needle {n}" for n in range(9)]
    assert sum(page.looked_at for page in search_store(messages, wanted)) >= 46


def test_only_the_named_conversations_are_searched(messages) -> None:
    meter = messages.metered()
    pages = search_conversations(meter, GROUPS[:4], Wanted("needle"))
    assert texts(pages) == [f"Needle {n}" for n in range(4)]
    assert meter.capacity.requests == 4


@pytest.mark.parametrize(
    ("more", "shown"),
    [
        ({"sender_uuid": ANA}, [1, 3, 5, 7]),
        ({"between": Instants(after=day(2))}, list(range(9))),
        ({"between": Instants(after=day(3))}, []),
        ({"between": Instants(before=day(3))}, []),
        ({"between": Instants(day(2), day(4))}, list(range(9))),
        ({"between": Instants(day(4), day(2))}, []),
    ],
)
def test_a_sender_and_a_time_narrow_it(messages, more, shown) -> None:
    wanted = Wanted("needle", **more)
    expected = [f"Needle {n}" for n in shown]
    assert texts(search_store(messages, wanted)) == expected
    assert texts(search_conversations(messages, GROUPS, wanted)) == expected


def test_a_time_is_an_instant_whatever_offset_a_message_has(table) -> None:
    """As in the lists of messages: 20:00 in a zone two hours ahead is 18:00 in UTC."""
    (group,) = GROUPS[:1]
    for key in ("2026-01-31T20:00:00.000000+02:00", "2026-01-31T18:00:00.000000-05:00"):
        item = keys.key(keys.message_pk(group), key) | {"message": {"S": f"needle {key}"}}
        table.request("put_item", Item=item)
    late = Wanted("needle", between=Instants(after=datetime(2026, 1, 31, 19, tzinfo=UTC)))
    for pages in (search_store(table, late), search_conversations(table, [group], late)):
        assert texts(pages) == ["needle 2026-01-31T18:00:00.000000-05:00"]


def test_who_stops_listening_ends_the_requests(messages) -> None:
    before = threading.active_count()
    pages = search_conversations(messages, (group for group in GROUPS * 500), Wanted("needle"))
    next(pages)
    pages.close()
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and thread.name.startswith("search"):
            thread.join(10)
    assert threading.active_count() <= before


def test_a_failure_of_one_request_is_raised(messages, monkeypatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise UnreachableError("DynamoDB does not answer", "Run: invoke up")

    monkeypatch.setattr(Table, "request", fail)
    with pytest.raises(CoreError, match="does not answer"):
        texts(search_store(messages, Wanted("needle")))


def test_no_words_are_refused(table) -> None:
    with pytest.raises(InputError):
        search_store(table, Wanted("  "))
