"""The data loaded by a session follows the store, in any order of loads and writes."""

from __future__ import annotations

import uuid

import pytest

from admin_app.conversations.inbox import PAGE, VIEW, Inbox
from admin_app.conversations.messages import CONTEXT, MOST, Thread
from admin_app.conversations.shared_reads import STEP, SharedReads
from core.dynamodb import keys
from core.dynamodb.patterns.removals import remove_message
from core.dynamodb.patterns.search import STRETCH, search_further, search_messages
from core.dynamodb.table import Table
from core.errors import InputError
from core.models import REMOVED_TEXT

OWNER = str(uuid.uuid4())
GROUP = str(uuid.uuid4())


def at(n: int) -> str:
    return f"2024-{1 + n // 28:02}-{1 + n % 28:02}T00:00:00.000000+00:00"


def write(table: Table, numbers: range | list[int], text: str = "message") -> None:
    for n in numbers:
        values = {"message": f"{text} {n}", "message_uuid": str(uuid.uuid4()), "user_uuid": OWNER}
        item = keys.key(keys.message_pk(GROUP), at(n)) | {k: {"S": v} for k, v in values.items()}
        table.request("put_item", Item=item)


def move(table: Table, group: int, to: int, *, since: int | None = None) -> None:
    """Put an inbox row; where ``since`` is given, the row was there before."""
    if since is not None:
        table.request("delete_item", Key=keys.key(keys.inbox_pk(OWNER), at(since)))
    values = {"message_group_uuid": str(uuid.UUID(int=group)), "message": "hi", "user_uuid": OWNER}
    item = keys.key(keys.inbox_pk(OWNER), at(to)) | {k: {"S": v} for k, v in values.items()}
    table.request("put_item", Item=item)


def groups(inbox: Inbox) -> list[int]:
    return [uuid.UUID(entry.message_group_uuid).int for entry in inbox.entries]


class Reader:
    """A tab that looks at the conversation, with what it shares with others."""

    def __init__(self, table: Table, place: str = "", shared: SharedReads | None = None) -> None:
        self.shared = shared or SharedReads(0)
        self.thread = Thread(GROUP, place)
        self.table = table

    def refresh(self, table: Table | None = None, *, anew: bool = False) -> None:
        table = table or self.table
        self.thread.refresh(
            table, lambda anew: self.shared.newest(table, GROUP, anew=anew), anew=anew
        )

    def load_all_older(self) -> None:
        while self.thread.has_older:
            self.thread.load_older(self.table, self.thread.entries[0].sort_key)

    def load_all_newer(self) -> None:
        while self.thread.has_newer:
            self.thread.load_newer(self.table, self.thread.entries[-1].sort_key)


def texts(reader: Reader) -> list[int]:
    return [int(message.text.split()[-1]) for message in reader.thread.entries]


