"""The outbox sends each message once, however often and from wherever it is asked."""

from __future__ import annotations

import threading
import uuid
from types import SimpleNamespace

import pytest

from admin_app.conversations.elements import Questions
from admin_app.conversations.outbox import Outbox
from core.errors import MessageUnconfirmedError, StoreError
from core.usecases.conversations import Retry

CREATED_AT = "2026-03-04T05:06:07.000000+00:00"
WHERE = ("bayko", "a group")


class Store:
    """Accepts messages, or fails as configured."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Retry]] = []
        self.error: Exception | None = None

    def deliver(self, text: str, retry: Retry):
        self.asked.append((text, retry))
        if self.error is not None:
            raise self.error
        return SimpleNamespace(message=SimpleNamespace(sort_key=CREATED_AT))


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def message_uuid() -> str:
    return str(uuid.uuid4())


def test_a_repeated_question_sends_once(store, message_uuid) -> None:
    outbox = Outbox()
    for _ in range(2):
        outcome = outbox.submit(message_uuid, "one", WHERE, store.deliver, outbox.id)
        assert (outcome.sort_key, outcome.problem) == (CREATED_AT, None)
    assert store.asked == [("one", Retry(message_uuid))]


def test_two_questions_at_once_send_one_message(store, message_uuid) -> None:
    outbox, begun, go_on = Outbox(), threading.Event(), threading.Event()

    def slow(text: str, retry: Retry):
        begun.set()
        go_on.wait(10)
        return store.deliver(text, retry)

    asks = [
        threading.Thread(target=outbox.submit, args=(message_uuid, "one", WHERE, slow, outbox.id))
        for _ in range(2)
    ]
    asks[0].start()
    begun.wait(10)
    asks[1].start()
    go_on.set()
    for ask in asks:
        ask.join(10)
    assert len(store.asked) == 1


def test_a_retry_after_no_answer_looks_for_the_same_message(store, message_uuid) -> None:
    outbox = Outbox()
    store.error = MessageUnconfirmedError(
        "no answer", "Look.", message_uuid=message_uuid, created_at=CREATED_AT
    )
    outcome = outbox.submit(message_uuid, "one", WHERE, store.deliver, outbox.id)
    assert outcome.problem is store.error
    store.error = None
    assert outbox.submit(message_uuid, "one", WHERE, store.deliver, outbox.id).problem is None
    assert store.asked[-1] == ("one", Retry(message_uuid, CREATED_AT))


def test_a_refused_message_can_be_sent_again(store, message_uuid) -> None:
    outbox = Outbox()
    store.error = StoreError("busy", "Try again.")
    assert outbox.submit(message_uuid, "one", WHERE, store.deliver, outbox.id).sort_key == ""
    store.error = None
    outcome = outbox.submit(message_uuid, "one", WHERE, store.deliver, outbox.id)
    assert outcome.sort_key == CREATED_AT
    assert store.asked[-1] == ("one", Retry(message_uuid))


@pytest.mark.parametrize(
    ("text", "where"), [("two", WHERE), ("one", ("ana", "a group")), ("one", ("bayko", "another"))]
)
def test_an_id_is_valid_for_one_message(store, message_uuid, text, where) -> None:
    outbox = Outbox()
    outbox.submit(message_uuid, "one", WHERE, store.deliver, outbox.id)
    assert outbox.submit(message_uuid, text, where, store.deliver, outbox.id).problem is not None
    assert len(store.asked) == 1


@pytest.mark.parametrize("odd", ["", "7", "x" * 36, "6BA7B810-9DAD-41D1-80B4-00C04FD430C8"])
def test_an_invalid_uuid_sends_nothing(store, odd) -> None:
    outbox = Outbox()
    assert outbox.submit(odd, "one", WHERE, store.deliver, outbox.id).problem is not None
    assert store.asked == []


def test_a_message_that_was_posted_before_a_restart_is_not_sent_again(store, message_uuid) -> None:
    before, outbox = Outbox(), Outbox()
    before.submit(message_uuid, "one", WHERE, store.deliver, before.id)
    for _ in range(2):
        outcome = outbox.submit(message_uuid, "one", WHERE, store.deliver, before.id)
        assert "may or may not be stored" in str(outcome.problem)
    assert len(store.asked) == 1
    # It is, once a person has looked whether it is stored.
    outcome = outbox.submit(message_uuid, "one", WHERE, store.deliver, outbox.id)
    assert outcome.sort_key == CREATED_AT


def test_questions_are_answered_once_and_in_order() -> None:
    questions, answered = Questions(), []
    first, second = {"n": 4, "kind": "older"}, {"n": 7, "kind": "send"}
    questions.take([first], answered.append)
    questions.take([first, second], answered.append)
    questions.take([first], answered.append)
    assert answered == [first, second]
    assert questions.answered == 7


class RunStopped(BaseException):
    """As Streamlit ends a run: not an error."""


def test_a_question_whose_run_was_stopped_is_answered_when_it_is_asked_again() -> None:
    questions, answered = Questions(), []

    def stop(_: object) -> None:
        raise RunStopped

    first, second = {"n": 4, "kind": "send"}, {"n": 7, "kind": "close"}
    with pytest.raises(RunStopped):
        questions.take([first, second], stop)
    assert questions.answered == 0
    questions.take([first, second], answered.append)
    assert answered == [first, second]


def test_a_question_that_cannot_be_answered_is_not_asked_again() -> None:
    questions = Questions()

    def fail(_: object) -> None:
        raise ValueError("a fault")

    with pytest.raises(ValueError, match="a fault"):
        questions.take([{"n": 4, "kind": "send"}], fail)
    assert questions.answered == 4


@pytest.mark.parametrize("odd", [None, "text", {"n": 1}, [None, "x", {"n": "1"}, {"kind": "send"}]])
def test_an_invalid_question_is_ignored(odd) -> None:
    answered: list[object] = []
    Questions().take(odd, answered.append)
    assert answered == []
