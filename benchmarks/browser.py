"""The admin UI in a browser: a small store, a large one, an empty app, and dynamodb-admin.

Needs Chromium, and dynoxide for stores whose queries do not grow with them; dynamodb-admin is
installed by npm into a scratch folder. What is missing is said, and left out.
"""

from __future__ import annotations

import concurrent.futures
import functools
import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import psutil
from report import Row, Took, compared, in_turn, print_rows

from core.aws.clients import make_client
from core.dynamodb.items import inbox_row_item, message_item
from core.dynamodb.keys import Item, message_pk, pair_key
from core.dynamodb.schema import create_table
from core.dynamodb.table import Table
from core.engines import processes
from core.models import InboxRow, Message, Person
from core.postgres import admin
from core.postgres.database import Database
from core.postgres.statements import load
from core.purposes import Purpose
from core.settings import PROJECT_ROOT
from core.targets import AwsTarget, Environment
from core.targets.postgres import parse_url
from core.timestamps import MICROSECOND, now, sort_key

RUNS = 7
TABS, SETTLE_S, IDLE_S = 30, 10, 30
SETTLE_MS = 150
BATCH = 25
GROUP = "00000000-0000-4000-8000-000000000000"
ANA = Person("00000000-0000-4000-9000-000000000000", "ana", "Ana")


@dataclass(frozen=True)
class Size:
    """The size of a store: all conversations are ana's, the messages are in the first."""

    name: str
    users: int
    conversations: int
    messages: int


SMALL = Size("small", 10, 10, 100)


def bench_browser(scratch: Path, postgres_url: str, messages: int) -> None:
    dynoxide = os.environ.get("DYNOXIDE") or shutil.which("dynoxide")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if not (dynoxide and chromium):
        print("\nThe admin UI in a browser: not measured, without Chromium and dynoxide")
        return
    large = Size("large", 1_000, 10_000, messages)
    with ExitStack() as stack:
        endpoint = stack.enter_context(running_dynoxide(dynoxide, scratch / "browser.sqlite"))
        urls = {}
        for size in (SMALL, large):
            env = _fill(size, endpoint, postgres_url, scratch)
            urls[size.name] = stack.enter_context(_admin_ui(env))
        peer = stack.enter_context(_dynamodb_admin(scratch, endpoint))
        empty = stack.enter_context(_empty_app(scratch))
        page = stack.enter_context(_page(chromium))
        _compare(page, urls, peer, large)
        _compare_loads(page, urls["large"], empty, peer, large)
        _measure_idle_tabs(page.context.browser, urls["large"])


def _compare(page: Any, urls: dict[str, str], peer: str | None, large: Size) -> None:
    """Three steps in turn: in the large store, in the small one, and a page of dynamodb-admin."""
    sizes = f"{large.conversations:,} conversations, {large.messages:,} messages in one"
    rows = []
    for name, step, has_peer in (
        ("the list of conversations", _list, False),
        ("a click to the thread", _thread, True),
        ("a message sent to its bubble", _send, True),
    ):
        sides = [functools.partial(step, page, urls[size]) for size in ("large", "small")]
        if peer is not None and has_peer:
            sides.append(functools.partial(_timed, lambda: _open_there(page, peer, large)))
        here, small, *there = in_turn(RUNS, *sides)
        rows.append(compared(f"{name}, beside a small one", "ms", here.elapsed, small.elapsed, 1.3))
        rows += [
            compared(
                f"{name}, beside a page of dynamodb-admin", "ms", here.elapsed, side.elapsed, 1
            )
            for side in there
        ]
    print_rows(f"The admin UI on a large store ({sizes})", *rows)


def _compare_loads(page: Any, url: str, empty: str, peer: str | None, large: Size) -> None:
    """Page loads in turn: ours, an empty Streamlit app, dynamodb-admin.

    The aim: dynamodb-admin's time, or 100 ms more than an empty app where this alone takes longer.
    """
    opens = [lambda: _open(page, url), lambda: _open_empty(page, empty)]
    names = ["an empty Streamlit app"]
    if peer is not None:
        opens.append(lambda: _open_there(page, peer, large))
        names.append("dynamodb-admin")
    here, *others = in_turn(RUNS, *(functools.partial(_load, page, act) for act in opens))
    allowed_ms = max(
        statistics.median(others[0].elapsed) + 100,
        *(statistics.median(side.elapsed) for side in others),
    )
    print_rows(
        "A page load to the messages of the large conversation, beside the load of",
        *(
            compared(name, "ms", here.elapsed, side.elapsed)
            for name, side in zip(names, others, strict=True)
        ),
        Row(
            "dynamodb-admin, or the empty app and 100 ms",
            "ms",
            statistics.median(here.elapsed),
            allowed_ms,
            target=1,
        ),
        note="" if peer else "dynamodb-admin: not measured, without npm",
    )


