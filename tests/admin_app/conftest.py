"""New stores, named in the environment as a person names them."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import streamlit as st
from databases import Databases
from unguarded import Database, make_table, open_table

from admin_app import login, logins, resources
from admin_app.logins import EndedLogins, Login
from core.access import AuditEntry, read_audit
from core.dynamodb.table import Table
from core.settings import Settings
from core.targets import resolve
from core.targets.postgres import parse_url
from core.timestamps import now

GROUP = Settings().admin_group


@pytest.fixture
def environ(
    engines, databases: Databases, installed_components, monkeypatch, tmp_path
) -> Iterator[dict[str, str]]:
    """Empty stores, named in the environment; the app has its own caches."""
    server = urlsplit(engines.postgres_url)
    environ = {
        "CONNECTION_URL": server._replace(path=f"/pages-{uuid.uuid4().hex[:12]}").geturl(),
        "AWS_ENDPOINT_URL": engines.aws_endpoint_url,
        "DDB_MESSAGE_TABLE": f"messages-{uuid.uuid4().hex[:12]}",
        "CRUDDUR_AUDIT_LOG": str(tmp_path / "audit.jsonl"),
    }
    for name in ("AWS_ENDPOINT_URL_DYNAMODB", "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "")
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.argv", ["app.py"])
    st.cache_resource.clear()
    st.cache_data.clear()
    yield environ
    resources.door().close()
    st.cache_resource.clear()
    st.cache_data.clear()
    databases.drop(parse_url(environ["CONNECTION_URL"], "CONNECTION_URL").dbname)


@pytest.fixture
def table(environ) -> Table:
    table = open_table(resolve(Settings.from_env(environ), prod=False))
    make_table(table)
    return table


@pytest.fixture
def db(environ, databases: Databases) -> Iterator[Database]:
    address = parse_url(environ["CONNECTION_URL"], "CONNECTION_URL")
    databases.create_seeded(address.dbname)
    with Database(address) as db:
        yield db


class AuditLines:
    """The lines of the audit file, as they are now."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __iter__(self) -> Iterator[AuditEntry]:
        return iter(read_audit(self.path))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __getitem__(self, index: int) -> AuditEntry:
        return [*self][index]

    @property
    def texts(self) -> str:
        return self.path.read_text() if self.path.exists() else ""


@pytest.fixture
def audit_lines(environ) -> AuditLines:
    return AuditLines(Path(environ["CRUDDUR_AUDIT_LOG"]))


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield taken.getsockname()[1]


@pytest.fixture
def logged_in(monkeypatch) -> Login:
    """A login of the operators' group, which every page uses."""
    current = Login("https://id.example", "olga", now().timestamp(), "", frozenset({GROUP}))

    def enter(group: str | None) -> bool:
        st.session_state[login._GROUP] = group
        if not current.is_valid:
            st.title("Log in")
        return current.is_valid

    monkeypatch.setattr(logins, "ENDED", EndedLogins())
    monkeypatch.setattr(login, "enter", enter)
    monkeypatch.setattr(login, "current", lambda: current)
    return current
