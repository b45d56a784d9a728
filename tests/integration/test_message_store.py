"""The write path on a real engine: acknowledged messages are stored once, previews are right."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from core.dynamodb import keys, paging
from core.dynamodb.items import inbox_row_item, message_item
from core.dynamodb.marker import read_state
from core.dynamodb.patterns import reads, sends
from core.dynamodb.patterns.all_conversations import count_messages, list_all_inbox_rows
from core.dynamodb.patterns.message_counts import MessageCounts, count_by_hour
from core.dynamodb.patterns.sends import Draft, send, start
from core.dynamodb.table import Table
from core.models import InboxRow, Message, Person
from core.timestamps import parse, sort_key


def everything(table: Table, group: str) -> list[Message]:
    return list(reads.list_messages(table, group, limit=100_000, newest_first=False).entries)


def inbox(table: Table, person: Person) -> list[InboxRow]:
    return list(reads.list_inbox(table, person.uuid, limit=1000).entries)


def put(table: Table, item: dict) -> None:
    table.request("put_item", Item=item)


def cruddur_group(table: Table, group: str, timestamp: str, one: Person, other: Person) -> None:
    """Both inbox rows as Cruddur's own code writes them."""
    for owner, shown in ((one, other), (other, one)):
        put(
            table,
            inbox_row_item(
                InboxRow(group, owner.uuid, shown, "filler", timestamp, parse(timestamp))
            ),
        )


def assert_shows(table: Table, person: Person, message: Message) -> None:
    rows = [r for r in inbox(table, person) if r.message_group_uuid == message.message_group_uuid]
    assert [(row.sort_key, row.preview) for row in rows] == [(message.sort_key, message.text)]


def test_a_first_message_starts_a_conversation_that_both_see(table, ana, ben) -> None:
    message, started = start(table, Draft(ana, ben, "hi"))
    assert started
    assert everything(table, message.message_group_uuid) == [message]
    for owner, other in ((ana, ben), (ben, ana)):
        (row,) = inbox(table, owner)
        assert (row.other, row.preview) == (other, "hi")


def test_starting_again_from_the_other_side_continues_the_conversation(table, ana, ben) -> None:
    first, _ = start(table, Draft(ana, ben, "hi"))
    second, started = start(table, Draft(ben, ana, "hello"))
    assert not started
    assert everything(table, first.message_group_uuid) == [first, second]
    assert_shows(table, ana, second)
    assert_shows(table, ben, second)


def test_a_conversation_that_cruddur_made_is_continued(table, ana, ben) -> None:
    cruddur_group(table, "made-by-cruddur", "2024-05-05T10:00:00.123456", ana, ben)
    message, started = start(table, Draft(ben, ana, "hello"))
    assert (message.message_group_uuid, started) == ("made-by-cruddur", False)
    assert_shows(table, ana, message)
    assert_shows(table, ben, message)


def test_of_several_conversations_that_cruddur_made_the_newest_is_continued(
    table, ana, ben
) -> None:
    cruddur_group(table, "older", "2023-05-05T10:00:00.123456+00:00", ana, ben)
    cruddur_group(table, "newer", "2024-05-05T10:00:00.123456+00:00", ana, ben)
    message, _ = start(table, Draft(ana, ben, "hello"))
    assert message.message_group_uuid == "newer"
    assert len(inbox(table, ana)) == 2


def test_a_conversation_is_found_when_only_the_other_inbox_has_it(table, ana, ben) -> None:
    timestamp = "2024-05-05T10:00:00.000000+00:00"
    put(
        table,
        inbox_row_item(InboxRow("half", ben.uuid, ana, "filler", timestamp, parse(timestamp))),
    )
    message, started = start(table, Draft(ana, ben, "hello"))
    assert (message.message_group_uuid, started) == ("half", False)
    assert_shows(table, ana, message)
    assert_shows(table, ben, message)