class TestInbox:
    def test_pages_to_the_end_and_asks_for_one_page_at_a_time(self, table) -> None:
        for n in range(2 * PAGE + 5):
            move(table, n, n)
        inbox, meter = Inbox(OWNER), table.metered()
        inbox.refresh(meter)
        inbox.read_for_view(meter)
        assert meter.capacity.requests == 1  # for all rows that are seen at first
        while inbox.cursor:
            inbox.load_more(table)
        assert groups(inbox) == list(reversed(range(2 * PAGE + 5)))

    def test_a_conversation_that_moves_to_the_top_leaves_its_old_place(self, table) -> None:
        for n in range(VIEW + 5):
            move(table, n, n)
        inbox = Inbox(OWNER)
        inbox.refresh(table)
        inbox.load_more(table)
        move(table, 2, 100, since=2)
        inbox.refresh(table)
        rest = [n for n in reversed(range(VIEW + 5)) if n != 2]
        assert groups(inbox) == [2, *rest]

    def test_what_falls_off_the_first_page_stays_in_the_list(self, table) -> None:
        for n in range(VIEW + 5):
            move(table, n, n)
        inbox = Inbox(OWNER)
        inbox.refresh(table)
        move(table, 500, 200)
        inbox.refresh(table)
        inbox.load_more(table)
        assert groups(inbox) == [500, *reversed(range(VIEW + 5))]

    def test_after_more_than_a_page_of_news_it_begins_again(self, table) -> None:
        for n in range(PAGE + 5):
            move(table, n, n)
        inbox = Inbox(OWNER)
        inbox.refresh(table)
        for n in range(100, 100 + PAGE + 3):
            move(table, n, n)
        inbox.refresh(table)
        while inbox.cursor:
            inbox.load_more(table)
        assert groups(inbox) == [*reversed(range(100, 100 + PAGE + 3)), *reversed(range(PAGE + 5))]

    def test_a_row_that_a_removal_moves_back_stays_in_the_list(self, table) -> None:
        numbers = [n for n in range(VIEW) if n != 9]
        for n in numbers:
            move(table, n, n)
        inbox = Inbox(OWNER)
        inbox.refresh(table)
        move(table, VIEW - 1, 9, since=VIEW - 1)
        inbox.refresh(table)
        while inbox.cursor:
            inbox.load_more(table)
        assert sorted(groups(inbox)) == numbers

    def test_a_row_that_has_changed_is_read_again(self, table) -> None:
        for n in range(VIEW + 10):
            move(table, n, n)
        inbox = Inbox(OWNER, start=10)
        inbox.refresh(table)
        inbox.read_for_view(table)
        move(table, 500, 12, since=12)
        inbox.forget()
        inbox.refresh(table)
        inbox.read_for_view(table)
        assert groups(inbox) == [500 if n == 12 else n for n in reversed(range(VIEW + 10))]

    def test_an_old_row_that_comes_late_can_be_reached(self, table) -> None:
        for n in range(100, 100 + PAGE):
            move(table, n, n)
        inbox = Inbox(OWNER)
        inbox.refresh(table)
        assert inbox.cursor is None
        move(table, 1, 1)
        inbox.refresh(table)
        assert inbox.cursor is not None
        inbox.load_more(table)
        assert groups(inbox)[-1] == 1


