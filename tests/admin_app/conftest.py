"""Stores of one's own, named in the environment as a person names them."""

from __future__ import annotations

import logging
import socket
import uuid
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import streamlit as st

from admin_app import login as logins_page
from admin_app import logins, resources
from admin_app.logins import EndedLogins, Login
from core.dynamodb.client import Table, open_table
from core.dynamodb.table import create_table
from core.postgres import admin
from core.postgres.conninfo import parse_url
from core.postgres.database import Database
from core.postgres.seed import seed
from core.settings import Settings
from core.targets import Environment, resolve
from core.timestamps import now

GROUP = Settings().admin_group


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


@pytest.fixture
def audit_lines(caplog) -> Iterator[list[str]]:
    """What the audit log was given; grows."""
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("cruddur.audit")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield lines
    logger.removeHandler(handler)


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield taken.getsockname()[1]


@pytest.fixture
def operators_login(monkeypatch) -> Login:
    """A login of the operators' group, as the one that every page finds."""
    login = Login("https://id.example", "olga", now().timestamp(), "", frozenset({GROUP}))

    def enter(group: str | None) -> None:
        st.session_state[logins_page._GROUP] = group
        if not login.is_valid:
            st.title("Log in")
            st.stop()

    monkeypatch.setattr(logins, "ENDED", EndedLogins())
    monkeypatch.setattr(logins_page, "enter", enter)
    monkeypatch.setattr(logins_page, "current", lambda: login)
    return login
