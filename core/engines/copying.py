"""Copies every table of one embedded DynamoDB into another, and compares them afterwards.

An item is sent as it was received, so its numbers and bytes keep every digit. What a copy does not
have: stream records, tags, backups.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from core.engines import processes
from core.engines.requests import HERE, Scope, send
from core.errors import EngineError

_BATCH = 25
_SETS = ("SS", "NS", "BS")
_KEPT = ("TableName", "KeySchema", "AttributeDefinitions")
_KEPT_OF_INDEX = ("IndexName", "KeySchema", "Projection")
_ACTIVE_S = 30.0


@dataclass(frozen=True, slots=True)
class Copied:
    """How much was copied."""

    tables: int
    items: int


@dataclass(slots=True)
class Digest:
    """The number of items, and a sum over them that is the same in any order."""

    items: int = 0
    total: int = 0

    def add(self, item: dict[str, Any]) -> None:
        text = json.dumps(_canonical(item), sort_keys=True)
        self.items += 1
        self.total = (self.total + int(hashlib.sha256(text.encode()).hexdigest(), 16)) % (1 << 256)


def _canonical(value: Any) -> Any:
    """The attribute, with its sets in order and its numbers in one form."""
    if isinstance(value, dict):
        return {name: _canonical_as(name, part) for name, part in value.items()}
    return [_canonical(part) for part in value] if isinstance(value, list) else value


def _canonical_as(kind: str, value: Any) -> Any:
    if kind == "N" and isinstance(value, str):
        return str(Decimal(value).normalize())
    if kind == "NS" and isinstance(value, list):
        return sorted(str(Decimal(number).normalize()) for number in value)
    if kind in _SETS and isinstance(value, list):
        return sorted(value)
    return _canonical(value)


def copy_tables(source: int, scopes: list[Scope], target: int) -> Copied:
    """Copy the tables of the engine on port ``source`` to the empty one on port ``target``.

    Raises:
        EngineError: two scopes have a table of one name, or a copy differs.
    """
    tables, items = set(), 0
    for scope in scopes:
        for name in list_tables(source, scope):
            if name in tables:
                raise EngineError(
                    f"Two regions have a table {name}, and dynoxide has only one of each name",
                    "Before the data can move, export one of them and drop it.",
                )
            tables.add(name)
            items += _copy_table(source, scope, target, name)
    if sorted(tables) != sorted(list_tables(target)):
        raise EngineError("The copy does not have the same tables", _AGAIN)
    return Copied(len(tables), items)


_AGAIN = "Nothing was changed. Run it again."


def list_tables(port: int, scope: Scope = HERE) -> list[str]:
    """The names of all tables."""
    names: list[str] = []
    start: dict[str, Any] = {}
    while True:
        page = send(port, "ListTables", start, scope)
        names += page["TableNames"]
        if not page.get("LastEvaluatedTableName"):
            return names
        start = {"ExclusiveStartTableName": page["LastEvaluatedTableName"]}


def compare(source: int, scopes: list[Scope], target: int) -> None:
    """Raise an EngineError unless both engines have the same items in the same tables."""
    for scope in scopes:
        for name in list_tables(source, scope):
            if digest(source, name, scope) != digest(target, name):
                raise EngineError(f"The copy of the table {name} differs", _AGAIN)


def digest(port: int, name: str, scope: Scope = HERE) -> Digest:
    """The digest of a table."""
    counted = Digest()
    for page in _pages(port, name, scope):
        for item in page:
            counted.add(item)
    return counted


def _pages(port: int, name: str, scope: Scope) -> Iterator[list[dict[str, Any]]]:
    # Without a limit dynoxide looks at all that is left, for each page of 1 MB.
    asked: dict[str, Any] = {"TableName": name, "ConsistentRead": True, "Limit": 5_000}
    while True:
        page = send(port, "Scan", asked, scope)
        yield page.get("Items", [])
        if not page.get("LastEvaluatedKey"):
            return
        asked["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _copy_table(source: int, scope: Scope, target: int, name: str) -> int:
    described = send(source, "DescribeTable", {"TableName": name}, scope)["Table"]
    send(target, "CreateTable", _definition(described))
    _await_active(target, name)
    counted = Digest()
    for page in _pages(source, name, scope):
        for first in range(0, len(page), _BATCH):
            _put(target, name, page[first : first + _BATCH])
        for item in page:
            counted.add(item)
    _copy_settings(source, scope, target, described)
    if digest(target, name) != counted:
        raise EngineError(f"The copy of the table {name} differs", _AGAIN)
    return counted.items


def _definition(described: dict[str, Any]) -> dict[str, Any]:
    """What creates a table like the one that is described, without its stream."""
    definition = {part: described[part] for part in _KEPT}
    mode = described.get("BillingModeSummary", {}).get("BillingMode")
    capacity = described.get("ProvisionedThroughput", {})
    is_provisioned = mode != "PAY_PER_REQUEST" and capacity.get("ReadCapacityUnits", 0) > 0
    definition["BillingMode"] = "PROVISIONED" if is_provisioned else "PAY_PER_REQUEST"
    if is_provisioned:
        definition["ProvisionedThroughput"] = _capacity(capacity)
    for kind in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        if not described.get(kind):
            continue
        definition[kind] = [
            {part: index[part] for part in _KEPT_OF_INDEX} for index in described[kind]
        ]
        if is_provisioned and kind.startswith("Global"):
            for index in definition[kind]:
                index["ProvisionedThroughput"] = definition["ProvisionedThroughput"]
    return definition


def _capacity(described: dict[str, Any]) -> dict[str, int]:
    return {name: described[name] for name in ("ReadCapacityUnits", "WriteCapacityUnits")}


def _await_active(port: int, name: str) -> None:
    def is_active() -> bool:
        table = send(port, "DescribeTable", {"TableName": name})["Table"]
        return bool(table["TableStatus"] == "ACTIVE")

    if not processes.wait_until(is_active, _ACTIVE_S):
        raise EngineError(f"The table {name} did not become active", _AGAIN)


def _put(port: int, name: str, items: list[dict[str, Any]]) -> None:
    requests = {name: [{"PutRequest": {"Item": item}} for item in items]}
    while requests:
        reply = send(port, "BatchWriteItem", {"RequestItems": requests})
        requests = reply.get("UnprocessedItems") or {}
        if requests:
            time.sleep(0.05)


def _copy_settings(source: int, scope: Scope, target: int, described: dict[str, Any]) -> None:
    """The stream and the time to live: after the items, which are no news to the stream."""
    name = described["TableName"]
    stream = described.get("StreamSpecification") or {}
    if stream.get("StreamEnabled"):
        body = {"TableName": name, "StreamSpecification": stream}
        send(target, "UpdateTable", body)
        _await_active(target, name)
    expiry = send(source, "DescribeTimeToLive", {"TableName": name}, scope)
    expiry = expiry.get("TimeToLiveDescription", {})
    if expiry.get("TimeToLiveStatus") in ("ENABLED", "ENABLING"):
        specification = {"AttributeName": expiry["AttributeName"], "Enabled": True}
        body = {"TableName": name, "TimeToLiveSpecification": specification}
        send(target, "UpdateTimeToLive", body)
