"""Projection and repairs on the model of the table: cases that no explored scope has.

Times in unusual forms, rows of other conversations at the same key, and findings that are no longer
true when they are repaired.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from core.dynamodb.integrity.faults import Fault
from core.dynamodb.integrity.repairs import repair_fault
from core.dynamodb.patterns import bulk_load
from core.dynamodb.patterns.reads import find_message
from core.dynamodb.stream.projection import plan

from . import memory
from .explore import ours
from .explore.actors import ANA, BEN, CLEO, GROUP, OTHER_GROUP, SAM, known_people
from .explore.ours import FaultKind, StoreError, message_item, project
from .explore.scopes import conversation, table_of
from .invariants import View, When, broken, inserts
from .meanwhile import NO_ANSWER, Model, at, message, row

pytestmark = pytest.mark.usefixtures("still_clock")

LAST_OF_ALL = "9999-12-31T23:59:59.999999+00:00"


class TestAPlan:
    def test_is_of_the_newest_from_the_first_record_on_and_the_oldest_message(self) -> None:
        records = inserts([dict(message_item(message(ANA, n))) for n in (5, 3, 9, 7)])
        (move,) = plan(records).moves
        assert (move.message.text, move.since, move.sequence_number) == ("text at 9", at(3), "0")

    @pytest.mark.parametrize("name", ["MODIFY", "REMOVE"])
    def test_counts_inserts_only(self, name: str) -> None:
        (record,) = inserts([dict(message_item(message(ANA, 5)))])
        assert plan([{**record, "eventName": name}]).moves == ()

    def test_continues_after_a_malformed_record(self) -> None:
        planned = plan([{"eventName": "INSERT"}, *inserts([dict(message_item(message(ANA, 5)))])])
        assert (len(planned.moves), len(planned.dropped)) == (1, 1)

    @pytest.mark.parametrize(
        "change",
        [
            {"message": {"S": "x" * 400_000}},
            {"user_uuid": {"S": "x" * 3000}},
            {"pk": {"S": "MSG#another"}},
            {"sk": {"S": "no time"}},
        ],
        ids=["too large", "no id", "another item's image", "no time"],
    )
    def test_drops_what_cannot_become_a_row(self, change: memory.Item) -> None:
        (record,) = inserts([dict(message_item(message(ANA, 5)))])
        record["dynamodb"]["NewImage"] |= change
        planned = plan([record])
        assert (len(planned.moves), len(planned.dropped)) == (0, 1)


class TestTheProjection:
    def test_shows_each_member_the_other(self, model: Model) -> None:
        model.deliver(message(BEN, 5))
        rows = View(model.table.items, {}, ()).rows
        assert {(row.owner_uuid, row.other.uuid) for row in rows} == {
            ("ana", "ben"),
            ("ben", "ana"),
        }

    def test_skips_an_instant_that_another_conversation_uses(self, model: Model) -> None:
        model.put(row(ANA, CLEO, at(5), "Cleo's", OTHER_GROUP))
        model.deliver(message(BEN, 5))
        assert model.previews(ANA) == ["text at 5"]
        assert model.previews(ANA, OTHER_GROUP) == ["Cleo's"]

    def test_does_not_go_behind_a_row_at_the_end_of_time(self, model: Model) -> None:
        model.put(row(ANA, BEN, LAST_OF_ALL, "text before in g"))
        model.deliver(message(BEN, 5))
        assert model.previews(ANA) == ["text at 5"]

    def test_deletes_no_row_that_has_become_another_conversation_s(self, model: Model) -> None:
        def taken() -> None:
            model.put(row(ANA, CLEO, at(0), "Cleo's", OTHER_GROUP))

        model.meanwhile.update(dict.fromkeys([4, 5], taken))
        model.deliver(message(BEN, 5))
        assert model.previews(ANA, OTHER_GROUP) == ["Cleo's"]

    def test_finds_a_row_that_is_earlier_than_the_batch_and_not_in_the_index(
        self, model: Model
    ) -> None:
        stale = ours.open_table(memory.Client(model.table, lag=lambda most: min(1, most)))
        model.table.past = [{k: v for k, v in model.table.items.items() if k[0] != "GRP#ana"}]
        item = dict(message_item(message(BEN, 5)))
        model.put(item)
        project(stale, inserts([item]))
        assert model.previews(ANA) == ["text at 5"]

    def test_a_batch_of_a_stranger_and_a_member_shows_the_member_s(self, model: Model) -> None:
        model.deliver(message(BEN, 5), message(SAM, 7))
        assert model.previews(ANA) == model.previews(BEN) == ["text at 5"]
        assert not broken(View(model.table.items, {}, (), strangers=("sam",)), When.ONLY_OURS)

    def test_a_stranger_s_newer_message_is_not_the_newest_behind_a_row_that_is_ahead(
        self, model: Model
    ) -> None:
        model.put(dict(message_item(message(SAM, 7))))
        model.put(row(ANA, BEN, at(9), "made up"))
        model.deliver(message(BEN, 5))
        assert model.previews(ANA) == ["text at 5"]


class TestARepair:
    def test_leaves_a_pair_that_now_points_elsewhere(self, model: Model) -> None:
        assert not model.repair(FaultKind.ORPHAN_PAIR, "PAIR#ana#ben", "PAIR", "another")
        assert ("PAIR#ana#ben", "PAIR") in model.table.items

    def test_deletes_a_pair_without_a_conversation(self, model: Model) -> None:
        assert model.repair(FaultKind.ORPHAN_PAIR, "PAIR#ana#ben", "PAIR")
        assert ("PAIR#ana#ben", "PAIR") not in model.table.items

    def test_leaves_the_name_of_the_member_that_is_there_now(self, model: Model) -> None:
        def another() -> None:
            model.put(row(ANA, replace(CLEO, handle="as she was"), at(0), "x", OTHER_GROUP))

        model.meanwhile[2] = another
        assert not model.repair(FaultKind.NAME_DIFFERS, "GRP#ana", at(0))
        assert model.table.items["GRP#ana", at(0)]["user_handle"] == {"S": "as she was"}

    def test_puts_no_preview_into_another_conversation_s_row(self, model: Model) -> None:
        model.put(row(ANA, CLEO, at(3), "Cleo's", OTHER_GROUP))
        assert not model.repair(FaultKind.PREVIEW_AHEAD, "GRP#ana", at(3))
        assert model.previews(ANA, OTHER_GROUP) == ["Cleo's"]

    def test_shows_nothing_that_is_newer_than_the_row(self, model: Model) -> None:
        model.put(dict(message_item(message(BEN, 5))))
        assert not model.repair(FaultKind.PREVIEW_AHEAD, "GRP#ana", at(0))
        assert model.previews(ANA) == ["text before in g"]

    def test_shows_no_stranger_s_message(self, model: Model) -> None:
        model.put(dict(message_item(message(SAM, 5))), row(ANA, BEN, at(9), "made up"))
        assert model.repair(FaultKind.PREVIEW_AHEAD, "GRP#ana", at(9))
        assert "text at 5" not in model.previews(ANA)

    def test_shows_the_newest_message_however_reads_lag(self, model: Model) -> None:
        model.put(row(ANA, BEN, at(9), "made up"))
        model.table.past = [dict(model.table.items)]
        model.put(dict(message_item(message(BEN, 5))))
        lagging = ours.open_table(memory.Client(model.table, lag=lambda most: min(1, most)))
        assert repair_fault(
            lagging, known_people, Fault(FaultKind.PREVIEW_AHEAD, "GRP#ana", at(9), GROUP)
        )
        assert "text at 5" in model.previews(ANA)


class TestASend:
    def test_deletes_each_of_several_rows_also_after_a_conflict(self, model: Model) -> None:
        model.put(row(ANA, BEN, at(-7), "text before in g"))

        def marked() -> None:
            changed = row(ANA, BEN, at(0), "text before in g")
            model.put(changed | {"after_removal": {"S": "another's"}})

        model.meanwhile[2] = marked
        ours.send(model.handle, GROUP, ours.Draft(BEN, ANA, "hello"))
        assert model.previews(ANA) == ["hello"]


class TestAStart:
    def test_over_a_conversation_of_other_software_stores_the_pair(self) -> None:
        model = Model(conversation(ANA, BEN, pair=False))
        sent, is_first = ours.start(model.handle, ours.Draft(ANA, BEN, "hello"))
        assert (sent.message_group_uuid, is_first) == (GROUP, False)
        assert model.table.items["PAIR#ana#ben", "PAIR"]["group_uuid"] == {"S": GROUP}

    def test_goes_where_another_start_has_gone_first(self) -> None:
        """Cruddur has made two conversations; another start chooses the other one meanwhile."""
        pair = dict(ours.pair_item(ANA, BEN, OTHER_GROUP))
        for place in range(12):
            model = Model(
                conversation(ANA, BEN, OTHER_GROUP, before_us=9, pair=False)
                | conversation(ANA, BEN, pair=False)
            )

            def chosen(model: Model = model) -> None:
                model.table.items = table_of(pair) | model.table.items

            model.meanwhile[place] = chosen
            sent, _ = ours.start(model.handle, ours.Draft(ANA, BEN, "hello"))
            stored = model.table.items["PAIR#ana#ben", "PAIR"]["group_uuid"]
            assert stored == {"S": sent.message_group_uuid}, place


class TestALoad:
    def test_moves_on_where_another_message_has_the_time_of_a_line(self, model: Model) -> None:
        lines = [ours.TranscriptMessage(BEN, "a line", ours.EPOCH)]
        ours.load_transcript(model.handle, (ANA, BEN), lines)
        assert model.texts() == {at(0): "text before in g", at(1): "a line"}

    def test_of_earlier_lines_looks_again_after_each_reply_that_was_lost(
        self, model: Model, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Earlier lines move no row, so the rows do not show that they were stored."""
        monkeypatch.setattr(bulk_load, "_CHUNK", 1)
        before = dict(model.table.items)
        lines = [
            ours.TranscriptMessage(BEN, f"line {n}", ours.EPOCH - (9 - n) * ours.MICROSECOND)
            for n in range(3)
        ]
        for lost in range(1, 20):
            model.table.items = dict(before)
            replies = itertools.count(1)

            def lose(replies: Iterator[int] = replies, lost: int = lost) -> None:
                if next(replies) == lost:
                    raise NO_ANSWER

            handle = ours.open_table(memory.Client(model.table, after=lose))
            with contextlib.suppress(StoreError):
                ours.load_transcript(handle, (ANA, BEN), lines)
            ours.load_transcript(model.handle, (ANA, BEN), lines)
            texts = sorted(text for text in model.texts().values() if text.startswith("line"))
            assert texts == ["line 0", "line 1", "line 2"], lost


