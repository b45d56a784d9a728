"""The admin UI's servers that were started here: each has a record while its process runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from core.engines import processes
from core.engines.state import Process
from core.private_files import replace_private_file


@dataclass(frozen=True, slots=True)
class WebServer:
    """A server. ``url`` is where people open it; ``serves`` says what: its target and options."""

    process: Process
    port: int
    url: str
    serves: str


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Run the block in one command at a time: two that start at once do not take the same port.

    A folder that cannot be written to is no failure: then there are no records either.
    """
    with ExitStack() as stack:
        with suppress(OSError):
            folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            stack.enter_context(processes.locked(folder))
        yield


def running(folder: Path) -> Iterator[WebServer]:
    """The servers that still run, in the order of their ports.

    A record that cannot be read names no server: it is replaced by the next one on its port.
    """
    for file in sorted(folder.glob("*.json"), key=lambda file: (len(file.name), file.name)):
        with suppress(OSError, ValueError, KeyError, TypeError):
            stored = json.loads(file.read_text())
            process = Process(int(stored["process"]["pid"]), float(stored["process"]["created_at"]))
            if processes.alive(process) is not None:
                yield WebServer(process, int(stored["port"]), stored["url"], stored["serves"])


def record(folder: Path, server: WebServer) -> None:
    """Write the record of ``server``, in a block of :func:`one_at_a_time`.

    The records of servers that have ended are deleted.
    """
    with suppress(OSError):
        others = {other.port for other in running(folder)}
        for file in folder.glob("*.json"):
            if file.stem not in map(str, others):
                file.unlink()
        text = json.dumps(asdict(server), indent=2)
        replace_private_file(folder / f"{server.port}.json", text)
