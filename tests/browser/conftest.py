"""A real browser on the real admin UI: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from core.dynamodb.client import open_table
from core.dynamodb.table import create_table
from core.engines import processes
from core.postgres import admin
from core.postgres.conninfo import parse_url
from core.postgres.database import Database
from core.postgres.seed import seed
from core.settings import PROJECT_ROOT, Settings
from core.targets import Environment, resolve

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        complain = pytest.fail if os.environ.get("CI") else pytest.skip
        complain("Chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def app_env(engines, tmp_path_factory) -> dict[str, str]:
    """The environment of an admin UI over stores of its own, with the demo users."""
    server = urlsplit(engines.postgres_url)
    url = server._replace(path=f"/browser-{uuid.uuid4().hex[:12]}").geturl()
    address = parse_url(url, "CONNECTION_URL")
    admin.create_database(address)
    with Database(address) as db:
        admin.load_schema(db, "local")
        seed(db, Settings())
    env = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path_factory.mktemp("home")),
        "CONNECTION_URL": url,
        "AWS_ENDPOINT_URL": engines.aws_endpoint_url,
        "DDB_MESSAGE_TABLE": f"messages-{uuid.uuid4().hex[:12]}",
    }
    create_table(table_of(env), Environment.LOCAL)
    return env


def table_of(env: dict[str, str]):
    return open_table(resolve(Settings.from_env(env, Path("/nonexistent")), prod=False))


@pytest.fixture(scope="session")
def app_url(app_env) -> Iterator[str]:
    """The address of a running admin UI, started as a person starts it."""
    server = subprocess.Popen(
        [sys.executable, "-m", "invoke", "admin"],
        cwd=PROJECT_ROOT,
        env=app_env,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        url = next(word for word in server.stdout.readline().split() if word.startswith("http"))
        assert processes.wait_until(lambda: _answers(url), timeout_s=30)
        yield url
    finally:
        server.send_signal(signal.SIGINT)  # Ctrl-C
        server.communicate(timeout=20)
    assert server.returncode == 0


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2) as reply:  # noqa: S310
            return reply.status == 200
    except OSError:
        return False


@pytest.fixture
def page(browser: Browser, app_url: str) -> Iterator[Page]:
    """A page of one's own; at the end it has logged no error and asked nobody else."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda line: complaints.append(line.text) if _is_error(line) else None)
    page.on("request", lambda request: complaints.append(request.url) if _leaves(request) else None)
    yield page
    context.close()
    assert complaints == []


def _is_error(line) -> bool:
    # On a deep link Streamlit's page itself looks for its server's base path, by trying.
    return line.type == "error" and "/_stcore/" not in line.location["url"]


def _leaves(request) -> bool:
    return urlsplit(request.url).scheme not in ("data", "blob") and (
        urlsplit(request.url).hostname != "127.0.0.1"
    )
