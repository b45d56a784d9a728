"""Each state of each page: loaded, empty, refused, broken. In process, on real engines."""

from __future__ import annotations

import itertools
import uuid
from typing import Any
from urllib.parse import urlsplit

import pytest
import unguarded
from botocore import xform_name
from botocore.client import BaseClient
from driving import (
    answer_with,
    ask,
    element,
    give_reason,
    inbox,
    labels,
    opened,
    outcome,
    person,
    said,
    texts,
)
from streamlit.testing.v1 import AppTest
from unguarded import Database

from admin_app import downloads, logins
from admin_app.conversations.shared_reads import STEP
from admin_app.logins import Login
from admin_app.person_search import MATCHES
from core.dynamodb import keys
from core.dynamodb.patterns import reads
from core.dynamodb.patterns.erasing import erase_user
from core.dynamodb.patterns.sends import Draft, start
from core.dynamodb.table import Table
from core.errors import UnreachableError
from core.models import Person
from core.postgres import admin, users
from core.targets.postgres import parse_url


def opened_for(group: str, reason: str) -> AppTest:
    """A conversation of bayko's on production, opened with a reason."""
    app = opened(user="bayko", conversation=group)
    app = give_reason(app, "Why do you open this conversation?", reason)
    assert not app.exception
    return app


def test_a_conversation_is_shown_oldest_first(db, table) -> None:
    ana, ben = person(db, "andrewbrown"), person(db, "bayko")
    for text in ("one", "two", "three"):
        message, _ = start(table, Draft(ana, ben, text))
    app = opened(user="bayko", conversation=message.message_group_uuid)
    assert texts(app) == ["one", "two", "three"]
    thread = element(app, "thread")
    assert (thread["title"], thread["gone"]) == ("Andrew Bayko and Andrew Brown", "")


def test_odd_rows_of_other_programs_are_shown(db, table) -> None:
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
    assert texts(app) == ["hi"]


def test_the_banner_names_the_target_and_no_password(db, table, environ) -> None:
    banner = said(opened())
    assert environ["DDB_MESSAGE_TABLE"] in banner
    assert urlsplit(environ["CONNECTION_URL"]).password not in banner


def test_without_users_the_page_names_the_command_that_seeds(environ, table) -> None:
    address = parse_url(environ["CONNECTION_URL"], "CONNECTION_URL")
    unguarded.create_database(address)
    with Database(address) as db:
        admin.load_schema(db, "local")
    assert "invoke db.seed" in said(opened())


def test_without_conversations_the_page_says_where_to_start_one(db, table) -> None:
    assert inbox(opened(user="bayko")) == []


def test_nothing_is_opened_without_a_choice(db, table) -> None:
    start(table, Draft(person(db, "andrewbrown"), person(db, "bayko"), "private"))
    app = opened(user="bayko")
    assert "Choose a conversation" in said(app)
    assert texts(app) == []


def test_people_are_found_by_a_part_of_their_handle_or_name(db, table) -> None:
    app = opened()
    assert len([label for label in labels(app) if "@" in label]) == 3
    app.text_input(key="sought").input("w BAYK").run()
    assert [label for label in labels(app) if "@" in label] == ["**Andrew Bayko** :gray[@bayko]"]
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


def test_a_filter_searches_names_and_last_messages_of_all_conversations(
    db, table, monkeypatch
) -> None:
    monkeypatch.setattr("admin_app.conversations.inbox.PAGE", 1)
    monkeypatch.setattr("admin_app.conversations.inbox.VIEW", 1)
    ben = person(db, "bayko")
    start(table, Draft(person(db, "andrewbrown"), ben, "about lunch"))
    start(table, Draft(person(db, "londo"), ben, "about tea"))
    app = opened(user="bayko")
    for sought, shown in (
        ("LUNCH", ["andrewbrown"]),
        ("londo", ["londo"]),
        ("andrew", ["andrewbrown"]),
        ("zzz", []),
    ):
        ask(app, "inbox", "filter", words=sought)
        assert [row["handle"] for row in inbox(app)] == shown
        assert (element(app, "inbox")["total"], element(app, "inbox")["loaded"]) == (len(shown), 2)


