"""A table that a local engine keeps for another region or access key."""

from __future__ import annotations

import pytest

from core.dynamodb.elsewhere import relocated
from core.settings import Settings
from core.targets import resolve

from .conftest import content, open_table


@pytest.mark.parametrize(
    ("variable", "task"),
    [("AWS_DEFAULT_REGION", "ddb.scan"), ("AWS_REGION", "start")],
)
def test_the_region_that_has_the_table_is_named_and_no_second_one_is_made(
    run_invoke, table_env, messages, variable, task
) -> None:
    before = content(messages)
    options = ("--no-admin",) if task == "start" else ()
    result = run_invoke(task, *options, env=table_env | {variable: "eu-west-1"})
    assert result.returncode == 1
    assert f"no table {messages.name} in eu-west-1, but there is one in us-east-1" in result.stderr
    assert "Set AWS_DEFAULT_REGION=us-east-1" in result.stderr
    assert content(messages) == before


def test_a_schema_load_says_so_and_does_what_it_was_asked_for(run_invoke, table_env) -> None:
    result = run_invoke("ddb.schema-load", env=table_env | {"AWS_REGION": "eu-west-1"})
    assert result.stdout.startswith("created table")
    assert "but there is one in us-east-1" in result.stderr


def test_the_access_key_that_has_the_table_is_named(table_env) -> None:
    # ministack takes a key of twelve digits as the account.
    keys = {"AWS_ACCESS_KEY_ID": "123456789012", "AWS_SECRET_ACCESS_KEY": "x"}
    table = open_table(resolve(Settings.from_env(table_env | keys), prod=False))
    error = relocated(table)
    assert error is not None
    assert "for the access key local (AWS_ACCESS_KEY_ID)" in error.problem
    assert error.hint.startswith("Unset AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")


def test_a_table_that_is_there_or_nowhere_is_not_looked_for_in_vain(bare_env, table_env) -> None:
    for name in (table_env["DDB_MESSAGE_TABLE"], "nowhere-at-all"):
        settings = Settings.from_env(table_env | {"DDB_MESSAGE_TABLE": name})
        assert relocated(open_table(resolve(settings, prod=False))) is None
