"""What is removed or erased stays so, on the model of the table, and nothing else goes with it.

Cases that no explored scope has: keys that are used again, several conversations under one id,
people who are not known, and reads that lag.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace

import pytest

from core.dynamodb.items import erasure_item
from core.dynamodb.patterns.holds import hold
from core.dynamodb.patterns.removal_reads import list_removals
from core.dynamodb.transfer.puts import DIFFERS, PRESENT, REMOVED, Putter
from core.errors import HeldError
from core.models import Erasure

from . import memory
from .explore import ours
from .explore.actors import ANA, BEN, CLEO, GROUP, OTHER_GROUP, SAM
from .explore.ours import (
    REMOVED_TEXT,
    Draft,
    FaultKind,
    MessageRemovedError,
    Person,
    message_item,
)
from .meanwhile import FIRST, NO_ANSWER, Model, after_each_interruption, at, message, row, talking

pytestmark = pytest.mark.usefixtures("still_clock")


def without_ana_s_row() -> Model:
    model = talking()
    model.drop_rows(ANA)
    return model


def unanswered(act: Callable[[], object]) -> Callable[[], object]:
    """``act``, and then no answer to the request."""

    def acted() -> None:
        act()
        raise NO_ANSWER

    return acted


class TestARemoval:
    def test_is_refused_if_the_sender_is_held_meanwhile(self, model: Model) -> None:
        model.client.ahead_of_transaction = lambda: hold(model.others, ANA.uuid, "a court asked")
        with pytest.raises(HeldError):
            model.remove(FIRST)
        assert model.texts() == {at(0): FIRST.text}

    def test_of_a_second_message_at_one_key_leaves_the_first_one_s_removal(
        self, model: Model
    ) -> None:
        second = message(BEN, 0, "at the key that is free again")
        model.remove(FIRST)
        model.put_messages(second)
        assert model.remove(second)
        gone = {removal.message_uuid for removal in list_removals(model.handle, GROUP)}
        assert gone == {FIRST.message_uuid, second.message_uuid}

    def test_of_a_message_that_another_has_replaced_is_not_reported(self, model: Model) -> None:
        """Cruddur's put has no condition; the removal's first try has no answer."""
        taken = message(BEN, 0, "at that very key")
        model.client.ahead_of_transaction = unanswered(lambda: model.put_messages(taken))
        assert not model.remove(FIRST)

    @pytest.mark.parametrize("reads_lag", [False, True])
    def test_whose_answer_is_lost_is_reported(self, model: Model, reads_lag: bool) -> None:
        if reads_lag:
            model.lag_behind(model.table.items)
        model.client.ahead_of_transaction = unanswered(lambda: model.remove(FIRST, by=model.others))
        assert model.remove(FIRST)

    def test_shows_the_newest_that_remains_at_once_however_reads_lag(self, model: Model) -> None:
        """It needs no second transaction, ahead of which the process may be killed."""

        def killed() -> None:
            raise KeyboardInterrupt

        def after_one() -> None:
            model.client.ahead_of_transaction = killed

        without = dict(model.table.items)
        model.deliver(message(BEN, 5), message(BEN, 9))
        model.lag_behind(without)
        model.client.ahead_of_transaction = after_one
        with contextlib.suppress(KeyboardInterrupt):
            model.remove(message(BEN, 9))
        assert model.previews(ANA) == model.previews(BEN) == ["text at 5"]

    def test_shows_no_stranger_s_message_instead(self, model: Model) -> None:
        model.deliver(message(BEN, 9))
        model.put_messages(message(SAM, 5))
        model.remove(message(BEN, 9))
        assert model.previews(ANA) == model.previews(BEN) == [FIRST.text]

    def test_shows_no_message_that_another_removal_takes_meanwhile(self, model: Model) -> None:
        model.deliver(message(BEN, 5), message(BEN, 9))
        model.client.ahead_of_transaction = lambda: model.remove(message(BEN, 5), by=model.others)
        model.remove(message(BEN, 9))
        assert model.previews(ANA) == model.previews(BEN) == [FIRST.text]

    def test_shows_an_earlier_message_at_once_that_a_retry_stores_meanwhile(
        self, model: Model
    ) -> None:
        """The rows have the mark of one removal already; the retry leaves another one."""

        def look() -> None:
            if at(5) not in model.texts():
                seen.add(*model.previews(ANA))

        seen: set[str] = set()
        model.deliver(message(BEN, 5), message(BEN, 9))
        model.remove(message(BEN, 9))
        draft = Draft(BEN, ANA, "hello", tried_from=at(3))
        model.client.ahead_of_transaction = lambda: ours.send(model.others, GROUP, draft)
        model.client.before = look
        model.remove(message(BEN, 5))
        look()
        assert seen == {"hello"}

    def test_shows_nothing_that_came_meanwhile_and_is_gone_again(self, model: Model) -> None:
        def gone() -> None:
            model.remove(message(ANA, 3), by=model.others)

        def came() -> None:
            model.put_messages(message(ANA, 3))
            model.client.ahead_of_transaction = gone

        model.deliver(message(BEN, 9))
        model.client.ahead_of_transaction = came
        model.remove(message(BEN, 9))
        assert model.previews(ANA) == model.previews(BEN) == [FIRST.text]

    def test_finds_a_row_behind_the_message_that_the_index_lacks(self, model: Model) -> None:
        """Another conversation of Ana's had the message's time once."""
        model.drop_rows(ANA)
        model.lag_behind(model.table.items)
        model.put(row(ANA, BEN, at(1), FIRST.text))
        model.remove(FIRST)
        assert model.previews(ANA) == model.previews(BEN) == [REMOVED_TEXT]

    def test_goes_behind_another_conversation_s_row(self, model: Model) -> None:
        model.deliver(message(BEN, 9))
        model.put(row(ANA, CLEO, at(0), "Cleo's", OTHER_GROUP))
        model.remove(message(BEN, 9))
        assert model.previews(ANA) == model.previews(BEN) == [FIRST.text]
        assert model.previews(ANA, OTHER_GROUP) == ["Cleo's"]

    def test_leaves_the_text_in_none_of_several_rows(self, model: Model) -> None:
        model.put(row(ANA, BEN, at(7), FIRST.text))
        model.remove(FIRST)
        assert model.previews(ANA) == model.previews(BEN) == [REMOVED_TEXT]

    @pytest.mark.parametrize("is_taken", [False, True])
    def test_of_a_message_that_the_stream_shows_meanwhile_leaves_it_in_no_inbox(
        self, is_taken: bool
    ) -> None:
        """The row was lost, so that the removal reads none; its instant may be another's."""

        def made() -> Model:
            model = without_ana_s_row()
            if is_taken:
                model.put(row(ANA, CLEO, at(0), "Cleo's", OTHER_GROUP))
            return model

        for after in after_each_interruption(
            made,
            lambda model: model.remove(FIRST),
            lambda model: model.deliver(FIRST, by=model.others) if model.texts() else None,
        ):
            assert FIRST.text not in after.previews(ANA)