def test_twelve_who_start_at_once_share_one_conversation(table, ana, ben) -> None:
    drafts = [Draft(*((ana, ben) if n % 2 else (ben, ana)), f"message {n}") for n in range(12)]
    with ThreadPoolExecutor(12) as pool:
        sent = list(pool.map(lambda draft: start(table, draft), drafts))
    assert sum(started for _, started in sent) == 1
    (group,) = {message.message_group_uuid for message, _ in sent}
    stored = everything(table, group)
    assert sorted(m.text for m in stored) == sorted(f"message {n}" for n in range(12))
    assert_shows(table, ana, stored[-1])
    assert_shows(table, ben, stored[-1])


def test_eight_writers_lose_nothing_and_keep_their_own_order(table, ana, ben) -> None:
    group = start(table, Draft(ana, ben, "0-0"))[0].message_group_uuid

    def write(writer: int) -> list[Message]:
        people = (ana, ben) if writer % 2 else (ben, ana)
        return [send(table, group, Draft(*people, f"{writer}-{n}")) for n in range(1, 16)]

    with ThreadPoolExecutor(8) as pool:
        acknowledged = [message for sent in pool.map(write, range(1, 9)) for message in sent]
    stored = everything(table, group)[1:]
    assert Counter(m.message_uuid for m in stored) == Counter(m.message_uuid for m in acknowledged)
    for writer in range(1, 9):
        texts_of_writer = [m.text for m in stored if m.text.startswith(f"{writer}-")]
        assert texts_of_writer == [f"{writer}-{n}" for n in range(1, 16)]
    assert_shows(table, ana, stored[-1])
    assert_shows(table, ben, stored[-1])


@pytest.mark.parametrize("step", [timedelta(0), timedelta(days=-365)], ids=["frozen", "backwards"])
def test_a_clock_that_does_not_move_forward_loses_nothing(
    table, ana, ben, monkeypatch, step
) -> None:
    clock = [datetime(2026, 1, 1, tzinfo=UTC)]
    monkeypatch.setattr(sends, "now", lambda: clock[0])
    group = start(table, Draft(ana, ben, "0"))[0].message_group_uuid
    clock[0] += step
    for n in range(1, 40):
        send(table, group, Draft(ana, ben, str(n)))
    assert [message.text for message in everything(table, group)] == [str(n) for n in range(40)]


def test_a_hundred_conversations_begin_while_the_clock_stands_still(
    busy_table, ana, monkeypatch
) -> None:
    instant = datetime(2026, 1, 1, tzinfo=UTC)
    monkeypatch.setattr(sends, "now", lambda: instant)
    meter = busy_table.metered()
    for n in range(100):
        start(meter, Draft(ana, Person(f"other-{n}", f"o{n}", f"Other {n}"), str(n)))
    assert {row.preview for row in inbox(busy_table, ana)} == {str(n) for n in range(100)}
    assert meter.capacity.requests < 100 * 15


def test_a_clock_behind_and_an_index_that_lags_keep_the_order(table, ana, ben, monkeypatch) -> None:
    first, _ = start(table, Draft(ana, ben, "1"))
    stale = reads.list_rows_of(table, first.message_group_uuid)
    send(table, first.message_group_uuid, Draft(ana, ben, "2"))
    assert first.created_at is not None
    behind = first.created_at - timedelta(seconds=5)
    monkeypatch.setattr(sends, "now", lambda: behind)
    monkeypatch.setattr(sends, "list_rows_of", lambda *_: stale)
    third = send(table, first.message_group_uuid, Draft(ana, ben, "3"))
    assert [entry.text for entry in everything(table, third.message_group_uuid)] == ["1", "2", "3"]
    assert_shows(table, ana, third)
    assert_shows(table, ben, third)


