"""The table's schema, and how the table is created, dropped and described."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from core.aws.clients import translating
from core.commands import Command
from core.dynamodb import keys
from core.dynamodb.elsewhere import missing_table
from core.dynamodb.marker import read_state, write_marker
from core.dynamodb.table import Table
from core.errors import MissingSchemaError, MissingTableError, StoreError

_SCHEMA: dict[str, Any] = {
    "AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "sk", "AttributeType": "S"},
        {"AttributeName": "message_group_uuid", "AttributeType": "S"},
    ],
    "KeySchema": [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": keys.INDEX,
            "KeySchema": [
                {"AttributeName": "message_group_uuid", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "ALL"},
        }
    ],
}
_STREAM = {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
_PATIENCE = {"Delay": 1, "MaxAttempts": 300}
_POLL_S = 0.2


def create_table(table: Table, environment: str) -> bool:
    """True if the table was created, False if it exists with the same schema.

    It has on-demand billing and a stream with NEW_IMAGE. Returns once it is ACTIVE (AWS takes
    seconds to a minute) and, if it has no data, has the environment marker.

    Raises:
        StoreError: a table of that name exists with another schema; nothing was changed.
    """
    described = describe(table)
    created = described is None and _create(table)
    if created and table.dry:  # there is no table to look at
        write_marker(table, environment)
        return True
    if described is None or described.get("TableStatus") == "CREATING":
        _wait_until_active(table)
    if differences := schema_differences(describe(table) or _SCHEMA):
        raise StoreError(
            f"Table {table.name} has another schema: {'; '.join(differences)}",
            "Name another table (DDB_MESSAGE_TABLE, or table in targets.toml), or drop this one",
            Command("ddb.drop"),
        )
    if created or _needs_marker(table):
        write_marker(table, environment)
    return created


def _create(table: Table) -> bool:
    """True if the table was created; False if another program just created it."""
    with translating("dynamodb", table.target):
        try:
            table.call(
                "create_table",
                TableName=table.name,
                BillingMode="PAY_PER_REQUEST",
                StreamSpecification=_STREAM,
                **_SCHEMA,
            )
        except table.client.exceptions.ResourceInUseException:
            return False
    return True


def _wait_until_active(table: Table) -> None:
    with translating("dynamodb", table.target):
        table.client.get_waiter("table_exists").wait(TableName=table.name, WaiterConfig=_PATIENCE)


def _needs_marker(table: Table) -> bool:
    state = read_state(table)
    return state.environment is None and not state.holds_data


def add_missing_index(table: Table) -> bool:
    """True if the table lacked its index, which was then added; returns once it can be read.

    DynamoDB fills it from the stored items, which takes minutes for a large table, and charges the
    writes. A dry run does not wait.

    Raises:
        StoreError: the index is still being filled after several minutes.
    """
    description = describe(table)
    if description is None or not lacks_index(description):
        return False
    index = dict(_SCHEMA["GlobalSecondaryIndexes"][0])
    if _is_provisioned(description):
        names = ("ReadCapacityUnits", "WriteCapacityUnits")
        throughput = description["ProvisionedThroughput"]
        index["ProvisionedThroughput"] = {name: throughput[name] for name in names}
    with translating("dynamodb", table.target):
        table.call(
            "update_table",
            TableName=table.name,
            AttributeDefinitions=_SCHEMA["AttributeDefinitions"],
            GlobalSecondaryIndexUpdates=[{"Create": index}],
        )
    if not table.dry:
        _wait_until_filled(table)
    return True


def lacks_index(description: dict[str, Any]) -> bool:
    """Whether the index is missing and nothing else is in its way."""
    types = {d["AttributeName"]: d["AttributeType"] for d in description["AttributeDefinitions"]}
    indexes = description.get("GlobalSecondaryIndexes") or []
    is_there = any(index["IndexName"] == keys.INDEX for index in indexes)
    fits = _key_names(description) == _key_names(_SCHEMA) and all(
        types.get(wanted["AttributeName"], "S") == wanted["AttributeType"]
        for wanted in _SCHEMA["AttributeDefinitions"]
    )
    return fits and not is_there


def _is_provisioned(description: dict[str, Any]) -> bool:
    mode = (description.get("BillingModeSummary") or {}).get("BillingMode", "PROVISIONED")
    throughput = description.get("ProvisionedThroughput") or {}
    return mode == "PROVISIONED" and bool(throughput.get("ReadCapacityUnits"))


def _wait_until_filled(table: Table) -> None:
    deadline = time.monotonic() + _PATIENCE["Delay"] * _PATIENCE["MaxAttempts"]
    while unready := not_active(describe(table) or {}):
        if time.monotonic() > deadline:
            raise StoreError(f"{table.name}: {'; '.join(unready)}", "Wait, then run it again.")
        time.sleep(_POLL_S)


def require_index(table: Table) -> None:
    """Refuse to begin what needs the index, before a part of it is stored.

    Raises:
        MissingTableError: there is no such index, or it cannot be read yet.
    """
    try:
        description = describe(table)
    except StoreError:
        return  # the role may not ask; the request itself tells
    if description is None:
        raise missing_table(table)
    status = {
        index["IndexName"]: index.get("IndexStatus", "ACTIVE")
        for index in description.get("GlobalSecondaryIndexes") or []
    }.get(keys.INDEX)
    if status is None:
        raise MissingTableError(
            f"Table {table.name} has no index {keys.INDEX}",
            "Nothing was stored. Add it",
            Command("ddb.schema-load"),
        )
    if status == "CREATING":
        raise MissingTableError(
            f"The index {keys.INDEX} of table {table.name} is still being filled",
            "Nothing was stored. Wait, then try again.",
        )


def drop_table(table: Table) -> bool:
    """True if the table was dropped, False if there was none. Returns once it is gone."""
    if describe(table) is None:
        return False
    with translating("dynamodb", table.target):
        table.call("delete_table", TableName=table.name)
        if not table.dry:
            table.client.get_waiter("table_not_exists").wait(
                TableName=table.name, WaiterConfig=_PATIENCE
            )
    return True


def list_tables(table: Table) -> Iterator[str]:
    """The names of the account's tables in the region, in order, over all pages."""
    start: dict[str, str] = {}
    while True:
        with translating("dynamodb", table.target):
            response = table.call("list_tables", **start)
        yield from response["TableNames"]
        if not (last := response.get("LastEvaluatedTableName")):
            return
        start = {"ExclusiveStartTableName": last}


