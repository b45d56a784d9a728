"""One operation on the model of the table, and what others do between two of its requests.

The explored scopes have the common cases. These need a row at a special place, several
conversations, or an index that lacks one row of two.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.dynamodb import keys
from core.dynamodb.patterns import sends

from . import memory
from .explore import ours
from .explore.actors import ANA, BEN, CLEO, GROUP, OTHER_GROUP, SAM
from .explore.ours import (
    REMOVED_TEXT,
    Draft,
    FaultKind,
    MemberErasedError,
    MessageRemovedError,
    MessageUnconfirmedError,
    Person,
    StoreError,
    TranscriptMessage,
    message_item,
)
from .explore.scopes import conversation
from .invariants import inserts
from .meanwhile import FIRST, Model, after_each_interruption, at, message, row, talking

pytestmark = pytest.mark.usefixtures("still_clock")


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

    def test_deletes_no_row_of_another_conversation_in_the_place_of_a_second_one(self) -> None:
        def made() -> Model:
            model = talking()
            model.put(row(ANA, BEN, at(-7), FIRST.text))
            return model

        for after in after_each_interruption(
            made,
            lambda model: model.deliver(message(BEN, 5)),
            lambda model: model.put(row(ANA, CLEO, at(-7), "Cleo's", OTHER_GROUP)),
        ):
            assert after.previews(ANA, OTHER_GROUP) == ["Cleo's"]

    def test_lists_a_conversation_once_at_every_moment_also_if_the_index_lacks_the_row(
        self, model: Model
    ) -> None:
        without = {key: item for key, item in model.table.items.items() if key[0] != "GRP#ana"}
        model.lag_behind(without)
        seen: list[int] = []
        model.client.before = lambda: seen.append(len(model.previews(ANA)))
        model.deliver(message(BEN, 5))
        assert {*seen, len(model.previews(ANA))} == {1}

    @pytest.mark.parametrize("reads_lag", [False, True])
    def test_shows_its_message_behind_a_row_that_others_put_at_its_time_meanwhile(
        self, model: Model, reads_lag: bool
    ) -> None:
        if reads_lag:
            model.lag_behind(model.table.items)
        model.client.ahead_of_transaction = lambda: model.put(row(ANA, BEN, at(5), "made up"))
        model.deliver(message(ANA, 5))
        assert model.previews(ANA) == ["text at 5"]

    def test_shows_the_newest_message_if_a_row_at_its_own_time_shows_another_text(
        self, model: Model
    ) -> None:
        model.put_messages(message(BEN, 7))
        model.put(row(ANA, BEN, at(5), "made up"))
        model.deliver(message(BEN, 5))
        assert model.previews(ANA) == ["text at 7"]

    def test_finds_the_newest_message_behind_a_page_of_a_stranger_s(self, model: Model) -> None:
        model.put_messages(*(message(SAM, n) for n in range(20, 29)))
        model.put(row(ANA, BEN, at(9), "made up"))
        model.deliver(message(BEN, 5))
        assert model.previews(ANA) == ["text at 5"]

    def test_shows_no_message_without_a_valid_time(self, model: Model) -> None:
        model.put_messages(replace(message(BEN, 7), sort_key="no time"))
        model.put(row(ANA, BEN, at(9), "made up"))
        model.deliver(message(BEN, 5))
        assert model.previews(ANA) == ["text at 5"]

    def test_moves_the_rows_of_the_sender_s_pair_where_two_use_one_id(self, model: Model) -> None:
        model.put(row(CLEO, SAM, at(1), "text at 1"), row(SAM, CLEO, at(1), "text at 1"))
        model.deliver(message(CLEO, 9))
        assert model.previews(CLEO) == model.previews(SAM) == ["text at 9"]
        assert model.previews(ANA) == model.previews(BEN) == [FIRST.text]

    def test_names_a_member_whose_row_was_lost_as_their_last_message_does(
        self, model: Model
    ) -> None:
        model.put_messages(message(BEN, 3))
        model.drop_rows(ANA)
        model.deliver(message(ANA, 5))
        assert [row.other for row in model.rows(ANA)] == [BEN]

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
        model.deliver(message(ANA, 5))
        assert model.previews(ANA) == ["text at 6"]


class TestASend:
    @pytest.mark.parametrize("erased", [ANA, BEN], ids=lambda person: person.handle)
    def test_is_refused_if_a_member_is_erased_meanwhile_also_where_a_row_is_missing(
        self, model: Model, erased: Person
    ) -> None:
        model.drop_rows(BEN)
        model.client.ahead_of_transaction = lambda: ours.erase_user(model.others, erased.uuid)
        with pytest.raises(MemberErasedError):
            ours.send(model.handle, GROUP, Draft(ANA, BEN, "hello"))
        assert "hello" not in model.texts().values()

    @pytest.mark.parametrize("erased", [ANA, BEN], ids=lambda person: person.handle)
    def test_is_refused_if_an_erasure_of_a_member_has_just_begun(
        self, model: Model, erased: Person
    ) -> None:
        model.drop_rows(BEN)
        begun = keys.erased_user_key(erased.uuid) | {"erased_at": {"S": ""}}
        model.client.ahead_of_transaction = lambda: model.put(begun)
        with pytest.raises(MemberErasedError):
            ours.send(model.handle, GROUP, Draft(ANA, BEN, "hello"))

    def test_into_a_conversation_that_has_lost_its_other_member_is_refused(
        self, model: Model
    ) -> None:
        ours.erase_user(model.others, BEN.uuid)
        (remaining,) = model.rows(ANA)
        with pytest.raises(MemberErasedError):
            ours.send(model.handle, GROUP, Draft(ANA, remaining.other, "hello"))
        assert "hello" not in model.texts().values()

    def test_leaves_another_conversation_s_row_that_has_come_to_where_one_was(
        self, model: Model
    ) -> None:
        """Ana had two rows; one of them is deleted, and Cleo's conversation takes its time."""

        def taken() -> None:
            model.put(row(ANA, CLEO, at(-7), "Cleo's", OTHER_GROUP))

        model.put(row(ANA, BEN, at(-7), FIRST.text))
        model.client.ahead_of_transaction = taken
        ours.send(model.handle, GROUP, Draft(BEN, ANA, "hello"))
        assert model.previews(ANA) == ["hello"]
        assert model.previews(ANA, OTHER_GROUP) == ["Cleo's"]

    def test_comes_behind_the_conversation_s_last_message_whatever_the_clock_says(self) -> None:
        model = Model(conversation(ANA, BEN, before_us=-9))
        ours.send(model.handle, GROUP, Draft(BEN, ANA, "hello"))
        assert max(model.texts().items())[1] == "hello"

    @pytest.mark.parametrize("owner", [ANA, BEN], ids=lambda person: person.handle)
    def test_goes_behind_another_conversation_s_row_in_either_inbox(
        self, model: Model, owner: Person
    ) -> None:
        model = Model(conversation(ANA, BEN, before_us=-9))
        model.put(row(owner, CLEO, at(10), "Cleo's", OTHER_GROUP))
        ours.send(model.handle, GROUP, Draft(BEN, ANA, "hello"))
        assert model.previews(ANA) == model.previews(BEN) == ["hello"]
        assert model.previews(owner, OTHER_GROUP) == ["Cleo's"]

    def test_goes_behind_a_message_that_has_come_to_its_key(self, model: Model) -> None:
        """Cruddur puts it there, and moves no row."""
        model.client.ahead_of_transaction = lambda: model.put_messages(message(ANA, 1))
        assert ours.send(model.handle, GROUP, Draft(BEN, ANA, "hello")).sort_key == at(2)

    def test_whose_answer_is_lost_is_unconfirmed_at_its_key_until_the_store_answers(
        self, model: Model
    ) -> None:
        def refuse() -> None:
            model.client.ahead_of_transaction = refuse
            raise memory.refusal("InternalServerError", "TransactWriteItems")

        model.client.ahead_of_transaction = refuse
        with pytest.raises(MessageUnconfirmedError) as unconfirmed:
            ours.send(model.handle, GROUP, Draft(BEN, ANA, "hello"))
        assert unconfirmed.value.created_at == at(1)

    def test_that_is_retried_is_shown_behind_a_later_row_of_no_newer_message(
        self, model: Model
    ) -> None:
        model.put(row(ANA, BEN, at(9), "made up"))
        ours.send(model.handle, GROUP, Draft(BEN, ANA, "hello", tried_from=at(1)))
        assert model.previews(ANA) == model.previews(BEN) == ["hello"]

    def test_that_is_retried_hides_no_newer_message_however_reads_lag(self, model: Model) -> None:
        model.drop_rows(ANA)
        model.drop_rows(BEN)
        model.put(row(ANA, BEN, at(9), "text at 5"), row(BEN, ANA, at(9), "text at 5"))
        model.lag_behind(model.table.items)
        model.put_messages(message(ANA, 5))
        ours.send(model.handle, GROUP, Draft(BEN, ANA, "hello", tried_from=at(1)))
        assert "hello" in model.texts().values()
        assert "hello" not in model.previews(ANA) + model.previews(BEN)

    def test_is_not_tried_again_after_an_error_that_no_try_can_help(self, model: Model) -> None:
        """The SDK's first try may be stored; its second one was not allowed."""

        def refuse() -> None:
            tries.append("refused")
            model.client.ahead_of_transaction = refuse
            more = {"ResponseMetadata": {"RetryAttempts": 1}}
            raise memory.refusal("AccessDeniedException", "TransactWriteItems", **more)

        tries: list[str] = []
        model.client.ahead_of_transaction = refuse
        with pytest.raises(MessageUnconfirmedError):
            ours.send(model.handle, GROUP, Draft(BEN, ANA, "hello"))
        assert tries == ["refused"]

    def test_that_is_stored_is_sent_also_if_looking_for_others_rows_fails(
        self, model: Model, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object) -> None:
            raise StoreError("No answer", "Try again.")

        monkeypatch.setattr(sends, "settle", fail)
        assert ours.send(model.handle, GROUP, Draft(BEN, ANA, "hello")).text == "hello"

    def test_deletes_a_hundred_rows_of_one_inbox_in_a_few_sends(self, model: Model) -> None:
        """More rows than a transaction has room for; other software has left them."""
        for owner, other in ((ANA, BEN), (BEN, ANA)):
            model.put(*(row(owner, other, at(-n), FIRST.text) for n in range(60)))
        for n in range(3):
            ours.send(model.handle, GROUP, Draft(BEN, ANA, f"hello {n}"))
        assert model.previews(ANA) == model.previews(BEN) == ["hello 2"]

    @pytest.mark.parametrize("tried_from", [at(0), at(1)], ids=["earlier", "its own"])
    def test_that_is_retried_is_found_where_it_was_stored_however_reads_lag(
        self, model: Model, tried_from: str
    ) -> None:
        model.lag_behind(model.table.items)
        draft = Draft(BEN, ANA, "hello")
        sent = ours.send(model.handle, GROUP, draft)
        assert sent.sort_key == at(1)
        assert ours.send(model.handle, GROUP, replace(draft, tried_from=tried_from)) == sent
        assert len(model.texts()) == 2

    def test_that_is_retried_finds_its_removal_however_far_its_key_had_moved(
        self, model: Model
    ) -> None:
        draft = Draft(BEN, ANA, "hello")
        sent = ours.send(model.handle, GROUP, draft)
        model.remove(sent, by=model.others)
        for tried_from in (at(0), sent.sort_key):
            with pytest.raises(MessageRemovedError):
                ours.send(model.handle, GROUP, replace(draft, tried_from=tried_from))
        assert "hello" not in model.texts().values()

    def test_is_retried_at_a_key_whose_earlier_message_was_removed(self, model: Model) -> None:
        """The retry's key is free again: another message's removal does not concern it."""
        model.remove(FIRST, by=model.others)
        draft = Draft(BEN, ANA, "hello", tried_from=at(0))
        assert ours.send(model.handle, GROUP, draft).sort_key == at(0)
        assert model.texts() == {at(0): "hello"}


