"""The environment marker of the table, which is an item."""

from __future__ import annotations

from core.dynamodb import keys
from core.dynamodb.table import Table, request_if
from core.errors import DynamoDBError, MissingSchemaError
from core.targets import StoreState


def read_state(table: Table) -> StoreState:
    """The table's marker, or whether it has data, read consistently. A missing table has neither.

    1 RCU; 1 more where there is no marker.
    """
    try:
        reply = table.request("get_item", Key=keys.ENVIRONMENT_KEY, ConsistentRead=True)
        environment = reply.get("Item", {}).get("environment", {}).get("S")
        holds_data = environment is None and holds_items(table)
    except MissingSchemaError:
        return StoreState(table.name, None, holds_data=False)
    except DynamoDBError as error:
        if error.code != "ValidationException":
            raise
        # A table with other keys was not created by us.
        return StoreState(table.name, None, holds_data=True)
    return StoreState(table.name, environment, holds_data)


def holds_items(table: Table) -> bool:
    """Whether the table has an item besides the marker, read consistently. 1 RCU."""
    # The marker is at most one of two items.
    page = table.request("scan", Limit=2, ConsistentRead=True, ProjectionExpression="pk, sk")
    return any(item.get("pk") != keys.ENVIRONMENT_KEY["pk"] for item in page["Items"])


def write_marker(table: Table, environment: str) -> bool:
    """Store the environment's name in the table; False if there is one already, which stays."""
    return request_if(
        table,
        "put_item",
        Item=keys.ENVIRONMENT_KEY | {"environment": {"S": str(environment)}},
        ConditionExpression="attribute_not_exists(pk)",
    )