def test_the_inbox_shows_who_wrote_last_and_reads_it_once(db, table, requests) -> None:
    ben = person(db, "bayko")
    start(table, Draft(person(db, "andrewbrown"), ben, "to bayko"))
    start(table, Draft(ben, person(db, "londo"), "from bayko"))
    filler = {"message_group_uuid": "g", "message": "filler", "user_uuid": str(uuid.uuid4())}
    row = keys.key(keys.inbox_pk(ben.uuid), "2024-01-01T00:00:00.000000+00:00")
    table.request("put_item", Item=row | {name: {"S": value} for name, value in filler.items()})
    app = opened(user="bayko")
    assert [(row["from"], row["preview"]) for row in inbox(app)] == [
        ("me", "from bayko"),
        ("them", "to bayko"),
        (None, "filler"),
    ]
    app.run()
    assert requests.count("batch_get_item") == 1


def test_the_inbox_shows_the_current_names(db, table) -> None:
    start(table, Draft(person(db, "andrewbrown"), person(db, "bayko"), "hi"))
    db.query_commit("UPDATE public.users SET display_name = 'A. B.' WHERE handle = 'andrewbrown'")
    assert [row["name"] for row in inbox(opened(user="bayko"))] == ["A. B."]


@pytest.fixture
def requests(monkeypatch) -> list[str]:
    """The requests to DynamoDB from now on, each with its purpose."""
    asked: list[str] = []
    real = BaseClient._make_api_call

    def call(self: BaseClient, operation: str, params: Any) -> Any:
        key = params.get("ExpressionAttributeValues", {}).get(":pk", {}).get("S", "")
        asked.append(f"{xform_name(operation)} {key}".strip())
        return real(self, operation, params)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    return asked


def test_a_name_that_another_tab_has_changed_is_read_again(db, table) -> None:
    group = start(table, Draft(person(db, "bayko"), person(db, "andrewbrown"), "hi"))[0]
    app = opened(user="bayko", conversation=group.message_group_uuid)
    rename = "UPDATE public.users SET display_name = %(name)s WHERE handle = %(handle)s"
    for handle in ("bayko", "andrewbrown"):
        db.query_commit(rename, {"name": f"{handle} Renamed", "handle": handle})
    assert "Renamed" not in said(app.run())  # good for a minute
    app.session_state["names read at"] -= 60
    shown = said(app.run()) + str(element(app, "thread"))
    assert "bayko Renamed" in shown
    assert "andrewbrown Renamed" in shown


def test_opening_a_conversation_reads_one_page(db, table, requests) -> None:
    ana, ben = person(db, "andrewbrown"), person(db, "bayko")
    for n in range(STEP + 10):
        message, _ = start(table, Draft(ana, ben, f"message {n}"))
    requests.clear()
    group = message.message_group_uuid
    app = opened(user="bayko", conversation=group)
    assert texts(app) == [f"message {n}" for n in range(10, STEP + 10)]
    assert requests.count(f"query {keys.message_pk(group)}") == 1
    assert len(requests) == len(set(requests)), "something was read twice"
    first = element(app, "thread")["messages"][0]["key"]
    ask(app, "thread", "older", before=first)
    assert texts(app)[:10] == [f"message {n}" for n in range(10)]
    ask(app, "thread", "older", before=first)  # asked twice, done once
    assert len(texts(app)) == STEP + 10


def test_tabs_that_show_one_conversation_read_it_once(db, table, requests, monkeypatch) -> None:
    monkeypatch.setattr("admin_app.resources._SHARED_S", 600)
    ana, ben = person(db, "andrewbrown"), person(db, "bayko")
    group = start(table, Draft(ana, ben, "hello"))[0].message_group_uuid
    tabs = [opened(user="bayko", conversation=group) for _ in range(3)]
    query = f"query {keys.message_pk(group)}"
    assert requests.count(query) == 1
    answer_with(tabs[0], "seen at once by who sent it")
    assert texts(tabs[0])[-1] == "seen at once by who sent it"
    tabs[1].run()
    assert texts(tabs[1])[-1] == "seen at once by who sent it"
    assert requests.count(query) == 2


def test_a_match_opens_its_place_and_back_returns(db, table) -> None:
    ana, ben = person(db, "andrewbrown"), person(db, "bayko")
    for n in range(STEP + 30):
        message, _ = start(table, Draft(ana, ben, f"Needle {n}" if n == 3 else f"hay {n}"))
    app = opened(user="bayko", conversation=message.message_group_uuid)
    ask(app, "thread", "search", words="needle")
    search = element(app, "thread")["search"]
    assert (search["found"], search["lookedAt"], search["more"]) == (1, STEP + 30, False)
    ask(app, "thread", "go", at=search["hits"][0]["key"])
    assert texts(app)[:5] == ["hay 0", "hay 1", "hay 2", "Needle 3", "hay 4"]
    assert app.query_params["at"] == search["hits"][0]["key"]
    ask(app, "thread", "go", at="")
    assert texts(app)[-1] == f"hay {STEP + 29}"
    assert "at" not in app.query_params