def _measure_idle_tabs(browser: Any, url: str) -> None:
    """The processor's share that the server needs for tabs in which nothing happens."""
    server = _listener(urlsplit(url).port)
    contexts = [browser.new_context() for _ in range(TABS)]
    for context in contexts:
        _open(context.new_page(), url)
    time.sleep(SETTLE_S)
    before = sum(server.cpu_times()[:2])
    time.sleep(IDLE_S)
    percent = (sum(server.cpu_times()[:2]) - before) / IDLE_S * 100
    for context in contexts:
        context.close()
    print_rows(
        f"{TABS} idle tabs at one conversation",
        Row("of a core in the server, beside 8 %", "%", percent, 8, target=1),
    )


def _listener(port: int | None) -> psutil.Process:
    """The process that listens on a port of this machine."""
    owners = (
        connection.pid
        for connection in psutil.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
    )
    return psutil.Process(next(owners))


def _timed(act: Callable[[], None]) -> Took:
    """The time of a step, without its preparation."""
    began = time.perf_counter()
    act()
    return Took((time.perf_counter() - began) * 1000, 0)


def _first(page: Any) -> Any:
    return page.get_by_role("link", name="Other 0").first


def _list(page: Any, url: str) -> Took:
    def act() -> None:
        page.goto(f"{url}/?user=ana")
        page.get_by_role("list", name="Conversations").get_by_role("link").first.wait_for()

    return _timed(act)


def _thread(page: Any, url: str) -> Took:
    page.goto(f"{url}/?user=ana")
    _first(page).hover()

    def act() -> None:
        page.mouse.down()
        page.mouse.up()
        page.get_by_role("article").last.wait_for()

    return _timed(act)


def _send(page: Any, url: str) -> Took:
    _thread(page, url)
    text = f"sent at {time.perf_counter_ns()}"
    box = page.get_by_role("textbox", name="Message", exact=True)
    box.fill(text)

    def act() -> None:
        box.press("Enter")
        page.get_by_role("article").get_by_text(text).wait_for()

    return _timed(act)


def _load(page: Any, act: Callable[[], None]) -> Took:
    """A load in an empty tab: the end of the page before is not part of it."""
    page.goto("about:blank")
    page.wait_for_timeout(SETTLE_MS)
    return _timed(act)


def _open(page: Any, url: str) -> None:
    page.goto(f"{url}/?user=ana&conversation={GROUP}", wait_until="commit")
    _wait_for(page, "node => node.shadowRoot?.querySelector('[role=article]')")


def _open_empty(page: Any, url: str) -> None:
    page.goto(url, wait_until="commit")
    _wait_for(page, "node => node.dataset?.testid === 'stText' && node.textContent")


def _wait_for(page: Any, matches: str) -> None:
    """Wait until an element of the page matches; looked for in every frame that it draws."""
    page.wait_for_function(
        f"() => [...document.querySelectorAll('*')].some({matches})", polling="raf"
    )


def _open_there(page: Any, url: str, size: Size) -> None:
    filters = {"pk": {"value": message_pk(GROUP), "operator": "=", "type": "S"}}
    query = {
        "operationType": "query",
        "queryableSelection": "table",
        "filters": json.dumps(filters),
        "pageSize": "50",
    }
    page.goto(f"{url}/tables/{size.name}?{urlencode(query)}", wait_until="commit")
    _wait_for(page, """node => !node.children.length && node.textContent.trim() === '"text 0"'""")


@contextmanager
def running_dynoxide(binary: str, path: Path) -> Iterator[str]:
    """The address of an engine with its data in the file ``path``, until the block ends."""
    port = next(port for port in range(15_000, 30_000) if processes.is_free(port))
    place = ["--host", "127.0.0.1", "--port", str(port), "--db-path", str(path)]
    with _running([binary, "serve", *place], dict(os.environ), port) as url:
        yield url