class TestAStart:
    @pytest.mark.parametrize("erased", [ANA, BEN], ids=lambda person: person.handle)
    def test_is_refused_if_one_of_the_two_is_erased_meanwhile(self, erased: Person) -> None:
        model = Model(conversation(ANA, CLEO, OTHER_GROUP) | conversation(BEN, SAM, "third"))
        model.client.ahead_of_transaction = lambda: ours.erase_user(model.others, erased.uuid)
        with pytest.raises(MemberErasedError):
            ours.start(model.handle, Draft(ANA, BEN, "hello"))
        assert not any("hello" in str(item) for item in model.table.items.values())

    def test_continues_the_conversation_of_the_pair_however_reads_lag(self) -> None:
        """Not the newest that the inboxes list: Cruddur has made that one since."""
        paired = conversation(ANA, BEN, before_us=9)
        model = Model(paired | conversation(ANA, BEN, OTHER_GROUP, pair=False) | paired)
        model.lag_behind({})
        sent, _ = ours.start(model.handle, Draft(ANA, BEN, "hello"))
        assert sent.message_group_uuid == GROUP

    def test_stores_no_pair_of_a_user_who_is_erased_meanwhile(self) -> None:
        model = Model(conversation(ANA, BEN, pair=False))
        model.client.ahead_of_transaction = lambda: ours.erase_user(model.others, BEN.uuid)
        with pytest.raises(MemberErasedError):
            ours.start(model.handle, Draft(ANA, BEN, "hello"))
        assert not [pk for pk, _ in model.table.items if pk.startswith("PAIR#")]

    @pytest.mark.parametrize("owner", [ANA, BEN], ids=lambda person: person.handle)
    def test_goes_behind_another_conversation_s_row_in_either_inbox(self, owner: Person) -> None:
        model = Model({})
        model.put(row(owner, CLEO, at(0), "Cleo's", OTHER_GROUP))
        sent, _ = ours.start(model.handle, Draft(BEN, ANA, "hello"))
        group = sent.message_group_uuid
        assert model.previews(ANA, group) == model.previews(BEN, group) == ["hello"]
        assert model.previews(owner, OTHER_GROUP) == ["Cleo's"]

    def test_that_is_retried_keeps_the_key_of_its_first_try(self) -> None:
        model = Model({})
        sent, _ = ours.start(model.handle, Draft(ANA, BEN, "hello", tried_from=at(3)))
        assert sent.sort_key == at(3)

    def test_that_is_retried_and_refused_stays_unconfirmed(self) -> None:
        """Its first try may still be carried out."""

        def refuse() -> None:
            model.client.ahead_of_transaction = refuse
            raise memory.refusal("ThrottlingException", "TransactWriteItems")

        model = Model({})
        model.client.ahead_of_transaction = refuse
        with pytest.raises(MessageUnconfirmedError):
            ours.start(model.handle, Draft(ANA, BEN, "hello", tried_from=at(3)))

    def test_that_was_stored_ahead_of_an_erasure_is_found_after_a_lost_answer(self) -> None:
        model = Model({})
        model.lose_answer(lambda: ours.erase_user(model.others, BEN.uuid))
        sent, is_first = ours.start(model.handle, Draft(ANA, BEN, "hello"))
        assert (sent.text, is_first) == ("hello", True)

    def test_whose_answer_is_lost_is_stored_once(self) -> None:
        model = Model({})
        model.lose_answer()
        sent, is_first = ours.start(model.handle, Draft(ANA, BEN, "hello"))
        assert is_first
        assert list(model.texts(sent.message_group_uuid).values()) == ["hello"]

    @pytest.mark.parametrize("owner", [ANA, BEN], ids=lambda person: person.handle)
    def test_continues_a_conversation_that_one_of_the_two_inboxes_lists(
        self, owner: Person
    ) -> None:
        model = Model(conversation(ANA, BEN, pair=False))
        model.drop_rows(owner)
        sent, _ = ours.start(model.handle, Draft(ANA, BEN, "hello"))
        assert sent.message_group_uuid == GROUP

    def test_that_was_stored_and_is_retried_is_sent_once(self) -> None:
        model = Model({})
        draft = Draft(ANA, BEN, "hello")
        sent, _ = ours.start(model.handle, draft)
        again, _ = ours.start(model.handle, replace(draft, tried_from=sent.sort_key))
        assert again == sent
        assert list(model.texts(sent.message_group_uuid).values()) == ["hello"]


