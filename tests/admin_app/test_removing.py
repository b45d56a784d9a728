"""A message is removed from its conversation: the form that asks first."""

from __future__ import annotations

import pytest
from driving import ask, element, inbox, opened, person, said, texts
from streamlit.testing.v1 import AppTest

from admin_app import resources
from core.dynamodb.patterns.sends import Draft, start
from core.dynamodb.table import Table


@pytest.fixture
def conversation(db, table: Table) -> str:
    ana, ben = person(db, "andrewbrown"), person(db, "bayko")
    for text in ("one", "my password", "three"):
        message, _ = start(table, Draft(ana, ben, text))
    return message.message_group_uuid


def asked_to_remove(conversation: str, text: str) -> AppTest:
    app = opened(user="bayko", conversation=conversation)
    messages = element(app, "thread")["messages"]
    (message_uuid,) = (one["uuid"] for one in messages if one["text"] == text)
    return ask(app, "thread", "remove", id=message_uuid)


def submitted(app: AppTest, label: str, *, reason: str = "", name: str = "") -> AppTest:
    next(box for box in app.text_input if box.label == "Reason").input(reason)
    next(box for box in app.text_input if box.label.startswith("Type the table")).input(name)
    return next(button for button in app.button if button.label == label).click().run()


def test_the_form_shows_the_message_and_the_consequences(conversation) -> None:
    app = asked_to_remove(conversation, "my password")
    assert "my password" in said(app)
    assert "for good" in said(app)
    assert element(app, "thread") is None


def test_with_a_reason_and_the_name_the_message_is_removed(conversation, table: Table) -> None:
    app = asked_to_remove(conversation, "three")
    app = submitted(app, "Remove", reason="a leaked password", name=table.name)
    assert texts(app) == ["one", "my password", "A message was removed"]
    assert [row["preview"] for row in inbox(app)] == ["my password"]


@pytest.mark.parametrize(
    ("reason", "name", "problem"),
    [
        ("", "{}", "No reason was given"),
        ("a leak", "", "The table’s name is missing"),
        ("a leak", "another", "Refused: 'another' is not the name of the table"),
    ],
)
def test_without_the_reason_or_the_name_nothing_is_removed(
    conversation, table: Table, reason, name, problem
) -> None:
    app = asked_to_remove(conversation, "three")
    app = submitted(app, "Remove", reason=reason, name=name.format(table.name))
    assert problem in said(app)
    app = submitted(app, "Cancel")
    assert texts(app) == ["one", "my password", "three"]


def test_a_message_that_is_not_shown_cannot_be_removed(conversation) -> None:
    app = opened(user="bayko", conversation=conversation)
    app = ask(app, "thread", "remove", id="another message's uuid")
    assert texts(app) == ["one", "my password", "three"]


def matches(app: AppTest) -> list[str]:
    return [hit["excerpt"] for hit in element(app, "thread")["search"]["hits"]]


def test_a_removed_message_is_no_longer_among_the_matches_of_a_search(
    conversation, table: Table
) -> None:
    app = opened("views/search.py")
    app.text_input(key="search words").set_value("three")
    next(button for button in app.button if button.label == "Search").click().run()
    assert app.session_state["searching"].job.wait(20)
    assert "1 found" in said(app.run())
    app.query_params["user"], app.query_params["conversation"] = "bayko", conversation
    app.switch_page("views/conversations.py").run()
    app = ask(app, "thread", "search", words="e")
    assert matches(app) == ["three", "one"]
    app = ask(app, "thread", "remove", id=element(app, "thread")["messages"][-1]["uuid"])
    app = submitted(app, "Remove", reason="a leaked password", name=table.name)
    assert matches(app) == ["one"]
    assert "0 found" in said(app.switch_page("views/search.py").run())


def test_a_removed_message_is_no_longer_on_the_page_of_all_conversations(
    conversation, table: Table
) -> None:
    app = opened("views/message_groups.py")
    assert [row["preview"] for row in element(app, "groups")["rows"]] == ["three"]
    app.query_params["user"], app.query_params["conversation"] = "bayko", conversation
    app.switch_page("views/conversations.py").run()
    app = ask(app, "thread", "remove", id=element(app, "thread")["messages"][-1]["uuid"])
    app = submitted(app, "Remove", reason="a leaked password", name=table.name)
    app.switch_page("views/message_groups.py").run()
    assert [row["preview"] for row in element(app, "groups")["rows"]] == ["my password"]


def test_what_tabs_have_read_together_does_not_bring_a_removed_message_back(
    conversation, table: Table, monkeypatch
) -> None:
    monkeypatch.setattr(resources.shared_reads(), "_good_for_s", 3600.0)
    app = asked_to_remove(conversation, "three")
    app = submitted(app, "Remove", reason="a leaked password", name=table.name)
    assert texts(app.run())[-1] == "A message was removed"
