"""The table at a glance, from DynamoDB's own description of it."""

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
    ``differences`` says how the schema differs from Cruddur's. ``backups`` says whether
    point-in-time recovery is on; it is None where that is unknown.
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
        """The estimated cost of reading every item once: 0.5 RCU per 4 KB."""
        return self.size_bytes / RCU_BYTES * 0.5

    @property
    def verification_read_units(self) -> float:
        """The estimated cost of reading every item and every row of the indexes once."""
        indexed_bytes = sum(index.size_bytes for index in self.indexes)
        return self.scan_read_units + indexed_bytes / RCU_BYTES * 0.5


def describe_table(table: Table) -> TableDescription | None:
    """The table's description, or None if it does not exist. Two requests, no read units."""
    description = describe(table)
    if description is None:
        return None
    created_at = description.get("CreationDateTime")
    kinds = ("GlobalSecondaryIndexes", "LocalSecondaryIndexes")
    return TableDescription(
        name=description["TableName"],
        status=description.get("TableStatus", "ACTIVE"),
        created_at=in_utc(created_at) if created_at else None,
        items=description.get("ItemCount", 0),
        size_bytes=description.get("TableSizeBytes", 0),
        billing=_billing(description),
        stream=_stream(description),
        deletion_protection=bool(description.get("DeletionProtectionEnabled")),
        backups=_point_in_time_recovery(table),
        indexes=tuple(_index(index) for kind in kinds for index in description.get(kind) or ()),
        differences=tuple(schema_differences(description)),
    )


def _billing(description: Mapping[str, Any]) -> str:
    mode = (description.get("BillingModeSummary") or {}).get("BillingMode", "PROVISIONED")
    if mode == "PAY_PER_REQUEST":
        return "on demand"
    throughput = description.get("ProvisionedThroughput") or {}
    reads, writes = throughput.get("ReadCapacityUnits", 0), throughput.get("WriteCapacityUnits", 0)
    return f"provisioned: {reads:,} RCU, {writes:,} WCU"


def _stream(description: dict[str, Any]) -> str:
    if not stream_is_on(description):
        return "off"
    return f"on, {description['StreamSpecification'].get('StreamViewType')}"


def _index(index: Mapping[str, Any]) -> IndexDescription:
    ordered = sorted(index["KeySchema"], key=lambda entry: str(entry["KeyType"]))
    projection = index.get("Projection") or {}
    kind = str(projection.get("ProjectionType", "ALL"))
    return IndexDescription(
        name=index["IndexName"],
        status=index.get("IndexStatus", "ACTIVE"),  # a local index has none of its own
        key=", ".join(str(entry["AttributeName"]) for entry in ordered),
        projection=", ".join(projection["NonKeyAttributes"]) if kind == "INCLUDE" else kind,
        items=index.get("ItemCount", 0),
        size_bytes=index.get("IndexSizeBytes", 0),
    )


def _point_in_time_recovery(table: Table) -> bool | None:
    """Whether it is on; None where the engine lacks it or the role may not ask."""
    try:
        with translating("dynamodb", table.target):
            reply = table.call("describe_continuous_backups", TableName=table.name)
    except UnreachableError:
        raise
    except StoreError:
        return None
    recovery = reply.get("ContinuousBackupsDescription", {}).get(
        "PointInTimeRecoveryDescription", {}
    )
    status = recovery.get("PointInTimeRecoveryStatus")
    return None if status is None else bool(status == "ENABLED")