class TestARemoval:
    def test_leaves_a_message_that_has_taken_the_key_meanwhile(self, model: Model) -> None:
        """Cruddur's put has no condition."""
        removed = ours.message_at(model.handle, GROUP, at(0))
        taken = message(BEN, 0, "at that very key")
        model.meanwhile[4] = lambda: model.put(dict(message_item(taken)))
        assert not ours.remove_message(model.handle, removed)
        assert ours.message_at(model.handle, GROUP, at(0)) == taken
        assert not [pk for pk, _ in model.table.items if pk.startswith("GONE#")]


class TestALostConversation:
    @pytest.fixture
    def lost(self) -> Model:
        """Both have written, and no inbox lists it."""
        model = Model({})
        model.put(dict(message_item(message(ANA, 1))), dict(message_item(message(BEN, 2))))
        return model

    def repair(self, model: Model) -> bool:
        return model.repair(FaultKind.ORPHAN_MESSAGES, f"MSG#{GROUP}", at(1))

    def test_is_listed_for_both_and_shows_each_the_other(self, lost: Model) -> None:
        assert self.repair(lost)
        rows = {(r.owner_uuid, r.other.uuid) for r in View(lost.table.items, {}, ()).rows}
        assert rows == {("ana", "ben"), ("ben", "ana")}
        assert lost.previews(ANA) == lost.previews(BEN) == ["text at 2"]

    def test_is_listed_beside_another_conversation_s_row_at_that_instant(self, lost: Model) -> None:
        lost.put(row(ANA, CLEO, at(2), "Cleo's", OTHER_GROUP))
        assert self.repair(lost)
        assert lost.previews(ANA) == ["text at 2"]
        assert lost.previews(ANA, OTHER_GROUP) == ["Cleo's"]

    def test_is_not_listed_a_second_time_where_a_row_is_there(self, lost: Model) -> None:
        lost.put(row(ANA, BEN, at(1), "text at 1"))
        self.repair(lost)
        assert lost.previews(ANA) == lost.previews(BEN) == ["text at 2"]

    def test_with_one_known_member_stays_unchanged(self) -> None:
        model = Model(table_of(dict(message_item(message(ANA, 1)))))
        before: dict[Any, Any] = dict(model.table.items)
        assert not self.repair(model)
        assert model.table.items == before


def test_a_message_is_found_from_its_own_key_on(model: Model) -> None:
    uuid = "message before in g"
    assert find_message(model.handle, GROUP, uuid, since=at(0)) is not None
    assert find_message(model.handle, GROUP, uuid, since=at(1)) is None


def test_what_another_load_stores_between_two_transactions_is_not_stored_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A transaction has 90 lines; with one in each, a short transcript needs several."""
    monkeypatch.setattr(bulk_load, "_CHUNK", 1)
    lines = [ours.TranscriptMessage((ANA, BEN)[n % 2], f"line {n}") for n in range(4)]

    def load(table: ours.Table) -> None:
        ours.load_transcript(table, (ANA, BEN), lines)

    for place in range(40):
        model = Model({})
        model.meanwhile[place] = lambda model=model: load(model.others)
        load(model.handle)
        texts = [
            item["message"]["S"]
            for item in model.table.items.values()
            if item["pk"]["S"].startswith("MSG#")
        ]
        assert sorted(texts) == [line.text for line in lines], place
