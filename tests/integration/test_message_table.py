"""The table's schema and marker."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from core.dynamodb import keys
from core.dynamodb.marker import holds_items, read_state
from core.dynamodb.patterns.sends import Draft, start
from core.dynamodb.schema import (
    create_table,
    describe,
    drop_table,
    list_tables,
    schema_differences,
    stream_is_on,
)
from core.errors import StoreError
from core.targets import Environment, StoreState

KEYS = {
    "AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "sk", "AttributeType": "S"},
    ],
    "KeySchema": [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ],
}


def test_a_table_is_created_once(no_table) -> None:
    assert create_table(no_table, Environment.LOCAL) is True
    assert create_table(no_table, Environment.LOCAL) is False


def test_only_one_of_several_creators_creates_it(no_table) -> None:
    with ThreadPoolExecutor(4) as pool:
        created = list(pool.map(lambda _: create_table(no_table, Environment.LOCAL), range(4)))
    assert sorted(created) == [False, False, False, True]
    assert read_state(no_table) == StoreState(no_table.name, "local", holds_data=False)


def test_a_table_that_is_being_created_is_waited_for(no_table, monkeypatch) -> None:
    create_table(no_table, Environment.LOCAL)
    no_table.request("delete_item", Key=keys.ENVIRONMENT_KEY)
    describe, statuses = no_table.client.describe_table, []

    def creating_at_first(**params):
        reply = describe(**params)
        statuses.append("CREATING" if len(statuses) < 2 else "ACTIVE")
        return {"Table": reply["Table"] | {"TableStatus": statuses[-1]}}

    monkeypatch.setattr(no_table.client, "describe_table", creating_at_first)
    assert create_table(no_table, Environment.LOCAL) is False
    assert statuses[:3] == ["CREATING", "CREATING", "ACTIVE"]
    assert read_state(no_table).environment == "local"


def test_a_created_table_has_the_contract_s_schema_and_stream(table) -> None:
    description = describe(table)
    assert schema_differences(description) == []
    assert stream_is_on(description)
    assert description["StreamSpecification"]["StreamViewType"] == "NEW_IMAGE"


def test_a_table_without_the_index_is_another_schema_and_stays(no_table) -> None:
    no_table.client.create_table(TableName=no_table.name, BillingMode="PAY_PER_REQUEST", **KEYS)
    with pytest.raises(StoreError, match=keys.INDEX):
        create_table(no_table, Environment.LOCAL)
    assert describe(no_table) is not None


def test_a_foreign_table_counts_as_having_data(no_table) -> None:
    no_table.client.create_table(
        TableName=no_table.name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    assert read_state(no_table) == StoreState(no_table.name, None, holds_data=True)


def test_dropping_what_is_not_there_says_so(no_table) -> None:
    assert drop_table(no_table) is False


def test_a_dropped_table_is_gone(table) -> None:
    assert drop_table(table) is True
    assert describe(table) is None
    assert table.name not in list(list_tables(table))


def test_every_table_is_listed_over_all_pages(table, monkeypatch) -> None:
    calls = table.client.list_tables
    monkeypatch.setattr(table.client, "list_tables", lambda **p: calls(Limit=1, **p))
    assert table.name in list(list_tables(table))


@pytest.mark.parametrize("environment", list(Environment))
def test_a_new_table_is_marked_with_its_environment(no_table, environment) -> None:
    create_table(no_table, environment)
    assert read_state(no_table) == StoreState(no_table.name, environment, holds_data=False)


def test_a_table_with_data_is_recognised(table, ana, ben) -> None:
    assert not holds_items(table)
    start(table, Draft(ana, ben, "hi"))
    assert holds_items(table)
    table.request("delete_item", Key=keys.ENVIRONMENT_KEY)
    assert holds_items(table)
    assert read_state(table).holds_data


def test_the_data_of_a_marked_table_is_not_read(table, ana, ben) -> None:
    start(table, Draft(ana, ben, "hi"))
    assert read_state(table) == StoreState(table.name, "local", holds_data=False)


def test_a_marker_is_never_overwritten(table) -> None:
    create_table(table, Environment.PRODUCTION)
    assert read_state(table).environment == "local"


def test_data_without_a_marker_gets_no_marker(table, ana, ben) -> None:
    table.request("delete_item", Key=keys.ENVIRONMENT_KEY)
    start(table, Draft(ana, ben, "hi"))
    create_table(table, Environment.LOCAL)
    assert read_state(table) == StoreState(table.name, None, holds_data=True)


def test_a_missing_table_has_no_data(no_table) -> None:
    assert read_state(no_table) == StoreState(no_table.name, None, holds_data=False)


def test_tests_have_the_table_that_the_task_creates(table) -> None:
    created = replace(table, name=f"{table.name}-created")
    assert create_table(created, Environment.LOCAL) is True
    ours, its = describe(table), describe(created)
    drop_table(created)
    names = {"AttributeDefinitions", "BillingModeSummary", "KeySchema", "StreamSpecification"}
    assert {name: ours[name] for name in names} == {name: its[name] for name in names}
    assert schema_differences(ours) == schema_differences(its) == []
    assert read_state(table) == StoreState(table.name, "local", holds_data=False)
