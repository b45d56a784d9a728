"""Runs the app in process, and reads what it shows."""

from __future__ import annotations

import itertools
import json
import uuid
from typing import Any
from unittest import mock

from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import ElementTree
from unguarded import Database

from core.models import Person
from core.postgres import users
from core.settings import PROJECT_ROOT

APP = str(PROJECT_ROOT / "admin_app" / "app.py")


def person(db: Database, handle: str) -> Person:
    return users.find_person(db, handle)


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
    kinds = (
        app.title,
        app.error,
        app.info,
        app.success,
        app.markdown,
        app.code,
        app.caption,
        app.header,
        app.text,
    )
    shown = [str(element.value) for kind in kinds for element in kind]
    if (banner := element(app, "banner")) is not None:
        shown += [*banner["words"], *itertools.chain.from_iterable(banner["details"])]
    if (head := element(app, "person")) is not None:
        shown += [head["name"], head["handle"], *head["commands"]]
    if (button := element(app, "commands")) is not None:
        shown += button["commands"]
    return "\n".join(shown).replace("\\", "").replace(":gray[]", "")


def labels(app: AppTest) -> list[str]:
    return [button.label.replace("\\", "").replace(":gray[]", "") for button in app.button]


def give_reason(app: AppTest, question: str, reason: str) -> AppTest:
    """Give a reason in the form that asks ``question``."""
    next(box for box in app.text_input if box.label == question).input(reason)
    return _button_of(app, question).click().run()


def _button_of(app: AppTest, question: str) -> Any:
    """The form's own button: several forms may ask."""
    box = next(box for box in app.text_input if box.label == question)
    return next(
        button for button in app.button if button.label == "Open" and button.form_id == box.form_id
    )


# The page's own elements

_NUMBERS = itertools.count(1)


def element(app: AppTest, name: str) -> dict[str, Any] | None:
    """The data of the page's element ``name``; None if it is not drawn."""
    for node in app.get("bidi_component"):
        if node.proto.component_name == f"cruddur_{name}":
            return json.loads(node.proto.json)
    return None


def texts(app: AppTest) -> list[str]:
    """The messages that the page shows, oldest first."""
    thread = element(app, "thread")
    return [message["text"] for message in thread["messages"]] if thread else []


def inbox(app: AppTest) -> list[dict[str, Any]]:
    """The rows of the inbox that the page shows."""
    shown = element(app, "inbox")
    return shown["rows"] if shown else []


def ask(app: AppTest, name: str, kind: str, **values: Any) -> AppTest:
    """Ask a question of the element ``name``, as a browser does, and run the page."""
    (node,) = [
        node for node in app.get("bidi_component") if node.proto.component_name == f"cruddur_{name}"
    ]
    if name == "thread":
        shown = element(app, "thread")
        values = {"group": shown["group"], "outbox": shown["outbox"], **values}
    asked = [{"n": next(_NUMBERS), "kind": kind, **values}]
    state = WidgetState(id=f"$$STREAMLIT_INTERNAL_KEY_{node.proto.id}__events")
    state.json_trigger_value = json.dumps([{"event": "asked", "value": asked}])
    real = ElementTree.get_widget_states

    def with_question(tree: ElementTree) -> WidgetStates:
        states = real(tree)
        states.widgets.append(state)
        return states

    with mock.patch.object(ElementTree, "get_widget_states", with_question):
        app.run()
    assert not app.exception
    return app


def answer_with(app: AppTest, text: str, sender: str = "bayko") -> AppTest:
    """Send a message in the open conversation."""
    return ask(app, "thread", "send", id=str(uuid.uuid4()), text=text, sender=sender)


def outcome(app: AppTest) -> dict[str, str]:
    """The outcome of the message that was sent last."""
    return element(app, "thread")["outcomes"][-1]
