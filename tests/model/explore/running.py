"""Exploring scopes, here or on several processes, with the results as lines and tests."""

from __future__ import annotations

import gc
import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass

from . import scopes
from .ours import in_charge
from .runs import Runs
from .scopes import Family, Scope
from .search import Exploration, Result
from .settling import Calm
from .traces import as_test

_RARELY = (200_000, 50, 1_000)
"""The states are never garbage: collecting garbage among them would take most of the time."""


@dataclass(frozen=True, slots=True)
class Explored:
    """The result of exploring a scope; ``trace`` is a test if a rule is broken."""

    scope: str
    result: Result
    trace: str = ""


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


def explore_named(name: str) -> Explored:
    """As :func:`explore`, for another process."""
    return explore(scopes.scopes()[name])


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


def explore_at_once(
    families: Iterable[Family], processes: int, tell: Callable[[str], None]
) -> list[Explored]:
    """All scopes of ``families``, on several processes; each family is reported when it is done."""
    scopes_left = {family.name: len(family.scopes) for family in families}
    done: dict[str, list[Explored]] = {family.name: [] for family in families}
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        jobs = {
            pool.submit(explore_named, scope.name): family
            for family in families
            for scope in family.scopes
        }
        for job in as_completed(jobs):
            family = jobs[job]
            done[family.name].append(job.result())
            scopes_left[family.name] -= 1
            if not scopes_left[family.name]:
                tell(summary(family, done[family.name]))
    return [result_of_scope for explored in done.values() for result_of_scope in explored]
