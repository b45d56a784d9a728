"""One operation as the tree of all its runs: its next request for every sequence of answers.

The operation runs in a greenlet and stops at every request. A run that is not needed now is parked;
if it cannot be resumed, a new run gets the same answers again.
"""

from __future__ import annotations

import uuid
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime
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
        self.led = 0
        self.root = self._begin()
        self.root.lags = lagging

    def _begin(self) -> Node:
        hand = Hand(self.store, self.name)
        run = greenlet.greenlet(self._run)
        return self._stopped(run, hand, self._switch(run, hand, hand))

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

    def _stopped(self, run: Any, hand: Hand, ask: Ask) -> Node:
        acks = tuple(hand.acks)
        if ask.kind == "done":
            return self.end(ask.value, acks)
        node = Node(len(self.nodes), ask, acks)
        self.nodes.append(node)
        self._park(node, run, hand)
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
            child = self._stopped(run, hand, self._switch(run, hand, reply))
            if not child.is_done:
                child.parent, child.reply = node, reply
                child.depth = node.depth + 1
                child.lags = node.lags - self._may_lag(node)
                declared = child.lags >= self._may_lag(child)
                assert declared, f"{self.name} reads what may lag: declare it"
            if child.depth > _MAX_DEPTH:
                child = self.end("broke: it never comes to an end", child.acks)
            node.children[reply] = child
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
        answers: list[int] = []
        place: Node = node
        while place.parent is not None:
            answers.append(place.reply)
            place = place.parent
        hand = Hand(self.store, self.name)
        run = greenlet.greenlet(self._run)
        self._switch(run, hand, hand)
        for answer in reversed(answers):
            self._switch(run, hand, answer)
        return run, hand
