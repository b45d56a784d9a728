"""The template's settings that prevent lost messages and blocked shards."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from aws_template import template

from core.dynamodb import keys
from core.dynamodb.schema import _SCHEMA
from core.dynamodb.stream.projection import plan

RESOURCES = template()["Resources"]
TABLE = RESOURCES["Messages"]
MAPPING = RESOURCES["Delivery"]["Properties"]


class TestTheTable:
    def test_has_the_keys_and_the_index_that_the_code_asks_for(self) -> None:
        assert {name: TABLE["Properties"][name] for name in _SCHEMA} == _SCHEMA

    def test_is_made_only_where_no_stream_of_another_is_given(self) -> None:
        assert TABLE["Condition"] == "MakesTable"
        assert template()["Conditions"]["MakesTable"] == ["Ref StreamArn", ""]

    def test_is_not_deleted_with_the_stack_nor_by_mistake(self) -> None:
        assert TABLE["Properties"]["DeletionProtectionEnabled"] is True
        assert (TABLE["DeletionPolicy"], TABLE["UpdateReplacePolicy"]) == ("Retain", "Retain")

    def test_can_be_restored_to_any_second(self) -> None:
        recovery = TABLE["Properties"]["PointInTimeRecoverySpecification"]
        assert recovery["PointInTimeRecoveryEnabled"] is True

    def test_has_a_stream_with_new_images(self) -> None:
        view = TABLE["Properties"]["StreamSpecification"]["StreamViewType"]
        assert view in {"NEW_IMAGE", "NEW_AND_OLD_IMAGES"}


class TestTheEventSource:
    """https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html"""

    def test_is_the_stream_of_the_table_from_its_oldest_record_on(self) -> None:
        made, given = "GetAtt Messages.StreamArn", "Ref StreamArn"
        assert MAPPING["EventSourceArn"] == ["MakesTable", made, given]
        assert MAPPING["StartingPosition"] == "TRIM_HORIZON"

    def test_gathers_large_batches(self) -> None:
        assert MAPPING["BatchSize"] >= 100
        assert MAPPING["MaximumBatchingWindowInSeconds"] >= 1

    def test_delivers_again_only_what_failed(self) -> None:
        assert "ReportBatchItemFailures" in MAPPING["FunctionResponseTypes"]
        assert MAPPING["BisectBatchOnFunctionError"] is True

    def test_gives_up_on_a_record_and_keeps_its_position(self) -> None:
        assert MAPPING["MaximumRetryAttempts"] >= 0  # without a number, it never gives up
        on_failure = MAPPING["DestinationConfig"]["OnFailure"]
        assert on_failure == {"Destination": "GetAtt Undelivered.Arn"}
        assert RESOURCES["Undelivered"]["Type"] == "AWS::SQS::Queue"


class TestTheAlarms:
    @pytest.mark.parametrize(
        "metric", ["IteratorAge", "Errors", "ApproximateNumberOfMessagesVisible"]
    )
    def test_one_watches_each_way_to_fall_behind(self, metric: str) -> None:
        alarms = [r["Properties"] for r in RESOURCES.values() if r["Type"].endswith("::Alarm")]
        (alarm,) = (alarm for alarm in alarms if alarm["MetricName"] == metric)
        assert alarm["TreatMissingData"] == "notBreaching"
        (dimension,) = alarm["Dimensions"]
        assert dimension["Value"] in ("Ref Projection", "GetAtt Undelivered.QueueName")


def passes(pattern: Mapping[str, Any], record: Mapping[str, Any]) -> bool:
    """Whether Lambda's filter lets ``record`` through; of its rules, the two that are used here.

    https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
    """
    for name, expected in pattern.items():
        value = record[name]
        if isinstance(expected, dict):
            if not passes(expected, value):
                return False
        elif not any(
            value == choice if isinstance(choice, str) else value.startswith(choice["prefix"])
            for choice in expected
        ):
            return False
    return True


MESSAGE = keys.key(keys.message_pk("g"), "2026-05-01T12:00:00.000000+00:00")
ROW = keys.key(keys.inbox_pk("ana"), "2026-05-01T12:00:00.000000+00:00")


@pytest.mark.parametrize(
    ("event", "key", "expected"),
    [
        ("INSERT", MESSAGE, True),
        ("MODIFY", MESSAGE, False),
        ("REMOVE", MESSAGE, False),
        ("INSERT", ROW, False),
        ("REMOVE", ROW, False),
        ("INSERT", keys.pair_key("ana", "ben"), False),
        ("INSERT", keys.ENVIRONMENT_KEY, False),
    ],
)
def test_the_filter_lets_through_the_records_that_the_function_looks_at(
    event: str, key: keys.Key, expected: bool
) -> None:
    (one,) = MAPPING["FilterCriteria"]["Filters"]
    change = {"Keys": key, "NewImage": key, "SequenceNumber": "1"}
    record = {"eventName": event, "dynamodb": change}
    assert passes(json.loads(one["Pattern"]), record) is expected
    planned = plan([record])  # an image without a message is dropped, other records passed over
    assert bool(planned.dropped) is expected
