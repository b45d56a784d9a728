"""Items and results of a reply, parsed without the SDK's model: the same ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import botocore.session
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError
from hypothesis import given
from unit.test_dynamodb_json import ITEMS

from core.dynamodb.dynamodb_json import raw_item
from core.dynamodb.replies import take_items, take_results

KEY = {"pk": {"S": "a"}, "sk": {"S": "b"}}


class Reply(AWSResponse):
    """A reply that was not sent over a network."""

    def __init__(self, body: bytes, status: int = 200) -> None:
        super().__init__("http://127.0.0.1:1", status, {}, None)
        self._content = body


def made_client(*, is_ours: bool) -> Any:
    client = botocore.session.Session().create_client(
        "dynamodb",
        "eu-west-1",
        aws_access_key_id="a",
        aws_secret_access_key="b",
        config=Config(retries={"total_max_attempts": 1}),
    )
    if is_ours:
        client.meta.events.register("before-parse.dynamodb.Scan", take_items)
        client.meta.events.register("before-parse.dynamodb.BatchExecuteStatement", take_results)
    return client


CLIENTS = {"the SDK": made_client(is_ours=False), "ours": made_client(is_ours=True)}


def scanned(name: str, reply: Reply) -> dict[str, Any]:
    return response_of(name, reply, "scan", TableName="messages")


def executed(name: str, reply: Reply) -> dict[str, Any]:
    return response_of(name, reply, "batch_execute_statement", Statements=[{"Statement": "-"}])


def response_of(name: str, reply: Reply, operation: str, **params: Any) -> dict[str, Any]:
    client = CLIENTS[name]
    answer = lambda **_: reply  # noqa: E731
    client.meta.events.register("before-send", answer)
    try:
        response = getattr(client, operation)(**params)
    finally:
        client.meta.events.unregister("before-send", answer)
    del response["ResponseMetadata"]
    return response


def body_of(*items: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"Items": list(map(raw_item, items)), "Count": len(items)} | more).encode()


@given(item=ITEMS)
def test_an_item_of_any_content_is_what_the_sdk_makes_of_it(item: dict[str, Any]) -> None:
    reply = Reply(body_of(item, LastEvaluatedKey=KEY, ConsumedCapacity={"CapacityUnits": 1.5}))
    assert scanned("ours", reply) == scanned("the SDK", reply)
    assert scanned("ours", reply)["Items"] == [item]


@pytest.mark.parametrize(
    ("response", "body"),
    [
        (scanned, b'{"Count": 7}'),
        (scanned, b'{"Items": [], "Count": 0}'),
        (scanned, b"{}"),
        (scanned, b"[]"),
        (scanned, b'{"Items": ['),
        (executed, b"{}"),
        (executed, b"[]"),
        (executed, b'{"Responses": ['),
    ],
)
def test_a_reply_without_what_is_taken_is_the_sdk_s(
    response: Callable[[str, Reply], dict[str, Any]], body: bytes
) -> None:
    try:
        theirs = response("the SDK", Reply(body))
    except AttributeError:
        with pytest.raises(AttributeError):
            response("ours", Reply(body))
    else:
        assert response("ours", Reply(body)) == theirs


def test_an_error_is_the_sdk_s() -> None:
    body = b'{"__type": "ResourceNotFoundException", "Items": [{"a": {"S": "b"}}]}'
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        scanned("ours", Reply(body, 400))


TAKEN = {"Code": "DuplicateItem", "Message": "the key is taken"}


@pytest.mark.parametrize(
    "results",
    [
        [],
        [{"TableName": "messages"}],
        [{}, {"Error": TAKEN, "TableName": "messages"}],
        [{"Error": TAKEN | {"Item": {"b": {"B": "YQ=="}}}}],
        [{"Item": {"b": {"BS": ["YQ=="]}}}],
    ],
)
def test_results_of_statements_are_what_the_sdk_makes_of_them(results: list[Any]) -> None:
    more = {"ConsumedCapacity": [{"TableName": "messages", "CapacityUnits": 1.5}]}
    reply = Reply(json.dumps({"Responses": results} | more).encode())
    assert executed("ours", reply) == executed("the SDK", reply)
    assert len(executed("ours", reply)["Responses"]) == len(results)


def test_an_error_of_all_statements_is_the_sdk_s() -> None:
    body = b'{"__type": "ThrottlingException", "Responses": [{"TableName": "messages"}]}'
    with pytest.raises(ClientError, match="ThrottlingException"):
        executed("ours", Reply(body, 400))