@contextmanager
def _running(command: list[str], env: dict[str, str], port: int) -> Iterator[str]:
    process = subprocess.Popen(
        command, cwd=PROJECT_ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        if not processes.wait_until(lambda: not processes.is_free(port), 60):
            raise RuntimeError(f"{command[0]} did not start")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def _admin_ui(env: dict[str, str]) -> Iterator[str]:
    port = next(port for port in range(18_501, 19_000) if processes.is_free(port))
    command = [sys.executable, "-m", "invoke", "admin", "--port", str(port)]
    with _running(command, env, port) as url:
        yield url


@contextmanager
def _empty_app(scratch: Path) -> Iterator[str]:
    app = scratch / "empty_app.py"
    app.write_text('import streamlit\n\nstreamlit.text("empty")\n')
    port = next(port for port in range(18_001, 18_500) if processes.is_free(port))
    options = ("--server.headless", "true", "--browser.gatherUsageStats", "false")
    command = [sys.executable, "-m", "streamlit", "run", str(app), *options]
    command += ["--server.port", str(port), "--server.fileWatcherType", "none"]
    with _running(command, dict(os.environ), port) as url:
        yield url


@contextmanager
def _dynamodb_admin(scratch: Path, endpoint: str) -> Iterator[str | None]:
    npm = shutil.which("npm")
    if npm is None:
        yield None
        return
    folder = scratch / "peer"
    folder.mkdir()
    install = [npm, "install", "--silent", "--no-fund", "--no-audit", "dynamodb-admin@5"]
    subprocess.run(install, cwd=folder, check=True, capture_output=True)
    port = next(port for port in range(19_001, 20_000) if processes.is_free(port))
    binary = str(folder / "node_modules" / ".bin" / "dynamodb-admin")
    env = dict(os.environ) | {
        "DYNAMO_ENDPOINT": endpoint,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
    }
    with _running([binary, "--port", str(port), "--host", "127.0.0.1"], env, port) as url:
        yield url


@contextmanager
def _page(chromium: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser.new_page(viewport={"width": 1280, "height": 900})
        browser.close()


def _fill(size: Size, endpoint: str, postgres_url: str, scratch: Path) -> dict[str, str]:
    """Make a store of that size; returns the environment of an admin UI on it."""
    target = AwsTarget(endpoint, "us-east-1", placeholder_credentials=True)
    client = make_client(target, "dynamodb")
    table = Table(client, size.name, target, purpose=Purpose.DESTROYING)
    create_table(table, Environment.LOCAL)
    table.client.update_table(TableName=table.name, StreamSpecification={"StreamEnabled": False})
    _put_all(table, _items(size))
    url = urlsplit(postgres_url)._replace(path=f"/{size.name}").geturl()
    address = parse_url(url, "CONNECTION_URL")
    with Database(address, Purpose.DESTROYING) as db:
        admin.create_database(db)
        admin.load_schema(db, "local")
        with db.transaction() as transaction:
            for person in (ANA, *(_other(n) for n in range(size.users))):
                values = {
                    "uuid": person.uuid,
                    "handle": person.handle,
                    "display_name": person.display_name,
                    "email": f"{person.handle}@example.com",
                }
                transaction.query_commit(load("users/create"), values)
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(scratch),
        "CONNECTION_URL": url,
        "AWS_ENDPOINT_URL": endpoint,
        "DDB_MESSAGE_TABLE": size.name,
    }


def _other(n: int) -> Person:
    return Person(f"00000000-0000-4000-8000-{n + 1:012}", f"other{n}", f"Other {n}")


def _items(size: Size) -> Iterator[Item]:
    """The first conversation is the newest and has the messages; the others have none."""
    end = now()
    for n in range(size.messages):
        instant = end - (size.messages - 1 - n) * MICROSECOND
        yield message_item(
            Message(GROUP, f"message-{n}", ANA, f"text {n}", sort_key(instant), instant)
        )
    for n in range(size.conversations):
        group = GROUP if n == 0 else f"00000000-0000-4000-8000-{n:012}"
        instant = end - (n and size.messages + n) * MICROSECOND
        for owner, shown in ((ANA, _other(n)), (_other(n), ANA)):
            yield inbox_row_item(
                InboxRow(group, owner.uuid, shown, "text", sort_key(instant), instant)
            )
        yield {**pair_key(ANA.uuid, _other(n).uuid), "group_uuid": {"S": group}}


def _put_all(table: Table, items: Iterator[Item]) -> None:
    def put(batch: list[Item]) -> None:
        requests = {table.name: [{"PutRequest": {"Item": item}} for item in batch]}
        while requests:
            requests = table.client.batch_write_item(RequestItems=requests)["UnprocessedItems"]

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        while window := list(itertools.islice(items, 400 * BATCH)):
            list(pool.map(put, (window[n : n + BATCH] for n in range(0, len(window), BATCH))))
