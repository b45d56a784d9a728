"""The table as an operator sees it, from DynamoDB's own description."""

from __future__ import annotations

import dataclasses
from contextlib import closing

import pytest

from core.aws.clients import make_client
from core.dynamodb.description import describe_table
from core.dynamodb.table import Table
from core.errors import UnreachableError
from core.targets import AwsTarget


def test_our_table_is_described_with_its_index_and_stream(table) -> None:
    description = describe_table(table)
    assert (description.name, description.status) == (table.name, "ACTIVE")
    assert (description.billing, description.stream) == ("on demand", "on, NEW_IMAGE")
    (index,) = description.indexes
    assert (index.name, index.key) == ("message-group-sk-index", "message_group_uuid, sk")
    assert (index.status, index.projection) == ("ACTIVE", "ALL")
    assert description.created_at.tzinfo is not None
    assert description.differences == ()
    assert description.deletion_protection is False
    assert table.capacity.read_units == 0


def test_a_missing_table_has_no_description(no_table) -> None:
    assert describe_table(no_table) is None


def test_backups_are_described_if_the_engine_reports_them(table) -> None:
    assert describe_table(table).backups is False
    table.client.update_continuous_backups(
        TableName=table.name,
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
    )
    assert describe_table(table).backups is True


@pytest.mark.deep
def test_without_that_report_backups_are_unknown(durable_table) -> None:
    description = describe_table(durable_table)
    assert description.backups is None
    assert description.stream == "off"


def test_a_foreign_table_is_described_with_its_differences(no_table) -> None:
    no_table.client.create_table(
        TableName=no_table.name,
        AttributeDefinitions=[
            {"AttributeName": "id", "AttributeType": "N"},
            {"AttributeName": "day", "AttributeType": "S"},
        ],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        ProvisionedThroughput={"ReadCapacityUnits": 1500, "WriteCapacityUnits": 2},
        DeletionProtectionEnabled=True,
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-day",
                "KeySchema": [{"AttributeName": "day", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["text"]},
                "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
            }
        ],
    )
    description = describe_table(no_table)
    no_table.client.update_table(TableName=no_table.name, DeletionProtectionEnabled=False)
    assert description.billing == "provisioned: 1,500 RCU, 2 WCU"
    assert description.deletion_protection is True
    assert [(index.key, index.projection) for index in description.indexes] == [("day", "text")]
    assert "index message-group-sk-index is missing" in description.differences


def test_reading_everything_costs_half_a_unit_per_4_kb(table) -> None:
    description = dataclasses.replace(describe_table(table), size_bytes=4096 * 10)
    assert description.scan_read_units == 5


def test_an_engine_that_is_down_is_an_error_not_a_missing_table() -> None:
    target = AwsTarget("http://127.0.0.1:1", "us-east-1", placeholder_credentials=True)
    client = make_client(target, "dynamodb", quick=True)
    with closing(client), pytest.raises(UnreachableError):
        describe_table(Table(client, "cruddur-messages", target))
