"""What a handle on DynamoDB or on AWS cannot do, for every operation that the SDK knows."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import botocore.session
import pytest

from core.aws.services import AwsServices, need_of as need_on_aws
from core.dynamodb import keys
from core.dynamodb.permissions import need_of
from core.dynamodb.table import open_client, open_table
from core.errors import CoreError, NotPermittedError
from core.purposes import Need, Purpose
from core.settings import Settings
from core.targets import AwsTarget, resolve

SESSION = botocore.session.get_session()
NOWHERE = AwsTarget("http://127.0.0.1:9", "us-east-1", placeholder_credentials=True)
TARGET = resolve(Settings(endpoint_url="http://127.0.0.1:9", connection_url="x"), prod=False)

LOOKS = {
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
READS = {"BatchGetItem", "GetItem", "GetRecords", "Query", "Scan", "TransactGetItems"}
MAKES = {"CreateTable"}
WRITES = {
    "BatchExecuteStatement",
    "BatchWriteItem",
    "DeleteItem",
    "ExecuteStatement",
    "ExecuteTransaction",
    "PutItem",
    "TransactWriteItems",
    "UpdateItem",
}
ALLOWED = {
    Purpose.LOOKING: LOOKS,
    Purpose.VERIFYING: LOOKS | READS,
    Purpose.MAKING: LOOKS | MAKES,
    Purpose.READING: LOOKS | READS,
    Purpose.WRITING: LOOKS | READS | MAKES | WRITES,
}
"""Written out: a test fails if a purpose allows an operation that is not listed here."""

OPERATIONS = [
    (service, operation)
    for service in ("dynamodb", "dynamodbstreams")
    for operation in SESSION.get_service_model(service).operation_names
]


def snake(operation: str) -> str:
    return str(botocore.xform_name(operation))


def params_of(service: str, operation: str) -> dict[str, Any]:
    """The smallest parameters that the SDK accepts, so that only the permission can stop it."""
    shape = SESSION.get_service_model(service).operation_model(operation).input_shape
    return {name: _value(shape.members[name]) for name in shape.required_members} if shape else {}


def _value(shape: Any) -> Any:
    if shape.type_name == "structure":
        return {name: _value(shape.members[name]) for name in shape.required_members}
    if shape.type_name == "list":
        least = (shape.metadata or {}).get("min", 1)
        return [_value(shape.member)] * max(least, 1)
    if shape.type_name == "map":
        return {"name": _value(shape.value)}
    if shape.type_name == "string":
        return shape.enum[0] if shape.enum else "x" * (shape.metadata.get("min") or 3)
    if shape.type_name == "boolean":
        return True
    return b"x" if shape.type_name == "blob" else 1


@pytest.fixture(scope="module")
def clients() -> dict[tuple[Purpose, str], tuple[Any, list[str]]]:
    """A client for each purpose, and what it would have sent: nothing gets further than that."""
    made = {}
    for purpose in Purpose:
        for service in ("dynamodb", "dynamodbstreams"):
            client, sent = open_client(NOWHERE, service, purpose), []
            client.meta.events.register("before-call", _stopping(sent))
            made[purpose, service] = client, sent
    return made


class SentError(Exception):
    """A request got past every check."""


def _stopping(sent: list[str]) -> Any:
    def stop(model: Any, **_: Any) -> None:
        sent.append(model.name)
        raise SentError(model.name)

    return stop


@pytest.mark.parametrize("purpose", Purpose)
def test_only_the_purposes_that_allow_an_operation_send_it(clients, purpose: Purpose) -> None:
    for service, operation in OPERATIONS:
        client, sent = clients[purpose, service]
        sent.clear()
        allowed = purpose is Purpose.DESTROYING or operation in ALLOWED[purpose]
        with pytest.raises(SentError if allowed else NotPermittedError):
            getattr(client, snake(operation))(**params_of(service, operation))
        assert sent == ([operation] if allowed else []), operation


@pytest.mark.parametrize("purpose", sorted(set(Purpose) - {Purpose.DESTROYING}))
def test_an_unknown_operation_fails_closed(purpose: Purpose) -> None:
    for name in ("DescribeItems", "ListItems", "GetItems", "ReadTable", "ScanV2", "PutItemV2"):
        assert not purpose.allows(need_of(name, {})), name


def test_every_name_that_is_listed_is_an_operation() -> None:
    known = {operation for _, operation in OPERATIONS}
    assert known >= LOOKS | READS | MAKES | WRITES


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("GetItem", {"Key": keys.ENVIRONMENT_KEY}),
        ("Query", {"Select": "COUNT"}),
        ("Scan", {"Select": "COUNT"}),
        ("Scan", {"ProjectionExpression": "pk, sk"}),
        ("Query", {"ProjectionExpression": "sk"}),
    ],
)
def test_every_purpose_reads_counts_keys_and_the_marker(operation: str, params: Any) -> None:
    assert need_of(operation, params) is Need.LOOK


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("GetItem", {"Key": keys.key("ENV#", "ENV2")}),
        ("GetItem", {"Key": keys.ENVIRONMENT_KEY | {"more": {"S": "x"}}}),
        ("GetItem", {"ProjectionExpression": "pk"}),
        ("BatchGetItem", {"ProjectionExpression": "pk"}),
        ("Scan", {}),
        ("Scan", {"Select": "ALL_ATTRIBUTES"}),
        ("Scan", {"ProjectionExpression": ""}),
        ("Scan", {"ProjectionExpression": "pk, message"}),
        ("Scan", {"ProjectionExpression": "#p", "ExpressionAttributeNames": {"#p": "pk"}}),
        ("Query", {"AttributesToGet": ["message"]}),
        ("Query", {"Select": "SPECIFIC_ATTRIBUTES", "ProjectionExpression": "user_handle"}),
        ("GetRecords", {"ShardIterator": "x"}),
    ],
)
def test_everything_else_is_read_for_a_reason(operation: str, params: Any) -> None:
    assert need_of(operation, params) is Need.READ


MARKER = {
    "Item": keys.ENVIRONMENT_KEY | {"environment": {"S": "local"}},
    "ConditionExpression": "attribute_not_exists(pk)",
}


def test_the_purpose_that_makes_the_table_writes_its_marker() -> None:
    assert need_of("PutItem", MARKER) is Need.MAKE


@pytest.mark.parametrize(
    "params",
    [
        MARKER | {"ConditionExpression": "attribute_exists(pk)"},
        {"Item": MARKER["Item"]},
        MARKER | {"Item": keys.key("ENV#", "MORE")},
        MARKER | {"Item": keys.key("MSG#1", "ENV")},
        {"ConditionExpression": "attribute_not_exists(pk)"},
    ],
)
def test_the_purpose_that_makes_the_table_puts_nothing_else(params: Any) -> None:
    assert need_of("PutItem", params) in (Need.WRITE, Need.DESTROY)
    assert not Purpose.MAKING.allows(need_of("PutItem", params))


class TestATable:
    @pytest.mark.parametrize("purpose", sorted(set(Purpose) - {Purpose.DESTROYING}))
    def test_is_not_dropped_but_for_destroying(self, purpose) -> None:
        table = open_table(TARGET, purpose)
        with pytest.raises(NotPermittedError, match=f"opened for {purpose}.*DeleteTable"):
            table.client.delete_table(TableName=table.name)

    def test_has_no_way_around_by_a_paginator_or_a_signed_url(self) -> None:
        table = open_table(TARGET, Purpose.LOOKING)
        with pytest.raises(NotPermittedError):
            list(table.client.get_paginator("scan").paginate(TableName=table.name))
        with pytest.raises(NotPermittedError):
            table.client.generate_presigned_url("scan", Params={"TableName": table.name})

    @pytest.mark.parametrize("purpose", Purpose)
    def test_is_limited_to_its_own_purpose_on_a_client_that_it_shares(self, purpose) -> None:
        table = open_table(TARGET, Purpose.LOOKING)
        table.client.meta.events.register("before-call", _stopping([]))
        handle = table.opened_for(purpose)
        for service, operation in OPERATIONS:
            if service == "dynamodb":
                allowed = purpose is Purpose.DESTROYING or operation in ALLOWED[purpose]
                with pytest.raises(SentError if allowed else NotPermittedError):
                    handle.call(snake(operation), **params_of(service, operation))
        # What this handle may do is nothing that the other one, or the client, may do now.
        for send in (table.call, lambda _, **params: table.client.delete_table(**params)):
            with pytest.raises(NotPermittedError, match=r"opened for looking.*DeleteTable"):
                send("delete_table", TableName=table.name)

    def test_is_limited_to_it_while_another_thread_sends(self) -> None:
        table = open_table(TARGET, Purpose.LOOKING)
        main, is_sending, may_go_on = (
            threading.current_thread(),
            threading.Event(),
            threading.Event(),
        )

        def wait_before_the_check(**_: Any) -> None:
            if threading.current_thread() is not main:
                is_sending.set()
                may_go_on.wait(10)

        table.client.meta.events.register_first("provide-client-params", wait_before_the_check)
        table.client.meta.events.register("before-call", _stopping([]))
        with ThreadPoolExecutor(1) as pool:
            dropping = pool.submit(
                table.opened_for(Purpose.DESTROYING).call, "delete_table", TableName=table.name
            )
            assert is_sending.wait(10)
            for send in (table.call, lambda _, **params: table.client.delete_table(**params)):
                with pytest.raises(NotPermittedError):
                    send("delete_table", TableName=table.name)
            may_go_on.set()
            with pytest.raises(SentError):
                dropping.result(10)

    def test_lends_its_purpose_to_no_other_client(self) -> None:
        """Not even to one that a handler of the SDK's events uses during its request."""
        table = open_table(TARGET, Purpose.DESTROYING)
        streams = open_client(NOWHERE, "dynamodbstreams", Purpose.LOOKING)

        def read(**_: Any) -> None:
            streams.get_records(ShardIterator="x")

        table.client.meta.events.register("before-call", read)
        with pytest.raises(NotPermittedError, match=r"opened for looking.*GetRecords"):
            table.call("delete_table", TableName=table.name)

    def test_refuses_before_a_dry_run_prints_anything(self) -> None:
        lines: list[str] = []
        table = open_table(TARGET, Purpose.READING, dry=lines.append)
        with pytest.raises(NotPermittedError):
            table.request("put_item", Item=keys.key("MSG#1", "x"))
        assert lines == []


