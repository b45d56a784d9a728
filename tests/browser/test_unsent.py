"""Messages that could not be sent are kept, each in its own conversation."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
import pytest
from playwright.sync_api import Locator, Page, expect

from core.engines import processes

from .conftest import database_of, wait_until_drawn
from .test_accessibility import complaints
from .test_journeys import (
    add_person,
    bubbles,
    message_box,
    say,
    stored,
    wait_for_conversation,
)

NO_SENDER = re.compile("no user", re.IGNORECASE)


@dataclass
class Desk:
    """A tab with the inbox of one user, who has a conversation with Sam and one with Zoe."""

    page: Page
    env: dict[str, str]
    user: str
    url: str

    def open(self, name: str) -> None:
        wait_until_drawn(self.page)
        self.page.get_by_role("link", name=name).first.click()
        wait_for_conversation(self.page, name)
        wait_until_drawn(self.page)

    def type_and_send(self, text: str) -> None:
        message_box(self.page).fill(text)
        self.page.keyboard.press("Enter")

    @contextmanager
    def slow_store(self, *, refuses: bool = True) -> Iterator[None]:
        """Postgres does not answer during this, and then no longer knows the sender's handle."""
        with psycopg.connect(self.env["CONNECTION_URL"]) as connection:
            connection.execute("LOCK TABLE public.users")
            yield
            if refuses:
                connection.execute(
                    "UPDATE public.users SET handle = %(to)s WHERE handle = %(user)s",
                    {"user": self.user, "to": f"{self.user}-renamed"},
                )

    def wait_until_asked(self) -> None:
        """Wait until the server asks the slow store who sends."""
        assert processes.wait_until(lambda: self._sessions("wait_event_type = 'Lock'") > 0, 30)

    def wait_until_answered(self) -> None:
        """Wait until the store has answered everything."""
        assert processes.wait_until(lambda: self._sessions("state = 'active'") == 0, 30)

    def _sessions(self, condition: str) -> int:
        with psycopg.connect(self.env["CONNECTION_URL"]) as connection:
            (count,) = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                f" AND pid <> pg_backend_pid() AND query LIKE '%handle%' AND {condition}"
            ).fetchone()
        return count

    def accept(self) -> None:
        """Let the store know the sender again."""
        with database_of(self.env) as db:
            db.query_commit(
                "UPDATE public.users SET handle = %(user)s WHERE handle = %(to)s",
                {"user": self.user, "to": f"{self.user}-renamed"},
            )

    @property
    def unsent(self) -> Locator:
        return self.page.locator(".thread .unsent")

    @property
    def reason(self) -> Locator:
        """What is said beside the box."""
        return self.page.locator(".thread .said")


@pytest.fixture
def desk(page: Page, app_url, app_env) -> Desk:
    user = f"robin-{uuid.uuid4().hex[:6]}"
    add_person(app_env, user, "Robin")
    for name in ("Sam", "Zoe"):
        handle = f"{name.lower()}-{uuid.uuid4().hex[:6]}"
        add_person(app_env, handle, name)
        say(app_env, user, handle, f"hello {name}")
    desk = Desk(page, app_env, user, f"{app_url}/?user={user}")
    page.goto(desk.url)
    desk.open("Zoe")
    desk.open("Sam")
    return desk


def test_a_refused_message_stays_in_its_conversation_beside_a_newer_draft(desk: Desk) -> None:
    page, box = desk.page, message_box(desk.page)
    with desk.slow_store():
        desk.type_and_send("for Sam alone")
        box.fill("a newer draft")
        page.get_by_role("link", name="Zoe").first.click()
    wait_for_conversation(page, "Zoe")
    # The other conversation says to whom it was, and offers nothing that would send it there.
    expect(desk.unsent).to_contain_text("A message to Sam was not sent.")
    expect(page.get_by_text("for Sam alone")).to_have_count(0)
    expect(page.get_by_role("button", name="Edit it")).to_have_count(0)
    expect(box).to_have_value("")
    expect(desk.reason).to_be_empty()

    page.get_by_role("link", name="Open conversation").click()
    wait_for_conversation(page, "Sam")
    expect(box).to_have_value("a newer draft")
    expect(desk.unsent).to_contain_text("for Sam alone")
    expect(desk.unsent).to_contain_text(NO_SENDER)
    desk.accept()
    page.reload()
    expect(desk.unsent).to_contain_text("for Sam alone")
    expect(box).to_have_value("a newer draft")
    # The two texts change places, and neither is lost.
    page.get_by_role("button", name="Edit it").click()
    expect(box).to_have_value("for Sam alone")
    expect(box).to_be_focused()
    expect(desk.reason).to_contain_text(NO_SENDER)
    expect(desk.unsent).to_contain_text("Draft: a newer draft")
    page.get_by_role("button", name="Edit it").click()
    expect(box).to_have_value("a newer draft")
    expect(desk.reason).to_be_empty()
    # Nor is the refused one lost when the draft is sent first.
    page.keyboard.press("Enter")
    expect(bubbles(page).get_by_text("a newer draft")).to_be_visible()
    expect(desk.unsent).to_contain_text("for Sam alone")
    page.get_by_role("button", name="Edit it").click()
    page.keyboard.press("Enter")
    expect(bubbles(page).get_by_text("for Sam alone")).to_be_visible()
    expect(desk.unsent).to_be_hidden()
    assert stored(desk.env, "for Sam alone") == 3


