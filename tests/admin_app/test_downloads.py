"""Files that a visitor downloads: begun by the page, fetched once, sent while they are read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from admin_app import downloads
from admin_app.downloads import Download, Downloads, DownloadStoppedError, Progress, State
from admin_app.server import SendDownloads
from core.errors import NotFoundError, UnreachableError


class Opened:
    """A source of parts that notes whether it was closed."""

    def __init__(self, parts: list[str], error: Exception | None = None) -> None:
        self.parts, self.error, self.is_closed = parts, error, False

    def __call__(self, progress: Progress) -> Generator[str]:
        try:
            for seen, part in enumerate(self.parts, start=1):
                progress(seen)
                yield part
            if self.error is not None:
                raise self.error
        finally:
            self.is_closed = True


def begun(source: Callable[[Progress], Generator[str]], name: str = "a.txt") -> Download:
    return Download.begin(name, "text/plain", "messages", source)


def fetch(path: str, method: str = "GET") -> tuple[dict[str, Any], bytes]:
    """The reply to a request for ``path``: its start, and its body."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "headers": []}
    with ThreadPoolExecutor(1) as thread:  # a browser's loop may be running in this one
        thread.submit(asyncio.run, SendDownloads(None)(scope, receive, send)).result()
    return sent[0], b"".join(message.get("body", b"") for message in sent[1:])


def test_a_file_is_sent_once_under_a_name_that_is_safe(monkeypatch) -> None:
    monkeypatch.setattr(downloads, "WAITING", Downloads())
    source = Opened(["first, ", "second: é"])
    download = begun(source, 'bad"name\r\nx: y.txt')
    downloads.WAITING.add(download)
    assert fetch(download.path, "HEAD")[0]["status"] == 404
    start, body = fetch(download.path)
    assert start["status"] == 200
    assert body.decode() == "first, second: é"
    headers = dict(start["headers"])
    assert headers[b"content-disposition"] == b'attachment; filename="bad-name-x-y.txt"'
    assert headers[b"cache-control"] == b"no-store"
    assert (download.state, download.seen, source.is_closed) == (State.DONE, 2, True)
    start, body = fetch(download.path)
    assert (start["status"], body.count(b"\n")) == (404, 1)
    assert b"prepare it again" in body


def test_a_problem_before_the_first_part_is_the_page_s() -> None:
    with pytest.raises(NotFoundError):
        begun(Opened([], NotFoundError("There is no conversation")))


def test_a_file_that_ends_early_is_not_complete(monkeypatch) -> None:
    monkeypatch.setattr(downloads, "WAITING", Downloads())
    source = Opened(["one"], UnreachableError("DynamoDB does not answer"))
    download = begun(source)
    downloads.WAITING.add(download)
    start, body = fetch(download.path)
    assert start["status"] == 200
    assert body == b""
    assert (download.state, source.is_closed) == (State.FAILED, True)


def test_stop_ends_a_file_at_its_next_part() -> None:
    source = Opened(["x" * 70_000] * 5)
    download = begun(source)
    chunks = download.chunks()
    assert len(next(chunks)) == 70_000
    download.stop()
    with pytest.raises(DownloadStoppedError):
        next(chunks)
    assert (download.state, source.is_closed) == (State.STOPPED, True)


def test_a_browser_that_leaves_closes_what_was_opened() -> None:
    source = Opened(["x" * 70_000] * 5)
    chunks = begun(source).chunks()
    next(chunks)
    chunks.close()
    assert source.is_closed


def test_a_file_that_nobody_fetches_is_closed(monkeypatch) -> None:
    waiting = Downloads()
    sources = [Opened(["x"]) for _ in range(3)]
    late = begun(sources[0])
    late.begun_at -= 61
    waiting.add(late)
    assert waiting.take(late.path) is None
    assert sources[0].is_closed
    assert not late.is_open
    monkeypatch.setattr(downloads, "_MOST_WAITING", 1)
    for source in sources[1:]:
        waiting.add(begun(source))
    assert [source.is_closed for source in sources] == [True, True, False]
