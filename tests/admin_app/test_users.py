"""The page of users: listed, found, counted, added, refused."""

from __future__ import annotations

import pytest
from driving import ask, element, give_reason, labels, opened, person, said

from core.dynamodb import keys
from core.dynamodb.patterns.sends import Draft, start
from core.errors import UnreachableError
from core.postgres import users

PAGE = "views/users.py"


def add(app, handle: str, name: str, email: str):
    boxes = {box.label: box for box in app.text_input}
    boxes["Handle"].input(handle)
    boxes["Display name"].input(name)
    boxes["Email"].input(email)
    next(button for button in app.button if button.label == "Add").click().run()
    assert not app.exception
    return app


def column(app, name: str) -> list[object]:
    """What a column of the table shows."""
    return [row[name] for row in element(app, "users")["rows"]]


def test_users_are_listed_by_handle_and_opened_and_closed(db, table) -> None:
    app = opened(PAGE)
    assert column(app, "handle") == ["andrewbrown", "bayko", "londo"]
    assert set(column(app, "cognito")) == {"not linked"}
    ask(app, "users", "open", handle="bayko")
    assert app.query_params["user"] == "bayko"
    assert next(header.value for header in app.header) == "Andrew Bayko"
    next(button for button in app.button if button.label == "Close").click().run()
    assert "user" not in app.query_params


def test_thousands_are_paged_both_ways_and_found(db, table) -> None:
    for n in range(60):
        users.create_user(db, f"person{n:02}", f"Person {n}", f"person{n}@example.com")
    app = opened(PAGE)
    seen = []
    for last in (False, False, True):
        seen += column(app, "handle")
        following = next(button for button in app.button if button.label == "Next")
        assert following.disabled == last
        if not last:
            following.click().run()
    assert len(seen) == len(set(seen)) == 63
    next(button for button in app.button if button.label == "Previous").click().run()
    assert column(app, "handle") == seen[25:50]
    app.text_input(key="q").input("PERSON4@").run()
    assert column(app, "handle") == ["person04"]
    app.text_input(key="q").input("zzz").run()
    assert "No handle, name or email matches" in said(app)


def test_conversations_are_counted_on_demand(db, table) -> None:
    ben = person(db, "bayko")
    start(table, Draft(person(db, "andrewbrown"), ben, "hi"))
    start(table, Draft(person(db, "londo"), ben, "hi"))
    app = opened(PAGE)
    assert column(app, "conversations") == [None, None, None]
    next(button for button in app.button if button.label.startswith("Count")).click().run()
    assert column(app, "conversations") == [1, 2, 1]


def test_a_store_that_does_not_answer_keeps_the_users(db, table, monkeypatch) -> None:
    def fail(*_: object) -> None:
        raise UnreachableError("DynamoDB does not answer", "Start it.")

    app = opened(PAGE, user="bayko")
    monkeypatch.setattr("core.dynamodb.count_conversations", fail)
    next(button for button in app.button if button.label.startswith("Count")).click().run()
    assert "DynamoDB does not answer" in said(app)
    assert column(app, "handle") == ["andrewbrown", "bayko", "londo"]
    assert next(header.value for header in app.header) == "Andrew Bayko"


def test_a_link_shows_the_user_and_what_they_posted(db, table) -> None:
    app = opened(PAGE, user="andrewbrown")
    assert "Andrew Brown" in said(app)
    stored = users.list_activities(db, person(db, "andrewbrown").uuid).entries
    assert stored
    rows = element(app, "records")["rows"]
    assert [message for _, message, *_ in rows] == [entry.message for entry in stored]


def test_a_user_without_posts_is_shown_as_such(db, table) -> None:
    users.create_user(db, "quiet", "Quiet One", "quiet@example.com")
    assert "No activities yet" in said(opened(PAGE, user="quiet"))


def test_an_unknown_user_in_a_link_is_reported(db, table) -> None:
    assert "nobody-here" in said(opened(PAGE, user="nobody-here"))


def test_a_link_to_a_mistyped_handle_suggests_the_right_one(db, table) -> None:
    assert "Did you mean bayko?" in said(opened(PAGE, user="Bayko"))


def test_a_new_user_is_added_once_and_shown(db, table, audit_lines) -> None:
    app = add(opened(PAGE), "@garibaldi", "Michael Garibaldi", "chief@example.com")
    assert users.find_user(db, "garibaldi").display_name == "Michael Garibaldi"
    assert "garibaldi" in column(app, "handle")
    assert "Added" in said(app)
    assert [box.value for box in app.text_input if box.label == "Handle"] == [""]
    assert list(audit_lines) == []  # a local target


@pytest.mark.parametrize(
    ("handle", "name", "email", "complaint"),
    [
        ("", "Name", "a@example.com", "handle"),
        ("two words", "Name", "a@example.com", "two words"),
        ("new", "Name", "no-address", "no-address"),
        ("bayko", "Name", "a@example.com", "bayko"),
    ],
)
def test_invalid_input_is_reported_and_stays_in_the_form(
    db, table, handle, name, email, complaint
) -> None:
    app = add(opened(PAGE), handle, name, email)
    assert complaint in "".join(str(element.value) for element in app.error).replace("\\", "")
    assert {box.label: box.value for box in app.text_input}["Email"] == email
    assert users.count_users(db) == 3


def test_an_existing_email_is_refused(db, table) -> None:
    taken = users.find_user(db, "bayko").email
    add(opened(PAGE), "somebody-new", "Name", taken)
    assert users.count_users(db) == 3


def test_without_the_schema_the_command_is_named(environ, table) -> None:
    assert "invoke db." in said(opened(PAGE))


@pytest.fixture
def production(db, table) -> None:
    marker = keys.ENVIRONMENT_KEY | {"environment": {"S": "production"}}
    table.request("put_item", Item=marker)


def test_production_shows_no_address_without_a_reason(production, logged_in, audit_lines) -> None:
    app = opened(PAGE, user="bayko")
    assert "example.com" not in said(app)
    assert element(app, "users") is None
    app = give_reason(app, "Why do you open the users?", "ticket 8")
    assert "example.com" in said(app)
    (entry,) = audit_lines
    assert (entry.what, entry.why) == ("users opened", "ticket 8")


def test_production_is_read_only(production, logged_in) -> None:
    app = give_reason(opened(PAGE), "Why do you open the users?", "ticket 8")
    assert "Add" not in labels(app)
    assert "--write" in said(app)


def test_a_new_user_of_production_is_audited_by_uuid(
    db, production, logged_in, audit_lines, monkeypatch
) -> None:
    monkeypatch.setattr("sys.argv", ["app.py", "--write"])
    app = give_reason(opened(PAGE), "Why do you open the users?", "ticket 8")
    add(app, "garibaldi", "Michael Garibaldi", "chief@example.com")
    entry = audit_lines[-1]
    assert entry.what == "user created"
    assert entry.about == (users.find_user(db, "garibaldi").uuid,)
    assert "garibaldi" not in audit_lines.texts
