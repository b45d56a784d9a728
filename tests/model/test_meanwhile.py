"""One operation on the model of the table, and what others do between two of its requests.

The explored scopes have the common cases. These need a row at a special place, several
conversations, or an index that lacks one row of two.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.dynamodb.transfer.puts import Putter

from .explore.actors import ANA, BEN, CLEO, GROUP, OTHER_GROUP, SAM
from .explore.ours import REMOVED_TEXT, FaultKind
from .explore.scopes import conversation
from .meanwhile import Model, after_each_interruption, at, message, row

pytestmark = pytest.mark.usefixtures("no_waiting")

FIRST = replace(message(ANA, 0, "text before in g"), message_uuid="message before in g")
"""The message that Ana and Ben have from the start."""


def talking() -> Model:
    return Model(conversation(ANA, BEN))


class TestTheProjection:
    def test_shows_a_message_in_a_conversation_that_the_index_does_not_list_yet(
        self, model: Model
    ) -> None:
        unlisted = {key: item for key, item in model.table.items.items() if key[0][:4] != "GRP#"}
        model.lag_behind(unlisted)
        model.deliver(message(BEN, 5))
        assert model.previews(ANA) == model.previews(BEN) == ["text at 5"]

    def test_leaves_one_of_two_rows_that_two_sends_have_put_for_a_batch(self, model: Model) -> None:
        """Both were killed before they looked for each other's row; the index lacks both."""
        model.drop_rows(ANA)
        model.lag_behind(model.table.items)
        model.put(row(ANA, BEN, at(3), "text at 3"), row(ANA, BEN, at(5), "text at 5"))
        model.deliver(message(BEN, 3), message(BEN, 5))
        assert model.previews(ANA) == ["text at 5"]

    def test_lists_a_conversation_once_at_every_moment_also_if_the_index_lacks_the_row(
        self, model: Model
    ) -> None:
        without = {key: item for key, item in model.table.items.items() if key[0] != "GRP#ana"}
        model.lag_behind(without)
        seen: list[int] = []
        model.client.before = lambda: seen.append(len(model.previews(ANA)))
        model.deliver(message(BEN, 5))
        assert {*seen, len(model.previews(ANA))} == {1}

    def test_shows_its_message_behind_a_row_that_others_put_at_its_time_meanwhile(
        self, model: Model
    ) -> None:
        model.client.ahead_of_transaction = lambda: model.put(row(ANA, BEN, at(5), "made up"))
        model.deliver(message(BEN, 5))
        assert model.previews(ANA) == ["text at 5"]

    def test_shows_the_newest_message_if_a_row_at_its_own_time_shows_another_text(
        self, model: Model
    ) -> None:
        model.put_messages(message(BEN, 7))
        model.put(row(ANA, BEN, at(5), "made up"))
        model.deliver(message(BEN, 5))
        assert model.previews(ANA) == ["text at 7"]

    @pytest.mark.parametrize("later", [5, 9])
    def test_moves_no_row_back_in_time(self, model: Model, later: int) -> None:
        model.drop_rows(ANA)
        model.put(row(ANA, BEN, at(later), "made up"))
        model.deliver(message(BEN, 5))
        assert [(row.sort_key, row.preview) for row in model.rows(ANA)] == [
            (at(later + 1), "text at 5")
        ]

    def test_keeps_a_newer_row_at_the_instant_that_its_own_row_would_move_on_to(
        self, model: Model
    ) -> None:
        """Another conversation has the message's instant, and Ana's row was lost."""

        def newer() -> None:
            model.put_messages(message(BEN, 6))
            model.put(row(ANA, BEN, at(6), "text at 6"))

        model.drop_rows(ANA)
        model.put(row(ANA, CLEO, at(5), "Cleo's", OTHER_GROUP))
        model.client.ahead_of_transaction = newer
        model.deliver(message(BEN, 5))
        assert model.previews(ANA) == ["text at 6"]


