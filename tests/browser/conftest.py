"""A real browser on the real admin UI: Debian's Chromium, driven by Playwright.

Its headless shell where it is installed, which has the same engine for pages and no windows, menus
or profiles of people around it: the tests then take a fifth less of the processor's time.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import unguarded
from playwright.sync_api import (
    BrowserContext,
    BrowserType,
    ConsoleMessage,
    Dialog,
    Locator,
    Page,
    Request,
    WebError,
    WebSocket,
    WebSocketRoute,
    expect,
    sync_playwright,
)
from ports import free_port
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from unguarded import Database, open_table

from core.dynamodb.schema import create_table
from core.engines import Endpoints, processes
from core.postgres import admin
from core.postgres.seed import seed_demo_data
from core.settings import PROJECT_ROOT, Settings
from core.targets import Environment, resolve
from core.targets.postgres import parse_url

BROWSERS = ("chromium-headless-shell", "chromium", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# How long to wait for an element: on a busy machine a page needs more than Playwright's five
# seconds, and the machine's speed is not tested.
expect.set_options(timeout=30_000)

SIZE = {"width": 1280, "height": 900}
LOOPBACK = {"127.0.0.1", "localhost"}


@pytest.fixture(scope="session")
def chromium() -> Iterator[BrowserType]:
    with sync_playwright() as playwright:
        yield playwright.chromium


@pytest.fixture(scope="session")
def chromium_path() -> str:
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        complain = pytest.fail if os.environ.get("CI") else pytest.skip
        complain(f"Chromium is not installed: apt-get install {BROWSERS[0]}")
    return str(path)


@pytest.fixture(scope="session")
def profile(
    chromium: BrowserType, chromium_path: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BrowserContext]:
    """A browser with one tab for all tests, which keeps compiled scripts and what it loaded: a page
    then takes a third of the processor's time.
    """
    context = chromium.launch_persistent_context(
        tmp_path_factory.mktemp("profile"),
        executable_path=chromium_path,
        args=FLAGS,
        viewport=SIZE,
    )
    yield context
    context.close()


@pytest.fixture(scope="session")
def app_env(engines, tmp_path_factory) -> dict[str, str]:
    """The environment of an admin UI with its own stores and the demo users."""
    return furnished(engines, tmp_path_factory.mktemp("home"))


def furnished(engines: Endpoints, home: Path) -> dict[str, str]:
    """The environment of an admin UI with new stores on these engines."""
    server = urlsplit(engines.postgres_url)
    url = server._replace(path=f"/browser-{uuid.uuid4().hex[:12]}").geturl()
    address = parse_url(url, "CONNECTION_URL")
    unguarded.create_database(address)
    with Database(address) as db:
        admin.load_schema(db, "local")
        seed_demo_data(db, Settings())
    env = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(home),
        "CONNECTION_URL": url,
        "AWS_ENDPOINT_URL": engines.aws_endpoint_url,
        "CRUDDUR_ENGINES_DIR": str(home / "no engines"),
        "DDB_MESSAGE_TABLE": f"messages-{uuid.uuid4().hex[:12]}",
    }
    create_table(table_of(env), Environment.LOCAL)
    return env


def table_of(env: dict[str, str]):
    return open_table(resolve(Settings.from_env(env, Path("/nonexistent")), prod=False))


def database_of(env: dict[str, str]) -> Database:
    return Database(parse_url(env["CONNECTION_URL"], "CONNECTION_URL"))


@pytest.fixture(scope="session")
def app_url(app_env) -> Iterator[str]:
    with serving(app_env) as url:
        yield url


@contextmanager
def serving(
    env: dict[str, str],
    *options: str,
    port: int | None = None,
    log: Path = Path(os.devnull),
    answers: Callable[[str], bool] | None = None,
) -> Iterator[str]:
    """The address of a running admin UI, started and ended as a person does it.

    Its stderr, with the audit lines, goes to ``log``. ``answers`` checks whether it is up, if its
    address does not lead to it.
    """
    with log.open("w") as stderr:
        server = subprocess.Popen(
            [sys.executable, "-m", "invoke", "admin", "--port", str(port or free_port()), *options],
            cwd=PROJECT_ROOT,
            env=env,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    try:
        url = next(word for word in server.stdout.readline().split() if word.startswith("http"))
        assert processes.wait_until(lambda: (answers or is_up)(url), timeout_s=30)
        yield url
    finally:
        server.send_signal(signal.SIGINT)  # Ctrl-C
        server.communicate(timeout=20)
    assert server.returncode == 0


def is_up(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2) as reply:  # noqa: S310
            return reply.status == 200
    except OSError:
        return False


@pytest.fixture
def page(profile: BrowserContext) -> Iterator[Page]:
    """The browser's tab, as if new. At the end no tab of the browser has logged an error, called
    other servers or opened a dialog, as a script in a text would.

    What a test sets on it and cannot be undone, such as a route of websockets, it sets on a tab of
    its own: ``page.context.new_page()``.
    """
    complaints: list[str] = []

    def note_request(request: Request | WebSocket) -> None:
        if _leaves(request.url):
            complaints.append(f"asked for {request.url}")

    def note_line(line: ConsoleMessage) -> None:
        if _is_error(line):
            complaints.append(f"console, {line.location['url']}: {line.text}")

    def note_error(error: WebError) -> None:
        complaints.append(f"uncaught: {error.error}")

    def note_dialog(dialog: Dialog) -> None:
        complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def watch(page: Page) -> None:
        page.on("websocket", note_request)

    listeners = {
        "console": note_line,
        "weberror": note_error,
        "request": note_request,
        "dialog": note_dialog,
        "page": watch,
    }
    page, *_ = profile.pages
    for event, listener in listeners.items():
        profile.on(event, listener)
    watch(page)
    yield page
    _forget(profile, page)
    page.remove_listener("websocket", note_request)
    for event, listener in listeners.items():
        profile.remove_listener(event, listener)
    assert complaints == []


def _forget(profile: BrowserContext, page: Page) -> None:
    """Close what a test opened, and remove what its pages stored."""
    leave(page)
    session = profile.new_cdp_session(page)
    session.send("Storage.clearDataForOrigin", {"origin": "*", "storageTypes": "local_storage"})
    session.detach()
    profile.clear_cookies()
    profile.clear_permissions()
    for opened in profile.pages[1:]:
        opened.close()
    page.unroute_all()
    page.set_viewport_size(SIZE)
    page.emulate_media(color_scheme="light")
    page.mouse.move(0, 0)


@dataclass
class Line:
    """The line from a tab to the server: what the tab sent and received over it, in order."""

    tab: Page
    sent: list[BackMsg] = field(default_factory=list)
    received: list[ForwardMsg] = field(default_factory=list)
    _servers: list[WebSocketRoute] = field(default_factory=list)
    _waits_for: Callable[[ForwardMsg], bool] = lambda _: False
    _held: list[Callable[[], None]] = field(default_factory=list)

    @property
    def ticks(self) -> list[BackMsg]:
        """The tab's requests to run a fragment because its time has come."""
        return [message for message in self.sent if message.rerun_script.is_auto_rerun]

    def send(self, message: BackMsg) -> None:
        """Send the server a message as if the tab did it now."""
        self._servers[-1].send(message.SerializeToString())

    def hold_back(self, beginning: Callable[[ForwardMsg], bool]) -> None:
        """From the first message for which ``beginning`` is true, keep all from the tab."""
        self._waits_for = beginning

    def let_go(self) -> None:
        """Let the tab have what it did not receive, in order."""
        self._waits_for = lambda _: False
        while self._held:
            self._held.pop(0)()

    def relay(self, socket: WebSocketRoute) -> None:
        """Note what passes through ``socket``, from now on."""
        self._servers.append(server := socket.connect_to_server())

        def note_sent(frame: bytes) -> None:
            self.sent.append(BackMsg.FromString(frame))
            server.send(frame)

        def note_received(frame: bytes) -> None:
            self.received.append(message := ForwardMsg.FromString(frame))
            if self._held or self._waits_for(message):
                self._held.append(lambda: socket.send(frame))
            else:
                socket.send(frame)

        socket.on_message(note_sent)
        server.on_message(note_received)


