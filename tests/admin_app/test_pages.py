"""Each state of each page: loaded, empty, refused, broken. In process, on real engines."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any
from urllib.parse import urlsplit

import pytest
import unguarded
from driving import give_reason, labels, opened, person, said
from streamlit.testing.v1 import AppTest
from unguarded import Database

from admin_app import logins
from admin_app.conversations.messages import STEP
from admin_app.logins import Login
from admin_app.person_search import MATCHES
from core.dynamodb import keys
from core.dynamodb.patterns import reads
from core.dynamodb.patterns.sends import Draft, start
from core.dynamodb.table import Table
from core.errors import UnreachableError
from core.postgres import admin, users
from core.targets.postgres import parse_url


def opened_for(group: str, reason: str) -> AppTest:
    """A conversation of bayko's on production, with the reason that it asks for."""
    app = opened(user="bayko", conversation=group)
    app = give_reason(app, "Why do you open this conversation?", reason)
    assert not app.exception
    return app


def test_a_conversation_is_shown_oldest_first(db, table) -> None:
    ana, ben = person(db, "andrewbrown"), person(db, "bayko")
    for text in ("one", "two", "three"):
        message, _ = start(table, Draft(ana, ben, text))
    app = opened(user="bayko", conversation=message.message_group_uuid)
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
        table.request("put_item", Item=keys.key(keys.inbox_pk(ben.uuid), at) | more)
    app = opened(user="bayko", conversation=group)
    assert [element.value for element in app.text] == ["hi"]


def test_the_banner_names_the_target_and_no_password(db, table, environ) -> None:
    banner = said(opened())
    assert environ["DDB_MESSAGE_TABLE"] in banner
    assert urlsplit(environ["CONNECTION_URL"]).password not in banner


def test_nobody_yet_names_the_command_that_seeds(environ, table) -> None:
    address = parse_url(environ["CONNECTION_URL"], "CONNECTION_URL")
    unguarded.create_database(address)
    with Database(address) as db:
        admin.load_schema(db, "local")
    assert "invoke db.seed" in said(opened())


def test_no_conversation_yet_says_where_to_start_one(db, table) -> None:
    assert "No conversations yet" in said(opened(user="bayko"))


def test_nothing_is_opened_before_somebody_chooses_it(db, table) -> None:
    start(table, Draft(person(db, "andrewbrown"), person(db, "bayko"), "private"))
    app = opened(user="bayko")
    assert "Choose a conversation" in said(app)
    assert [element.value for element in app.text] == []


def test_people_are_found_by_a_part_of_their_handle_or_name(db, table) -> None:
    app = opened()
    assert len([label for label in labels(app) if "@" in label]) == 3
    app.text_input(key="sought").input("w BAYK").run()
    assert [label for label in labels(app) if "@" in label] == ["Andrew Bayko · @bayko"]
    app.text_input(key="sought").input("nobody-here").run()
    assert "nobody-here" in said(app)


def test_more_people_than_fit_are_paged(db, table) -> None:
    for n in range(MATCHES + 3):
        users.create_user(db, f"person{n:02}", f"Person {n}", f"person{n}@example.com")
    app = opened()
    app.text_input(key="sought").input("person").run()
    first = [label for label in labels(app) if "@" in label]
    app.button(key="people more").click().run()
    second = [label for label in labels(app) if "@" in label]
    assert (len(first), len(second)) == (MATCHES, 3)
    assert not set(first) & set(second)
    app.button(key="people more").click().run()
    assert [label for label in labels(app) if "@" in label] == first


def test_a_filter_looks_at_names_and_last_messages(db, table) -> None:
    ben = person(db, "bayko")
    start(table, Draft(person(db, "andrewbrown"), ben, "about lunch"))
    start(table, Draft(person(db, "londo"), ben, "about tea"))
    app = opened(user="bayko")
    for sought, shown in (("LUNCH", ["Andrew Brown"]), ("londo", ["Londo Mollari"]), ("zzz", [])):
        app.text_input(key="filter").input(sought).run()
        names = [label.split("**")[1] for label in labels(app) if label.startswith("**")]
        assert names == shown
    assert "None of the 2 loaded" in said(app)