class TestARepair:
    def test_changes_no_row_that_becomes_another_conversation_s_meanwhile(
        self, model: Model
    ) -> None:
        def taken() -> None:
            model.put(row(ANA, CLEO, at(9), "Cleo's", OTHER_GROUP))

        model.put(row(ANA, BEN, at(9), "made up"))
        model.client.ahead_of_transaction = taken
        assert not model.repair(FaultKind.PREVIEW_AHEAD, "GRP#ana", at(9))
        assert model.previews(ANA, OTHER_GROUP) == ["Cleo's"]

    def test_shows_no_message_that_is_removed_meanwhile(self, model: Model) -> None:
        def repair(model: Model) -> None:
            model.repair(FaultKind.PREVIEW_AHEAD, "GRP#ana", at(9))

        def made() -> Model:
            model = talking()
            model.drop_rows(ANA)
            model.put(row(ANA, BEN, at(9), "made up"))
            return model

        for after in after_each_interruption(
            made, repair, lambda model: model.remove(FIRST, by=model.others)
        ):
            assert FIRST.text not in after.previews(ANA)

    def test_shows_the_newest_message_in_a_stale_row_however_reads_lag(self, model: Model) -> None:
        model.lag_behind(model.table.items)
        model.put_messages(message(BEN, 5))
        assert model.repair(FaultKind.STALE_PREVIEW, "GRP#ana", at(0))
        assert model.previews(ANA) == ["text at 5"]

    def test_repairs_the_row_of_the_pair_that_has_the_fault_where_two_use_one_id(
        self, model: Model
    ) -> None:
        model.put(row(CLEO, SAM, at(9), "text at 9"), row(SAM, CLEO, at(9), "text at 9"))
        model.put_messages(message(BEN, 5), message(CLEO, 9))
        assert model.repair(FaultKind.STALE_PREVIEW, "GRP#ana", at(0))
        assert model.previews(ANA) == model.previews(BEN) == ["text at 5"]

    def test_lists_a_conversation_for_no_stranger_who_wrote_into_it(self, model: Model) -> None:
        """It was reported before its members' rows came back; the other member never wrote."""
        model.put_messages(message(SAM, 5))
        model.repair(FaultKind.ORPHAN_MESSAGES, f"MSG#{GROUP}", at(0))
        assert model.previews(SAM) == []
        assert model.previews(ANA) == model.previews(BEN) == [FIRST.text]


class TestARemoval:
    def test_of_a_message_that_a_repair_shows_meanwhile_leaves_it_in_no_inbox(self) -> None:
        def made() -> Model:
            model = talking()
            model.drop_rows(ANA)
            model.put(row(ANA, BEN, at(9), "made up"))
            return model

        def others_repair(model: Model) -> None:
            model.repair(FaultKind.PREVIEW_AHEAD, "GRP#ana", at(9), by=model.others)

        for after in after_each_interruption(made, lambda m: m.remove(FIRST), others_repair):
            assert after.previews(ANA) in ([REMOVED_TEXT], ["made up"])

    def test_of_a_message_that_the_stream_shows_meanwhile_leaves_it_in_no_inbox(self) -> None:
        """Ben's row was lost, so that the removal reads none."""

        def made() -> Model:
            model = talking()
            model.drop_rows(BEN)
            return model

        for after in after_each_interruption(
            made,
            lambda model: model.remove(FIRST),
            lambda model: model.deliver(FIRST, by=model.others) if model.texts() else None,
        ):
            assert FIRST.text not in after.previews(BEN)

    def test_shows_a_message_that_came_meanwhile_with_an_earlier_time(self) -> None:
        """From a host whose clock is behind: the stream delivers it when it is not the newest."""

        def made() -> Model:
            model = talking()
            model.deliver(message(BEN, 9), by=model.others)
            return model

        for after in after_each_interruption(
            made,
            lambda model: model.remove(message(BEN, 9)),
            lambda model: model.deliver(message(ANA, 3), by=model.others),
        ):
            assert after.previews(ANA) == after.previews(BEN) == ["text at 3"]


class TestAnImport:
    def test_puts_back_no_row_of_a_message_that_is_removed_meanwhile(self) -> None:
        def made() -> Model:
            model = talking()
            model.drop_rows(ANA)
            return model

        for after in after_each_interruption(
            made,
            lambda model: Putter(model.handle).put(row(ANA, BEN, at(0), FIRST.text)),
            lambda model: model.remove(FIRST, by=model.others),
        ):
            assert FIRST.text not in after.previews(ANA)
