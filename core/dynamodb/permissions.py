"""What each DynamoDB request needs of the handle that sends it.

A request that is not listed here needs everything, so a new one fails closed.
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Operations_Amazon_DynamoDB.html
"""

from __future__ import annotations

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


def require(purpose: Purpose, operation: str, params: Mapping[str, Any]) -> None:
    """Refuse a request that ``purpose`` does not allow.

    Raises:
        NotPermittedError: nothing was sent.
    """
    purpose.require(need_of(operation, params), f"{operation} on DynamoDB")


def need_of(operation: str, params: Mapping[str, Any]) -> Need:
    """What a request with these parameters needs; ``operation`` as the API names it."""
    if operation in _LOOKS:
        return Need.LOOK
    if operation in _READS:
        return Need.LOOK if _shows_no_user_data(operation, params) else Need.READ
    if operation == "CreateTable" or _writes_marker(operation, params):
        return Need.MAKE
    return Need.WRITE if operation in _WRITES else Need.DESTROY


def _shows_no_user_data(operation: str, params: Mapping[str, Any]) -> bool:
    """Whether the response can hold only counts, keys, or the environment marker."""
    if operation == "GetItem":
        return bool(params.get("Key") == keys.ENVIRONMENT_KEY)
    if operation not in ("Query", "Scan"):
        return False
    if params.get("Select") == "COUNT":
        return True
    names = {name.strip() for name in str(params.get("ProjectionExpression") or "").split(",")}
    return names <= _KEY_NAMES


def _writes_marker(operation: str, params: Mapping[str, Any]) -> bool:
    """Whether it stores the environment marker, and replaces none."""
    item = params.get("Item") or {}
    return (
        operation == "PutItem"
        and {name: item.get(name) for name in _KEY_NAMES} == keys.ENVIRONMENT_KEY
        and params.get("ConditionExpression") == "attribute_not_exists(pk)"
    )
