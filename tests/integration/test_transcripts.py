"""Loading a whole conversation: in order and once, also after an interruption."""

from datetime import UTC, datetime, timedelta

import pytest

from core.dynamodb.patterns import bulk_load, reads
from core.dynamodb.patterns.bulk_load import TranscriptMessage, load_transcript
from core.dynamodb.patterns.sends import Draft, send, start
from core.dynamodb.patterns.transactions import Outcome
from core.dynamodb.retries import Backoff
from core.errors import StoreError
from core.timestamps import now


@pytest.fixture
def lines(ana, ben) -> list[TranscriptMessage]:
    return [TranscriptMessage((ana, ben)[n % 2], f"line {n}") for n in range(205)]


def texts(table, group: str) -> list[str]:
    page = reads.list_messages(table, group, limit=10_000, newest_first=False)
    return [message.text for message in page.entries]


def test_a_transcript_is_stored_in_its_order(table, ana, ben, lines) -> None:
    loaded = load_transcript(table, (ana, ben), lines)
    assert (loaded.added, loaded.present) == (205, 0)
    assert texts(table, loaded.message_group_uuid) == [line.text for line in lines]


def test_loading_it_again_changes_nothing(table, ana, ben, lines) -> None:
    first = load_transcript(table, (ana, ben), lines)
    again = load_transcript(table, (ben, ana), lines)
    assert (again.message_group_uuid, again.added) == (first.message_group_uuid, 0)
    assert len(texts(table, first.message_group_uuid)) == 205


def test_its_times_end_now_and_are_not_in_the_future(table, ana, ben, lines) -> None:
    before = now()
    group = load_transcript(table, (ana, ben), lines[:50]).message_group_uuid
    messages = reads.list_messages(table, group, limit=100).entries
    assert before <= messages[0].created_at <= now()
    assert messages[0].created_at - messages[-1].created_at == timedelta(seconds=90) * 49


def test_both_inboxes_show_its_last_line(table, ana, ben, lines) -> None:
    load_transcript(table, (ana, ben), lines)
    for person in (ana, ben):
        (row,) = reads.list_inbox(table, person.uuid, limit=10).entries
        assert row.preview == "line 204"


def test_an_interrupted_load_resumes_where_it_stopped(table, ana, ben, lines, monkeypatch) -> None:
    commit, calls = bulk_load.commit, []

    def cut_off(table, actions):
        calls.append(len(actions))
        if len(calls) == 2:
            raise StoreError("cut off")
        return commit(table, actions)

    monkeypatch.setattr(bulk_load, "commit", cut_off)
    with pytest.raises(StoreError, match="cut off"):
        load_transcript(table, (ana, ben), lines)
    loaded = load_transcript(table, (ana, ben), lines)
    assert (loaded.added, loaded.present) == (115, 90)
    assert texts(table, loaded.message_group_uuid) == [line.text for line in lines]


def test_a_conversation_is_read_once_however_many_transactions_it_takes(
    table, ana, ben, lines, monkeypatch
) -> None:
    start(table, Draft(ana, ben, "before"))
    reads_of_all = []
    stored = bulk_load._stored
    monkeypatch.setattr(
        bulk_load, "_stored", lambda *arguments: reads_of_all.append(1) or stored(*arguments)
    )
    assert load_transcript(table, (ana, ben), lines).added == len(lines)
    assert len(reads_of_all) == 1


def test_patience_is_for_one_transaction_not_for_the_whole_load(
    table, ana, ben, lines, monkeypatch
) -> None:
    """Each of three transactions has one conflict, and each wait is the last one allowed."""
    commit, tried = bulk_load.commit, []

    def conflict_first(table, actions) -> Outcome:
        tried.append(len(actions))
        return commit(table, actions) if len(tried) % 2 == 0 else Outcome()

    class OnePause(Backoff):
        refusals_left = 1

        def pause(self) -> bool:
            self.refusals_left -= 1
            return self.refusals_left >= 0

    monkeypatch.setattr(bulk_load, "commit", conflict_first)
    monkeypatch.setattr(bulk_load, "Backoff", OnePause)
    loaded = load_transcript(table, (ana, ben), lines)
    assert texts(table, loaded.message_group_uuid) == [line.text for line in lines]
    assert len(tried) == 6


def test_an_error_that_a_retry_cannot_fix_ends_the_load(
    table, ana, ben, lines, monkeypatch
) -> None:
    tried = []

    def refuse(table, actions) -> Outcome:
        tried.append(actions)
        return Outcome(unknown=True, final=True, error=StoreError("no"))

    monkeypatch.setattr(bulk_load, "commit", refuse)
    with pytest.raises(StoreError, match="no"):
        load_transcript(table, (ana, ben), lines)
    assert len(tried) == 1


def test_it_comes_after_the_messages_that_exist_already(table, ana, ben, lines) -> None:
    first, _ = start(table, Draft(ana, ben, "before"))
    load_transcript(table, (ana, ben), lines[:3])
    send(table, first.message_group_uuid, Draft(ben, ana, "after"))
    expected = ["before", "line 0", "line 1", "line 2", "after"]
    assert texts(table, first.message_group_uuid) == expected


def test_lines_with_times_of_their_own_keep_them(table, ana, ben) -> None:
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    lines = [TranscriptMessage(ana, "a", noon), TranscriptMessage(ben, "b", noon)]
    group = load_transcript(table, (ana, ben), lines).message_group_uuid
    page = reads.list_messages(table, group, limit=5, newest_first=False)
    assert [(m.text, m.created_at - noon) for m in page.entries] == [
        ("a", timedelta(0)),
        ("b", timedelta(microseconds=1)),
    ]


def test_a_longer_transcript_with_the_same_times_is_loaded_in_addition(table, ana, ben) -> None:
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    lines = [TranscriptMessage(ana, f"{n}", noon + timedelta(minutes=n)) for n in range(3)]
    load_transcript(table, (ana, ben), lines[:2])
    loaded = load_transcript(table, (ana, ben), lines)
    assert (loaded.added, loaded.present) == (3, 0)
    assert texts(table, loaded.message_group_uuid) == ["0", "0", "1", "1", "2"]


def test_each_line_is_dated_once_however_many_transactions_there_are(
    table, ana, ben, monkeypatch
) -> None:
    dated = []
    real = bulk_load.sort_key_after

    def count(*arguments):
        dated.append(arguments)
        return real(*arguments)

    monkeypatch.setattr(bulk_load, "sort_key_after", count)
    lines = [TranscriptMessage((ana, ben)[n % 2], f"line {n}") for n in range(400)]
    loaded = load_transcript(table, (ana, ben), lines)
    assert loaded.added == len(dated) == len(lines)