class TestTheProjection:
    def test_shows_what_remains_if_its_message_is_removed_meanwhile(self) -> None:
        shown = message(BEN, 5)
        for after in after_each_interruption(
            talking,
            lambda model: model.deliver(shown),
            lambda model: model.remove(shown, by=model.others),
        ):
            assert after.previews(ANA) == after.previews(BEN) == [FIRST.text]

    def test_names_no_member_whose_erasure_begins_meanwhile_in_a_row_that_was_lost(self) -> None:
        """There is no row whose condition would notice it."""
        model = without_ana_s_row()
        begun = erasure_item(Erasure(GROUP, ANA.uuid, "a replacement", at(0)))
        model.client.ahead_of_transaction = lambda: model.put(dict(begun))
        model.deliver(message(ANA, 5))
        assert [(row.other.uuid, row.preview) for row in model.rows(ANA)] == [
            ("a replacement", "text at 5")
        ]

    def test_puts_no_row_for_an_erased_member(self, model: Model) -> None:
        model.drop_rows(BEN)
        model.put(dict(erasure_item(Erasure(GROUP, ANA.uuid, "a replacement", at(0)))))
        model.deliver(message(ANA, 5))
        assert model.rows(BEN) == []

    def test_keeps_the_one_row_that_a_removal_has_put_for_its_message_meanwhile(
        self, model: Model
    ) -> None:
        """With its mark, which refuses what was asked for before the removal."""
        marked = row(ANA, BEN, at(5), "text at 5") | {"after_removal": {"S": "a later message"}}
        model.client.ahead_of_transaction = lambda: model.put(marked)
        model.deliver(message(ANA, 5))
        assert [(row.preview, row.after_removal) for row in model.rows(ANA)] == [
            ("text at 5", "a later message")
        ]


