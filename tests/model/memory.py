"""An exact model of the table in memory: what DynamoDB does with the requests that core makes.

Strict where DynamoDB is: an expression it does not know fails the test. Reads of the index may lag,
as they do there, and so may reads of the table that do not ask for consistency: each shows what was
stored at one of the last writes, at the caller's choice.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from core.dynamodb.keys import INDEX

Item = dict[str, Any]
Key = tuple[str, str]

LAG = 3
"""How many writes a read may be behind."""


class Table:
    """The stored items, the stream of inserts, and the table's recent states."""

    def __init__(self) -> None:
        self.items: dict[Key, Item] = {}
        self.past: list[dict[Key, Item]] = []
        self.stream: list[dict[str, Any]] = []

    def write(self, changes: dict[Key, Item | None]) -> None:
        """Make all ``changes`` at once; None deletes."""
        self.past = [*self.past[-LAG + 1 :], dict(self.items)]
        for key, item in changes.items():
            if item is None:
                self.items.pop(key, None)
                continue
            if self.items.get(key) is item:  # no more than looked at
                continue
            if key not in self.items:
                self._record(item)
            self.items[key] = item

    def _record(self, item: Item) -> None:
        change = {
            "Keys": {"pk": item["pk"], "sk": item["sk"]},
            "NewImage": copy.deepcopy(item),
            "SequenceNumber": str(len(self.stream)),
        }
        self.stream.append({"eventName": "INSERT", "dynamodb": change})


