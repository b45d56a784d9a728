"""A table without the index: nothing half is stored, and it is added."""

from __future__ import annotations

import pytest
from unguarded import open_table_named

from core.dynamodb import keys
from core.dynamodb.patterns import reads
from core.dynamodb.patterns.bulk_load import TranscriptMessage, load_transcript
from core.dynamodb.patterns.sends import Draft, start
from core.dynamodb.schema import (
    _SCHEMA,
    add_missing_index,
    create_table,
    describe,
    schema_differences,
)
from core.dynamodb.table import Table
from core.errors import MissingTableError
from core.purposes import Need


def make_without_index(table: Table, **options: object) -> None:
    table.client.create_table(
        TableName=table.name,
        KeySchema=_SCHEMA["KeySchema"],
        AttributeDefinitions=_SCHEMA["AttributeDefinitions"][:2],
        **options,
    )


@pytest.fixture
def bare(no_table: Table) -> Table:
    make_without_index(no_table, BillingMode="PAY_PER_REQUEST")
    return no_table


def test_no_conversation_begins_without_it(bare: Table, ana, ben) -> None:
    with pytest.raises(MissingTableError, match="has no index") as refused:
        start(bare, Draft(ana, ben, "hi"))
    assert str(refused.value).endswith("Nothing was stored. Add it: invoke ddb.schema-load")
    with pytest.raises(MissingTableError, match="has no index"):
        load_transcript(bare, (ana, ben), [TranscriptMessage(ana, "hi")])
    assert list(reads.scan(bare)) == []


def test_it_is_added_and_holds_the_rows_that_are_there(bare: Table, ana, ben) -> None:
    row = keys.key(keys.inbox_pk(ana.uuid), "2026-01-01T00:00:00.000000+00:00") | {
        "message_group_uuid": {"S": "g"},
        "user_uuid": {"S": ben.uuid},
        "message": {"S": "hi"},
    }
    bare.request("put_item", Item=row)
    assert add_missing_index(bare)
    assert schema_differences(describe(bare) or {}) == []
    assert [row.owner_uuid for row in reads.list_rows_of(bare, "g")] == [ana.uuid]
    assert not add_missing_index(bare)
    assert not create_table(bare, "local")
    assert start(bare, Draft(ana, ben, "continued"))[0].message_group_uuid == "g"


def test_it_takes_the_table_s_own_throughput(no_table: Table) -> None:
    throughput = {"ReadCapacityUnits": 3, "WriteCapacityUnits": 2}
    make_without_index(no_table, ProvisionedThroughput=throughput)
    asked: list[dict] = []
    hear = ("provide-client-params.dynamodb.UpdateTable", lambda params, **_: asked.append(params))
    no_table.client.meta.events.register_first(*hear)
    try:
        assert add_missing_index(no_table)
    finally:
        no_table.client.meta.events.unregister(*hear)
    (create,) = (update["Create"] for update in asked[0]["GlobalSecondaryIndexUpdates"])
    assert create["ProvisionedThroughput"] == throughput


def test_another_engine_adds_it_too(dynoxide) -> None:
    table = open_table_named("cruddur-messages", dynoxide.target)
    make_without_index(table, BillingMode="PAY_PER_REQUEST")
    assert add_missing_index(table)
    assert schema_differences(describe(table) or {}) == []
    table.client.close()


def test_adding_it_is_making_and_no_other_change_of_a_table_is() -> None:
    from core.dynamodb.permissions import need_of

    create = {"Create": {"IndexName": keys.INDEX}}
    adding = {"TableName": "t", "AttributeDefinitions": [], "GlobalSecondaryIndexUpdates": [create]}
    assert need_of("UpdateTable", adding) is Need.MAKE
    for more in (
        {"BillingMode": "PROVISIONED"},
        {"GlobalSecondaryIndexUpdates": [create, {"Delete": {"IndexName": "x"}}]},
        {"GlobalSecondaryIndexUpdates": [create | {"Delete": {"IndexName": "x"}}]},
        {"GlobalSecondaryIndexUpdates": [{"Create": {"IndexName": "x"}}]},
        {"GlobalSecondaryIndexUpdates": []},
    ):
        assert need_of("UpdateTable", adding | more) is Need.DESTROY
