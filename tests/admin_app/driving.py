"""The app run in process, and what it shows."""

from __future__ import annotations

from typing import Any

from streamlit.testing.v1 import AppTest
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
    )
    return "\n".join(str(element.value) for kind in kinds for element in kind).replace("\\", "")


def labels(app: AppTest) -> list[str]:
    return [button.label.replace("\\", "").replace("\u2060", "") for button in app.button]


def give_reason(app: AppTest, question: str, reason: str) -> AppTest:
    """Say why, in the form that asks ``question``."""
    next(box for box in app.text_input if box.label == question).input(reason)
    return _button_of(app, question).click().run()


def _button_of(app: AppTest, question: str) -> Any:
    """The form's own button: several forms may ask."""
    box = next(box for box in app.text_input if box.label == question)
    return next(
        button for button in app.button if button.label == "Open" and button.form_id == box.form_id
    )
