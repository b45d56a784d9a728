"""What an operator asks of the table first, from DynamoDB's own description of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.aws.clients import translating
from core.dynamodb.schema import describe, schema_differences, stream_is_on
from core.dynamodb.table import Table
from core.errors import StoreError, UnreachableError
from core.timestamps import in_utc

RCU_BYTES = 4096


@dataclass(frozen=True, slots=True)
class IndexDescription:
    """A global or local index. ``projection`` is ALL, KEYS_ONLY or the attributes it holds."""

    name: str
    status: str
    key: str
    projection: str
    items: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class TableDescription:
    """The table as DynamoDB describes it.

    ``items`` and ``size_bytes`` are DynamoDB's own figures, which it refreshes about every six
    hours: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html
    ``differences`` is what keeps the table from being Cruddur's. ``backups``, whether
    point-in-time recovery is on, is None where that cannot be learnt.
    """

    name: str
    status: str
    created_at: datetime | None
    items: int
    size_bytes: int
    billing: str
    stream: str
    deletion_protection: bool
    backups: bool | None
    indexes: tuple[IndexDescription, ...]
    differences: tuple[str, ...]

    @property
    def scan_read_units(self) -> float:
        """What reading every item once costs, as far as the size is known: 0.5 RCU per 4 KB."""
        return self.size_bytes / RCU_BYTES * 0.5


def describe_table(table: Table) -> TableDescription | None:
    """The table's description, or None if it is not there. Two requests, no read units."""
    found = describe(table)
    if found is None:
        return None
    created_at = found.get("CreationDateTime")
    kinds = ("GlobalSecondaryIndexes", "LocalSecondaryIndexes")
    return TableDescription(
        name=found["TableName"],
        status=found.get("TableStatus", "ACTIVE"),
        created_at=in_utc(created_at) if created_at else None,
        items=found.get("ItemCount", 0),
        size_bytes=found.get("TableSizeBytes", 0),
        billing=_billing(found),
        stream=_stream(found),
        deletion_protection=bool(found.get("DeletionProtectionEnabled")),
        backups=_point_in_time_recovery(table),
        indexes=tuple(_index(each) for kind in kinds for each in found.get(kind) or ()),
        differences=tuple(schema_differences(found)),
    )


def _billing(found: Mapping[str, Any]) -> str:
    mode = (found.get("BillingModeSummary") or {}).get("BillingMode", "PROVISIONED")
    if mode == "PAY_PER_REQUEST":
        return "on demand"
    given = found.get("ProvisionedThroughput") or {}
    reads, writes = given.get("ReadCapacityUnits", 0), given.get("WriteCapacityUnits", 0)
    return f"provisioned: {reads:,} RCU, {writes:,} WCU"


def _stream(found: dict[str, Any]) -> str:
    if not stream_is_on(found):
        return "off"
    return f"on, {found['StreamSpecification'].get('StreamViewType')}"


def _index(found: Mapping[str, Any]) -> IndexDescription:
    ordered = sorted(found["KeySchema"], key=lambda entry: str(entry["KeyType"]))
    projection = found.get("Projection") or {}
    kind = str(projection.get("ProjectionType", "ALL"))
    return IndexDescription(
        name=found["IndexName"],
        status=found.get("IndexStatus", "ACTIVE"),  # a local index has none of its own
        key=", ".join(str(entry["AttributeName"]) for entry in ordered),
        projection=", ".join(projection["NonKeyAttributes"]) if kind == "INCLUDE" else kind,
        items=found.get("ItemCount", 0),
        size_bytes=found.get("IndexSizeBytes", 0),
    )


def _point_in_time_recovery(table: Table) -> bool | None:
    """Whether it is on. Not every engine has it, and a role may not be allowed to ask."""
    try:
        with translating("dynamodb", table.target):
            reply = table.client.describe_continuous_backups(TableName=table.name)
    except UnreachableError:
        raise
    except StoreError:
        return None
    told = reply.get("ContinuousBackupsDescription", {}).get("PointInTimeRecoveryDescription", {})
    status = told.get("PointInTimeRecoveryStatus")
    return None if status is None else bool(status == "ENABLED")
