"""The app run in process, and what it shows."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from core.models import Person
from core.postgres import users
from core.postgres.database import Database
from core.settings import PROJECT_ROOT

APP = str(PROJECT_ROOT / "admin_app" / "app.py")


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
