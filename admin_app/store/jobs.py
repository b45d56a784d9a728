"""Work that takes longer than a page's run: once, in its own thread; every tab can stop it.

The jobs belong to the server, not to a session. A person who returns or reloads finds the job still
there, and two people who ask for the same job at once get one job.
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
    """One job. It has a ``result`` or a ``problem`` when it is not running."""

    name: str
    title: str
    who: str
    expected: int = 0
    """How many items it will read, if that is known."""
    about: str = ""
    """The uuid of the user whom it changes, if it changes one."""
    can_stop: bool = True
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

    def does_the_same_as(self, other: Job) -> bool:
        return (self.title, self.about) == (other.title, other.about)

    def metered(self, table: Table) -> Table:
        """``table`` with its consumption added to that of the job."""
        return replace(table, capacity=self.capacity)

    def go_on(self, seen: int) -> bool:
        """Note the progress; return whether the job should continue."""
        self.seen = seen
        return not self._stopped.is_set()

    def stop(self) -> None:
        """Ask the job to stop; it stops at the next item or page."""
        self._stopped.set()

    def wait(self, timeout_s: float) -> bool:
        """Wait for the end, at most ``timeout_s``; return whether the job has ended."""
        return self._ended.wait(timeout_s)

    def run(self, work: Work) -> None:
        try:
            self.result = work(self)
        except CoreError as error:
            self.problem = error
        except Exception:  # noqa: BLE001 - no caller would see it
            _log.exception("the job %s broke", self.name)
            self.problem = CoreError("The work failed", "Read the admin UI's log on stderr.")
        finally:
            self.finished_at = now()
            self._ended.set()


class Jobs:
    """The jobs of a server: one of each name at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._serials: dict[str, int] = {}
        self._latest: dict[str, Job] = {}
        self.history: deque[Job] = deque(maxlen=MOST_REMEMBERED)

    def latest(self, name: str) -> Job | None:
        return self._latest.get(name)

    def serial(self, name: str) -> int:
        """How many jobs of that name have started; a click refers to this number."""
        return self._serials.get(name, 0)

    def note(self, job: Job) -> None:
        """List what ``job`` consumes, which runs elsewhere."""
        self.history.append(job)

    def start(self, job: Job, serial: int, work: Work) -> bool:
        """Start ``job``, unless one of its name runs or has started since ``serial`` was read.

        Returns whether it, or one that does the same, was started: a click may come twice.
        """
        with self._lock:
            latest = self._latest.get(job.name)
            if serial != self.serial(job.name) or (latest is not None and latest.is_running):
                return latest is not None and latest.does_the_same_as(job)
            self._serials[job.name] = serial + 1
            self._latest[job.name] = job
            self.history.append(job)
        thread = threading.Thread(target=job.run, args=(work,), daemon=True, name=job.name)
        thread.start()
        return True

    def stop_all(self, patience_s: float = 5.0) -> None:
        """Ask all jobs to stop, and wait briefly until they have."""
        deadline = time.monotonic() + patience_s
        for job in list(self._latest.values()):
            job.stop()
        for job in list(self._latest.values()):
            job.wait(max(0.0, deadline - time.monotonic()))
