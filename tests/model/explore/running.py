"""Exploring scopes, here or on several processes, with the results as lines and tests."""

from __future__ import annotations

import gc
import multiprocessing
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from .ours import in_charge
from .runs import Runs
from .scopes import Family, Scope
from .search import Exploration, Result
from .settling import Calm
from .traces import as_test

_RARELY = (200_000, 50, 1_000)
"""The states are never garbage: collecting garbage among them would take most of the time."""

_FORK = multiprocessing.get_context("fork")
"""A new process has everything imported already, and begins at once."""

_TELL_EACH_S = 60.0


@dataclass(frozen=True, slots=True)
class Explored:
    """The result of exploring a scope; ``trace`` is a test if a rule is broken.

    ``problem`` says why there is no result.
    """

    scope: str
    result: Result
    trace: str = ""
    problem: str = ""


@contextmanager
def explorer() -> Iterator[None]:
    """Core's operations run under the exploration, with rare garbage collections."""
    calm, before = Calm(), gc.get_threshold()
    gc.set_threshold(*_RARELY)
    try:
        with in_charge(lambda: Runs.running or calm):
            yield
    finally:
        gc.set_threshold(*before)
        Runs.parked.clear()


def explore(scope: Scope, *, most_s: float = 1e9) -> Explored:
    """Every state of ``scope``; if one breaks a rule, the shortest trace that breaks one."""
    with explorer():
        exploration = Exploration(scope)
        result = exploration.explore(most_s=most_s)
        if result.violation is None:
            return Explored(scope.name, result)
        shortest = exploration.shortest(result.violation)
        return Explored(scope.name, result, as_test(exploration, shortest))


def first_wrong(scope: Scope) -> str:
    """The first rule that is found broken, without the shortest trace."""
    with explorer():
        violation = Exploration(scope).explore().violation
    return violation.wrong if violation else ""


def explore_family(family: Family) -> list[Explored]:
    return [explore(scope) for scope in family.scopes]


def summary(family: Family, explored: Iterable[Explored]) -> str:
    """A family in one line."""
    every = [scope.result for scope in explored]
    total = Result(
        sum(result.executions for result in every),
        sum(result.states for result in every),
        sum(result.transitions for result in every),
        sum(result.seconds for result in every),
        all(result.is_complete for result in every),
    )
    count = len(every)
    return total.summary(family.name if count == 1 else f"{family.name} ({count} scopes)")


Tell = Callable[[str], None]


class AtOnce:
    """All scopes of some families, each in a process of its own, several at once.

    A process gives its memory back when it ends: what one scope remembers is of no use to the
    next. A process that dies is a problem of its scope, and the others go on.
    """

    def __init__(self, families: Iterable[Family], tell: Tell, tell_progress: Tell) -> None:
        self._tell, self._tell_progress = tell, tell_progress
        self._waiting = deque((family, scope) for family in families for scope in family.scopes)
        self._running: dict[Connection, tuple[BaseProcess, Family, Scope]] = {}
        self._done: dict[str, list[Explored]] = {family.name: [] for family, _ in self._waiting}
        self._count = len(self._waiting)

    def run(self, processes: int) -> list[Explored]:
        """The results of all scopes; a line says at once when a family is done."""
        reported_at = time.monotonic()
        try:
            while self._waiting or self._running:
                while self._waiting and len(self._running) < processes:
                    self._begin(*self._waiting.popleft())
                for receiver in wait(list(self._running), timeout=1.0):
                    self._end(receiver)  # type: ignore[arg-type]
                if time.monotonic() - reported_at >= _TELL_EACH_S:
                    reported_at = time.monotonic()
                    self._tell_progress(self._progress())
        finally:
            for process, _, _ in self._running.values():
                process.kill()
        return [scope for explored in self._done.values() for scope in explored]

    def _begin(self, family: Family, scope: Scope) -> None:
        receiver, sender = _FORK.Pipe(duplex=False)
        process = _FORK.Process(target=_send_explored, args=(scope, sender), daemon=True)
        process.start()
        sender.close()  # the process has the only other one: its death closes the pipe
        self._running[receiver] = (process, family, scope)

    def _end(self, receiver: Connection) -> None:
        process, family, scope = self._running.pop(receiver)
        with receiver:
            try:
                explored = receiver.recv()
            except EOFError:
                process.join()
                problem = f"its process died with exit code {process.exitcode}"
                explored = Explored(scope.name, Result(), problem=problem)
        process.join()
        violation = explored.result.violation
        if problem := explored.problem or (violation.wrong if violation else ""):
            self._tell(f"{scope.name}: {problem}")
        self._done[family.name].append(explored)
        if len(self._done[family.name]) == len(family.scopes):
            self._tell(summary(family, self._done[family.name]))

    def _progress(self) -> str:
        done = sum(map(len, self._done.values()))
        names = ", ".join(f"{scope.name!r}" for _, _, scope in self._running.values())
        return f"{done} of {self._count} scopes are done; now: {names}"


def _send_explored(scope: Scope, sender: Connection) -> None:
    try:
        explored = explore(scope)
    except Exception:  # noqa: BLE001 - it is reported by the process that has the lines
        explored = Explored(scope.name, Result(), problem=traceback.format_exc())
    sender.send(explored)


def explore_at_once(
    families: Iterable[Family], processes: int, tell: Tell, tell_progress: Tell
) -> list[Explored]:
    """All scopes of ``families``, on several processes; each family is reported when it is done."""
    return AtOnce(families, tell, tell_progress).run(processes)