def describe(table: Table) -> dict[str, Any] | None:
    """DynamoDB's description of the table, or None if it does not exist.

    DynamoDB refreshes its item count and size about every six hours:
    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html
    """
    try:
        with translating("dynamodb", table.target):
            response = table.call("describe_table", TableName=table.name)
    except MissingSchemaError:
        return None
    description: dict[str, Any] = response["Table"]
    return description


def require_table(table: Table) -> None:
    """Check that the table exists.

    Raises:
        MissingSchemaError: it does not.
    """
    if describe(table) is None:
        raise missing_table(table)


def schema_differences(description: dict[str, Any]) -> list[str]:
    """How the described table's schema differs from ours; empty where it does not.

    Capacity, billing mode and stream are not compared: operators choose them.
    """
    types = {d["AttributeName"]: d["AttributeType"] for d in description["AttributeDefinitions"]}
    differences = [
        f"attribute {wanted['AttributeName']} is {types.get(wanted['AttributeName'], 'no key')}"
        f" instead of {wanted['AttributeType']}"
        for wanted in _SCHEMA["AttributeDefinitions"]
        if types.get(wanted["AttributeName"]) != wanted["AttributeType"]
    ]
    if _key_names(description) != _key_names(_SCHEMA):
        differences.append(f"its key is {_key_names(description)}")
    indexes = {
        described_index["IndexName"]: described_index
        for described_index in description.get("GlobalSecondaryIndexes", [])
    }
    index = indexes.get(keys.INDEX)
    wanted = _SCHEMA["GlobalSecondaryIndexes"][0]
    if index is None:
        differences.append(f"index {keys.INDEX} is missing")
    elif _key_names(index) != _key_names(wanted):
        differences.append(f"the key of index {keys.INDEX} is {_key_names(index)}")
    elif index["Projection"].get("ProjectionType") != "ALL":
        differences.append(f"index {keys.INDEX} does not project all attributes")
    return differences


def _key_names(described: dict[str, Any]) -> str:
    """``pk, sk``: partition key, then sort key."""
    ordered = sorted(described["KeySchema"], key=lambda entry: str(entry["KeyType"]))
    return ", ".join(str(entry["AttributeName"]) for entry in ordered)


def stream_is_on(description: dict[str, Any]) -> bool:
    return bool(description.get("StreamSpecification", {}).get("StreamEnabled"))


def shows_new_images(description: dict[str, Any]) -> bool:
    """Whether the stream's records contain what the projection reads."""
    view = description.get("StreamSpecification", {}).get("StreamViewType", "")
    return view in ("NEW_IMAGE", "NEW_AND_OLD_IMAGES")


def not_active(description: dict[str, Any]) -> list[str]:
    """The parts of the table that are being created, changed or dropped."""
    parts = [("the table", description.get("TableStatus", "ACTIVE"))]
    parts += [
        (f"index {index['IndexName']}", index.get("IndexStatus", "ACTIVE"))
        for index in description.get("GlobalSecondaryIndexes", [])
    ]
    return [f"{name} is {status}" for name, status in parts if status != "ACTIVE"]