@pytest.fixture
def line(page: Page) -> Line:
    """The line of a new tab beside ``page``."""
    line = Line(page.context.new_page())
    line.tab.route_web_socket(re.compile("_stcore/stream"), line.relay)
    return line


_STANDS_STILL = """quietMs => {
  const now = performance.now()
  const page = window.watchedPage ??= (() => {
    const watched = { changedAt: now }
    const note = () => { watched.changedAt = performance.now() }
    const all = { subtree: true, childList: true, attributes: true, characterData: true }
    new MutationObserver(note).observe(document, all)
    return watched
  })()
  const app = document.querySelector("[data-testid=stApp]")
  const moves = document.getAnimations().some(animation =>
    animation.playState === "running" && animation.effect.getComputedTiming().endTime < Infinity)
  const isDrawn = app?.dataset.testConnectionState === "CONNECTED"
    && app.dataset.testScriptState === "notRunning"
  if (moves || !isDrawn) page.changedAt = now
  return now - page.changedAt >= quietMs
}"""


def leave(page: Page) -> None:
    """Leave an app that is about to end, because its page would log an error.

    What the app stored in the tab, such as drafts, is removed; the page of an error has no storage.
    """
    if page.url != "about:blank":
        page.evaluate("try { sessionStorage.clear() } catch {}")
        page.goto("about:blank")


def wait_until_drawn(page: Page, quiet_ms: int = 300) -> None:
    """Wait until no run of the script is running or requested, and nothing on the page changes.

    During a run, the page has both the old and the new elements, and new elements move the others,
    so a click would miss its button.
    """
    page.wait_for_function(_STANDS_STILL, arg=quiet_ms, polling=50, timeout=30_000)


def unfold(label: Locator) -> None:
    """Open an expander, and wait until its content has stopped moving."""
    wait_until_drawn(label.page)
    label.click()
    wait_until_drawn(label.page)


def _is_error(line: ConsoleMessage) -> bool:
    # The page on which the local Cognito asks for a password has no icon.
    return line.type in ("error", "warning") and "/favicon.ico" not in line.location["url"]


def _leaves(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme not in ("data", "blob") and parts.hostname not in LOOPBACK