class TestARetry:
    def test_finds_a_removal_at_its_second_key_that_comes_meanwhile(self, model: Model) -> None:
        """Its late first try is stored and removed; the key's first removal is another's."""
        draft = Draft(BEN, ANA, "hello", tried_from=at(0))

        def stored_and_removed() -> None:
            late = draft.message(GROUP, at(0))
            model.put_messages(late)
            model.remove(late, by=model.others)

        model.deliver(message(ANA, 9))
        model.remove(FIRST, by=model.others)
        model.client.ahead_of_transaction = stored_and_removed
        with pytest.raises(MessageRemovedError):
            ours.send(model.handle, GROUP, draft)
        assert "hello" not in model.texts().values()

    def test_is_refused_after_its_removal_though_its_key_has_moved_on(self, model: Model) -> None:
        """Another message has its key for a while; then its late first try is stored there."""
        draft, other = Draft(BEN, ANA, "hello"), message(ANA, 1)

        def stored_late() -> None:
            model.remove(other, by=model.others)
            late = ours.send(model.others, GROUP, replace(draft, tried_from=at(1)))
            assert late.sort_key == at(1)
            model.remove(late, by=model.others)

        def taken() -> None:
            model.deliver(other, by=model.others)
            model.client.ahead_of_transaction = stored_late

        def no_answer() -> None:
            model.client.ahead_of_transaction = taken
            raise NO_ANSWER

        model.client.ahead_of_transaction = no_answer
        with pytest.raises(MessageRemovedError):
            ours.send(model.handle, GROUP, draft)
        assert "hello" not in model.texts().values()

    def test_finds_its_removal_however_reads_lag(self, model: Model) -> None:
        model.lag_behind(model.table.items)
        draft = Draft(BEN, ANA, "hello")
        model.remove(ours.send(model.others, GROUP, draft), by=model.others)
        with pytest.raises(MessageRemovedError):
            ours.send(model.handle, GROUP, replace(draft, tried_from=at(0)))


class TestAnImport:
    def test_puts_back_no_row_of_a_message_that_is_removed_meanwhile(self) -> None:
        for after in after_each_interruption(
            without_ana_s_row,
            lambda model: Putter(model.handle).put(row(ANA, BEN, at(0), FIRST.text)),
            lambda model: model.remove(FIRST, by=model.others),
        ):
            assert FIRST.text not in after.previews(ANA)

    @pytest.mark.parametrize("reads_lag", [False, True])
    def test_puts_back_no_message_that_is_removed_meanwhile(self, reads_lag: bool) -> None:
        def made() -> Model:
            model = talking()
            if reads_lag:
                model.lag_behind({})
            return model

        for after in after_each_interruption(
            made,
            lambda model: Putter(model.handle).put(dict(message_item(FIRST))),
            lambda model: model.remove(FIRST, by=model.others),
        ):
            assert after.texts() == {}

    def test_puts_back_nothing_of_a_conversation_all_of_which_was_removed(
        self, model: Model
    ) -> None:
        model.remove(FIRST)
        assert Putter(model.handle).put(dict(message_item(FIRST))) == REMOVED

    @pytest.mark.parametrize("item", [message_item(message(BEN, -5)), row(ANA, BEN, at(0), "")])
    def test_puts_back_nothing_of_a_user_who_is_erased_meanwhile(self, item: memory.Item) -> None:
        """The conversation remains, as the other member's."""
        shown = {"message": {"S": FIRST.text}} if "message_group_uuid" in item else {}
        for after in after_each_interruption(
            without_ana_s_row,
            lambda model: Putter(model.handle).put({**item, **shown}),
            lambda model: ours.erase_user(model.others, BEN.uuid),
        ):
            assert "'ben'" not in str(after.table.items)

    def test_puts_no_older_row_beside_a_later_one(self, model: Model) -> None:
        model.put_messages(message(BEN, -5))
        assert Putter(model.handle).put(row(ANA, BEN, at(-5), "text at -5")) == PRESENT
        assert model.previews(ANA) == [FIRST.text]

    def test_puts_back_no_row_whose_text_only_a_stranger_s_message_has(self) -> None:
        model = without_ana_s_row()
        model.put_messages(message(SAM, -1, FIRST.text))
        model.remove(FIRST)
        assert Putter(model.handle).put(row(ANA, BEN, at(0), FIRST.text)) == REMOVED

    def test_leaves_a_message_that_has_taken_the_key_meanwhile(self, model: Model) -> None:
        taken = message(ANA, 5, "at that very key")
        model.client.ahead_of_transaction = lambda: model.put_messages(taken)
        assert Putter(model.handle).put(dict(message_item(message(BEN, 5)))) == DIFFERS
        assert model.texts()[at(5)] == taken.text


