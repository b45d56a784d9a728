"""The table as a value: one of :mod:`..memory` for each state, with every answer remembered.

Items, tables, requests and replies are interned: each is a small number, equal where the things
are equal. So a state of the exploration is a tuple of numbers, and the model is asked once what a
request does to a table.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import botocore.exceptions
from botocore.exceptions import ClientError

from .. import memory
from ..memory import Item, Key

Value = TypeVar("Value")

_ENCODE = json.JSONEncoder(check_circular=False).encode
"""Core builds what it asks in one order each time."""

READS = frozenset({"batch_get_item", "get_item", "query", "scan"})
EVERYTHING = "*"


class Interned(Generic[Value]):
    """Values by number, numbers by key."""

    def __init__(self) -> None:
        self.values: list[Value] = []
        self._numbers: dict[Hashable, int] = {}

    def number(self, key: Hashable, value: Value) -> int:
        number = self._numbers.setdefault(key, len(self.values))
        if number == len(self.values):
            self.values.append(value)
        return number

    def known(self, key: Hashable) -> int | None:
        return self._numbers.get(key)

    def __getitem__(self, number: int) -> Value:
        return self.values[number]

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True, slots=True)
class Request:
    """A request of an operation: what it asks, and which partitions it touches."""

    operation: str
    params: Mapping[str, Any]
    reads: frozenset[str]
    writes: frozenset[str]
    may_lag: bool

    @property
    def is_write(self) -> bool:
        return bool(self.writes)


@dataclass(frozen=True, slots=True)
class Reply:
    """The reply to a request: a value, or an error."""

    value: Any = None
    error: Callable[[], BaseException] | None = None
    in_words: str = ""

    def get(self) -> Any:
        if self.error is not None:
            raise self.error()
        return self.value


@dataclass(frozen=True, slots=True)
class Effect:
    """What a request does: its reply, the table after it, the messages that are new in it."""

    reply: int
    table: int
    inserted: tuple[int, ...]


def _client_error(code: str, operation: str, **more: Any) -> Callable[[], BaseException]:
    def make() -> BaseException:
        kind = _RefusedError if code == "ConditionalCheckFailedException" else ClientError
        return kind({"Error": {"Code": code, "Message": code}, **more}, operation)

    return make


class _RefusedError(ClientError):
    """A failed condition, as the SDK names it."""


class Exceptions:
    """The exceptions of a client, by their names."""

    ConditionalCheckFailedException = _RefusedError


@dataclass
class Store:
    """Every table, request and reply so far."""

    items: Interned[Item] = field(default_factory=Interned)
    tables: Interned[dict[Key, Item]] = field(default_factory=Interned)
    requests: Interned[Request] = field(default_factory=Interned)
    replies: Interned[Reply] = field(default_factory=Interned)
    _effects: dict[tuple[int, int, int], Effect] = field(default_factory=dict)

    def table(self, items: Mapping[Key, Item]) -> int:
        ordered = dict(sorted(items.items()))
        return self.tables.number(tuple(map(self.item, ordered.values())), ordered)

    def item(self, item: Item) -> int:
        return self.items.number(json.dumps(item, sort_keys=True), item)

    def request(self, operation: str, params: Mapping[str, Any]) -> int:
        text = _ENCODE(params)
        known = self.requests.known((operation, text))
        if known is not None:
            return known
        reads, writes = touched(operation, params)
        may_lag = operation in READS and not _is_consistent(params)
        request = Request(operation, json.loads(text), reads, writes, may_lag)
        return self.requests.number((operation, text), request)

    def fault(self, name: str, request: Request) -> int:
        """The reply of a request with the fault ``name``."""
        error, in_words = _faulty(name, request)
        return self.replies.number(("fault", name, in_words), Reply(error=error, in_words=in_words))

    def unprocessed(self, name: str, puts: list[Item]) -> int:
        """The reply of a batch that left ``puts`` undone."""
        text = json.dumps(puts, sort_keys=True)
        in_words = f"{len(puts)} are left unprocessed"
        value = {"UnprocessedItems": {name: json.loads(text)}}
        return self.replies.number(("unprocessed", text), Reply(value, in_words=in_words))

    def value(self, value: Hashable) -> int:
        """A reply that is no request's: an instant, a pause, records."""
        return self.replies.number(("value", value), Reply(value))

    def effect(self, table: int, request: int, seen: int) -> Effect:
        """What ``request`` does to ``table``; where it may lag it shows ``seen`` instead."""
        place = (table, request, seen)
        effect = self._effects.get(place)
        if effect is None:
            effect = self._effects[place] = self._evaluate(*place)
        return effect

    def _evaluate(self, table: int, number: int, seen: int) -> Effect:
        request = self.requests[number]
        model = memory.Table()
        model.items = dict(self.tables[table])
        model.past = [self.tables[seen]]
        client = memory.Client(model, lag=lambda most: 1)
        try:
            value = getattr(client, request.operation)(**request.params)
        except ClientError as error:
            reply = self._refused(error)
        else:
            reply = self.replies.number(
                ("ok", json.dumps(value, sort_keys=True)), Reply(value, in_words="")
            )
        if not request.is_write:
            return Effect(reply, table, ())
        inserted = (record["dynamodb"]["NewImage"] for record in model.stream)
        messages = tuple(self.item(item) for item in inserted if item["pk"]["S"][:4] == "MSG#")
        return Effect(reply, self.table(model.items), messages)

    def _refused(self, error: ClientError) -> int:
        code, response = error.response["Error"]["Code"], dict(error.response)
        more = {name: value for name, value in response.items() if name != "Error"}
        in_words = "a condition fails"
        return self.replies.number(
            ("refused", code, json.dumps(more, sort_keys=True)),
            Reply(error=_client_error(code, error.operation_name, **more), in_words=in_words),
        )