@pytest.fixture
def two_of_bayko(db, table) -> tuple[str, str]:
    """Two conversations of bayko's."""
    ben = person(db, "bayko")
    drafts = [Draft(person(db, handle), ben, "a needle") for handle in ("andrewbrown", "londo")]
    one, two = (start(table, draft)[0].message_group_uuid for draft in drafts)
    return one, two


def test_an_export_is_shown_in_its_conversation_and_elsewhere_only_while_it_runs(
    two_of_bayko,
) -> None:
    one, two = two_of_bayko
    app = opened(user="bayko", conversation=one)
    ask(app, "thread", "export", format="text")
    ask(app, "inbox", "open", group=two)
    download = element(app, "thread")["download"]
    assert download["state"] == "waiting"  # so that it can be stopped here
    ask(app, "thread", "stop")
    with pytest.raises(downloads.DownloadStoppedError):
        list(downloads.WAITING.take(download["path"]).chunks())
    assert element(app.run(), "thread")["download"] is None
    ask(app, "inbox", "open", group=one)
    assert element(app, "thread")["download"]["state"] == "stopped"


def test_a_search_that_fails_does_not_keep_the_matches_of_other_words(
    two_of_bayko, monkeypatch
) -> None:
    app = opened(user="bayko", conversation=two_of_bayko[0])
    ask(app, "thread", "search", words="needle")
    assert element(app, "thread")["search"]["found"] == 1

    def fail(*_: object) -> None:
        raise UnreachableError("DynamoDB does not answer", "Try again.")

    monkeypatch.setattr("admin_app.conversations.thread.search_messages", fail)
    ask(app, "thread", "search", words="other words")
    assert element(app, "thread")["search"] is None
    assert "DynamoDB does not answer" in element(app, "thread")["trouble"]["text"]


def test_a_pane_is_drawn_by_itself_once_its_store_answers(two_of_bayko, monkeypatch) -> None:
    app = opened()
    real, failures = Table.request, iter(range(5))

    def answer_later(self: Table, operation: str, **params: Any) -> Any:
        if next(failures, None) is not None:
            raise UnreachableError("DynamoDB does not answer", "Try again.")
        return real(self, operation, **params)

    monkeypatch.setattr(Table, "request", answer_later)
    count = itertools.count
    monkeypatch.setattr("itertools.count", lambda *_: count(1))  # each run is a tick, too
    app.query_params["user"], app.query_params["conversation"] = "bayko", two_of_bayko[0]
    app.run()
    assert next(failures, None) is None
    assert "DynamoDB does not answer" not in said(app)
    assert len(inbox(app)) == 2
    assert texts(app)


@pytest.mark.parametrize("kind", ["older", "newer"])
def test_a_thread_opened_while_another_one_scrolls_is_read(db, table, kind) -> None:
    ana, ben, londo = (person(db, handle) for handle in ("andrewbrown", "bayko", "londo"))
    group = start(table, Draft(ana, ben, "one"))[0].message_group_uuid
    other = start(table, Draft(londo, ben, "two"))[0].message_group_uuid
    app = opened(user="bayko", conversation=group)
    key = element(app, "thread")["messages"][0]["key"]
    app.session_state["thread wants"] = (kind, key)
    ask(app, "inbox", "open", group=other)
    assert texts(app) == ["two"]


def test_a_date_opens_the_day_and_home_the_beginning(db, table) -> None:
    ana, ben = person(db, "andrewbrown"), person(db, "bayko")
    group = start(table, Draft(ana, ben, "today"))[0].message_group_uuid
    for day in range(1, 29):
        values = {"message": f"day {day}", "message_uuid": str(uuid.uuid4()), "user_uuid": ben.uuid}
        item = keys.key(keys.message_pk(group), f"2024-02-{day:02}T12:00:00.000000+00:00")
        table.request("put_item", Item=item | {k: {"S": v} for k, v in values.items()})
    app = opened(user="bayko", conversation=group)
    ask(app, "thread", "go", at="2024-02-20T05:00:00.000")
    assert {"day 20", "today"} < set(texts(app))
    ask(app, "thread", "go", at="0")
    assert texts(app)[0] == "day 1"
    assert not element(app, "thread")["hasOlder"]