LINES = [TranscriptMessage((ANA, BEN)[n % 2], f"line {n}") for n in range(3)]


class TestALoad:
    def load(self, model: Model, lines: list[TranscriptMessage] = LINES) -> None:
        ours.load_transcript(model.handle, (ANA, BEN), lines)

    def test_stores_no_line_again_that_was_removed(self, model: Model) -> None:
        self.load(model)
        (removed,) = [key for key, text in model.texts().items() if text == "line 1"]
        model.remove(ours.message_at(model.others, GROUP, removed), by=model.others)
        self.load(model)
        assert "line 1" not in model.texts().values()

    def test_stores_each_line_once_however_reads_lag(self, model: Model) -> None:
        model.lag_behind(model.table.items)
        self.load(model)
        model.lag_behind({})
        self.load(model)
        assert list(model.texts().values()) == [FIRST.text, "line 0", "line 1", "line 2"]

    @pytest.mark.parametrize("erased", [ANA, BEN], ids=lambda person: person.handle)
    def test_is_refused_if_an_erasure_of_a_member_has_just_begun(
        self, model: Model, erased: Person
    ) -> None:
        begun = keys.erased_user_key(erased.uuid) | {"erased_at": {"S": ""}}
        model.client.ahead_of_transaction = lambda: model.put(begun)
        with pytest.raises(MemberErasedError):
            self.load(model)
        assert list(model.texts().values()) == [FIRST.text]

    def test_stores_two_hundred_lines_in_their_order(self, model: Model) -> None:
        lines = [TranscriptMessage((ANA, BEN)[n % 2], f"line {n}") for n in range(200)]
        self.load(model, lines)
        texts = [text for _, text in sorted(model.texts().items())]
        assert texts == [FIRST.text, *(line.text for line in lines)]

    def test_stores_lines_of_one_instant_in_their_order(self, model: Model) -> None:
        self.load(model, [replace(line, created_at=ours.EPOCH) for line in LINES])
        texts = [text for _, text in sorted(model.texts().items())]
        assert texts == [FIRST.text, "line 0", "line 1", "line 2"]

    @pytest.mark.parametrize("owner", [ANA, BEN], ids=lambda person: person.handle)
    def test_goes_behind_another_conversation_s_row_in_either_inbox(
        self, model: Model, owner: Person
    ) -> None:
        self.load(model, [replace(LINES[0], created_at=ours.EPOCH - ours.MICROSECOND)])
        model.put(row(owner, CLEO, at(1), "Cleo's", OTHER_GROUP))
        self.load(model, LINES[1:2])
        assert model.previews(ANA) == model.previews(BEN) == ["line 1"]
        assert model.previews(owner, OTHER_GROUP) == ["Cleo's"]


