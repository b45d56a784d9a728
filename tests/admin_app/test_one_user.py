"""The page of one user: rename, hold, release, export, erase."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from driving import element, give_reason, labels, opened, person, said, texts

from admin_app import downloads, resources
from admin_app.people.forgetting import ERASURE
from admin_app.store.jobs import Job
from core.dynamodb import keys
from core.dynamodb.patterns import reads
from core.dynamodb.patterns.holds import held_users
from core.dynamodb.patterns.sends import Draft, start
from core.errors import NotFoundError, UnreachableError
from core.models import DELETED_NAME
from core.postgres import users

PAGE = "views/users.py"


def fill(app: Any, boxes: dict[str, str]) -> Any:
    """Fill the boxes whose labels begin so."""
    for label, text in boxes.items():
        next(box for box in app.text_input if box.label.startswith(label)).input(text)
    return app


def click(app: Any, label: str) -> Any:
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception
    return app


def saved(name: str) -> str:
    """The text of the file that was prepared last under that name."""
    waiting = [one for one in downloads.WAITING._waiting.values() if one.name == name]
    return b"".join(waiting[-1].chunks()).decode()


def planned() -> Any:
    app = click(opened(PAGE, user="bayko"), "Plan the erasure")
    assert resources.jobs().history[-1].wait(30)
    return app.run()


def ask_to_erase(table: Any) -> Any:
    app = planned()
    return fill(app, {"Reason, w": "request 1", "Type": table.name})


@pytest.fixture
def talk(db, table) -> str:
    draft = Draft(person(db, "bayko"), person(db, "andrewbrown"), "a secret of bayko's")
    return start(table, draft)[0].message_group_uuid


def test_a_user_is_renamed_everywhere(db, table, talk) -> None:
    app = fill(opened(PAGE, user="bayko"), {"New handle": "bob", "New display name": "Bob B."})
    app = click(app, "Rename")
    assert users.find_user(db, "bob").display_name == "Bob B."
    (row,) = reads.list_inbox(table, person(db, "andrewbrown").uuid, limit=9).entries
    assert (row.other.handle, row.other.display_name) == ("bob", "Bob B.")
    assert "Bob B." in said(app)


def test_the_conversations_of_a_renamed_user_are_returned_to(db, table, talk) -> None:
    app = opened(user="bayko", conversation=talk)
    for name in ("user", "conversation"):
        del app.query_params[name]
    app.query_params["user"] = "bayko"
    app = fill(app.switch_page(PAGE).run(), {"New handle": "@bob"})
    app = click(app, "Rename")
    del app.query_params["user"]
    app.switch_page("views/conversations.py").run()
    assert texts(app) == ["a secret of bayko's"]
    assert app.query_params["user"] == "bob"


def test_a_user_is_held_with_a_reason_and_released(db, table, talk) -> None:
    app = click(opened(PAGE, user="bayko"), "Hold")
    assert "No reason was given. Fill in the reason." in " ".join(said(app).split())
    assert "--reason" not in said(app)
    app = click(fill(app, {"Reason": "case 12"}), "Hold")
    assert list(held_users(table)) == [person(db, "bayko").uuid]
    app = click(app, "Plan the erasure")
    assert "There is a hold" in said(app)
    click(fill(app, {"Reason": "closed"}), "Release")
    assert list(held_users(table)) == []


def test_an_export_has_everything_about_the_user(db, table, talk) -> None:
    click(opened(PAGE, user="bayko"), "Prepare export")
    text = saved(f"{person(db, 'bayko').uuid}.jsonl")
    assert '"kind": "profile"' in text
    assert "a secret of bayko's" in text


def test_a_file_is_offered_until_it_is_fetched(db, table, talk) -> None:
    app = click(opened(PAGE, user="bayko"), "Prepare export")
    (link,) = app.get("link_button")
    chunks = downloads.WAITING.take(link.proto.url).chunks()
    assert next(chunks)
    assert not app.run().get("link_button")
    assert "Prepare export" in labels(app)


def test_what_was_drawn_is_about_its_user_although_another_one_has_the_handle_now(
    db, table, talk
) -> None:
    ben, londo = person(db, "bayko"), person(db, "londo")
    app = opened(PAGE, user="bayko")
    db.query_commit("UPDATE public.users SET handle = 'ben' WHERE handle = 'bayko'")
    db.query_commit("UPDATE public.users SET handle = 'bayko' WHERE handle = 'londo'")
    click(app, "Prepare export")
    text = saved(f"{ben.uuid}.jsonl")
    assert "a secret of bayko's" in text
    assert londo.uuid not in text

    app = opened(PAGE, user="ben")
    db.query_commit("UPDATE public.users SET handle = 'benny' WHERE handle = 'ben'")
    db.query_commit("UPDATE public.users SET handle = 'ben' WHERE handle = 'bayko'")
    click(fill(app, {"New display name": "Ben B."}), "Rename")
    names = users.find_users_by_uuid(db, [ben.uuid, londo.uuid])
    assert (names[ben.uuid].display_name, names[londo.uuid].display_name) == (
        "Ben B.",
        londo.display_name,
    )


def test_an_export_that_failed_is_reported_for_its_user_alone(db, table, monkeypatch) -> None:
    def fail(*_: object) -> Any:
        raise UnreachableError("DynamoDB does not answer", "Try again.")

    monkeypatch.setattr("admin_app.people.work.export", fail)
    app = click(opened(PAGE, user="bayko"), "Prepare export")
    assert "DynamoDB does not answer" in said(app)
    app.query_params["user"] = "londo"
    assert "DynamoDB does not answer" not in said(app.run())


def test_a_user_is_erased_after_the_plan_with_a_certificate(db, table, talk) -> None:
    app = planned()
    assert "1 message in 1 conversation, 1 pair" in said(app)
    app = click(app, "Erase")
    assert "The table’s name is missing" in said(app)
    app = click(fill(app, {"Reason, w": "request 1", "Type": "wrong"}), "Erase")
    assert "is not the name of the table" in said(app)
    app = click(fill(app, {"Reason, w": "request 1", "Type": table.name}), "Erase")
    assert resources.jobs().latest(ERASURE).wait(30)
    assert "Certificate of erasure" not in said(app.run())
    app.session_state["certificate"] = True  # opens it
    shown = said(app.run())
    assert "Certificate of erasure" in shown
    assert "a secret" not in shown
    with pytest.raises(NotFoundError):
        users.find_user(db, "bayko")
    (row,) = reads.list_inbox(table, person(db, "andrewbrown").uuid, limit=9).entries
    assert row.other.display_name == DELETED_NAME


def read_on_each_page(app: Any, talk: str) -> str:
    """All that the tab shows of the talk: in the overview, in a search, in both people's places."""
    shown = [str(element(app.switch_page("views/message_groups.py").run(), "groups"))]
    shown.append(said(app.switch_page("views/search.py").run()))
    shown += [str(button) for button in app.get("page_link")]
    for handle in ("bayko", "andrewbrown"):
        app.query_params["user"], app.query_params["conversation"] = handle, talk
        app.switch_page("views/conversations.py").run()
        shown += [str(element(app, name)) for name in ("thread", "inbox", "person")]
    for name in ("user", "conversation"):
        app.query_params.pop(name, None)
    return " ".join(shown)