def test_opening_a_conversation_asks_for_one_page_of_it(db, table, monkeypatch) -> None:
    ana, ben = person(db, "andrewbrown"), person(db, "bayko")
    for n in range(STEP + 10):
        message, _ = start(table, Draft(ana, ben, f"message {n}"))
    asked: list[str] = []
    real = Table.request

    def request(self: Table, operation: str, **params: Any) -> Any:
        asked.append(f"{operation} {params.get('ExpressionAttributeValues', {}).get(':pk')}")
        return real(self, operation, **params)

    monkeypatch.setattr(Table, "request", request)
    app = opened(user="bayko", conversation=message.message_group_uuid)
    texts = [element.value for element in app.text]
    assert texts == [f"message {n}" for n in range(10, STEP + 10)]
    of_the_thread = [line for line in asked if keys.message_pk(message.message_group_uuid) in line]
    assert len(of_the_thread) == 1
    assert len(asked) == len(set(asked)), "something was read twice"
    app.button(key="older").click().run()
    assert [element.value for element in app.text][:10] == [f"message {n}" for n in range(10)]


def test_a_search_leads_to_the_place_and_back(db, table) -> None:
    ana, ben = person(db, "andrewbrown"), person(db, "bayko")
    for n in range(STEP + 30):
        message, _ = start(table, Draft(ana, ben, f"Needle {n}" if n == 3 else f"hay {n}"))
    group = message.message_group_uuid
    app = opened(user="bayko", conversation=group)
    app.text_input(key=f"words {group}").input("needle").run()
    assert "1 found in 80 messages: the whole conversation" in said(app)
    next(button for button in app.button if str(button.key).startswith("hit ")).click().run()
    texts = [element.value for element in app.text]
    assert texts[:3] == ["hay 2", "Needle 3", "hay 4"]
    assert "found" in "".join(str(caption.value) for caption in app.caption)
    assert "at" in app.query_params
    app.button(key="newest").click().run()
    assert [element.value for element in app.text][-1] == f"hay {STEP + 29}"
    assert "at" not in app.query_params


def test_a_date_leads_to_the_day(db, table) -> None:
    ana, ben = person(db, "andrewbrown"), person(db, "bayko")
    group = start(table, Draft(ana, ben, "today"))[0].message_group_uuid
    for day in range(1, 29):
        values = {"message": f"day {day}", "message_uuid": str(uuid.uuid4()), "user_uuid": ben.uuid}
        item = keys.key(keys.message_pk(group), f"2024-02-{day:02}T12:00:00.000000+00:00")
        table.request("put_item", Item=item | {k: {"S": v} for k, v in values.items()})
    app = opened(user="bayko", conversation=group)
    app.date_input(key=f"date {group}").set_value(date(2024, 2, 20)).run()
    texts = [element.value for element in app.text]
    assert texts.index("day 20") < 5
    assert texts[-1] == "today"


def test_a_missing_database_names_the_command_that_makes_it(environ, table) -> None:
    assert "invoke db." in said(opened())


def test_a_missing_table_names_the_command_that_makes_it(db, environ) -> None:
    assert "invoke ddb.schema-load" in said(opened(user="bayko"))


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
    next(button for button in app.button if button.label == "Send").click().run()
    assert not app.exception
    return app