def _is_consistent(params: Mapping[str, Any]) -> bool:
    asked = [params, *params.get("RequestItems", {}).values()]
    return any(entry.get("ConsistentRead", False) for entry in asked if isinstance(entry, dict))


def touched(operation: str, params: Mapping[str, Any]) -> tuple[frozenset[str], frozenset[str]]:
    """The partitions that a request reads and those that it writes; an index reads all inboxes."""
    none: frozenset[str] = frozenset()
    match operation:
        case "get_item":
            return frozenset({params["Key"]["pk"]["S"]}), none
        case "query" if "IndexName" in params:
            return frozenset({"GRP#"}), none
        case "query":
            return frozenset({params["ExpressionAttributeValues"][":pk"]["S"]}), none
        case "batch_get_item":
            (asked,) = params["RequestItems"].values()
            return frozenset(key["pk"]["S"] for key in asked["Keys"]), none
        case "scan" if "IndexName" in params:
            return frozenset({"GRP#"}), none
        case "scan":
            return frozenset({EVERYTHING}), none
        case "batch_write_item":
            puts = [put["PutRequest"] for batch in params["RequestItems"].values() for put in batch]
        case "batch_execute_statement":
            puts = [{"Item": memory.inserted(statement)} for statement in params["Statements"]]
        case "transact_write_items":
            asked = [next(iter(action.items())) for action in params["TransactItems"]]
            puts = [action for kind, action in asked if kind != "ConditionCheck"]
        case _:
            puts = [params]
    return none, frozenset((put.get("Item") or put["Key"])["pk"]["S"] for put in puts)


def meets(one: Iterable[str], other: Iterable[str]) -> bool:
    """Whether some partition of ``one`` may be one of ``other``: ``GRP#`` means every inbox."""
    return any(
        EVERYTHING in (a, b)
        or a == b
        or (a.endswith("#") and b.startswith(a))
        or (b.endswith("#") and a.startswith(b))
        for a in one
        for b in other
    )


def _faulty(name: str, request: Request) -> tuple[Callable[[], BaseException], str]:
    operation = request.operation
    match name:
        case "refused":
            code = "ProvisionedThroughputExceededException"
            return _client_error(code, operation), "it is throttled"
        case "conflict" if operation == "transact_write_items":
            reasons = [{"Code": "None"} for _ in request.params["TransactItems"]]
            reasons[-1] = {"Code": "TransactionConflict"}
            code = "TransactionCanceledException"
            error = _client_error(code, operation, CancellationReasons=reasons)
            return error, f"another transaction holds one of its {len(reasons)} items"
        case "conflict":
            error = _client_error("TransactionConflictException", operation)
            return error, "a transaction holds its item"
        case "conflict at the second try":
            reasons = [{"Code": "TransactionConflict"} for _ in request.params["TransactItems"]]
            more = {"CancellationReasons": reasons, "ResponseMetadata": {"RetryAttempts": 1}}
            error = _client_error("TransactionCanceledException", operation, **more)
            return error, f"a conflict of {len(reasons)} items, at the SDK's second try"
    return lambda: botocore.exceptions.ConnectionClosedError(endpoint_url="http://model"), "a reset"
