"""lambda.deploy, lambda.status and lambda.remove: the function for real, on the local engine."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from core.aws import stack_name
from core.aws.clients import make_client
from core.dynamodb import describe
from core.dynamodb.items import inbox_row_from, message_item
from core.dynamodb.patterns import reads
from core.dynamodb.table import Table
from core.engines import processes
from core.models import InboxRow, Message
from core.timestamps import now, parse, sort_key

WAIT_S = 30


@pytest.fixture
def removed(run_invoke, seeded) -> Iterator[None]:
    """Nothing polls the table's stream after the test."""
    yield
    run_invoke("lambda.remove", env=seeded)


def rows_of(table: Table) -> list[InboxRow]:
    items = (item for item in reads.scan(table) if item["pk"]["S"].startswith("GRP#"))
    return [inbox_row_from(item) for item in items]


def put_plainly(table: Table, text: str) -> None:
    """Put a message as Cruddur does: without its inbox rows."""
    row = rows_of(table)[0]
    key = sort_key(now())
    message = Message(row.message_group_uuid, str(uuid.uuid4()), row.other, text, key, parse(key))
    table.request("put_item", Item=message_item(message))


def moved(table: Table, text: str) -> bool:
    return processes.wait_until(
        lambda: [row.preview for row in rows_of(table)] == [text] * 2, WAIT_S
    )


def delivery(run_invoke: Any, env: dict[str, str]) -> dict[str, str]:
    """The delivery to the function, as the status has it."""
    parts = json.loads(run_invoke("lambda.status", "--json", env=env).stdout)
    (only,) = (part for part in parts if part["part"] == "delivery")
    return only


def has_failed(client: Any, function: str) -> bool:
    (mapping,) = client.list_event_source_mappings(FunctionName=function)["EventSourceMappings"]
    return bool(mapping["LastProcessingResult"] == "FAILED")


def projection(run_invoke: Any, env: dict[str, str]) -> tuple[str, str]:
    """The state and the finding of the doctor's check of the projection."""
    checks = json.loads(run_invoke("doctor", "--json", env=env).stdout)
    (check,) = (check for check in checks if check["check"] == "projection")
    return check["state"], check["finding"]


def test_a_deployed_function_moves_both_inboxes_also_after_a_batch_that_failed(
    run_invoke, seeded, messages, removed
) -> None:
    deployed = run_invoke("lambda.deploy", env=seeded)
    assert deployed.returncode == 0, deployed.stderr
    assert "AWS::DynamoDB::Table" not in deployed.stdout
    assert f"made the stack {stack_name(messages.name)}: 11 resources" in deployed.stdout
    put_plainly(messages, "first")
    assert moved(messages, "first")
    again = run_invoke("lambda.deploy", env=seeded)
    assert again.stdout == "nothing to change: the function is deployed as it is here\n"
    with closing(make_client(messages.target, "cloudwatch")) as client:
        prefix = f"{stack_name(messages.name)}-UndeliveredAlarm"
        (alarm,) = client.describe_alarms(AlarmNamePrefix=prefix)["MetricAlarms"]
        client.set_alarm_state(AlarmName=alarm["AlarmName"], StateValue="ALARM", StateReason="x")
        state, finding = projection(run_invoke, seeded)
        assert (state, "Records were given up" in finding) == ("bad", True)
        client.set_alarm_state(AlarmName=alarm["AlarmName"], StateValue="OK", StateReason="x")
    with closing(make_client(messages.target, "lambda")) as client:
        name = delivery(run_invoke, seeded)["name"]
        known = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        broken = known | {"DDB_MESSAGE_TABLE": "no name"}
        client.update_function_configuration(FunctionName=name, Environment={"Variables": broken})
        put_plainly(messages, "second")
        assert processes.wait_until(lambda: has_failed(client, name), WAIT_S)
        assert run_invoke("lambda.status", env=seeded).returncode == 1
        client.update_function_configuration(FunctionName=name, Environment={"Variables": known})
    assert moved(messages, "second")
    assert projection(run_invoke, seeded) == ("ok", f"Done by function {name}")
    before = len(list(reads.scan(messages)))
    gone = run_invoke("lambda.remove", env=seeded)
    assert gone.stdout == f"removed the stack {stack_name(messages.name)}; the table stays\n"
    assert len(list(reads.scan(messages))) == before
    assert "deployed no function" in run_invoke("lambda.status", env=seeded).stdout


def test_an_embedded_engine_without_functions_says_how_to_start_it(run_invoke, tmp_path) -> None:
    env = {"CRUDDUR_ENGINES_DIR": str(tmp_path / "engines")}
    assert run_invoke("up", env=env).returncode == 0
    try:
        for task in ("status", "remove"):
            answer = run_invoke(f"lambda.{task}", env=env)
            assert answer.stderr.splitlines()[-1] == (
                "The embedded engine runs no functions. Stop the engines first."
                " Then start them with functions: invoke up --functions"
            )
        again = run_invoke("up", "--functions", env=env)
        assert "If it runs no functions, first run: invoke down" in again.stderr
    finally:
        run_invoke("down", env=env)


def test_another_engine_without_functions_is_named(run_invoke, bare_env, dynoxide) -> None:
    env = bare_env | {"AWS_ENDPOINT_URL": dynoxide.target.endpoint_url}
    run_invoke("ddb.schema-load", env=env)
    answer = run_invoke("lambda.deploy", env=env)
    line = f"The engine at {dynoxide.target.endpoint_url} runs no functions. Deploy to the embedded"
    assert (answer.returncode, line in answer.stderr) == (1, True)


def test_without_a_table_or_its_stream_nothing_is_made(run_invoke, bare_env, messages) -> None:
    missing = run_invoke("lambda.deploy", env=bare_env)
    assert (missing.returncode, "invoke ddb.schema-load" in missing.stderr) == (1, True)
    run_invoke("ddb.schema-load", env=bare_env)
    messages.client.update_table(
        TableName=messages.name, StreamSpecification={"StreamEnabled": False}
    )
    off = run_invoke("lambda.deploy", env=bare_env)
    assert f"The stream of {messages.name} is off. Turn it on: aws" in off.stderr
    assert "deployed no function" in run_invoke("lambda.status", env=bare_env).stdout


def test_a_dry_run_says_what_it_would_do(run_invoke, table_env, messages, tmp_path) -> None:
    path = tmp_path / "function.zip"
    dry = run_invoke("--dry", "lambda.deploy", "--file", str(path), env=table_env)
    stack = stack_name(messages.name)
    assert dry.stdout == f"would write {path} and make or change the stack {stack}\n"
    assert not path.exists()
    dry = run_invoke("--dry", "lambda.remove", env=table_env)
    assert dry.stdout == f"would remove the stack {stack}\n"
    missing = run_invoke("lambda.remove", env=table_env)
    assert missing.stdout == f"There is no stack {stack} to remove\n"
    assert describe(messages) is not None
