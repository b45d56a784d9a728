"""The page of all conversations: loaded, filtered, counted, empty, broken."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from driving import ask, element, give_reason, labels, opened, person, said
from streamlit.testing.v1 import AppTest

from admin_app import downloads
from admin_app.message_groups.all_conversations import AllConversations
from core.commands import Command
from core.dynamodb import keys
from core.dynamodb.patterns.sends import Draft, send, start
from core.errors import UnreachableError
from core.usecases.conversations import current_names

PAGE = "views/message_groups.py"


def rows(app: AppTest) -> list[dict[str, Any]]:
    return element(app, "groups")["rows"]


def previews(app: AppTest) -> list[str]:
    return [row["preview"] for row in rows(app)]


@pytest.fixture
def two_groups(db, table) -> None:
    ana, ben, londo = (person(db, handle) for handle in ("andrewbrown", "bayko", "londo"))
    message, _ = start(table, Draft(ana, ben, "about lunch"))
    send(table, message.message_group_uuid, Draft(ben, ana, "=about() **lunch**"))
    start(table, Draft(ben, londo, "about tea"))


def test_every_conversation_is_listed_newest_first(two_groups) -> None:
    app = opened(PAGE)
    assert previews(app) == ["about tea", "=about() **lunch**"]
    members = {member["handle"]: member["name"] for member in rows(app)[0]["members"]}
    assert members["bayko"] == "Andrew Bayko"
    assert "2 of 2 loaded conversations: the whole store" in said(app)


def test_a_filter_searches_members_and_last_messages(two_groups) -> None:
    app = opened(PAGE)
    for sought, count in (("LONDO", 1), ("lunch", 1), ("bayko", 2), ("zzz", 0)):
        app.text_input(key="q").input(sought).run()
        assert len(rows(app)) == count


def test_a_click_on_a_head_sorts_and_the_address_keeps_it(two_groups) -> None:
    app = opened(PAGE)
    wanted = element(app, "groups")["sort"]["next"]["at"]
    for _ in range(2):  # asked twice, it does not turn the order back
        ask(app, "groups", "sort", order=wanted)
        assert previews(app) == ["=about() **lunch**", "about tea"]
        assert app.query_params["sort"] == "at"
    ask(app, "groups", "sort", order="nonsense")
    assert previews(app) == ["=about() **lunch**", "about tea"]


def test_messages_are_counted_on_demand_and_sorted_by_count(two_groups) -> None:
    app = opened(PAGE)
    tea, lunch = rows(app)
    ask(app, "groups", "count", group=lunch["group"])
    assert [row["count"] for row in rows(app)] == [None, 2]
    ask(app, "groups", "count", group=tea["group"])
    ask(app, "groups", "sort", order="-messages")
    assert [row["count"] for row in rows(app)] == [2, 1]


def test_a_store_that_does_not_answer_keeps_the_table(two_groups, monkeypatch) -> None:
    app = opened(PAGE)

    def fail(*_: object) -> None:
        raise UnreachableError("DynamoDB does not answer", "Start it.")

    monkeypatch.setattr("admin_app.message_groups.table.count_messages", fail)
    ask(app, "groups", "count", group=rows(app)[0]["group"])
    assert "DynamoDB does not answer" in said(app)
    assert [row["count"] for row in rows(app)] == [None, None]


@pytest.mark.parametrize("button", ["read on", "read all", "read again"])
def test_rows_that_cannot_be_loaded_now_keep_the_table(two_groups, monkeypatch, button) -> None:
    monkeypatch.setattr("core.dynamodb.patterns.all_conversations._MOST_ROWS", 1)
    app = opened(PAGE)

    def fail(*_: object, **__: object) -> None:
        raise UnreachableError("DynamoDB does not answer", "Start it, or run", Command("up"))

    reading = "admin_app.message_groups.all_conversations.list_all_inbox_rows"
    with monkeypatch.context() as outage:
        outage.setattr(reading, fail)
        app.button(key=button).click().run()
        assert "DynamoDB does not answer" in said(app)
        assert "or run in a terminal:" in said(app)
        assert len(rows(app)) == 1
    app.button(key="read all").click().run()
    assert "does not answer" not in said(app)
    assert len(rows(app)) == 2


def test_more_than_a_page_is_loaded_on_demand(two_groups, monkeypatch) -> None:
    monkeypatch.setattr("core.dynamodb.patterns.all_conversations._MOST_ROWS", 2)
    app = opened(PAGE)
    assert "there are more" in said(app)
    while "Load more" in labels(app):
        app.button(key="read on").click().run()
    assert "2 of 2 loaded conversations: the whole store" in said(app)


def test_everything_is_loaded_in_steps(two_groups, monkeypatch) -> None:
    monkeypatch.setattr("core.dynamodb.patterns.all_conversations._MOST_ROWS", 1)
    app = opened(PAGE)
    assert "1 of 1 loaded conversations: there are more, at 0.5 RCU" in said(app)
    app.button(key="read all").click().run()
    assert "2 of 2 loaded conversations: the whole store" in said(app)
    assert "Stop" not in labels(app)


def test_reading_again_shows_what_is_new(db, table, two_groups) -> None:
    app = opened(PAGE)
    start(table, Draft(person(db, "andrewbrown"), person(db, "londo"), "just now"))
    app.run()
    assert len(rows(app)) == 2
    app.button(key="read again").click().run()
    assert len(rows(app)) == 3


def test_an_empty_store_shows_where_to_start(db, table) -> None:
    assert "No conversations yet" in said(opened(PAGE))


def test_a_missing_table_names_the_command(db, environ) -> None:
    assert "invoke ddb.schema-load" in said(opened(PAGE))


@pytest.fixture
def production(two_groups, table) -> None:
    marker = keys.ENVIRONMENT_KEY | {"environment": {"S": "production"}}
    table.request("put_item", Item=marker)


def test_production_shows_nothing_without_a_login(production) -> None:
    app = opened(PAGE)
    assert "needs a login" in said(app)
    assert element(app, "groups") is None


def test_production_shows_nothing_without_a_reason(production, logged_in, audit_lines) -> None:
    app = opened(PAGE)
    assert element(app, "groups") is None
    app = give_reason(app, "Why do you open all conversations?", "ticket 9")
    assert len(rows(app)) == 2
    (entry,) = audit_lines
    assert (entry.what, entry.why) == ("message groups opened", "ticket 9")


def test_each_name_is_asked_for_once(db, table, two_groups, monkeypatch) -> None:
    monkeypatch.setattr("core.dynamodb.patterns.all_conversations._MOST_ROWS", 1)
    asked: list[str] = []

    def note(db, user_uuids):
        asked.extend(user_uuids)
        return current_names(db, user_uuids)

    monkeypatch.setattr("admin_app.message_groups.all_conversations.current_names", note)
    overview = AllConversations()
    overview.read_on(db, table)
    while overview.cursor is not None:
        overview.read_on(db, table)
    whole = overview.whole(db, table, lambda rows: None)
    assert len(whole.people) == 3
    assert sorted(asked) == sorted(whole.people)


@pytest.mark.parametrize("form", ["JSON Lines", "CSV"])
def test_a_download_has_the_exact_text(db, table, form) -> None:
    start(table, Draft(person(db, "andrewbrown"), person(db, "bayko"), "about  lunch\nand tea"))
    app = opened(PAGE)
    next(button for button in app.button if button.label == form).click().run()
    download = downloads.WAITING.take(element(app, "groups")["download"]["path"])
    text = b"".join(download.chunks()).decode()
    if form == "CSV":
        (row,) = csv.DictReader(io.StringIO(text, newline=""))
    else:
        row = json.loads(text)
    assert row["last_message"] == "about  lunch\nand tea"


def test_a_download_contains_rows_that_are_not_loaded(db, table, two_groups, monkeypatch) -> None:
    monkeypatch.setattr("core.dynamodb.patterns.all_conversations._MOST_ROWS", 1)
    loaded = AllConversations()
    loaded.read_on(db, table)
    assert loaded.cursor is not None
    seen: list[int] = []
    previews = [group.newest_row.preview for group in loaded.whole(db, table, seen.append).groups]
    assert previews == ["about tea", "=about() **lunch**"]
    assert seen[-1] == 4  # rows, two a conversation
    assert loaded.cursor is not None  # the page still shows what it has loaded
