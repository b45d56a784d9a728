"""The page of the stores: each part by itself, loaded, broken, repaired, refused."""

from __future__ import annotations

import json

import pytest
from driving import opened, person, said

from core.doctor import Finding, State
from core.dynamodb import keys, reads
from core.dynamodb.sends import Draft, start

PAGE = "views/store.py"


def press(app, label: str):
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception
    return app


def test_both_stores_are_described(db, table, environ) -> None:
    shown = said(opened(PAGE))
    assert environ["DDB_MESSAGE_TABLE"] in shown
    assert "message-group-sk-index" in shown
    assert "on, NEW_IMAGE" in shown
    assert "on demand" in shown
    assert "**Users**: 3" in shown
    assert "DynamoDB consumed for this page, just now: 0 RCU" in shown


def test_who_is_connected_is_shown(db, table) -> None:
    assert "cruddur-ops" in set(opened(PAGE).dataframe[0].value["application"])


def test_a_missing_table_hides_postgres_not(db, environ) -> None:
    shown = said(opened(PAGE))
    assert "invoke ddb.schema-load" in shown
    assert "**Users**: 3" in shown


def test_a_missing_database_hides_dynamodb_not(environ, table) -> None:
    shown = said(opened(PAGE))
    assert "invoke db." in shown
    assert "message-group-sk-index" in shown


def test_the_account_s_tables_are_listed_on_demand(db, table) -> None:
    app = press(opened(PAGE), "List the account’s tables")
    assert table.name in set(app.dataframe[0].value["Table"])


def test_the_doctor_s_findings_are_shown_with_what_mends_them(db, table, monkeypatch) -> None:
    found = [
        Finding("one", State.OK, "as it should be"),
        Finding("two", State.BAD, "**broken**", "Run: invoke up"),
    ]
    monkeypatch.setattr("core.doctor.examine", lambda target: iter(found))
    shown = said(press(opened(PAGE), "Run the doctor"))
    assert "⚠️ **two** **broken** → Run: invoke up" in shown
    assert "✅ **one** as it should be" in shown


@pytest.fixture
def stale_row(db, table) -> None:
    """A conversation that one of its members no longer finds."""
    start(table, Draft(person(db, "andrewbrown"), person(db, "bayko"), "hi"))
    (row,) = reads.list_conversations(table, person(db, "bayko").uuid, limit=5).entries
    table.request("delete_item", Key=keys.key(keys.group_pk(row.owner_uuid), row.sort_key))


def test_a_healthy_store_is_all_well(db, table) -> None:
    assert "All well" in said(press(opened(PAGE), "Verify the messages"))


def test_a_fault_is_found_and_repaired_once_its_table_is_named(
    db, table, stale_row, audit_lines
) -> None:
    app = press(opened(PAGE), "Verify the messages")
    assert list(app.dataframe[1].value["fault"]) == ["missing row"]
    app.text_input[-1].input("another table")
    press(app, "Repair")
    assert "is not the table’s name" in said(app)
    assert audit_lines == []
    app.text_input[-1].input(table.name)
    press(app, "Repair")
    press(app, "Verify the messages")
    assert "All well" in said(app)
    begun, ended = (json.loads(line) for line in audit_lines)
    assert (begun["what"], ended["what"], ended["mended"]) == ("repair begun", "repair ended", "1")


def test_messages_over_time_are_counted_on_demand(db, table) -> None:
    start(table, Draft(person(db, "andrewbrown"), person(db, "bayko"), "hi"))
    app = opened(PAGE)
    assert "RCU" in said(app)
    press(app, "Count the messages")
    assert "1 messages" in said(app)
    hourly, daily = app.dataframe[-2].value, app.dataframe[-1].value
    assert (len(hourly), len(daily)) == (48, 30)
    assert hourly["Messages"].sum() == daily["Messages"].sum() == 1


def test_production_without_write_offers_no_repair(db, table, stale_row, monkeypatch) -> None:
    marker = keys.ENVIRONMENT_KEY | {"environment": {"S": "production"}}
    table.request("put_item", Item=marker)
    monkeypatch.setattr("admin_app.access.require_permission", lambda *_: None)
    app = press(opened(PAGE), "Verify the messages")
    assert "To repair, start the admin UI with --write" in said(app)
    assert "Repair" not in [button.label for button in app.button]