def test_a_missing_database_names_the_command_that_creates_it(environ, table) -> None:
    assert "invoke db." in said(opened())


def test_a_missing_table_names_the_command_that_creates_it(db, environ) -> None:
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


def test_a_member_who_is_no_longer_in_postgres_is_said_to_be_gone(db, table) -> None:
    ana, gone = person(db, "andrewbrown"), Person(str(uuid.uuid4()), "kosh", "Kosh Naranek")
    group = start(table, Draft(ana, gone, "hello"))[0].message_group_uuid
    app = opened(user="andrewbrown", conversation=group)
    thread = element(app, "thread")
    assert thread["gone"] == "Kosh Naranek is no longer in Postgres."
    assert thread["senders"] == ["andrewbrown"]
    app = answer_with(app, "are you there?", sender="andrewbrown")
    assert texts(app) == ["hello", "are you there?"]


def test_an_erased_member_cannot_be_written_to(db, table) -> None:
    ana, gone = person(db, "andrewbrown"), Person(str(uuid.uuid4()), "kosh", "Kosh Naranek")
    group = start(table, Draft(ana, gone, "hello"))[0].message_group_uuid
    erase_user(table, gone.uuid)
    thread = element(opened(user="andrewbrown", conversation=group), "thread")
    assert thread["whyNot"] == (
        "Deleted user: the other member was erased. No message can be sent."
    )
    assert (thread["gone"], thread["mayWrite"]) == ("", True)


def test_a_stranger_s_conversation_is_not_shown(db, table) -> None:
    message, _ = start(table, Draft(person(db, "andrewbrown"), person(db, "bayko"), "private"))
    app = opened(user="londo", conversation=message.message_group_uuid)
    assert "not a member" in said(app)
    assert "Back to their conversations" in labels(app)
    assert texts(app) == []


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


@pytest.mark.parametrize("recipient", ["@londo", "\u200blondo\ufeff"])
def test_a_first_message_is_sent_and_empties_the_box(db, table, recipient) -> None:
    app = send_from_form(opened("views/new_conversation.py"), "bayko", recipient, "hello")
    assert "This started" in said(app)
    assert app.text_area[0].value == ""


@pytest.mark.parametrize("given_away", ["bayko", "londo"])
def test_a_first_message_is_not_sent_to_or_as_another_person_than_was_shown(
    db, table, given_away
) -> None:
    app = opened("views/new_conversation.py")
    app.text_input(key="from").input("bayko").run()
    app.text_input(key="to").input("@londo").run()
    rename = "UPDATE public.users SET handle = '{}' WHERE handle = '{}'"
    db.query_commit(rename.format("former", given_away))
    db.query_commit(rename.format(given_away, "andrewbrown"))
    app.text_area[0].input("for them alone")
    next(button for button in app.button if button.label == "Send").click().run()
    assert f"@{given_away} is another user now" in said(app)
    assert app.text_area[0].value == "for them alone"
    for handle in ("bayko", "londo", "former"):
        assert not reads.list_inbox(table, person(db, handle).uuid, limit=9).entries


def test_an_existing_conversation_is_reported_before_anything_is_sent(db, table) -> None:
    start(table, Draft(person(db, "andrewbrown"), person(db, "bayko"), "hi"))
    app = opened("views/new_conversation.py")
    app.text_input(key="from").input("bayko").run()
    app.text_input(key="to").input("@andrewbrown").run()
    assert "These two already have a conversation" in said(app)
    app.text_input(key="to").input("londo").run()
    assert "These two already have a conversation" not in said(app)


def test_after_a_send_only_its_own_pair_is_not_reported_as_existing(db, table) -> None:
    start(table, Draft(person(db, "andrewbrown"), person(db, "bayko"), "hi"))
    app = opened("views/new_conversation.py")
    app.text_input(key="from").input("bayko").run()
    app.text_input(key="to").input("londo").run()
    app.text_area[0].input("hello")
    next(button for button in app.button if button.label == "Send").click().run()
    assert "Sent. This started the conversation" in said(app)
    assert "These two already have a conversation" not in said(app)
    app.text_input(key="to").input("andrewbrown").run()
    assert "These two already have a conversation" in said(app)


