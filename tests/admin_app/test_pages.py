"""Each state of each page: loaded, empty, refused, broken. In process, on real engines."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from admin_app import resources
from core.dynamodb import keys
from core.dynamodb.client import Table, open_table
from core.dynamodb.sends import Draft, start
from core.dynamodb.table import create_table
from core.models import Person
from core.postgres import admin, users
from core.postgres.conninfo import parse_url
from core.postgres.database import Database
from core.postgres.seed import seed
from core.settings import PROJECT_ROOT, Settings
from core.targets import Environment, resolve

APP = str(PROJECT_ROOT / "admin_app" / "app.py")


@pytest.fixture
def environ(engines, monkeypatch) -> Iterator[dict[str, str]]:
    """Stores nobody has set up, named in the environment; the app's caches are its own."""
    server = urlsplit(engines.postgres_url)
    environ = {
        "CONNECTION_URL": server._replace(path=f"/pages-{uuid.uuid4().hex[:12]}").geturl(),
        "AWS_ENDPOINT_URL": engines.aws_endpoint_url,
        "DDB_MESSAGE_TABLE": f"messages-{uuid.uuid4().hex[:12]}",
    }
    for name in ("AWS_ENDPOINT_URL_DYNAMODB", "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "")
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.argv", ["app.py"])
    st.cache_resource.clear()
    st.cache_data.clear()
    yield environ
    resources.database().close()
    st.cache_resource.clear()
    st.cache_data.clear()


@pytest.fixture
def table(environ) -> Table:
    table = open_table(resolve(Settings.from_env(environ), prod=False))
    create_table(table, Environment.LOCAL)
    return table


@pytest.fixture
def db(environ) -> Iterator[Database]:
    address = parse_url(environ["CONNECTION_URL"], "CONNECTION_URL")
    admin.create_database(address)
    with Database(address) as db:
        admin.load_schema(db, "local")
        seed(db, Settings())
        yield db


def person(db: Database, handle: str) -> Person:
    return users.find_by_handle(db, handle).person


def opened(page: str = "", **query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=30)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    if page:
        app.switch_page(page).run()
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    kinds = (app.error, app.info, app.success, app.markdown, app.code, app.caption, app.subheader)
    return "\n".join(str(element.value) for kind in kinds for element in kind).replace("\\", "")


def test_a_conversation_is_shown_oldest_first(db, table) -> None:
    ana, ben = person(db, "andrewbrown"), person(db, "bayko")
    for text in ("one", "two", "three"):
        start(table, Draft(ana, ben, text))
    app = opened(user="bayko")
    assert [element.value for element in app.text] == ["one", "two", "three"]
    assert "Andrew Bayko and Andrew Brown" in said(app)


def test_odd_rows_of_others_are_shown_and_break_nothing(db, table) -> None:
    ana, ben = person(db, "andrewbrown"), person(db, "bayko")
    group = start(table, Draft(ana, ben, "hi"))[0].message_group_uuid
    for at, more in (
        ("2024-01-01T00:00:00", {"message_group_uuid": {"S": group}, "user_uuid": {"S": ana.uuid}}),
        ("zzz", {"message_group_uuid": {"S": "odd"}, "message": {"N": "7"}}),
        ("0000", {}),
        ("0001", {}),
    ):
        table.request("put_item", Item=keys.key(keys.group_pk(ben.uuid), at) | more)
    app = opened(user="bayko", conversation=group)
    assert [element.value for element in app.text] == ["hi"]


def test_the_banner_names_the_target_and_no_password(db, table, environ) -> None:
    banner = said(opened())
    assert environ["DDB_MESSAGE_TABLE"] in banner
    assert urlsplit(environ["CONNECTION_URL"]).password not in banner


def test_nobody_yet_names_the_command_that_seeds(environ, table) -> None:
    address = parse_url(environ["CONNECTION_URL"], "CONNECTION_URL")
    admin.create_database(address)
    with Database(address) as db:
        admin.load_schema(db, "local")
    assert "invoke db.seed" in said(opened())


def test_no_conversation_yet_says_where_to_start_one(db, table) -> None:
    assert "No conversations yet" in said(opened())


def test_a_missing_database_names_the_command_that_makes_it(environ, table) -> None:
    assert "invoke db." in said(opened())


def test_a_missing_table_names_the_command_that_makes_it(db, environ) -> None:
    assert "invoke ddb.schema-load" in said(opened())


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "CONNECTION_URL"])
def test_an_engine_that_is_down_names_the_command_that_starts_it(
    db, table, monkeypatch, variable
) -> None:
    nowhere = {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "CONNECTION_URL": "postgresql://u@127.0.0.1:1/d",
    }
    monkeypatch.setenv(variable, nowhere[variable])
    assert "invoke up" in said(opened())