class TestThread:
    def test_opens_with_one_page_and_pages_back_to_the_first_message(self, table) -> None:
        write(table, range(2 * STEP + 5))
        reader, meter = Reader(table), table.metered()
        reader.refresh(meter)
        assert meter.capacity.requests == 2  # messages and removals
        assert texts(reader) == list(range(STEP + 5, 2 * STEP + 5))
        reader.load_all_older()
        assert texts(reader) == list(range(2 * STEP + 5))

    def test_a_page_that_is_asked_for_twice_comes_once(self, table) -> None:
        write(table, range(2 * STEP))
        reader = Reader(table)
        reader.refresh()
        first = reader.thread.entries[0].sort_key
        for _ in range(2):
            reader.thread.load_older(table, first)
        assert texts(reader) == list(range(2 * STEP))

    def test_adds_messages_sent_meanwhile_also_with_a_clock_behind(self, table) -> None:
        write(table, range(0, 40, 2))
        reader = Reader(table)
        reader.refresh()
        write(table, [35, 50])
        meter = table.metered()
        reader.refresh(meter)
        assert texts(reader) == [*range(0, 36, 2), 35, 36, 38, 50]
        assert meter.capacity.requests == 2
        assert meter.capacity.read_units == 1

    def test_takes_in_more_than_a_page_that_came_meanwhile(self, table) -> None:
        write(table, range(30))
        reader = Reader(table)
        reader.refresh()
        write(table, range(30, 30 + 2 * STEP))
        reader.refresh()
        reader.load_all_newer()
        assert texts(reader) == list(range(30 + 2 * STEP))

    def test_the_first_message_of_an_empty_conversation_appears(self, table) -> None:
        reader = Reader(table)
        reader.refresh()
        assert texts(reader) == []
        write(table, [1])
        reader.refresh()
        assert texts(reader) == [1]

    def test_what_was_removed_at_the_newest_end_goes(self, table) -> None:
        write(table, range(20))
        reader = Reader(table)
        reader.refresh()
        table.request("delete_item", Key=keys.key(keys.message_pk(GROUP), at(18)))
        reader.refresh()
        assert texts(reader) == [*range(18), 19]

    @pytest.mark.parametrize("number", [0, 20, 49, 55, 59])
    def test_what_is_removed_goes_wherever_it_is_from_every_tab(self, table, number) -> None:
        write(table, range(STEP))
        shared = SharedReads(0)
        readers = [Reader(table, shared=shared) for _ in range(2)]
        for reader in readers:
            reader.refresh()
        removed = readers[0].thread.entries[number]
        remove_message(table, removed)
        readers.append(Reader(table, shared=shared))
        meter = table.metered()
        for reader in readers:
            reader.refresh(meter)
            place = reader.thread.entries[number]
            assert (place.sort_key, place.text, place.removal) == (
                at(number),
                REMOVED_TEXT,
                "removed",
            )
            assert len(reader.thread.entries) == STEP
        assert meter.capacity.requests == 2 * len(readers)

    def test_a_message_with_the_key_of_a_removed_one_is_shown(self, table) -> None:
        write(table, range(STEP))
        reader = Reader(table)
        reader.refresh()
        remove_message(table, reader.thread.entries[55])
        write(table, [55], text="another")
        for opened in (reader, Reader(table, shared=reader.shared)):
            opened.refresh()
            assert opened.thread.entries[55].text == "another 55"
            assert len(opened.thread.entries) == STEP

    def test_readers_at_one_time_ask_once_and_a_sender_asks_again(self, table) -> None:
        write(table, range(5))
        shared, meter = SharedReads(60), table.metered()
        readers = [Reader(meter, shared=shared) for _ in range(30)]
        for reader in readers:
            reader.refresh()
        assert meter.capacity.requests == 2
        write(table, [6])
        readers[0].refresh(anew=True)
        readers[1].refresh()
        assert [texts(reader)[-1] for reader in readers[:2]] == [6, 6]
        assert meter.capacity.requests == 4

    @pytest.mark.parametrize("place", [0, 5, 60, 119])
    def test_opens_at_a_message_and_pages_both_ways(self, table, place) -> None:
        write(table, range(120))
        reader = Reader(table, at(place))
        reader.refresh()
        first = max(0, place - CONTEXT + 1)
        last = min(119, place + STEP - CONTEXT)
        assert texts(reader) == list(range(first, last + 1))
        reader.load_all_newer()
        reader.load_all_older()
        assert texts(reader) == list(range(120))

    @pytest.mark.parametrize(
        ("place", "shown"), [("0", 0), ("2023", 0), ("2024-01-05", 4), ("2030", 119)]
    )
    def test_opens_at_a_date_of_which_there_is_no_message(self, table, place, shown) -> None:
        write(table, range(120))
        reader = Reader(table, place)
        reader.refresh()
        assert shown in texts(reader)

    def test_keeps_a_maximum_and_drops_the_other_end(self, table) -> None:
        total = MOST + STEP
        write(table, range(total))
        reader = Reader(table)
        reader.refresh()
        reader.load_all_older()
        assert texts(reader) == list(range(MOST))
        assert reader.thread.has_newer
        reader.refresh()  # does not follow: its end is not the conversation's
        assert texts(reader) == list(range(MOST))
        reader.load_all_newer()
        assert texts(reader) == list(range(total - MOST, total))
        assert reader.thread.has_older


class TestSearch:
    def test_finds_words_in_any_case_newest_first(self, table) -> None:
        write(table, range(5), "nothing here")
        write(table, [10, 12], "The Straße, number")
        result = search_messages(table, GROUP, " STRASSE ")
        assert [message.text.split()[-1] for message in result.hits] == ["12", "10"]
        assert (result.looked_at, result.cursor) == (7, None)

    def test_reads_one_part_at_a_time(self, table, monkeypatch) -> None:
        monkeypatch.setattr("core.dynamodb.patterns.search.STRETCH", 10)
        assert STRETCH > 10
        write(table, range(25))
        search = search_messages(table, GROUP, "message 3")
        assert (search.hits, search.looked_at) == ((), 10)
        while search.cursor:
            search = search_further(table, search)
        assert [message.text for message in search.hits] == ["message 3"]
        assert search.looked_at == 25

    def test_no_words_are_refused(self, table) -> None:
        with pytest.raises(InputError):
            search_messages(table, GROUP, "  ")