def test_a_problem_with_a_person_is_shown_beside_the_field(db, table) -> None:
    app = opened("views/new_conversation.py")
    app.text_input(key="from").input("bayko").run()
    app.text_input(key="to").input("bayko").run()
    assert "two different people" in said(app)
    app.text_input(key="to").input("nobody-here").run()
    assert "nobody-here" in said(app)
    app.text_input(key="to").input("lon").run()
    next(button for button in app.button if "Londo" in button.label).click().run()
    assert app.text_input(key="to").value == "londo"


def test_an_unconfirmed_message_is_reported_beside_the_box_and_sent_once(
    db, table, monkeypatch
) -> None:
    message, _ = start(table, Draft(person(db, "andrewbrown"), person(db, "bayko"), "hi"))
    group = message.message_group_uuid
    app = opened(user="bayko", conversation=group)
    real = Table.request

    def fail(self: Table, operation: str, **params: Any) -> Any:
        raise UnreachableError("DynamoDB does not answer", "Run: invoke up")

    monkeypatch.setattr(Table, "request", fail)
    draft = {"id": str(uuid.uuid4()), "text": "a draft", "sender": "bayko", "group": group}
    ask(app, "thread", "send", **draft)
    assert "invoke up" in outcome(app)["problem"]
    assert "invoke up" in element(app, "thread")["trouble"]["text"]
    assert texts(app) == ["hi"]
    monkeypatch.setattr(Table, "request", real)
    for _ in range(2):  # a browser asks again until it gets an answer
        ask(app, "thread", "send", **draft)
        assert texts(app) == ["hi", "a draft"]
        assert "problem" not in outcome(app)
    assert element(app, "thread")["messages"][-1]["uuid"] == draft["id"]