@pytest.mark.parametrize(
    ("sender", "recipient", "text", "complaint"),
    [
        ("", "bayko", "hi", "From is empty"),
        ("bayko", "", "hi", "To is empty"),
        ("bayko", "nobody-here", "hi", "nobody-here"),
        ("bayko", "bayko", "hi", "two different people"),
        ("bayko", "londo", "  ", "The message is empty"),
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
    assert "This started" in said(app)
    assert app.text_area[0].value == ""


def test_that_two_talk_already_is_said_before_anything_is_sent(db, table) -> None:
    start(table, Draft(person(db, "andrewbrown"), person(db, "bayko"), "hi"))
    app = opened("views/new_conversation.py")
    app.text_input(key="from").input("bayko").run()
    app.text_input(key="to").input("@andrewbrown").run()
    assert "These two already have a conversation" in said(app)
    app.text_input(key="to").input("londo").run()
    assert "These two already have a conversation" not in said(app)


def test_what_is_wrong_with_a_person_is_said_beside_the_field(db, table) -> None:
    app = opened("views/new_conversation.py")
    app.text_input(key="from").input("bayko").run()
    app.text_input(key="to").input("bayko").run()
    assert "two different people" in said(app)
    app.text_input(key="to").input("nobody-here").run()
    assert "nobody-here" in said(app)
    app.text_input(key="to").input("lon").run()
    next(button for button in app.button if "Londo" in button.label).click().run()
    assert app.text_input(key="to").value == "londo"


def test_a_draft_outlives_a_page_that_cannot_be_drawn(db, table, monkeypatch) -> None:
    message, _ = start(table, Draft(person(db, "andrewbrown"), person(db, "bayko"), "hi"))
    app = opened(user="bayko", conversation=message.message_group_uuid)
    box = next(box for box in app.text_input if box.label == "Message")
    real = Table.request

    def fail(self: Table, operation: str, **params: Any) -> Any:
        raise UnreachableError("DynamoDB does not answer", "Run: invoke up")

    monkeypatch.setattr(Table, "request", fail)
    box.input("a draft")
    next(button for button in app.button if button.label == "Send").click().run()
    assert not app.exception
    assert "invoke up" in said(app)
    assert next(box for box in app.text_input if box.label == "Message").value == "a draft"
    monkeypatch.setattr(Table, "request", real)
    next(button for button in app.button if button.label == "Send").click().run()
    assert [element.value for element in app.text] == ["hi", "a draft"]
    assert next(box for box in app.text_input if box.label == "Message").value == ""


class TestProduction:
    @pytest.fixture
    def production(self, db, table) -> Table:
        marker = keys.ENVIRONMENT_KEY | {"environment": {"S": "production"}}
        table.request("put_item", Item=marker)
        start(table, Draft(person(db, "andrewbrown"), person(db, "bayko"), "private"))
        return table

    @pytest.fixture
    def group(self, db, production) -> str:
        (row,) = reads.list_inbox(production, person(db, "bayko").uuid, limit=5).entries
        return row.message_group_uuid

    def test_shows_nothing_without_a_login(self, production) -> None:
        app = opened()
        assert "needs a login" in said(app)
        assert [element.value for element in app.text] == []

    @pytest.fixture
    def signed_in(self, production, logged_in) -> Login:
        """Production, and a person who may see it."""
        return logged_in

    def test_an_inbox_is_opened_for_a_reason_which_is_kept(
        self, db, signed_in, group, audit_lines
    ) -> None:
        app = opened(user="bayko")
        assert "private" not in "\n".join(labels(app))
        assert list(audit_lines) == []
        app = give_reason(app, "Why do you open this inbox?", "ticket 6")
        assert "private" in "\n".join(labels(app))
        (entry,) = audit_lines
        assert (entry.what, entry.why) == ("inbox opened", "ticket 6")
        assert entry.about == (person(db, "bayko").uuid,)
        app.run()  # neither asked nor noted again
        assert len(audit_lines) == 1

    def test_is_red_and_read_only(self, signed_in, group) -> None:
        app = opened_for(group, "ticket 7")
        assert "PRODUCTION" in said(app)
        assert "read-only" in said(app)
        assert [element.value for element in app.text] == ["private"]
        assert [button.label for button in app.button if button.label == "Send"] == []

    def test_a_conversation_is_opened_for_a_reason_which_is_kept(
        self, signed_in, group, audit_lines
    ) -> None:
        app = opened(user="bayko", conversation=group)
        assert [element.value for element in app.text] == []
        assert list(audit_lines) == []
        app.button[-1].click().run()
        assert "Say why" in said(app)
        app = opened_for(group, '  "ticket"\n7 ')
        assert [element.value for element in app.text] == ["private"]
        (entry,) = audit_lines
        assert (entry.what, entry.why) == ("conversation opened", '"ticket" 7')
        assert entry.conversation == group
        app.run()  # neither asked nor noted again
        assert len(audit_lines) == 1

    def test_an_answer_is_audited_before_it_is_sent(
        self, db, signed_in, group, audit_lines, monkeypatch
    ) -> None:
        monkeypatch.setattr("sys.argv", ["app.py", "--write"])
        app = opened_for(group, "ticket 7")
        next(box for box in app.text_input if box.label == "Message").input("an answer")
        next(button for button in app.button if button.label == "Send").click().run()
        assert [element.value for element in app.text] == ["private", "an answer"]
        entry = audit_lines[-1]
        assert (entry.what, entry.conversation) == ("message sent", group)
        assert set(entry.about) == {person(db, "bayko").uuid, person(db, "andrewbrown").uuid}
        assert entry.message
        assert "an answer" not in audit_lines.texts

    def test_an_answer_that_cannot_be_audited_is_not_sent(
        self, signed_in, group, production, audit_lines, monkeypatch
    ) -> None:
        monkeypatch.setattr("sys.argv", ["app.py", "--write"])
        app = opened_for(group, "ticket 7")
        audit_lines.path.unlink()
        audit_lines.path.mkdir()
        next(box for box in app.text_input if box.label == "Message").input("an answer")
        next(button for button in app.button if button.label == "Send").click().run()
        assert "Could not write the audit line" in said(app)
        stored = reads.list_messages(production, group, limit=9).entries
        assert [message.text for message in stored] == ["private"]

    def test_after_the_login_has_ended_an_answer_is_not_stored(
        self, signed_in, group, production, audit_lines, monkeypatch
    ) -> None:
        monkeypatch.setattr("sys.argv", ["app.py", "--write"])
        app = opened_for(group, "ticket 7")
        next(box for box in app.text_input if box.label == "Message").input("too late")
        logins.ENDED.add(signed_in)
        next(button for button in app.button if button.label == "Send").click().run()
        assert not app.exception
        assert [title.value for title in app.title] == ["Log in"]
        assert [element.value for element in app.text] == []
        assert len(audit_lines) == 1
        messages = reads.list_messages(production, group, limit=5).entries
        assert [message.text for message in messages] == ["private"]

    def test_can_be_answered_in_when_started_to_write(self, signed_in, group, monkeypatch) -> None:
        monkeypatch.setattr("sys.argv", ["app.py", "--write"])
        app = opened_for(group, "ticket 7")
        assert "you may write" in said(app)
        assert [button.label for button in app.button if button.label == "Send"] == ["Send"]


def test_a_database_that_is_production_makes_the_table_production_too(db, table) -> None:
    db.query_commit("UPDATE public.cruddur_ops_environment SET environment = 'production'")
    assert "needs a login" in said(opened(user="bayko"))


def test_what_is_done_on_a_local_target_leaves_no_audit_line(db, table, audit_lines) -> None:
    send_from_form(opened("views/new_conversation.py"), "bayko", "londo", "a secret of theirs")
    assert list(audit_lines) == []


def test_a_conversation_started_on_production_is_audited_without_its_text(
    db, table, logged_in, audit_lines, monkeypatch
) -> None:
    monkeypatch.setattr("sys.argv", ["app.py", "--write"])
    table.request("put_item", Item=keys.ENVIRONMENT_KEY | {"environment": {"S": "production"}})
    send_from_form(opened("views/new_conversation.py"), "bayko", "londo", "a secret of theirs")
    (entry,) = audit_lines
    assert entry.what == "conversation started or continued"
    assert set(entry.about) == {person(db, "bayko").uuid, person(db, "londo").uuid}
    assert "a secret of theirs" not in audit_lines.texts
    assert "londo" not in audit_lines.texts