def test_very_many_rows_of_a_conversation_do_not_prevent_an_answer(table, ana, ben) -> None:
    for n in range(60):
        cruddur_group(table, "many", f"2024-05-05T10:00:{n:02}.123456+00:00", ana, ben)
    message = send(table, "many", Draft(ana, ben, "hello"))
    assert inbox(table, ben)[0].preview == "hello"
    send(table, "many", Draft(ben, ana, "and again"))
    assert len(inbox(table, ana)) == len(inbox(table, ben)) == 1
    assert [entry.text for entry in everything(table, "many")] == [message.text, "and again"]


def test_eight_who_start_at_once_continue_the_conversation_that_cruddur_made(
    table, ana, ben
) -> None:
    cruddur_group(table, "older", "2023-05-05T10:00:00.123456+00:00", ana, ben)
    cruddur_group(table, "newer", "2024-05-05T10:00:00.123456+00:00", ana, ben)
    drafts = [Draft(*((ana, ben)[:: 1 - n % 2 * 2]), str(n)) for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        sent = [message for message, _ in pool.map(lambda draft: start(table, draft), drafts)]
    assert {message.message_group_uuid for message in sent} == {"newer"}
    assert {message.text for message in everything(table, "newer")} == set("01234567")
    assert len(inbox(table, ana)) == len(inbox(table, ben)) == 2


def test_a_thousand_sends_by_a_clock_that_stops_and_one_that_steps_back_a_year_are_stored(
    table, ana, ben, monkeypatch
) -> None:
    clock = [datetime(2026, 1, 1, tzinfo=UTC)]
    monkeypatch.setattr(sends, "now", lambda: clock[0])
    group = start(table, Draft(ana, ben, "0"))[0].message_group_uuid
    for n in range(1, 1000):
        if n == 500:
            clock[0] -= timedelta(days=365)
        send(table, group, Draft((ana, ben)[n % 2], (ben, ana)[n % 2], str(n)))
    assert [message.text for message in everything(table, group)] == [str(n) for n in range(1000)]
    assert [row.preview for row in (*inbox(table, ana), *inbox(table, ben))] == ["999"] * 2


def test_a_retry_never_moves_a_preview_backwards(table, ana, ben) -> None:
    first, _ = start(table, Draft(ana, ben, "hi"))
    newest = send(table, first.message_group_uuid, Draft(ben, ana, "newest"))
    earlier = sort_key(first.created_at + timedelta(microseconds=1))
    late = send(table, first.message_group_uuid, Draft(ana, ben, "late", tried_from=earlier))
    assert late.sort_key < newest.sort_key
    assert_shows(table, ana, newest)
    assert_shows(table, ben, newest)


def test_a_row_that_was_lost_comes_back_with_the_next_message(table, ana, ben) -> None:
    message, _ = start(table, Draft(ana, ben, "hi"))
    table.request(
        "delete_item", Key=keys.key(keys.inbox_pk(ben.uuid), inbox(table, ben)[0].sort_key)
    )
    again = send(table, message.message_group_uuid, Draft(ana, ben, "again"))
    assert_shows(table, ana, again)
    assert_shows(table, ben, again)


def test_rows_doubled_by_others_become_one_with_the_next_message(table, ana, ben) -> None:
    message, _ = start(table, Draft(ana, ben, "hi"))
    group = message.message_group_uuid
    cruddur_group(table, group, "2024-01-01T00:00:00.000000+00:00", ana, ben)
    assert len(inbox(table, ana)) == 2
    assert_shows(table, ana, send(table, group, Draft(ben, ana, "again")))
    assert len(inbox(table, ana)) == len(inbox(table, ben)) == 1


def test_two_conversations_at_the_same_instant_both_stay(table, ana, ben, monkeypatch) -> None:
    cleo = Person("cleo-uuid", "cleo", "Cleo")
    monkeypatch.setattr(sends, "now", lambda: datetime(2026, 1, 1, tzinfo=UTC))
    with_ben, _ = start(table, Draft(ana, ben, "to ben"))
    with_cleo, _ = start(table, Draft(ana, cleo, "to cleo"))
    assert with_ben.sort_key == with_cleo.sort_key
    assert sorted(row.preview for row in inbox(table, ana)) == ["to ben", "to cleo"]
    again = send(table, with_ben.message_group_uuid, Draft(ben, ana, "back"))
    assert again.sort_key > with_ben.sort_key
    assert sorted(row.preview for row in inbox(table, ana)) == ["back", "to cleo"]


def test_a_message_lands_after_the_rows_of_others_whatever_their_form(table, ana, ben) -> None:
    ahead = "2999-01-01T00:00:00Z"
    cruddur_group(table, "far-ahead", ahead, ana, ben)
    message, _ = start(table, Draft(ana, ben, "hi"))
    assert message.sort_key > ahead
    assert_shows(table, ben, message)


def test_no_item_of_ours_but_the_group_rows_is_in_the_index(table, ana, ben) -> None:
    message, _ = start(table, Draft(ana, ben, "hi"))
    send(table, message.message_group_uuid, Draft(ben, ana, "yo"))
    indexed = list(paging.items(table, "scan", IndexName=keys.INDEX))
    assert sorted(item["pk"]["S"] for item in indexed) == sorted(
        [keys.inbox_pk(ana.uuid), keys.inbox_pk(ben.uuid)]
    )


class TestPaging:
    @pytest.fixture
    def group(self, table) -> str:
        """Messages over a year's end, in every form that rows have."""
        moments = [
            "2024-12-31T23:59:59.999998",
            "2024-12-31T23:59:59.999999+00:00",
            "2025-01-01T00:00:00",
            "2025-01-01T00:00:00.500000+02:00",
            "2025-01-01T00:00:01Z",
            "2025-06-01T12:00:00.000000+00:00",
            "2026-01-01T00:00:00.000000+00:00",
        ]
        for n, timestamp in enumerate(moments):
            sender = Person("u", "u", "U")
            put(
                table,
                message_item(
                    Message("mixed", f"m-{n}", sender, str(n), timestamp, parse(timestamp))
                ),
            )
        return "mixed"

    @pytest.mark.parametrize("newest_first", [True, False])
    @pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
    def test_pages_in_both_directions_meet_every_message_once(
        self, table, group, newest_first, limit
    ) -> None:
        seen, cursor = [], None
        while True:
            page = reads.list_messages(
                table, group, limit=limit, newest_first=newest_first, cursor=cursor
            )
            seen += [message.text for message in page.entries]
            if (cursor := page.cursor) is None:
                break
            assert len(page.entries) == limit
        expected = [str(n) for n in range(7)]
        assert seen == (expected[::-1] if newest_first else expected)

    def test_both_bounds_are_exclusive(self, table, group) -> None:
        page = reads.list_messages(
            table,
            group,
            limit=10,
            after="2025-01-01T00:00:00",
            before="2026-01-01T00:00:00.000000+00:00",
        )
        assert [message.text for message in page.entries] == ["5", "4", "3"]

    def test_bounds_and_cursor_work_together(self, table, group) -> None:
        bounds = {"after": "2024-12-31T23:59:59.999998", "before": "2025-06-01T12:00:00.000001"}
        first = reads.list_messages(table, group, limit=3, **bounds)
        rest = reads.list_messages(table, group, limit=3, cursor=first.cursor, **bounds)
        assert [m.text for m in (*first.entries, *rest.entries)] == ["5", "4", "3", "2", "1"]

    def test_crossed_bounds_are_an_empty_page(self, table, group) -> None:
        page = reads.list_messages(table, group, limit=3, after="2026", before="2025")
        assert (page.entries, page.cursor) == ([], None)

    def test_an_unknown_conversation_is_an_empty_page(self, table) -> None:
        page = reads.list_messages(table, "#no such'--", limit=3)
        assert (page.entries, page.cursor) == ([], None)


class TestCapacity:
    """The figures of docs/access-patterns.md, as the engine reports them."""

    def spent(self, table: Table) -> tuple[float, float, int]:
        return table.capacity.read_units, table.capacity.write_units, table.capacity.requests

    def test_sending_costs_half_a_read_unit_and_fourteen_write_units(self, table, ana, ben) -> None:
        group = start(table, Draft(ana, ben, "hi"))[0].message_group_uuid
        table = table.metered()
        send(table, group, Draft(ana, ben, "x" * 500))
        assert self.spent(table) == (0.5, 14, 2)

    @pytest.mark.parametrize(
        ("before", "characters", "write_units"),
        [(2, 808, 14), (2, 809, 20), (2, 1024, 22), (1024, 1024, 28)],
    )
    def test_each_further_kb_of_an_item_costs_as_much_again(
        self, table, ana, ben, before, characters, write_units
    ) -> None:
        """One of their inbox rows has 216 bytes in addition to the text: 808 more make 1 KB."""
        group = start(table, Draft(ana, ben, "x" * before))[0].message_group_uuid
        table = table.metered()
        send(table, group, Draft(ana, ben, "x" * characters))
        assert self.spent(table) == (0.5, write_units, 2)

    def test_starting_costs_three_reads_and_fourteen_write_units(self, table, ana, ben) -> None:
        start(table, Draft(ana, ben, "hi"))
        assert self.spent(table) == (3, 14, 4)

    def test_starting_with_a_known_person_costs_one_read_more_than_sending(
        self, table, ana, ben
    ) -> None:
        start(table, Draft(ana, ben, "hi"))
        table = table.metered()
        start(table, Draft(ana, ben, "hi again"))
        assert self.spent(table) == (1.5, 14, 3)

    def test_a_page_of_messages_costs_half_a_read_unit(self, table, ana, ben) -> None:
        group = start(table, Draft(ana, ben, "hi"))[0].message_group_uuid
        table = table.metered()
        reads.list_messages(table, group, limit=10)
        assert self.spent(table) == (0.5, 0, 1)

    def test_a_page_of_conversations_costs_half_a_read_unit(self, table, ana, ben) -> None:
        start(table, Draft(ana, ben, "hi"))
        table = table.metered()
        reads.list_inbox(table, ana.uuid, limit=10)
        assert self.spent(table) == (0.5, 0, 1)

    def test_finding_a_conversation_by_its_members_costs_one_read_unit(
        self, table, ana, ben
    ) -> None:
        start(table, Draft(ana, ben, "hi"))
        table = table.metered()
        assert reads.newest_row_with(table, ana.uuid, ben.uuid) is not None
        assert self.spent(table) == (1, 0, 1)

    def test_asking_a_store_what_it_is_costs_one_read_unit(self, table) -> None:
        read_state(table)
        assert self.spent(table) == (1, 0, 1)

    def test_asking_a_store_without_a_marker_costs_one_read_unit_more(self, table) -> None:
        table.request("delete_item", Key=keys.ENVIRONMENT_KEY)
        table = table.metered()
        read_state(table)
        assert self.spent(table) == (2, 0, 2)

    @pytest.mark.parametrize(
        "look",
        [
            lambda table: list(reads.scan(table)),
            list_all_inbox_rows,
            lambda table: list(
                count_by_hour(table, MessageCounts(datetime(2020, 1, 1, tzinfo=UTC)))
            ),
        ],
        ids=["scan", "all conversations", "messages by the hour"],
    )
    def test_a_page_of_a_scan_costs_half_a_read_unit(self, table, ana, ben, look) -> None:
        start(table, Draft(ana, ben, "hi"))
        table = table.metered()
        look(table)
        assert self.spent(table) == (0.5, 0, 1)

    def test_counting_messages_costs_half_a_read_unit(self, table, ana, ben) -> None:
        group = start(table, Draft(ana, ben, "hi"))[0].message_group_uuid
        table = table.metered()
        assert count_messages(table, group) == 1
        assert self.spent(table) == (0.5, 0, 1)