def test_the_reason_for_a_refusal_is_shown_when_its_conversation_is_opened_again(
    desk: Desk,
) -> None:
    page, box = desk.page, message_box(desk.page)
    with desk.slow_store():
        desk.type_and_send("for Sam alone")
        page.get_by_role("link", name="Zoe").first.click()
    wait_for_conversation(page, "Zoe")
    expect(desk.unsent).to_contain_text("A message to Sam was not sent.")
    expect(box).to_have_value("")
    for _ in range(2):
        desk.open("Sam")
        expect(box).to_have_value("for Sam alone")
        expect(desk.reason).to_contain_text(NO_SENDER)
        desk.open("Zoe")
        expect(desk.unsent).to_contain_text("A message to Sam was not sent.")
    desk.open("Sam")
    desk.accept()
    box.press("Enter")
    expect(bubbles(page).get_by_text("for Sam alone")).to_be_visible()
    expect(desk.reason).to_be_empty()
    desk.open("Zoe")
    expect(desk.unsent).to_be_hidden()


def test_several_refused_messages_are_kept_until_they_are_discarded(desk: Desk) -> None:
    page, box = desk.page, message_box(desk.page)
    with desk.slow_store():
        for text in ("one", "two", "three"):
            desk.type_and_send(text)
    expect(page.get_by_text("Sending…")).to_have_count(0)
    expect(box).to_have_value("one")
    expect(desk.reason).to_contain_text(NO_SENDER)
    rows = desk.unsent.get_by_role("group")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("two")
    assert complaints(page) == []
    # On a phone, the reason is as wide as the box.
    page.set_viewport_size({"width": 390, "height": 844})
    wait_until_drawn(page)
    assert complaints(page) == []
    assert desk.reason.bounding_box()["width"] >= box.bounding_box()["width"]
    page.set_viewport_size({"width": 1280, "height": 900})
    # By keyboard: the list is between the messages and the box.
    bubbles(page).last.focus()
    page.keyboard.press("Tab")
    expect(rows.first.get_by_role("button", name="Edit it")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(rows).to_have_count(1)
    expect(desk.unsent).to_contain_text("three")
    expect(box).to_be_focused()
    expect(box).to_have_value("one")
    desk.open("Zoe")
    expect(desk.unsent).to_contain_text("2 messages to Sam were not sent.")
    desk.open("Sam")
    box.fill("")
    expect(desk.reason).to_be_empty()
    page.get_by_role("button", name="Discard").click()
    expect(desk.unsent).to_be_hidden()
    desk.open("Zoe")
    expect(desk.unsent).to_be_hidden()


def _reload(page: Page) -> None:
    page.reload(wait_until="commit")


def test_messages_that_wait_when_the_page_is_reloaded_are_kept(desk: Desk) -> None:
    page, box = desk.page, message_box(desk.page)
    address = page.url
    first, *others = (f"{n} from {desk.user}" for n in ("one", "two", "three"))
    with desk.slow_store(refuses=False):
        for text in (first, *others):
            desk.type_and_send(text)
        box.fill("a draft")
        desk.wait_until_asked()
        _reload(page)
    page.goto(address)
    # The server had the first one, and stored it.
    expect(bubbles(page).get_by_text(first)).to_be_visible()
    expect(box).to_have_value("a draft")
    rows = desk.unsent.get_by_role("group")
    expect(rows).to_have_count(2)
    for row, text in zip(rows.all(), others, strict=True):
        expect(row).to_contain_text(text)
        expect(row).to_contain_text("The page was reloaded before the message was sent.")
    box.fill("")
    for text in others:
        rows.first.get_by_role("button", name="Edit it").click()
        expect(box).to_have_value(text)
        page.keyboard.press("Enter")
        expect(bubbles(page).get_by_text(text)).to_be_visible()
    expect(desk.unsent).to_be_hidden()
    assert [stored(desk.env, text) for text in (first, *others)] == [1, 1, 3]


def test_a_message_whose_answer_did_not_come_before_a_reload_is_in_the_box_with_the_reason(
    desk: Desk,
) -> None:
    page, box = desk.page, message_box(desk.page)
    address = page.url
    with desk.slow_store():
        desk.type_and_send("with no answer")
        desk.wait_until_asked()
        _reload(page)
    desk.wait_until_answered()
    desk.accept()
    page.goto(address)
    expect(box).to_have_value("with no answer")
    expect(desk.reason).to_contain_text("the message may or may not be stored")
    box.press("Enter")
    expect(bubbles(page).get_by_text("with no answer")).to_be_visible()
    expect(desk.reason).to_be_empty()


def test_messages_that_wait_are_sent_on_the_return_from_another_page(desk: Desk) -> None:
    page = desk.page
    with desk.slow_store(refuses=False):
        desk.type_and_send("one of two")
        desk.type_and_send("two of two")
        page.get_by_role("link", name="Audit").click()
    expect(page.get_by_role("heading", name="Audit")).to_be_visible()
    wait_until_drawn(page)
    page.get_by_role("link", name="Conversations").click()
    expect(bubbles(page).get_by_text("two of two")).to_be_visible()
    expect(message_box(page)).to_have_value("")
    expect(desk.unsent).to_be_hidden()
    assert stored(desk.env, "one of two") == 1
    assert stored(desk.env, "two of two") == 3
