"""One operation as the tree of all its runs: its next request for every sequence of answers.

The operation runs in a greenlet and stops at every request. A run that is not needed now is parked;
if it cannot be resumed, a new run gets the same answers again. Runs that know the same after a part
of the operation go on as one; see :mod:`.parts`.
"""

from __future__ import annotations

import itertools
import uuid
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from types import CodeType
from typing import Any, ClassVar

import greenlet

from core.dynamodb.keys import INDEX

from . import ours
from .store import Exceptions, Store

_MAX_PARKED = 4_000
_MAX_DEPTH = 200
"""The number of answers after which every operation should have ended."""
_UNMETERED = {"TableName", "ReturnConsumedCapacity"}


@dataclass(frozen=True, slots=True)
class Ack:
    """An acknowledgement: a message is stored, and its sort key if the caller got it."""

    message_uuid: str
    text: str
    sort_key: str = ""


@dataclass(frozen=True, slots=True)
class Ask:
    """The point where an operation stops: a request, or a question to its surroundings."""

    kind: str
    value: Any = None


class Node:
    """A point in an operation's runs: its next request, and the acknowledgements so far."""

    __slots__ = (
        "acks",
        "ask",
        "children",
        "depth",
        "greenlet",
        "hand",
        "lags",
        "number",
        "parent",
        "passed",
        "reply",
    )

    def __init__(self, number: int, ask: Ask, acks: tuple[Ack, ...]) -> None:
        self.number, self.ask, self.acks = number, ask, acks
        self.children: dict[int, Node] = {}
        self.parent: Node | None = None
        self.reply = -1
        self.greenlet: Any = None
        self.hand: Hand | None = None
        self.lags = 0
        self.depth = 0
        self.passed: tuple[int, ...] = ()
        """The parts that were forgotten on the way from ``parent``."""

    @property
    def is_done(self) -> bool:
        return self.ask.kind == "done"


class _Client:
    """The client of one operation: each request stops it, until it is answered."""

    exceptions = Exceptions

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def describe_table(self, **_: Any) -> dict[str, Any]:
        """Nobody changes the schema meanwhile: this is no step of its own."""
        index = {"IndexName": INDEX, "IndexStatus": "ACTIVE"}
        return {"Table": {"GlobalSecondaryIndexes": [index]}}

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        if operation.startswith("_"):
            raise AttributeError(operation)

        def request(**params: Any) -> Any:
            if self._hand.led is not None:  # what it asks is known
                return self._hand.ask("request").get()
            kept = {name: value for name, value in params.items() if name not in _UNMETERED}
            number = self._hand.store.request(operation, kept)
            return self._hand.ask("request", number).get()

        return request


@dataclass
class Hand:
    """The means of one run of an operation: the table, the time, uuids, the stream."""

    store: Store
    name: str
    elapsed_s: float = 0.0
    acks: list[Ack] = field(default_factory=list)
    uuids: int = 0
    lags: int = 0
    """How many more of its reads may lag."""
    place: Hashable = "the beginning"
    """The last answer, or the last part that was forgotten since."""
    within: list[tuple[Hashable, CodeType]] = field(default_factory=list)
    """The parts that are running: the place where each began, and its code."""
    passed: list[int] = field(default_factory=list)
    merge: Callable[[Hashable], tuple[int, Node | None]] = lambda _: (0, None)
    """The number of a part's end, and the node where a run went on from there."""
    led: Iterator[int] | None = None
    """While it gets the answers of an earlier run: the parts that this one passed."""

    def __post_init__(self) -> None:
        self.client = _Client(self)
        self.table = ours.open_table(self.client)

    def ask(self, kind: str, value: Hashable = None) -> Any:
        number = greenlet.getcurrent().parent.switch(Ask(kind, value))
        return self.store.replies[number]

    def now(self) -> datetime:
        instant: datetime = self.ask("now").value
        return instant

    def waited(self) -> float:
        return float(self.ask("wait").value)

    def uuid4(self) -> uuid.UUID:
        self.uuids += 1
        return ours.uuid_of(f"{self.name} {self.uuids}")

    def poll(self, follower: str, share: int) -> tuple[list[Any], int]:
        """The next records of the stream for ``follower``, one in ``share`` of them, and their end.

        Begin after the last committed record.
        """
        messages, start = self.ask("poll", (follower, share)).value
        records = [
            {
                "eventName": "INSERT",
                "dynamodb": {
                    "Keys": {"pk": item["pk"], "sk": item["sk"]},
                    "NewImage": item,
                    "SequenceNumber": str(start + place),
                },
            }
            for place, item in enumerate(self.store.items[number] for number in messages)
        ]
        return records, start + len(records)

    def commit(self, follower: str, reached: int) -> None:
        self.ask("commit", (follower, reached))

    def forget(self, since: Hashable, knows: Callable[[], Hashable]) -> None:
        """From here on, the run depends only on where it was at ``since`` and on what it ``knows``.

        It ends here if another one has come here with the same knowledge: that one goes on.
        """
        if self.led is not None:
            self.place = ("part", next(self.led))
            return
        counts = (self.elapsed_s, self.uuids, self.lags, tuple(self.acks))
        number, node = self.merge((since, knows(), counts))
        if node is not None:
            greenlet.getcurrent().parent.switch(Ask("merged", node))
        self.passed.append(number)
        self.place = ("part", number)

    def acknowledge(self, message_uuid: str, text: str, sort_key: str = "") -> None:
        self.acks.append(Ack(message_uuid, text, sort_key))


