"""Files that a visitor downloads: sent while they are read, and kept nowhere.

A page begins a download: its permission is checked and audited, and its first part is read, so the
page can show a problem. Then the browser fetches it, once, from an address that nobody can guess.
"""

from __future__ import annotations

import itertools
import re
import secrets
import threading
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

_FETCHED_WITHIN_S = 60.0
_MOST_WAITING = 100
_CHUNK_BYTES = 64 * 1024

PATH = "/download/"

Progress = Callable[[int], None]
"""Receives how many messages or rows have been read."""

Source = Callable[[Progress], Generator[str]]
"""Reads the parts of a file. It checks the permission before it yields the first part."""


class State(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


class DownloadStoppedError(Exception):
    """The visitor stopped the download, so the browser must not take the file as complete."""


@dataclass(eq=False)
class Download:
    """One file. ``unit`` is what ``seen`` counts."""

    name: str
    media_type: str
    unit: str
    _parts: Iterator[str] = field(default_factory=lambda: iter(()))
    _generator: Generator[str] | None = None
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    begun_at: float = field(default_factory=time.monotonic)
    seen: int = 0
    state: State = State.WAITING
    _is_unwanted: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def begin(cls, name: str, media_type: str, unit: str, source: Source) -> Download:
        """A download whose first part has been read.

        Raises:
            CoreError: it is not permitted, could not be audited, or could not be read.
        """
        download = cls(re.sub(r"[^\w.-]+", "-", name, flags=re.ASCII), media_type, unit)
        generator = source(download._note)
        download._generator = generator
        download._parts = itertools.chain([next(generator, "")], generator)
        return download

    @property
    def path(self) -> str:
        return PATH + self.token

    @property
    def is_open(self) -> bool:
        """Whether it waits to be fetched or is being sent."""
        return self.state is State.RUNNING or self.is_waiting

    @property
    def is_waiting(self) -> bool:
        """Whether a browser can still fetch it."""
        return self.state is State.WAITING and not self.is_late

    @property
    def is_late(self) -> bool:
        """Whether no browser may fetch it any more."""
        return time.monotonic() - self.begun_at > _FETCHED_WITHIN_S

    def chunks(self) -> Generator[bytes]:
        """The file in chunks of bytes, read while they are sent.

        Raises:
            DownloadStoppedError: the visitor stopped it.
        """
        self.state = State.RUNNING
        try:
            yield from self._chunks()
            self.state = State.DONE
        except DownloadStoppedError:
            self.state = State.STOPPED
            raise
        finally:
            if self.state is State.RUNNING:
                self.state = State.FAILED
            self.close()

    def _chunks(self) -> Iterator[bytes]:
        waiting = bytearray()
        for part in self._parts:
            if self._is_unwanted.is_set():
                raise DownloadStoppedError
            waiting += part.encode(errors="surrogatepass")
            if len(waiting) >= _CHUNK_BYTES:
                yield bytes(waiting)
                waiting.clear()
        yield bytes(waiting)

    def stop(self) -> None:
        """End it at the next part; the browser then reports an incomplete file."""
        self._is_unwanted.set()

    def close(self) -> None:
        """Give back what it reads from."""
        if self._generator is not None:
            self._generator.close()
        if self.state is State.WAITING:
            self.state = State.STOPPED

    def _note(self, seen: int) -> None:
        self.seen = seen
        if self._is_unwanted.is_set():
            raise DownloadStoppedError


class Downloads:
    """The downloads of a server that no browser has fetched yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, Download] = {}

    def add(self, download: Download) -> None:
        """Let the browser fetch it, for a minute."""
        with self._lock:
            excess = len(self._waiting) - _MOST_WAITING + 1
            for number, (token, known) in enumerate([*self._waiting.items()]):
                if known.is_late or number < excess:
                    self._waiting.pop(token).close()
            self._waiting[download.token] = download

    def take(self, path: str) -> Download | None:
        """The download with that path, once; None if there is none or it came too late."""
        with self._lock:
            download = self._waiting.pop(path.removeprefix(PATH), None)
        if download is not None and download.is_late:
            download.close()
            return None
        return download


WAITING = Downloads()
