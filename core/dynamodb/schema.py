"""The table itself: its schema, its creation and its end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from core.aws.clients import translating
from core.commands import Command
from core.dynamodb import keys
from core.dynamodb.marker import read_state, write_marker
from core.dynamodb.table import Table
from core.errors import MissingSchemaError, StoreError

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


def create_table(table: Table, environment: str) -> bool:
    """True when the table was created, False when it was there with the same schema.

    On-demand billing, stream on with NEW_IMAGE. Returns once it is ACTIVE (AWS takes seconds to
    a minute) and, if it holds nothing yet, carries the environment marker.

    Raises:
        StoreError: a table of that name is there with another schema; it is left as it is.
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
            f"table {table.name} is there with another schema: {'; '.join(differences)}",
            "Name another table in DDB_MESSAGE_TABLE, or drop this one",
            Command("ddb.drop"),
        )
    if created or _needs_marker(table):
        write_marker(table, environment)
    return created


def _create(table: Table) -> bool:
    """Create the table; False if somebody else just did."""
    with translating("dynamodb", table.target):
        try:
            table.client.create_table(
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


def drop_table(table: Table) -> bool:
    """True when the table was dropped, False when there was none. Returns once it is gone."""
    if describe(table) is None:
        return False
    with translating("dynamodb", table.target):
        table.client.delete_table(TableName=table.name)
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
            response = table.client.list_tables(**start)
        yield from response["TableNames"]
        if not (last := response.get("LastEvaluatedTableName")):
            return
        start = {"ExclusiveStartTableName": last}


def describe(table: Table) -> dict[str, Any] | None:
    """DynamoDB's description of the table, or None if it is not there.

    Its item count and size are DynamoDB's own, refreshed about every six hours:
    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html
    """
    try:
        with translating("dynamodb", table.target):
            response = table.client.describe_table(TableName=table.name)
    except MissingSchemaError:
        return None
    description: dict[str, Any] = response["Table"]
    return description


def require_table(table: Table) -> None:
    """Raise unless the table is there.

    Raises:
        MissingSchemaError: it is not.
    """
    if describe(table) is None:
        raise missing(table)


def missing(table: Table) -> MissingSchemaError:
    """What to raise where the table that is meant is not there."""
    return MissingSchemaError(
        f"there is no table {table.name}", "Create it", Command("ddb.schema-load")
    )


def schema_differences(description: dict[str, Any]) -> list[str]:
    """What keeps the described table from being ours; empty when nothing does.

    Capacity, billing mode and stream are an operator's to choose and are not compared.
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
    indexes = {index["IndexName"]: index for index in description.get("GlobalSecondaryIndexes", [])}
    found = indexes.get(keys.INDEX)
    wanted = _SCHEMA["GlobalSecondaryIndexes"][0]
    if found is None:
        differences.append(f"index {keys.INDEX} is missing")
    elif _key_names(found) != _key_names(wanted):
        differences.append(f"the key of index {keys.INDEX} is {_key_names(found)}")
    elif found["Projection"].get("ProjectionType") != "ALL":
        differences.append(f"index {keys.INDEX} does not project all attributes")
    return differences


def _key_names(described: dict[str, Any]) -> str:
    """``pk, sk``: partition key, then sort key."""
    ordered = sorted(described["KeySchema"], key=lambda entry: str(entry["KeyType"]))
    return ", ".join(str(entry["AttributeName"]) for entry in ordered)


def stream_is_on(description: dict[str, Any]) -> bool:
    return bool(description.get("StreamSpecification", {}).get("StreamEnabled"))


def shows_new_images(description: dict[str, Any]) -> bool:
    """Whether the stream carries what the projection reads."""
    view = description.get("StreamSpecification", {}).get("StreamViewType", "")
    return view in ("NEW_IMAGE", "NEW_AND_OLD_IMAGES")


def not_active(description: dict[str, Any]) -> list[str]:
    """What of the table is being made, changed or dropped just now."""
    parts = [("the table", description.get("TableStatus", "ACTIVE"))]
    parts += [
        (f"index {index['IndexName']}", index.get("IndexStatus", "ACTIVE"))
        for index in description.get("GlobalSecondaryIndexes", [])
    ]
    return [f"{name} is {status}" for name, status in parts if status != "ACTIVE"]