class TestAFailingProjection:
    """Its first transaction fails."""

    def failing(self, model: Model, code: str, *reasons: str) -> list[dict[str, str]]:
        """What is asked for again after ``code``, with the reasons of a cancelled transaction."""
        codes = [{"Code": reason} for reason in reasons]
        error = memory.refusal(code, "TransactWriteItems", CancellationReasons=codes)

        def fail() -> None:
            raise error

        model.client.ahead_of_transaction = fail
        item = dict(message_item(message(BEN, 5)))
        model.put(item)
        return ours.project(model.handle, inserts([item]))["batchItemFailures"]

    def test_asks_for_a_record_again_that_may_succeed_later(self, model: Model) -> None:
        assert self.failing(model, "InternalServerError") == [{"itemIdentifier": "0"}]

    def test_drops_a_record_whose_row_would_be_too_large(self, model: Model) -> None:
        cancelled = "TransactionCanceledException"
        assert self.failing(model, cancelled, "ValidationError", "None", "None") == []

    def test_tries_again_after_a_conflict(self, model: Model) -> None:
        cancelled = "TransactionCanceledException"
        assert self.failing(model, cancelled, "None", "None", "TransactionConflict") == []
        assert model.previews(ANA) == model.previews(BEN) == ["text at 5"]


class TestARepair:
    def test_leaves_one_of_two_rows_of_a_conversation(self, model: Model) -> None:
        model.put(row(ANA, BEN, at(-7), FIRST.text))
        assert model.repair(FaultKind.DUPLICATE_ROW, "GRP#ana", at(-7))
        assert model.previews(ANA) == [FIRST.text]

    def test_gives_a_missing_row_the_name_that_the_other_person_has_now(self, model: Model) -> None:
        model.drop_rows(ANA)
        model.put_messages(replace(message(BEN, 5), sender=replace(BEN, handle="as he was")))
        assert model.repair(FaultKind.MISSING_ROW, "GRP#ben", at(0))
        assert [row.other for row in model.rows(ANA)] == [BEN]

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