ON_AWS = {
    ("cognito-idp", "ListUsers"): Need.READ,
    ("cognito-idp", "GetGroup"): Need.LOOK,
    ("cognito-idp", "ListUserPoolClients"): Need.LOOK,
    ("cognito-idp", "DescribeUserPoolClient"): Need.MAKE,
    ("cognito-idp", "CreateGroup"): Need.MAKE,
    ("cognito-idp", "CreateUserPoolClient"): Need.MAKE,
    ("cognito-idp", "UpdateUserPoolClient"): Need.MAKE,
    ("ec2", "DescribeSecurityGroupRules"): Need.LOOK,
    ("ec2", "ModifySecurityGroupRules"): Need.MAKE,
    **{
        ("cloudformation", operation): Need.LOOK
        for operation in (
            "DescribeChangeSet",
            "DescribeStackEvents",
            "DescribeStacks",
            "ListStackResources",
        )
    },
    **{
        ("cloudformation", operation): Need.WRITE
        for operation in ("CreateChangeSet", "DeleteChangeSet", "DeleteStack", "ExecuteChangeSet")
    },
    ("cloudwatch", "DescribeAlarms"): Need.LOOK,
    **{("s3", operation): Need.LOOK for operation in ("HeadBucket", "HeadObject", "ListObjectsV2")},
    **{
        ("s3", operation): Need.WRITE
        for operation in ("CreateBucket", "DeleteBucket", "DeleteObject", "PutObject")
    },
}


