"""The page of all conversations: loaded, filtered, counted, empty, broken."""

from __future__ import annotations

import pytest
from driving import give_reason, labels, opened, person, said

from admin_app.message_groups.all_conversations import AllConversations
from core.dynamodb import keys
from core.dynamodb.patterns.sends import Draft, send, start

PAGE = "views/message_groups.py"


@pytest.fixture
def two_groups(db, table) -> None:
    ana, ben, londo = (person(db, handle) for handle in ("andrewbrown", "bayko", "londo"))
    message, _ = start(table, Draft(ana, ben, "about lunch"))
    send(table, message.message_group_uuid, Draft(ben, ana, "=about() **lunch**"))
    start(table, Draft(ben, londo, "about tea"))


def test_every_conversation_is_listed_newest_first(two_groups) -> None:
    app = opened(PAGE)
    shown = app.dataframe[0].value
    assert list(shown["last_message"]) == ["about tea", "=about() **lunch**"]
    assert "Andrew Bayko (@bayko)" in shown["members"][0]
    assert "2 of 2 loaded conversations: the whole store" in said(app)


def test_a_filter_searches_members_and_last_messages(two_groups) -> None:
    app = opened(PAGE)
    for sought, count in (("LONDO", 1), ("lunch", 1), ("bayko", 2), ("zzz", 0)):
        app.text_input(key="q").input(sought).run()
        assert len(app.dataframe[0].value) == count


def test_more_than_a_page_is_loaded_on_demand(two_groups, monkeypatch) -> None:
    monkeypatch.setattr("core.dynamodb.patterns.all_conversations._MOST_ROWS", 2)
    app = opened(PAGE)
    assert "there are more" in said(app)
    while "Load more" in labels(app):
        app.button(key="read on").click().run()
    assert "2 of 2 loaded conversations: the whole store" in said(app)


def test_reading_again_shows_what_is_new(db, table, two_groups) -> None:
    app = opened(PAGE)
    start(table, Draft(person(db, "andrewbrown"), person(db, "londo"), "just now"))
    app.run()
    assert len(app.dataframe[0].value) == 2
    app.button(key="read again").click().run()
    assert len(app.dataframe[0].value) == 3


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
    assert len(app.dataframe) == 0


def test_production_shows_nothing_without_a_reason(production, logged_in, audit_lines) -> None:
    app = opened(PAGE)
    assert len(app.dataframe) == 0
    app = give_reason(app, "Why do you open all conversations?", "ticket 9")
    assert len(app.dataframe[0].value) == 2
    (entry,) = audit_lines
    assert (entry.what, entry.why) == ("message groups opened", "ticket 9")


def test_a_download_contains_rows_that_are_not_loaded(db, table, two_groups, monkeypatch) -> None:
    monkeypatch.setattr("core.dynamodb.patterns.all_conversations._MOST_ROWS", 1)
    loaded = AllConversations()
    loaded.read_on(db, table)
    assert loaded.cursor is not None
    previews = [group.newest_row.preview for group in loaded.whole(db, table).groups]
    assert previews == ["about tea", "=about() **lunch**"]
    assert loaded.cursor is not None  # the page still shows what it has loaded
