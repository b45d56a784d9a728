"""The page Search: in the store, in one user's conversations, stopped, refused, audited."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from types import SimpleNamespace

import pytest
from driving import give_reason, opened, person, said
from streamlit.runtime.scriptrunner import StopException
from streamlit.testing.v1 import AppTest

from admin_app import resources
from admin_app.search.searching import Question, Searching
from admin_app.store.jobs import Job
from core.dynamodb import keys
from core.dynamodb.patterns.sends import Draft, start
from core.errors import LoginEndedError

PAGE = "views/search.py"


@pytest.fixture
def conversations(db, table) -> None:
    ana, ben, londo = (person(db, handle) for handle in ("andrewbrown", "bayko", "londo"))
    start(table, Draft(ana, ben, "Lunch at noon?"))
    start(table, Draft(londo, ben, "no lunch for me"))
    start(table, Draft(ana, londo, "tea, then lunch"))


def search(app: AppTest, **values: object) -> AppTest:
    """Fill in the form, search, and return the page after everything was read."""
    for name, value in values.items():
        kind = app.date_input if isinstance(value, date) else app.text_input
        kind(key=f"search {name}").set_value(value)
    next(button for button in app.button if button.label == "Search").click().run()
    assert not app.exception
    if "searching" in app.session_state:
        assert app.session_state["searching"].job.wait(20)
    return app.run()


def hits(app: AppTest) -> list[str]:
    links = [node.proto for node in app.get("page_link")]
    return sorted(link.label.split("**")[1] for link in links if "**" in link.label)


def test_the_store_or_one_user_is_searched(conversations) -> None:
    app = search(opened(PAGE), words="LUNCH")
    assert hits(app) == ["andrewbrown", "andrewbrown", "londo"]
    assert "3 found" in said(app)
    assert "on demand" in said(app)
    assert hits(search(app, user="bayko")) == ["andrewbrown", "londo"]
    assert hits(search(app, sender="londo")) == ["londo"]
    assert hits(search(app, before=date(2020, 1, 1))) == []
    # The address names the search, and a page that opens it has the form filled in.
    names = {name: app.query_params[name] for name in ("words", "sender", "before")}
    assert names == {"words": "LUNCH", "sender": "londo", "before": "2020-01-01"}
    another = opened(PAGE, **names)
    assert another.text_input(key="search words").value == "LUNCH"
    assert another.date_input(key="search before").value == date(2020, 1, 1)
    assert hits(another) == []  # it starts with a click


def test_a_match_leads_to_its_sender_who_has_been_renamed(db, conversations) -> None:
    db.query_commit("UPDATE public.users SET handle = 'lo' WHERE handle = 'londo'")
    app = search(opened(PAGE), words="for me")
    assert hits(app) == ["lo"]
    (link,) = [node.proto for node in app.get("page_link") if "lo" in node.proto.label]
    assert "user=lo&" in link.query_string


def test_a_search_is_listed_with_what_it_consumes(conversations) -> None:
    search(opened(PAGE), words="lunch")
    latest = resources.jobs().history[-1]
    assert (latest.title, latest.capacity.requests > 0) == ("Search", True)


def test_a_click_that_ends_the_run_of_another_one_finds_its_search(
    conversations, monkeypatch
) -> None:
    def pages(*_: object, **__: object) -> Iterator[SimpleNamespace]:
        while not is_over.wait(0.01):
            yield SimpleNamespace(looked_at=1, messages=())

    def end_the_run(*_: object) -> None:
        raise StopException

    is_over = threading.Event()
    monkeypatch.setattr("admin_app.search.searching.search", pages)
    monkeypatch.setattr(Job, "wait", end_the_run)
    app = opened(PAGE)
    begun: list[Job] = []
    drawn = app._tree
    for words in ("lunch", "lunch", "tea"):
        app._tree = drawn  # what a browser still shows
        app.text_input(key="search words").set_value(words)
        next(button for button in app.button if button.label == "Search").click().run()
        begun.append(app.session_state["searching"].job)
    first, second, third = begun
    assert first is second
    assert first._ended.wait(10)
    assert third.is_running
    assert [*resources.jobs().history] == [first, third]
    is_over.set()
    assert third._ended.wait(10)


def test_a_search_ends_with_the_login(db, table, conversations) -> None:
    def log_out() -> None:
        raise LoginEndedError("The login has ended")

    @contextmanager
    def open_stores(*_: object, **__: object) -> Iterator[SimpleNamespace]:
        yield SimpleNamespace(db=db, table=table)

    desk = SimpleNamespace(open=open_stores, visitor=SimpleNamespace(require_login=log_out))
    searching = Searching(Question("lunch"), Job("search", "Search", "somebody"))
    searching.begin(desk)
    assert searching.job.wait(10)
    assert isinstance(searching.job.problem, LoginEndedError)
    assert searching.newest == []


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"words": " "}, "The search is empty"),
        ({"words": "x", "user": "nobody-here"}, "nobody-here"),
    ],
)
def test_an_invalid_search_is_reported(conversations, values, complaint) -> None:
    assert complaint in said(search(opened(PAGE), **values))


def test_production_needs_a_reason_and_each_search_writes_an_audit_line(
    db, table, conversations, logged_in, audit_lines
) -> None:
    table.request("put_item", Item=keys.ENVIRONMENT_KEY | {"environment": {"S": "production"}})
    app = opened(PAGE)
    assert [box.label for box in app.text_input] == ["Why do you search the messages?"]
    app = give_reason(app, "Why do you search the messages?", "ticket 9")
    app = search(app, words="a secret word", user="bayko")
    opening, searching = audit_lines
    assert {opening.what, searching.what} == {"messages searched"}
    assert (searching.why, searching.about) == ("ticket 9", (person(db, "bayko").uuid,))
    assert "secret" not in audit_lines.texts
