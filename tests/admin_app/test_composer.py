"""A box for one message: what it sends, and as which message, after any clicks."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from admin_app import composer
from admin_app.composer import Composer
from core.errors import InputError, MessageUnconfirmedError
from core.usecases.conversations import Retry

SENT = object()
CREATED_AT = "2026-03-04T05:06:07.000000+00:00"


class Store:
    """Accepts messages, or gives the configured answer."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Retry]] = []
        self.error: Exception | None = None

    def send(self, text: str, retry: Retry) -> object:
        self.asked.append((text, retry))
        if self.error is not None:
            raise self.error
        return SENT

    def answers_no_more(self) -> None:
        self.error = MessageUnconfirmedError(
            "no answer", "Look.", message_uuid=self.asked[-1][1].message_uuid, created_at=CREATED_AT
        )


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def box(monkeypatch: pytest.MonkeyPatch) -> Composer:
    monkeypatch.setattr(composer, "st", SimpleNamespace(session_state={}))
    return Composer("message")


def press(box: Composer, store: Store, text: str, sender: str = "ana") -> None:
    composer.st.session_state[box.key] = text
    box.submit(box.key, store.send, sender)


def unanswered(box: Composer, store: Store, text: str) -> Retry:
    """Send a message without getting an answer; return the ids for a retry."""

    def send(text: str, retry: Retry) -> object:
        store.asked.append((text, retry))
        store.answers_no_more()
        raise store.error

    composer.st.session_state[box.key] = text
    box.submit(box.key, send, "ana")
    store.error = None
    return Retry(store.asked[-1][1].message_uuid, CREATED_AT)


def test_each_sent_message_is_a_new_one(box, store) -> None:
    press(box, store, "one")
    press(box, store, "one")
    first, second = (retry for _, retry in store.asked)
    assert first.message_uuid != second.message_uuid


def test_a_click_on_a_sent_box_does_nothing(box, store) -> None:
    key = box.key
    press(box, store, "one")
    box.submit(key, store.send)
    assert len(store.asked) == 1


def test_two_clicks_at_once_send_one_message(box, store) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(text: str, retry: Retry) -> object:
        begun.set()
        go_on.wait(10)
        return store.send(text, retry)

    composer.st.session_state[box.key] = "one"
    clicks = [threading.Thread(target=box.submit, args=(box.key, slow)) for _ in range(2)]
    clicks[0].start()
    begun.wait(10)
    clicks[1].start()
    go_on.set()
    for click in clicks:
        click.join(10)
    assert len(store.asked) == 1


def test_the_same_text_again_after_no_answer_is_the_same_message(box, store) -> None:
    expected = unanswered(box, store, "one")
    assert isinstance(box.problem, MessageUnconfirmedError)
    press(box, store, "one")
    assert store.asked[-1] == ("one", expected)
    assert box.problem is None


@pytest.mark.parametrize(("text", "sender"), [("two", "ana"), ("one", "ben")])
def test_another_text_or_sender_after_no_answer_is_another_message(
    box, store, text: str, sender: str
) -> None:
    first = unanswered(box, store, "one")
    press(box, store, text, sender)
    sent, retry = store.asked[-1]
    assert sent == text
    assert retry.message_uuid != first.message_uuid
    assert retry.created_at is None


def test_a_refused_message_can_be_corrected_and_sent(box, store) -> None:
    store.error = InputError("too long", "Shorten it.")
    press(box, store, "one")
    assert box.problem is store.error
    store.error = None
    press(box, store, "two")
    assert (box.problem, box.last) == (None, SENT)
