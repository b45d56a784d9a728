"""The permission that each DynamoDB request needs.

An operation that is not listed here needs the strictest one, so a new operation is refused.
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Operations_Amazon_DynamoDB.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from core.dynamodb import keys
from core.purposes import Need, Purpose

_READS = {
    "BatchGetItem",
    "GetItem",
    "GetRecords",
    "Query",
    "Scan",
    "TransactGetItems",
}
_WRITES = {
    "BatchExecuteStatement",  # PartiQL counts as writing, whatever its text
    "BatchWriteItem",
    "DeleteItem",
    "ExecuteStatement",
    "ExecuteTransaction",
    "PutItem",
    "TransactWriteItems",
    "UpdateItem",
}
_LOOKS = {
    "DescribeContinuousBackups",
    "DescribeEndpoints",
    "DescribeLimits",
    "DescribeStream",
    "DescribeTable",
    "DescribeTimeToLive",
    "GetShardIterator",
    "ListStreams",
    "ListTables",
}
_KEY_NAMES = {"pk", "sk"}
_MARKER = keys.ENVIRONMENT_KEY["pk"]["S"]
_NAME = re.compile(r"(?<![:\w])[#\w]+")
_FILTER_WORDS = {*_KEY_NAMES, "AND", "OR", "NOT", "BETWEEN", "begins_with"}


def require(purpose: Purpose, operation: str, params: Mapping[str, Any]) -> None:
    """Refuse a request that ``purpose`` does not allow.

    Raises:
        NotPermittedError: nothing was sent.
    """
    purpose.require(need_of(operation, params), f"{operation} on DynamoDB")


def need_of(operation: str, params: Mapping[str, Any]) -> Need:
    """The permission that a request needs; ``operation`` is spelled as in the API."""
    if operation in _LOOKS:
        return Need.LOOK
    if operation in _READS:
        return Need.LOOK if _shows_no_user_data(operation, params) else Need.READ
    makes = operation == "CreateTable" or _adds_index(operation, params)
    if makes or _writes_marker(operation, params):
        return Need.MAKE
    if operation not in _WRITES or _names_marker(params):
        return Need.DESTROY
    return Need.WRITE


def _shows_no_user_data(operation: str, params: Mapping[str, Any]) -> bool:
    """Whether the response contains only counts, keys, or the environment marker."""
    if operation == "GetItem":
        return bool(params.get("Key") == keys.ENVIRONMENT_KEY)
    if operation not in ("Query", "Scan"):
        return False
    if not _asks_for_keys_alone(params):
        return False
    if params.get("Select") == "COUNT":
        return True
    names = {name.strip() for name in str(params.get("ProjectionExpression") or "").split(",")}
    return names <= _KEY_NAMES


def _asks_for_keys_alone(params: Mapping[str, Any]) -> bool:
    """Whether no filter reads an attribute: a count with a filter would show its value."""
    names = set(_NAME.findall(str(params.get("FilterExpression") or "")))
    return names <= _FILTER_WORDS


def _names_marker(params: Any) -> bool:
    """Whether the environment marker's key is a value in a request that writes, or in PartiQL."""
    # Nearly all requests end here. The key is plain ASCII: repr shows it, and is fast.
    if _MARKER not in repr(params):
        return False
    waiting = [params]
    while waiting:
        value = waiting.pop()
        if type(value) is dict and len(value) == 1 and type(value.get("S")) is str:
            if value["S"] == _MARKER:
                return True
        elif isinstance(value, dict):
            if _MARKER in str(value.get("Statement") or ""):
                return True
            waiting += value.values()
        elif isinstance(value, list | tuple):
            waiting += value
        elif value == _MARKER:
            return True
    return False


def _adds_index(operation: str, params: Mapping[str, Any]) -> bool:
    """Whether it adds our index to a table, and changes nothing else of it."""
    if operation != "UpdateTable":
        return False
    changed = params.keys() - {"TableName", "AttributeDefinitions"}
    updates = params.get("GlobalSecondaryIndexUpdates") or []
    creates = [update.get("Create", {}).get("IndexName") for update in updates]
    is_one = changed == {"GlobalSecondaryIndexUpdates"} and creates == [keys.INDEX]
    return is_one and all(update.keys() == {"Create"} for update in updates)


def _writes_marker(operation: str, params: Mapping[str, Any]) -> bool:
    """Whether it stores the environment marker and cannot replace one."""
    item = params.get("Item") or {}
    return (
        operation == "PutItem"
        and {name: item.get(name) for name in _KEY_NAMES} == keys.ENVIRONMENT_KEY
        and params.get("ConditionExpression") == "attribute_not_exists(pk)"
    )