def test_what_tabs_have_read_of_an_erased_user_is_forgotten(db, table, talk) -> None:
    other = opened("views/search.py")
    other.text_input(key="search words").set_value("secret")
    click(other, "Search")
    assert other.session_state["searching"].job.wait(20)
    app = ask_to_erase(table)
    for tab in (other, app):
        assert "a secret of bayko's" in read_on_each_page(tab, talk)
    app.query_params["user"] = "bayko"
    app = click(app.switch_page(PAGE).run(), "Plan the erasure")
    assert resources.jobs().history[-1].wait(30)
    click(fill(app.run(), {"Reason, w": "request 1", "Type": table.name}), "Erase")
    assert resources.jobs().latest(ERASURE).wait(30)
    for tab in (other, app):
        shown = read_on_each_page(tab.run(), talk)
        assert "a secret" not in shown
        assert "Bayko" not in shown


def test_an_erasure_beside_another_one_is_refused_and_not_reported_as_done(db, table, talk) -> None:
    app = ask_to_erase(table)
    other = Job(ERASURE, "Erasure", "somebody", about="another user")
    jobs = resources.jobs()
    jobs.start(other, jobs.serial(ERASURE), lambda job: job.wait(30))
    shown = said(click(app, "Erase"))
    assert "Nothing was erased: another erasure has begun meanwhile" in shown
    assert users.find_user(db, "bayko").handle == "bayko"
    assert jobs.latest(ERASURE) is other
    other._ended.set()


def test_an_erasure_can_be_stopped_and_finished_later(db, table, talk, monkeypatch) -> None:
    def work_on(_: Any, __: str, progress: Callable[[str, int], None]) -> None:
        while True:
            progress("items", 1)
            time.sleep(0.01)

    with monkeypatch.context() as patched:
        patched.setattr("core.usecases.erasure.erase_user", work_on)
        app = click(click(ask_to_erase(table), "Erase"), "Stop")
        assert resources.jobs().latest(ERASURE).wait(10)
    assert "The erasure was stopped." in said(app.run())
    click(ask_to_erase(table), "Erase")
    assert resources.jobs().latest(ERASURE).wait(30)
    with pytest.raises(NotFoundError):
        users.find_user(db, "bayko")


def test_production_offers_no_change_without_write(db, table, talk, logged_in) -> None:
    marker = keys.ENVIRONMENT_KEY | {"environment": {"S": "production"}}
    table.request("put_item", Item=marker)
    app = give_reason(opened(PAGE, user="bayko"), "Why do you open the users?", "ticket 8")
    assert not {"Rename", "Hold", "Erase", "Plan the erasure"} & set(labels(app))