class TestAwsServices:
    @pytest.mark.parametrize(
        "service",
        [
            *("cognito-idp", "ec2", "sts", "lambda", "secretsmanager", "s3", "rds", "iam"),
            *("cloudformation", "cloudwatch"),
        ],
    )
    def test_need_everything_for_what_is_not_known(self, service: str) -> None:
        for operation in SESSION.get_service_model(service).operation_names:
            expected = ON_AWS.get((service, operation), Need.DESTROY)
            assert need_on_aws(service, operation) is expected, operation

    @pytest.mark.parametrize("purpose", [Purpose.LOOKING, Purpose.MAKING])
    def test_show_no_addresses_for_looking(self, purpose) -> None:
        client = AwsServices(NOWHERE, purpose).client("cognito-idp")
        with pytest.raises(NotPermittedError, match="ListUsers on cognito-idp"):
            client.list_users(UserPoolId="us-east-1_abc")

    @pytest.mark.parametrize("purpose", [Purpose.LOOKING, Purpose.VERIFYING, Purpose.READING])
    def test_change_no_rule_without_a_purpose_that_makes(self, purpose) -> None:
        client = AwsServices(NOWHERE, purpose).client("ec2")
        with pytest.raises(NotPermittedError):
            client.modify_security_group_rules(GroupId="sg-1", SecurityGroupRules=[])

    def test_refuse_with_a_one_line_error(self) -> None:
        client = AwsServices(NOWHERE).client("secretsmanager")
        with pytest.raises(CoreError, match="opened for looking"):
            client.get_secret_value(SecretId="db")


ENV = keys.ENVIRONMENT_KEY


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("PutItem", {"Item": {**ENV, "environment": {"S": "local"}}}),
        ("DeleteItem", {"Key": ENV}),
        ("UpdateItem", {"Key": ENV, "UpdateExpression": "SET environment = :e"}),
        ("TransactWriteItems", {"TransactItems": [{"Delete": {"TableName": "t", "Key": ENV}}]}),
        ("BatchWriteItem", {"RequestItems": {"t": [{"DeleteRequest": {"Key": ENV}}]}}),
        ("ExecuteStatement", {"Statement": "DELETE FROM t WHERE pk='ENV#' AND sk='ENV'"}),
        ("ExecuteStatement", {"Statement": "DELETE FROM t WHERE pk=?", "Parameters": [ENV["pk"]]}),
    ],
)
def test_only_destroying_changes_the_marker(operation, params) -> None:
    assert need_of(operation, params) is Need.DESTROY


def test_a_message_that_mentions_the_marker_is_a_message() -> None:
    item = {**keys.key("MSG#g", "2026"), "message": {"S": "ENV# is the marker"}}
    assert need_of("PutItem", {"Item": item}) is Need.WRITE


@pytest.mark.parametrize(
    ("expression", "need"),
    [
        ("begins_with(pk, :kind) AND sk >= :since", Need.LOOK),
        ("contains(message, :text)", Need.READ),
        ("#m = :text", Need.READ),
        ("size(message) > :n", Need.READ),
        ("pk = :pk AND message = :message", Need.READ),
    ],
)
@pytest.mark.parametrize("shown", [{"Select": "COUNT"}, {"ProjectionExpression": "sk"}])
def test_a_count_shows_no_text(expression, need, shown) -> None:
    assert need_of("Scan", {"FilterExpression": expression, **shown}) is need
