"""The search: every state of a scope, each checked once.

A state is the table, what the index may still show, the stream, the clock, the faults that are
left, and where each actor is. From it, any actor may make its next request, and anything that the
scope allows may go wrong with it. Where one actor only reads what no other may ever write, its
request commutes with all that the others may do, and no other order is looked at.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import NamedTuple

from ..invariants import EVERY, Previews, View, When, a_preview_never_moves_back, broken
from . import scopes
from .actors import FUNCTION, OURS
from .ours import EPOCH
from .runs import Node, Runs
from .scopes import Scope
from .settling import Settling
from .store import Request, Store, meets

_ON_THE_WAY = -1
"""In the place of a state's executions, until all that follows it is known."""


class State(NamedTuple):
    """Everything that the future depends on, in numbers."""

    table: int
    past: tuple[int, ...]
    stream: tuple[int, ...]
    positions: tuple[int, ...]
    clock: tuple[int, int]
    left: int
    late: tuple[tuple[int, int], ...]
    nodes: tuple[int, ...]


class Step(NamedTuple):
    """The actor of a step, and its events: faults, lags and clock steps by name."""

    actor: int
    words: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "/".join((str(self.actor + 1), *(word.replace(" ", "-") for word in self.words)))


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken rule, and the steps to the state that breaks it."""

    scope: str
    wrong: str
    steps: tuple[Step, ...]


@dataclass(slots=True)
class Result:
    """The result of a search."""

    executions: int = 0
    states: int = 0
    transitions: int = 0
    seconds: float = 0.0
    is_complete: bool = False
    violation: Violation | None = None

    def summary(self, scope: str) -> str:
        complete = "yes" if self.is_complete else "no"
        return (
            f"{scope}: {self.executions:,} executions, {self.states:,} states,"
            f" {self.seconds:.1f} s, complete: {complete}"
        )


@dataclass
class Exploration:
    """One scope, with everything known about it so far."""

    scope: Scope
    store: Store = field(default_factory=Store)

    def __post_init__(self) -> None:
        self.runs = [
            Runs(self.store, actor.name, actor.act, actor.lagging) for actor in self.scope.actors
        ]
        self.settling = Settling(self.scope, self.store)
        self._wrong: dict[object, str] = {}
        self._previews: dict[int, Previews] = {}
        self._moved_back: dict[tuple[int, int], str] = {}
        self._ended: dict[object, str] = {}

    # States and what follows them.

    @cached_property
    def initial(self) -> State:
        table = self.store.table(self.scope.items)
        undelivered = self.settling.undelivered_before if self.scope.followers else ()
        state = State(
            table,
            (),
            undelivered,
            (0,) * len(self.scope.followers),
            (0, self.scope.clock.most),
            self.scope.faults,
            (),
            (),
        )
        nodes = tuple(self._begun(state, actor, runs.root) for actor, runs in enumerate(self.runs))
        return state._replace(nodes=nodes)

    def _begun(self, state: State, actor: int, node: Node) -> int:
        """An actor at its first request; where clocks step, at its first look at one."""
        while node.ask.kind == "now" and not self.scope.clock.steps:
            node = self.runs[actor].advance(node, self._instant(state.clock, actor))
        return node.number

    def _instant(self, clock: tuple[int, int], actor: int) -> int:
        ahead = self.scope.clock.ahead
        microseconds = clock[0] + (ahead[actor] if ahead else 0)
        instant: datetime = EPOCH + timedelta(microseconds=microseconds)
        return self.store.value(instant)

    def successors(self, state: State, *, reduced: bool = True) -> Iterator[tuple[Step, State]]:
        """Every step from ``state``; with ``reduced``, of the orders that come to the same one."""
        live = [
            (actor, self.runs[actor].nodes[number])
            for actor, number in enumerate(state.nodes)
            if not self.runs[actor].nodes[number].is_done
        ]
        if reduced and len(live) > 1 and (alone := self._commuting(state, live)) is not None:
            live = [alone]
        else:
            yield from self._coming_through(state)
        for actor, node in live:
            for words, reply, after in self._answers(state, actor, node):
                step = Step(actor, words)
                if reply is None:
                    yield step, self._at(after, actor, self.runs[actor].end("crashed", node.acks))
                else:
                    following = self.runs[actor].advance(node, reply)
                    yield from self._going_on(after, step, following)

    def _commuting(self, state: State, live: list[tuple[int, Node]]) -> tuple[int, Node] | None:
        """An actor whose next request commutes with all later requests of the others."""
        if state.clock[1]:
            return None
        for actor, node in live:
            if node.ask.kind != "request":
                continue
            request = self.store.requests[node.ask.value]
            if request.is_write:
                continue
            writes = [self.scope.actors[other].writes for other, _ in live if other != actor]
            writes += [self.store.requests[late].writes for _, late in state.late]
            if request.may_lag and self.scope.lag:
                if not state.past and not any(writes):
                    return actor, node
            elif not any(meets(request.reads, write) for write in writes):
                return actor, node
        return None

    def _coming_through(self, state: State) -> Iterator[tuple[Step, State]]:
        """An abandoned request is carried out late."""
        for place, (actor, request) in enumerate(state.late):
            late = state.late[:place] + state.late[place + 1 :]
            effect = self.store.effect(state.table, request, state.table)
            after = self._written(state._replace(late=late), effect.table, effect.inserted)
            yield Step(actor, ("comes through",)), after

    def _answers(
        self, state: State, actor: int, node: Node
    ) -> Iterator[tuple[tuple[str, ...], int | None, State]]:
        """Each way in which what ``node`` asks for may be answered; None for a crash."""
        match node.ask.kind:
            case "now":
                for words, clock in self._readings(state.clock):
                    yield words, self._instant(clock, actor), state._replace(clock=clock)
            case "poll":
                yield (), self._polled(state, *node.ask.value), state
            case _:
                request = self.store.requests[node.ask.value]
                if request.is_write:
                    yield from self._writes(state, actor, node.ask.value, request)
                else:
                    yield from self._reads(state, node.ask.value, request)

    def _polled(self, state: State, follower: str, share: int) -> int:
        start = state.positions[self.scope.followers.index(follower)]
        fresh = state.stream[start:]
        return self.store.value((fresh[: -(-len(fresh) // share)], start))

    def _reads(
        self, state: State, number: int, request: Request
    ) -> Iterator[tuple[tuple[str, ...], int, State]]:
        seen_before = set()
        behind = [state.table]
        if request.may_lag:
            behind += reversed(state.past)
        for lag, table in enumerate(behind):
            reply = self.store.effect(table, number, table).reply
            if reply not in seen_before:
                seen_before.add(reply)
                yield ((f"lags {lag}",) if lag else ()), reply, state
        if state.left:
            less = state._replace(left=state.left - 1)
            for fault in (scopes.REFUSED, scopes.RESET):
                if fault in self.scope.kinds:
                    yield (fault,), self.store.fault(fault, request), less

    def _writes(
        self, state: State, actor: int, number: int, request: Request
    ) -> Iterator[tuple[tuple[str, ...], int | None, State]]:
        allowed = self.scope.actors[actor].writes
        undeclared = [write for write in request.writes if not meets([write], allowed)]
        assert not undeclared, f"{self.scope.actors[actor].name} writes {undeclared}: declare it"
        effect = self.store.effect(state.table, number, state.table)
        written = self._written(state, effect.table, effect.inserted)
        yield (), effect.reply, written
        if not state.left:
            return
        kinds, less = self.scope.kinds, state._replace(left=state.left - 1)
        changed = effect.table != state.table
        after = written._replace(left=state.left - 1)
        for fault in (scopes.REFUSED, scopes.RESET):
            if fault in kinds:
                yield (fault,), self.store.fault(fault, request), less
        if scopes.CONFLICT in kinds and request.operation != "batch_write_item":
            yield (scopes.CONFLICT,), self.store.fault(scopes.CONFLICT, request), less
        if scopes.CRASH_BEFORE in kinds:
            yield (scopes.CRASH_BEFORE,), None, less
        if changed and scopes.LOST in kinds:
            yield (scopes.LOST,), self.store.fault(scopes.LOST, request), after
        if changed and scopes.CRASH_AFTER in kinds:
            yield (scopes.CRASH_AFTER,), None, after
        if scopes.LATE in kinds:
            late = tuple(sorted((*state.late, (actor, number))))
            yield (scopes.LATE,), self.store.fault(scopes.RESET, request), less._replace(late=late)
        if scopes.SECOND_TRY in kinds and changed and request.operation == "transact_write_items":
            yield (scopes.SECOND_TRY,), self.store.fault(scopes.SECOND_TRY, request), after
        if scopes.UNPROCESSED in kinds and request.operation == "batch_write_item":
            yield from self._unprocessed(less, request)

    def _unprocessed(
        self, state: State, request: Request
    ) -> Iterator[tuple[tuple[str, ...], int | None, State]]:
        """A batch of which only the first or only the last requests are done."""
        ((name, puts),) = request.params["RequestItems"].items()
        for count in range(1, len(puts)):
            for words, done, rest in (
                (f"only the first {count}", puts[:count], puts[count:]),
                (f"only the last {count}", puts[-count:], puts[:-count]),
            ):
                part = self.store.request("batch_write_item", {"RequestItems": {name: done}})
                effect = self.store.effect(state.table, part, state.table)
                reply = self.store.unprocessed(name, rest)
                yield (words,), reply, self._written(state, effect.table, effect.inserted)

    def _written(self, state: State, table: int, inserted: tuple[int, ...]) -> State:
        if table == state.table:
            return state
        lags = self.scope.lag and any(
            runs.nodes[number].lags for runs, number in zip(self.runs, state.nodes, strict=True)
        )
        past = (*state.past, state.table)[-self.scope.lag :] if lags else ()
        stream = (*state.stream, *inserted) if self.scope.followers else ()
        return state._replace(table=table, past=past, stream=stream)

    def _readings(
        self, clock: tuple[int, int]
    ) -> Iterator[tuple[tuple[str, ...], tuple[int, int]]]:
        yield (), clock
        for step in self.scope.clock.steps if clock[1] else ():
            yield (f"clock {step:+}",), (clock[0] + step, clock[1] - 1)

    def _going_on(self, state: State, step: Step, node: Node) -> Iterator[tuple[Step, State]]:
        """Continue to the actor's next request that others may precede."""
        runs = self.runs[step.actor]
        match node.ask.kind:
            case "now":
                for words, clock in self._readings(state.clock):
                    following = runs.advance(node, self._instant(clock, step.actor))
                    longer = Step(step.actor, step.words + words)
                    yield from self._going_on(state._replace(clock=clock), longer, following)
            case "wait":
                following = runs.advance(node, self.store.value(0.0))
                yield from self._going_on(state, step, following)
                if state.left and scopes.TIRED in self.scope.kinds:
                    following = runs.advance(node, self.store.value(1e6))
                    longer = Step(step.actor, (*step.words, scopes.TIRED))
                    yield from self._going_on(
                        state._replace(left=state.left - 1), longer, following
                    )
            case "commit":
                follower, reached = node.ask.value
                place = self.scope.followers.index(follower)
                positions = list(state.positions)
                positions[place] = max(positions[place], reached)
                following = runs.advance(node, self.store.value(None))
                yield from self._going_on(
                    state._replace(positions=tuple(positions)), step, following
                )
            case _:
                yield step, self._at(state, step.actor, node)

    def _at(self, state: State, actor: int, node: Node) -> State:
        nodes = (*state.nodes[:actor], node.number, *state.nodes[actor + 1 :])
        if not state.past:
            return state._replace(nodes=nodes)
        lags = any(runs.nodes[n].lags for runs, n in zip(self.runs, nodes, strict=True))
        return state._replace(nodes=nodes, past=state.past if lags else ())

    # The rules.

    def view(self, state: State) -> View:
        nodes = [runs.nodes[number] for runs, number in zip(self.runs, state.nodes, strict=True)]
        return self.settling.view(state.table, nodes)

    def wrong_at(self, state: State) -> str:
        """The rule that ``state`` breaks."""
        nodes = [runs.nodes[number] for runs, number in zip(self.runs, state.nodes, strict=True)]
        spent = self.scope.faults - state.left
        outcomes = tuple((node.acks, node.ask.value if node.is_done else "") for node in nodes)
        place = (state.table, outcomes, not spent)
        wrong = self._wrong.get(place)
        if wrong is None:
            wrong = self._wrong[place] = self._looked_at(state, nodes, spent)
        return wrong

    def _looked_at(self, state: State, nodes: list[Node], spent: int) -> str:
        for node, actor in zip(nodes, self.scope.actors, strict=True):
            outcome = str(node.ask.value) if node.is_done else ""
            if outcome.startswith("broke"):
                return f"{actor.name} {outcome}"
            gave_up = outcome.startswith(("refused", "failed", "reported", "unconfirmed"))
            if gave_up and not spent:
                return f"{actor.name} came to {outcome!r}, and nothing had gone wrong"
        return "; ".join(broken(self.settling.view(state.table, nodes), *self._whens))

    @cached_property
    def _whens(self) -> tuple[When, ...]:
        """The kinds of rules that apply at every moment of this scope."""
        if self.scope.only_ours:
            return EVERY
        if self.scope.in_bulk:
            return ()
        others = [actor.writes for actor in self.scope.actors if not actor.is_ours]
        before = self.settling.view(self.initial.table, [])
        rows_stay = not any(meets(writes, ["GRP#"]) for writes in others)
        are_listed = all(map(before.members_of, before.groups))
        if rows_stay and are_listed and not broken(before, When.ROWS_STAY):
            return (When.ALWAYS, When.ROWS_STAY)
        return (When.ALWAYS,)

    def moved_back(self, before: State, step: Step, after: State) -> str:
        """A preview that a step of ours moved back."""
        if before.table == after.table or not self.scope.actors[step.actor].is_ours:
            return ""
        place = (before.table, after.table)
        wrong = self._moved_back.get(place)
        if wrong is None:
            may_be_missing = FUNCTION in self.scope.followers or self.scope.in_bulk
            wrong = a_preview_never_moves_back(
                *map(self._shown, place), may_be_missing=may_be_missing
            )
            self._moved_back[place] = wrong
        return wrong

    def _shown(self, table: int) -> Previews:
        previews = self._previews.get(table)
        if previews is None:
            previews = self._previews[table] = Previews(self.store.tables[table])
        return previews

    def wrong_in_the_end(self, state: State) -> str:
        """The problem in a final state, where every operation has ended."""
        nodes = [runs.nodes[number] for runs, number in zip(self.runs, state.nodes, strict=True)]
        hosts = zip(self.scope.followers, state.positions, strict=True)
        reached = min((at for name, at in hosts if name.startswith(OURS)), default=-1)
        outcomes = tuple((node.acks, node.ask.value) for node in nodes)
        rest = state.stream[reached:] if reached >= 0 else ()
        place = (state.table, rest, frozenset(state.stream), outcomes)
        wrong = self._ended.get(place)
        if wrong is None:
            wrong = self.settling.wrong(state.table, state.stream, reached, nodes)
            self._ended[place] = wrong
        return wrong

    # The search itself.

    def explore(self, *, most_s: float = 1e9) -> Result:
        """Look at every state; stop at the first that breaks a rule."""
        began = time.monotonic()
        result = Result()
        counts: dict[State, int] = {}
        stack: list[list[object]] = []
        path: list[Step] = []

        def end(wrong: str, *more: Step) -> Result:
            steps = (*path, *more)
            result.violation = Violation(self.scope.name, wrong, steps) if wrong else None
            result.states, result.seconds = len(counts), time.monotonic() - began
            return result

        if wrong := self.wrong_at(self.initial):
            return end(wrong)
        counts[self.initial] = _ON_THE_WAY
        stack.append([self.initial, self.successors(self.initial), 0])
        while stack:
            frame = stack[-1]
            state: State = frame[0]  # type: ignore[assignment]
            for step, after in frame[1]:  # type: ignore[attr-defined]
                result.transitions += 1
                if wrong := self.moved_back(state, step, after):
                    return end(wrong, step)
                known = counts.get(after)
                if known == _ON_THE_WAY:
                    return end("it comes back to where it was, and need never end", step)
                if known is not None:
                    frame[2] += known  # type: ignore[operator]
                    continue
                if wrong := self.wrong_at(after):
                    return end(wrong, step)
                path.append(step)
                counts[after] = _ON_THE_WAY
                stack.append([after, self.successors(after), 0])
                break
            else:
                stack.pop()
                count: int = frame[2]  # type: ignore[assignment]
                if not count:
                    if wrong := self.wrong_in_the_end(state):
                        return end(wrong)
                    count = 1
                counts[state] = count
                if path:
                    path.pop()
                if stack:
                    stack[-1][2] += count  # type: ignore[operator]
                if result.transitions % 1000 == 0 and time.monotonic() - began > most_s:
                    return end("")
        result.executions = counts[self.initial]
        result.is_complete = True
        return end("")

    def shortest(self, violation: Violation) -> Violation:
        """The shortest way to break a rule, with as few faults as that takes."""
        for faults in range(self.scope.faults + 1):
            unused = self.scope.faults - faults
            if (steps := self._nearest(unused)) is not None:
                return Violation(violation.scope, steps[1], steps[0])
        return violation

    def _nearest(self, unused: int) -> tuple[tuple[Step, ...], str] | None:
        parents: dict[State, tuple[State, Step] | None] = {self.initial: None}
        queue = deque([self.initial])
        while queue:
            state = queue.popleft()
            is_end = True
            for step, after in self.successors(state):
                if after.left < unused:
                    is_end = False
                    continue
                is_end = False
                wrong = self.moved_back(state, step, after)
                if after not in parents:
                    parents[after] = (state, step)
                    wrong = wrong or self.wrong_at(after)
                    queue.append(after)
                if wrong:
                    return (*_way(parents, state), step), wrong
            if is_end and (wrong := self.wrong_in_the_end(state)):
                return _way(parents, state), wrong
        return None


def _way(parents: Mapping[State, tuple[State, Step] | None], state: State) -> tuple[Step, ...]:
    steps: list[Step] = []
    while (before := parents[state]) is not None:
        state, step = before
        steps.append(step)
    return tuple(reversed(steps))