KNOWN_TO_NOBODY = Person("first", "first", "First"), Person("second", "second", "Second")
"""Two people who are in the store of messages and not in Postgres."""


class TestARepair:
    def test_of_a_conversation_all_of_which_was_removed_says_so(self, model: Model) -> None:
        model.put(row(ANA, BEN, at(9), "made up"))
        model.drop_rows(BEN)
        model.remove(FIRST)
        assert model.repair(FaultKind.PREVIEW_AHEAD, "GRP#ana", at(9))
        assert "made up" not in model.previews(ANA)

    def test_leaves_a_later_message_that_has_the_key_of_a_removed_one(self, model: Model) -> None:
        model.remove(FIRST)
        model.put_messages(message(BEN, 0, "later"))
        assert not model.repair(FaultKind.REMOVAL_WITHOUT_EFFECT, f"GONE#{GROUP}", at(0))
        assert model.texts() == {at(0): "later"}

    def test_puts_nothing_in_the_place_of_an_item_that_is_gone(self, model: Model) -> None:
        before = dict(model.table.items)
        assert not model.repair(FaultKind.INDEXED_MESSAGE, f"MSG#{GROUP}", at(5))
        assert model.table.items == before

    def test_lists_a_conversation_that_has_lost_a_member_for_the_other_one(
        self, model: Model
    ) -> None:
        ours.erase_user(model.others, BEN.uuid)
        model.drop_rows(ANA)
        assert model.repair(FaultKind.ORPHAN_MESSAGES, f"MSG#{GROUP}", at(0))
        (listed,) = model.rows(ANA)
        assert (listed.preview, listed.other.uuid == BEN.uuid) == (FIRST.text, False)

    def test_leaves_no_row_that_names_an_erased_member_and_comes_meanwhile(
        self, model: Model
    ) -> None:
        """Cruddur's function puts it back; it knows no erasure."""
        ours.erase_user(model.others, BEN.uuid)
        model.drop_rows(ANA)
        model.client.ahead_of_transaction = lambda: model.put(row(ANA, BEN, at(1), FIRST.text))
        assert model.repair(FaultKind.ORPHAN_MESSAGES, f"MSG#{GROUP}", at(0))
        (listed,) = model.rows(ANA)
        assert (listed.preview, listed.other.uuid == BEN.uuid) == (FIRST.text, False)

    @pytest.fixture
    def shared(self, model: Model) -> Model:
        """Two people whom nobody knows any more use the id of Ana's and Ben's conversation."""
        one, other = KNOWN_TO_NOBODY
        model.put(row(one, other, at(3), "text at 3"), row(other, one, at(3), "text at 3"))
        model.put_messages(message(one, 3))
        return model

    def repair_left_over(self, model: Model, owner: Person, key: str) -> bool:
        return model.repair(FaultKind.LEFTOVER_PAIR, f"GRP#{owner.uuid}", key)

    def test_deletes_a_left_over_row_and_its_messages(self, shared: Model) -> None:
        assert self.repair_left_over(shared, KNOWN_TO_NOBODY[0], at(3))
        assert shared.texts() == {at(0): FIRST.text}

    def test_leaves_rows_and_messages_of_people_who_are_known(self, shared: Model) -> None:
        assert not self.repair_left_over(shared, ANA, at(0))
        assert shared.previews(ANA) == [FIRST.text]
        assert shared.texts()[at(0)] == FIRST.text

    def test_leaves_what_a_held_user_wrote_and_what_the_other_one_wrote(
        self, shared: Model
    ) -> None:
        one, other = KNOWN_TO_NOBODY
        hold(shared.others, other.uuid, "a court asked")
        assert not self.repair_left_over(shared, one, at(3))
        assert shared.texts()[at(3)] == "text at 3"