def test_a_stranger_s_conversation_is_not_shown(db, table) -> None:
    message, _ = start(table, Draft(person(db, "andrewbrown"), person(db, "bayko"), "private"))
    app = opened(user="londo", conversation=message.message_group_uuid)
    assert "not a member" in said(app)
    assert [element.value for element in app.text] == []


def send_from_form(app: AppTest, sender: str, recipient: str, text: str) -> AppTest:
    app.text_input(key="from").input(sender)
    app.text_input(key="to").input(recipient)
    app.text_area[0].input(text)
    app.button[0].click().run()
    assert not app.exception
    return app


@pytest.mark.parametrize(
    ("sender", "recipient", "text", "complaint"),
    [
        ("", "bayko", "hi", "From is empty"),
        ("bayko", "", "hi", "To is empty"),
        ("bayko", "nobody-here", "hi", "nobody-here"),
        ("bayko", "bayko", "hi", "two different people"),
        ("bayko", "londo", "  ", "the message is empty"),
    ],
)
def test_a_form_that_cannot_be_sent_keeps_the_text_and_says_why(
    db, table, sender, recipient, text, complaint
) -> None:
    app = send_from_form(opened("views/new_conversation.py"), sender, recipient, text)
    assert complaint in said(app)
    assert app.text_area[0].value == text
    assert app.text_input(key="to").value == recipient


def test_a_first_message_goes_out_and_empties_the_box(db, table) -> None:
    app = send_from_form(opened("views/new_conversation.py"), "bayko", "@londo", "hello")
    assert "has begun" in said(app)
    assert app.text_area[0].value == ""


class TestProduction:
    @pytest.fixture
    def production(self, db, table) -> Table:
        marker = keys.ENVIRONMENT_KEY | {"environment": {"S": "production"}}
        table.request("put_item", Item=marker)
        start(table, Draft(person(db, "andrewbrown"), person(db, "bayko"), "private"))
        return table

    def test_shows_nothing_without_a_login(self, production) -> None:
        app = opened()
        assert "needs a login" in said(app)
        assert [element.value for element in app.text] == []

    @pytest.fixture
    def signed_in(self, production, monkeypatch) -> None:
        monkeypatch.setattr("admin_app.access.require_permission", lambda *_: None)

    def test_is_red_and_read_only(self, signed_in) -> None:
        app = opened()
        assert "PRODUCTION" in said(app)
        assert "read-only" in said(app)
        assert app.text_input(key="sought") is not None
        assert [button.label for button in app.button if button.label == "Send"] == []

    def test_can_be_answered_in_when_started_to_write(self, signed_in, monkeypatch) -> None:
        monkeypatch.setattr("sys.argv", ["app.py", "--write"])
        app = opened()
        assert "you may write" in said(app)
        assert [button.label for button in app.button if button.label == "Send"] == ["Send"]


def test_what_is_done_leaves_one_audit_line_without_the_text(db, table, caplog) -> None:
    logger = logging.getLogger("cruddur.audit")
    logger.addHandler(caplog.handler)
    try:
        app = opened("views/new_conversation.py")
        send_from_form(app, "bayko", "londo", "a secret of theirs")
    finally:
        logger.removeHandler(caplog.handler)
    (line,) = [
        record.message for record in caplog.records if "conversation started" in record.message
    ]
    assert '"as_user": "bayko"' in line
    assert "a secret of theirs" not in line
