"""Work that outlasts a page's run: in a thread of its own, begun once, watched and stopped by all.

The jobs belong to the server, not to a session: whoever comes back, or reloads, finds what they
began, and two people who ask for the same thing at once get it once.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from core.dynamodb import ConsumedCapacity, Table
from core.errors import CoreError
from core.timestamps import now

MOST_REMEMBERED = 20

Work = Callable[["Job"], object]

_log = logging.getLogger(__name__)


@dataclass(eq=False)
class Job:
    """One piece of work. Its ``result`` or its ``problem`` is there once it is not running."""

    name: str
    title: str
    who: str
    expected: int = 0
    """How many items it will see, as far as that is known."""
    seen: int = 0
    capacity: ConsumedCapacity = field(default_factory=ConsumedCapacity)
    result: object = None
    problem: CoreError | None = None
    started_at: datetime = field(default_factory=now)
    finished_at: datetime | None = None
    _ended: threading.Event = field(default_factory=threading.Event)
    _stopped: threading.Event = field(default_factory=threading.Event)

    @property
    def is_running(self) -> bool:
        return not self._ended.is_set()

    @property
    def took(self) -> timedelta:
        return (self.finished_at or now()) - self.started_at

    def metered(self, table: Table) -> Table:
        """``table`` with its consumption added to that of the job."""
        return replace(table, capacity=self.capacity)

    def go_on(self, seen: int) -> bool:
        """Note how far the work is; whether nobody has asked it to stop."""
        self.seen = seen
        return not self._stopped.is_set()

    def stop(self) -> None:
        """Ask the work to end where it is; it does so at the next item or page."""
        self._stopped.set()

    def wait(self, timeout_s: float) -> bool:
        """Whether the work has ended, within ``timeout_s`` at the latest."""
        return self._ended.wait(timeout_s)

    def run(self, work: Work) -> None:
        try:
            self.result = work(self)
        except CoreError as error:
            self.problem = error
        except Exception:  # noqa: BLE001 - nobody is behind this thread to see it
            _log.exception("the job %s broke", self.name)
            self.problem = CoreError("The work failed", "Read the admin UI's log on stderr.")
        finally:
            self.finished_at = now()
            self._ended.set()


class Jobs:
    """The jobs of a server: of each name, one at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._serials: dict[str, int] = {}
        self._latest: dict[str, Job] = {}
        self.history: deque[Job] = deque(maxlen=MOST_REMEMBERED)

    def latest(self, name: str) -> Job | None:
        return self._latest.get(name)

    def serial(self, name: str) -> int:
        """How many jobs of that name there have been: what a click answers to."""
        return self._serials.get(name, 0)

    def start(self, job: Job, serial: int, work: Work) -> None:
        """Begin ``job``, unless one of its name began since ``serial`` was read, or still runs."""
        with self._lock:
            latest = self._latest.get(job.name)
            if serial != self.serial(job.name) or (latest is not None and latest.is_running):
                return
            self._serials[job.name] = serial + 1
            self._latest[job.name] = job
            self.history.append(job)
        thread = threading.Thread(target=job.run, args=(work,), daemon=True, name=job.name)
        thread.start()

    def stop_all(self, patience_s: float = 5.0) -> None:
        """Ask all to stop, and wait a little until they have."""
        deadline = time.monotonic() + patience_s
        for job in list(self._latest.values()):
            job.stop()
        for job in list(self._latest.values()):
            job.wait(max(0.0, deadline - time.monotonic()))