Act = Callable[[Hand], str]
"""Runs a whole operation; returns its outcome in a word or two."""


class Runs:
    """All runs of one operation so far."""

    running: Hand | None = None
    """The run that is active now, of any operation."""

    parked: ClassVar[OrderedDict[tuple[int, int], Node]] = OrderedDict()

    def __init__(self, store: Store, name: str, act: Act, lagging: int) -> None:
        self.store, self.name, self.act, self.lagging = store, name, act, lagging
        self.nodes: list[Node] = []
        self._ends: dict[Hashable, Node] = {}
        self._parts: dict[Hashable, int] = {}
        self._after: dict[int, Node] = {}
        self.led = 0
        self.root = self._begin()

    def _hand(self, led: Iterator[int] | None = None) -> Hand:
        return Hand(self.store, self.name, lags=self.lagging, merge=self._merge, led=led)

    def _begin(self) -> Node:
        hand = self._hand()
        run = greenlet.greenlet(self._run)
        return self._stopped(run, hand, self._switch(run, hand, hand))

    def _merge(self, key: Hashable) -> tuple[int, Node | None]:
        number = self._parts.setdefault(key, len(self._parts))
        return number, self._after.get(number)

    def _run(self, hand: Hand) -> Ask:
        try:
            return Ask("done", self.act(hand))
        except Exception as error:  # noqa: BLE001 - every error is a finding
            return Ask("done", f"broke: {type(error).__name__}: {error}")

    def _switch(self, run: Any, hand: Hand, value: Any) -> Ask:
        before, Runs.running = Runs.running, hand
        try:
            ask: Ask = run.switch(value)
        finally:
            Runs.running = before
        return ask

    def _stopped(
        self, run: Any, hand: Hand, ask: Ask, parent: Node | None = None, reply: int = -1
    ) -> Node:
        """The node where a run has stopped after ``reply`` to ``parent``."""
        if ask.kind == "merged":
            node: Node = ask.value
        elif ask.kind == "done":
            node = self.end(ask.value, tuple(hand.acks))
        elif parent is not None and parent.depth == _MAX_DEPTH:
            node = self.end("broke: it never comes to an end", tuple(hand.acks))
        else:
            node = Node(len(self.nodes), ask, tuple(hand.acks))
            node.parent, node.reply, node.passed = parent, reply, tuple(hand.passed)
            node.depth, node.lags = parent.depth + 1 if parent else 0, hand.lags
            self.nodes.append(node)
            self._park(node, run, hand)
            declared = node.lags >= self._may_lag(node)
            assert declared, f"{self.name} reads what may lag: declare it"
        self._after |= dict.fromkeys(hand.passed, node)
        return node

    def end(self, outcome: str, acks: tuple[Ack, ...]) -> Node:
        """The end node of all runs with this ``outcome``."""
        node = self._ends.get((outcome, acks))
        if node is None:
            node = self._ends[outcome, acks] = Node(len(self.nodes), Ask("done", outcome), acks)
            self.nodes.append(node)
        return node

    def _park(self, node: Node, run: Any, hand: Hand) -> None:
        node.greenlet, node.hand = run, hand
        Runs.parked[id(self), node.number] = node
        if len(Runs.parked) > _MAX_PARKED:
            _, oldest = Runs.parked.popitem(last=False)
            oldest.greenlet = oldest.hand = None

    def advance(self, node: Node, reply: int) -> Node:
        """Where the operation stops next, if ``node`` is answered ``reply``."""
        child = node.children.get(reply)
        if child is None:
            run, hand = self._taken_up(node)
            hand.place, hand.passed = (node.number, reply), []
            hand.lags = node.lags - self._may_lag(node)
            ask = self._switch(run, hand, reply)
            child = node.children[reply] = self._stopped(run, hand, ask, node, reply)
        return child

    def _may_lag(self, node: Node) -> bool:
        return node.ask.kind == "request" and self.store.requests[node.ask.value].may_lag

    def _taken_up(self, node: Node) -> tuple[Any, Hand]:
        if node.greenlet is not None:
            run, hand = node.greenlet, node.hand
            node.greenlet = node.hand = None
            del Runs.parked[id(self), node.number]
            return run, hand
        self.led += 1
        way = [node]
        while way[-1].parent is not None:
            way.append(way[-1].parent)
        hand = self._hand(iter(way[-1].passed))
        run = greenlet.greenlet(self._run)
        self._switch(run, hand, hand)
        for earlier, later in itertools.pairwise(reversed(way)):
            hand.place, hand.led = (earlier.number, later.reply), iter(later.passed)
            self._switch(run, hand, later.reply)
        assert not run.dead, f"{self.name} ends earlier with the same answers"
        hand.led = None
        return run, hand
