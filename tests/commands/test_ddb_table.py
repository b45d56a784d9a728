"""ddb.schema-load, drop, list-tables: typed as a person types them."""

from __future__ import annotations

import json

import pytest

from core.dynamodb import keys
from core.dynamodb.items import message_item
from core.dynamodb.marker import read_state
from core.dynamodb.schema import describe
from core.models import Message, Person

KEY = "2026-01-01T00:00:00.000000+00:00"


def put_data(table) -> None:
    message = Message("g", "m", Person("u", "u", "U"), "text", KEY, None)
    table.request("put_item", Item=message_item(message))


def on_prod(env: dict[str, str]) -> dict[str, str]:
    """The same stores, asked for as production."""
    return {
        **env,
        "AWS_ENDPOINT_URL": "",
        "CONNECTION_URL": "",
        "PROD_AWS_ENDPOINT_URL": env["AWS_ENDPOINT_URL"],
        "PROD_CONNECTION_URL": env["CONNECTION_URL"],
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
    }


def test_the_schema_is_loaded_once(run_invoke, bare_env) -> None:
    first = run_invoke("ddb.schema-load", env=bare_env)
    again = run_invoke("ddb.schema-load", env=bare_env)
    assert (first.returncode, again.returncode) == (0, 0)
    assert first.stdout == f"created table {bare_env['DDB_MESSAGE_TABLE']}\n"
    assert "already exists" in again.stdout


def test_another_schema_is_refused(run_invoke, bare_env, messages) -> None:
    messages.client.create_table(
        TableName=messages.name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    result = run_invoke("ddb.schema-load", env=bare_env)
    assert result.returncode == 1
    assert "another schema" in result.stderr
    assert "invoke ddb.drop" in result.stderr


def test_the_target_is_printed_on_stderr(run_invoke, table_env) -> None:
    result = run_invoke("ddb.list-tables", env=table_env)
    assert result.stderr.startswith("target: local · DynamoDB table ")
    assert table_env["AWS_ENDPOINT_URL"] in result.stderr
    assert "us-east-1" in result.stderr


def test_the_tables_are_listed_one_per_line_or_as_json(run_invoke, table_env) -> None:
    lines = run_invoke("ddb.list-tables", env=table_env).stdout.splitlines()
    assert table_env["DDB_MESSAGE_TABLE"] in lines
    listed = json.loads(run_invoke("ddb.list-tables", "--json", env=table_env).stdout)
    assert listed == lines


def test_a_local_table_is_dropped_without_a_question(run_invoke, table_env, messages) -> None:
    put_data(messages)
    result = run_invoke("ddb.drop", env=table_env)
    assert (result.returncode, describe(messages)) == (0, None)


def test_dropping_a_missing_table_is_reported(run_invoke, bare_env) -> None:
    result = run_invoke("ddb.drop", env=bare_env)
    assert result.returncode == 0
    assert "nothing to drop" in result.stdout


class TestDroppingProduction:
    @pytest.fixture
    def marked(self, table_env, messages) -> dict[str, str]:
        """A loopback URL that leads to a table marked production."""
        item = keys.ENVIRONMENT_KEY | {"environment": {"S": "production"}}
        messages.request("put_item", Item=item)
        return table_env

    @pytest.fixture
    def unmarked(self, table_env, messages) -> dict[str, str]:
        messages.request("delete_item", Key=keys.ENVIRONMENT_KEY)
        put_data(messages)
        return table_env

    @pytest.mark.parametrize("kind", ["marked", "unmarked", "prod"])
    @pytest.mark.parametrize(
        ("confirm", "message"),
        [
            ((), "--confirm {}"),
            (("--confirm", "yes"), "'yes' is not the name of the table. It is {}."),
            (("--confirm", "messages"), "'messages' is not the name of the table. It is {}."),
        ],
    )
    def test_is_refused_without_its_name(
        self, run_invoke, request, messages, kind, confirm, message, table_env
    ) -> None:
        env = on_prod(table_env) if kind == "prod" else request.getfixturevalue(kind)
        options = ("--prod", *confirm) if kind == "prod" else confirm
        result = run_invoke("ddb.drop", *options, env=env)
        assert result.returncode == 1
        assert message.format(messages.name) in result.stderr
        assert describe(messages) is not None

    @pytest.mark.parametrize("kind", ["marked", "unmarked", "prod"])
    def test_is_done_with_its_name(self, run_invoke, request, messages, kind, table_env) -> None:
        env = on_prod(table_env) if kind == "prod" else request.getfixturevalue(kind)
        options = ("--prod",) if kind == "prod" else ()
        result = run_invoke("ddb.drop", *options, "--confirm", messages.name, env=env)
        assert (result.returncode, describe(messages)) == (0, None)

    def test_names_account_region_and_the_variables_it_ignores(
        self, run_invoke, table_env, messages
    ) -> None:
        env = on_prod(table_env) | {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
        result = run_invoke("ddb.drop", "--prod", env=env)
        assert "AWS_ENDPOINT_URL is ignored" in result.stderr
        assert "target: production" in result.stderr
        assert "account 000000000000, us-east-1" in result.stderr


def test_a_production_table_is_marked_so(run_invoke, bare_env, messages) -> None:
    assert run_invoke("ddb.schema-load", "--prod", env=on_prod(bare_env)).returncode == 0
    assert read_state(messages).environment == "production"


def test_tasks_with_different_targets_are_refused_before_any_runs(
    run_invoke, table_env, messages
) -> None:
    result = run_invoke("ddb.drop", "ddb.list-tables", "--prod", env=table_env)
    assert result.returncode == 2
    assert "different targets" in result.stderr
    assert describe(messages) is not None


def test_a_dry_run_prints_the_requests_and_changes_nothing(run_invoke, bare_env, messages) -> None:
    result = run_invoke("--dry", "ddb.schema-load", env=bare_env)
    assert result.returncode == 0
    assert "would send dynamodb CreateTable" in result.stdout
    assert "would send dynamodb PutItem" in result.stdout
    assert describe(messages) is None


def test_a_dry_drop_leaves_the_table(run_invoke, table_env, messages) -> None:
    result = run_invoke("--dry", "ddb.drop", env=table_env)
    assert "would send dynamodb DeleteTable" in result.stdout
    assert describe(messages) is not None


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "invoke up"),
        ({"AWS_ENDPOINT_URL": ""}, "invoke up"),
        ({"AWS_ENDPOINT_URL": "nonsense"}, "http://HOST:PORT"),
    ],
    ids=["nobody there", "engines never started", "no URL"],
)
def test_a_store_that_cannot_be_reached_is_one_line(run_invoke, bare_env, change, expected) -> None:
    result = run_invoke("ddb.list-tables", env=bare_env | change)
    assert result.returncode == 1
    assert expected in result.stderr
    assert result.stdout == ""