def test_the_id_of_a_message_sends_no_other(db, table) -> None:
    message, _ = start(table, Draft(person(db, "andrewbrown"), person(db, "bayko"), "hi"))
    app = opened(user="bayko", conversation=message.message_group_uuid)
    sent = {"id": str(uuid.uuid4()), "sender": "bayko", "group": message.message_group_uuid}
    ask(app, "thread", "send", text="first", **sent)
    ask(app, "thread", "send", text="second", **sent)
    ask(app, "thread", "send", **sent | {"text": "third", "id": "no uuid"})
    ask(app, "thread", "send", **sent | {"text": "4", "id": str(uuid.uuid4()), "sender": "londo"})
    assert texts(app) == ["hi", "first"]
    assert "not a member" in outcome(app)["problem"]


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
        assert texts(app) == []

    @pytest.fixture
    def signed_in(self, production, logged_in) -> Login:
        """Production, and a person who may see it."""
        return logged_in

    def test_an_inbox_needs_a_reason_which_is_kept(self, db, signed_in, group, audit_lines) -> None:
        app = opened(user="bayko")
        assert element(app, "inbox") is None
        assert list(audit_lines) == []
        app = give_reason(app, "Why do you open this inbox?", "ticket 6")
        assert [row["preview"] for row in inbox(app)] == ["private"]
        (entry,) = audit_lines
        assert (entry.what, entry.why) == ("inbox opened", "ticket 6")
        assert entry.about == (person(db, "bayko").uuid,)
        app.run()  # neither asked nor noted again
        assert len(audit_lines) == 1

    def test_is_red_and_read_only(self, signed_in, group) -> None:
        app = opened_for(group, "ticket 7")
        assert "PRODUCTION" in said(app)
        assert "read-only" in said(app)
        assert texts(app) == ["private"]
        assert not element(app, "thread")["mayWrite"]

    def test_a_conversation_needs_a_reason_which_is_kept(
        self, signed_in, group, audit_lines
    ) -> None:
        app = opened(user="bayko", conversation=group)
        assert texts(app) == []
        assert list(audit_lines) == []
        app = give_reason(app, "Why do you open this conversation?", "  ")
        assert "Say why" in said(app)
        app = opened_for(group, '  "ticket"\n7 ')
        assert texts(app) == ["private"]
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
        answer_with(app, "an answer")
        assert texts(app) == ["private", "an answer"]
        entry = audit_lines[-1]
        assert (entry.what, entry.conversation) == ("message sent", group)
        assert set(entry.about) == {person(db, "bayko").uuid, person(db, "andrewbrown").uuid}
        assert entry.message
        assert "an answer" not in audit_lines.texts

    def test_an_answer_that_waited_is_audited_for_the_members_of_its_own_conversation(
        self, db, signed_in, group, production, audit_lines, monkeypatch
    ) -> None:
        monkeypatch.setattr("sys.argv", ["app.py", "--write"])
        start(production, Draft(person(db, "londo"), person(db, "andrewbrown"), "another one"))
        londo, bayko = person(db, "londo"), person(db, "bayko")
        (row,) = reads.list_inbox(production, londo.uuid, limit=5).entries
        app = opened_for(group, "ticket 7")
        app.query_params["user"] = "londo"
        app.query_params["conversation"] = row.message_group_uuid
        app.run()
        app = give_reason(app, "Why do you open this conversation?", "ticket 8")
        values = {"id": str(uuid.uuid4()), "text": "an answer", "sender": "bayko"}
        ask(app, "thread", "send", group=group, me=bayko.uuid, **values)
        entry = audit_lines[-1]
        assert (entry.what, entry.conversation) == ("message sent", group)
        assert set(entry.about) == {bayko.uuid, person(db, "andrewbrown").uuid}
        # After fifty others, who they are is not known any more.
        app.session_state["memberships"] = {}
        ask(app, "thread", "send", group=group, me=bayko.uuid, **values | {"id": str(uuid.uuid4())})
        entry = audit_lines[-1]
        assert (entry.what, entry.conversation, list(entry.about)) == ("message sent", group, [])

    def test_an_answer_that_cannot_be_audited_is_not_sent(
        self, signed_in, group, production, audit_lines, monkeypatch
    ) -> None:
        monkeypatch.setattr("sys.argv", ["app.py", "--write"])
        app = opened_for(group, "ticket 7")
        audit_lines.path.unlink()
        audit_lines.path.mkdir()
        answer_with(app, "an answer")
        assert "Could not write the audit line" in outcome(app)["problem"]
        stored = reads.list_messages(production, group, limit=9).entries
        assert [message.text for message in stored] == ["private"]

    def test_an_export_is_audited_with_the_reason_before_it_is_read(
        self, signed_in, group, audit_lines
    ) -> None:
        app = opened_for(group, "ticket 7")
        ask(app, "thread", "export", format="jsonl")
        entry = audit_lines[-1]
        assert (entry.what, entry.why) == ("conversation exported", "ticket 7")
        assert entry.conversation == group
        download = downloads.WAITING.take(element(app, "thread")["download"]["path"])
        assert b"private" in b"".join(download.chunks())
        audit_lines.path.unlink()
        audit_lines.path.mkdir()
        ask(app, "thread", "export", format="jsonl")
        problem = element(app, "thread")["download"]["problem"]
        assert "Could not write the audit line" in problem["text"]

    def test_an_export_that_waited_is_not_of_the_conversation_opened_since(
        self, db, signed_in, group, production, audit_lines
    ) -> None:
        draft = Draft(person(db, "londo"), person(db, "bayko"), "another one")
        other = start(production, draft)[0].message_group_uuid
        app = opened_for(group, "ticket 7")
        app.query_params["conversation"] = other
        ask(app, "thread", "export", format="jsonl")
        assert "Why do you open this conversation?" in [box.label for box in app.text_input]
        assert [entry.what for entry in audit_lines] == ["conversation opened"]
        app = give_reason(app, "Why do you open this conversation?", "ticket 8")
        ask(app, "thread", "export", group=group, format="jsonl")
        assert [entry.what for entry in audit_lines] == ["conversation opened"] * 2

    def test_after_the_login_has_ended_an_answer_is_not_stored(
        self, signed_in, group, production, audit_lines, monkeypatch
    ) -> None:
        monkeypatch.setattr("sys.argv", ["app.py", "--write"])
        app = opened_for(group, "ticket 7")
        logins.ENDED.add(signed_in)
        answer_with(app, "too late")
        assert not app.exception
        assert [title.value for title in app.title] == ["Log in"]
        assert texts(app) == []
        assert len(audit_lines) == 1
        messages = reads.list_messages(production, group, limit=5).entries
        assert [message.text for message in messages] == ["private"]

    def test_can_be_answered_with_write(self, signed_in, group, monkeypatch) -> None:
        monkeypatch.setattr("sys.argv", ["app.py", "--write"])
        app = opened_for(group, "ticket 7")
        assert "you may write" in said(app)
        assert element(app, "thread")["mayWrite"]


def test_a_database_that_is_production_makes_the_table_production_too(db, table) -> None:
    db.query_commit("UPDATE public.cruddur_ops_environment SET environment = 'production'")
    assert "needs a login" in said(opened(user="bayko"))


def test_a_local_target_writes_no_audit_line(db, table, audit_lines) -> None:
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