class Client:
    """A client of the table. ``before`` runs before every request, ``after`` after it."""

    def __init__(
        self,
        table: Table,
        *,
        before: Callable[[], None] = lambda: None,
        after: Callable[[], None] = lambda: None,
        lag: Callable[[int], int] = lambda most: 0,
    ) -> None:
        self.table, self.before, self.after, self.lag = table, before, after, lag

    def _request(self, act: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        self.before()
        reply = act()
        self.after()
        return copy.deepcopy(reply)

    def _seen(self, consistent: bool) -> dict[Key, Item]:
        """The table as a read sees it: as it is, or as it was a few writes ago."""
        behind = 0 if consistent else self.lag(len(self.table.past))
        return self.table.past[-behind] if behind else self.table.items

    def get_item(self, Key: Item, ConsistentRead: bool = False, **_: Any) -> dict[str, Any]:
        def act() -> dict[str, Any]:
            item = self._seen(ConsistentRead).get(key_of(Key))
            return {"Item": item} if item else {}

        return self._request(act)

    def describe_table(self, **_: Any) -> dict[str, Any]:
        """Nobody changes the schema meanwhile: this is no step of its own."""
        index = {"IndexName": INDEX, "IndexStatus": "ACTIVE"}
        return {"Table": {"GlobalSecondaryIndexes": [index]}}

    def put_item(self, **params: Any) -> dict[str, Any]:
        return self._request(lambda: self._alone("Put", params))

    def delete_item(self, **params: Any) -> dict[str, Any]:
        return self._request(lambda: self._alone("Delete", params))

    def update_item(self, **params: Any) -> dict[str, Any]:
        return self._request(lambda: self._alone("Update", params))

    def _alone(self, kind: str, params: dict[str, Any]) -> dict[str, Any]:
        key, item, held = self._evaluated(kind, params)
        if not held:
            returns_old = params.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
            stored = self.table.items.get(key)
            old = {"Item": copy.deepcopy(stored)} if returns_old and stored else {}
            raise refusal("ConditionalCheckFailedException", f"{kind}Item", **old)
        self.table.write({key: item})
        return {}

    def batch_write_item(self, RequestItems: Item, **_: Any) -> dict[str, Any]:
        def act() -> dict[str, Any]:
            (batch,) = RequestItems.values()
            puts = [put["PutRequest"]["Item"] for put in batch]
            assert len(puts) <= 25
            assert len({key_of(item) for item in puts}) == len(puts), "a batch names an item once"
            for item in puts:  # a batch is not a transaction: each put is a separate write
                self.table.write({key_of(item): copy.deepcopy(item)})
            return {"UnprocessedItems": {}}

        return self._request(act)

    def batch_get_item(self, RequestItems: Item, **_: Any) -> dict[str, Any]:
        ((name, asked),) = RequestItems.items()
        assert len(asked["Keys"]) <= 100

        def act() -> dict[str, Any]:
            seen = self._seen(asked.get("ConsistentRead", False))
            items = [seen[key_of(key)] for key in asked["Keys"] if key_of(key) in seen]
            return {"Responses": {name: items}, "UnprocessedKeys": {}}

        return self._request(act)

    def batch_execute_statement(self, Statements: list[Item], **_: Any) -> dict[str, Any]:
        def act() -> dict[str, Any]:
            items = list(map(inserted, Statements))
            assert len(items) <= 25
            assert len(set(map(key_of, items))) == len(items), "a batch names an item once"
            return {"Responses": [self._insert(item) for item in items]}

        return self._request(act)

    def _insert(self, item: Item) -> dict[str, Any]:
        """Each insert of a batch is a write of its own, and fails alone."""
        if key_of(item) in self.table.items:
            return {"Error": {"Code": "DuplicateItem"}}
        self.table.write({key_of(item): item})
        return {}

    def transact_write_items(self, TransactItems: list[Item], **_: Any) -> dict[str, Any]:
        def act() -> dict[str, Any]:
            actions = [self._evaluated(*next(iter(a.items()))) for a in TransactItems]
            keys = [key for key, _, _ in actions]
            assert len(set(keys)) == len(keys), f"it names an item twice: {TransactItems}"
            assert len(keys) <= 100
            if not all(held for _, _, held in actions):
                raise cancelled(self.table, TransactItems, actions)
            self.table.write({key: item for key, item, _ in actions})
            return {}

        return self._request(act)

    def _evaluated(self, kind: str, action: dict[str, Any]) -> tuple[Key, Item | None, bool]:
        key = key_of(action["Item"] if kind == "Put" else action["Key"])
        stored = self.table.items.get(key, {})
        values = action.get("ExpressionAttributeValues", {})
        held = holds(action.get("ConditionExpression", ""), stored, values)
        if kind == "ConditionCheck":
            return key, stored or None, held
        if kind == "Put":
            return key, copy.deepcopy(action["Item"]), held
        if kind == "Delete":
            return key, None, held
        return key, updated(stored, action["UpdateExpression"], values), held

    def query(self, **params: Any) -> dict[str, Any]:
        return self._request(lambda: self._query(**params))

    def _query(
        self,
        KeyConditionExpression: str,
        ExpressionAttributeValues: Item,
        IndexName: str | None = None,
        ConsistentRead: bool = False,
        ScanIndexForward: bool = True,
        FilterExpression: str = "",
        ProjectionExpression: str = "",
        ExpressionAttributeNames: dict[str, str] | None = None,
        Limit: int = 1000,
        ExclusiveStartKey: Item | None = None,
        **_: Any,
    ) -> dict[str, Any]:
        assert IndexName is None or not ConsistentRead, "an index is eventually consistent"
        items = self._seen(ConsistentRead)
        values, names = ExpressionAttributeValues, ExpressionAttributeNames or {}
        items_found = sorted(
            (item for item in items.values() if holds(KeyConditionExpression, item, values)),
            key=_place,
            reverse=not ScanIndexForward,
        )
        if ExclusiveStartKey is not None:  # which need not be there any more
            start = _place(ExclusiveStartKey)
            items_found = [
                item
                for item in items_found
                if (_place(item) > start if ScanIndexForward else _place(item) < start)
            ]
        page = items_found[:Limit]
        for name, attribute in names.items():
            FilterExpression = FilterExpression.replace(name, attribute)
        kept = [item for item in page if holds(FilterExpression, item, values)]
        kept = projected(kept, ProjectionExpression)
        # A page that is full names its end, also where nothing follows.
        last = {"pk": page[-1]["pk"], "sk": page[-1]["sk"]} if len(page) == Limit else None
        return {"Items": kept} | ({"LastEvaluatedKey": last} if last else {})

    def scan(
        self,
        ConsistentRead: bool = False,
        IndexName: str | None = None,
        FilterExpression: str = "",
        ExpressionAttributeValues: Item | None = None,
        ProjectionExpression: str = "",
        **_: Any,
    ) -> dict[str, Any]:
        assert IndexName is None or not ConsistentRead, "an index is eventually consistent"

        def act() -> dict[str, Any]:
            items = list(self._seen(ConsistentRead).values())
            if IndexName is not None:
                rows = [item for item in items if "message_group_uuid" in item]
                items = sorted(rows, key=lambda row: str(row["message_group_uuid"]["S"]))
            values = ExpressionAttributeValues or {}
            kept = [item for item in items if holds(FilterExpression, item, values)]
            return {"Items": projected(kept, ProjectionExpression)}

        return self._request(act)


def inserted(statement: Item) -> Item:
    """The item that an ``INSERT`` names; no other statement is known."""
    match = re.fullmatch(r"""INSERT INTO "[\w.-]+" VALUE {(.+)}""", statement["Statement"])
    assert match, f"unknown statement {statement['Statement']!r}"
    names = [name.removesuffix(":?").strip("'") for name in match[1].split(",")]
    return dict(zip(names, copy.deepcopy(statement["Parameters"]), strict=True))


def projected(items: list[Item], expression: str) -> list[Item]:
    """The items with the attributes that a projection names; without one, whole."""
    if not expression:
        return items
    shown = expression.split(", ")
    return [{name: item[name] for name in shown if name in item} for item in items]


def _place(item: Item) -> tuple[str, str]:
    """The position of an item in a query's result."""
    return item["sk"]["S"], item["pk"]["S"]


def key_of(item: Item) -> Key:
    return item["pk"]["S"], item["sk"]["S"]


def holds(expression: str, item: Item, values: Item) -> bool:
    """Whether ``item`` satisfies an expression; only the forms that core uses are known."""
    if not expression:
        return True
    return any(
        all(_clause(clause, item, values) for clause in _clauses(alternative))
        for alternative in expression.split(" OR ")
    )


def _clauses(expression: str) -> list[str]:
    return re.split(r" AND (?!:before)", expression)


def _clause(clause: str, item: Item, values: Item) -> bool:
    if match := re.fullmatch(r"attribute_(not_)?exists\((\w+)\)", clause):
        return (match[2] in item) is not bool(match[1])
    if match := re.fullmatch(r"contains\((\w+), (:\w+)\)", clause):
        return match[1] in item and values[match[2]]["S"] in item[match[1]]["S"]
    if match := re.fullmatch(r"(\w+) BETWEEN (:\w+) AND (:\w+)", clause):
        return values[match[2]]["S"] <= item[match[1]]["S"] <= values[match[3]]["S"]
    match = re.fullmatch(r"(\w+) (=|<>|<|<=|>|>=) (:\w+)", clause)
    assert match, f"unknown clause {clause!r}"
    name, operator, value = match.groups()
    if name not in item:
        return operator == "<>"
    left, right = item[name]["S"], values[value]["S"]
    return {
        "=": left == right,
        "<>": left != right,
        "<": left < right,
        "<=": left <= right,
        ">": left > right,
        ">=": left >= right,
    }[operator]


def updated(stored: Item, expression: str, values: Item) -> Item:
    item = copy.deepcopy(stored)
    kind, _, rest = expression.partition(" ")
    if kind == "REMOVE":
        item.pop(rest, None)
        return item
    assert kind == "SET"
    for assignment in rest.split(", "):
        name, value = assignment.split(" = ")
        item[name] = values[value]
    return item


def refusal(code: str, operation: str, **more: Any) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}, **more}, operation)


def cancelled(table: Table, requests: list[Item], actions: list[Any]) -> ClientError:
    reasons = []
    for action, (key, _, held) in zip(requests, actions, strict=True):
        reason: dict[str, Any] = {"Code": "None" if held else "ConditionalCheckFailed"}
        returns_old = next(iter(action.values())).get("ReturnValuesOnConditionCheckFailure")
        if not held and returns_old == "ALL_OLD" and key in table.items:
            reason["Item"] = copy.deepcopy(table.items[key])
        reasons.append(reason)
    return refusal(
        "TransactionCanceledException", "TransactWriteItems", CancellationReasons=reasons
    )
