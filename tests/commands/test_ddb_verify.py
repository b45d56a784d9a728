"""ddb.verify, typed as a person types it."""

from __future__ import annotations

import json

import pytest

from core.dynamodb import keys
from core.dynamodb.patterns import reads

from .conftest import content


@pytest.fixture
def broken(seeded, messages) -> dict[str, str]:
    """One of the two inboxes has lost the conversation."""
    row = next(item for item in reads.scan(messages) if item["pk"]["S"].startswith("GRP#"))
    messages.request("delete_item", Key={"pk": row["pk"], "sk": row["sk"]})
    return seeded


def test_a_correct_table_has_no_problems(run_invoke, seeded) -> None:
    result = run_invoke("ddb.verify", env=seeded)
    assert (result.returncode, result.stdout) == (0, "")
    assert "No problems" in result.stderr
    assert json.loads(run_invoke("ddb.verify", "--json", env=seeded).stdout) == []


def test_a_problem_is_reported_and_exits_1(run_invoke, broken) -> None:
    result = run_invoke("ddb.verify", "--json", env=broken)
    (fault,) = json.loads(result.stdout)
    assert (result.returncode, fault["fault"], fault["count"]) == (1, "missing row", 1)


def test_a_repair_shows_its_plan_and_repairs(run_invoke, broken) -> None:
    result = run_invoke("ddb.verify", "--repair", env=broken)
    assert result.returncode == 0, result.stderr
    assert "missing row" in result.stdout
    assert run_invoke("ddb.verify", env=broken).returncode == 0


def test_a_repair_for_a_program_prints_one_array(run_invoke, broken) -> None:
    for was_broken in (True, False):
        result = run_invoke("ddb.verify", "--repair", "--json", env=broken)
        assert (result.returncode, json.loads(result.stdout)) == (0, [])
        assert ("1 missing row: --repair" in result.stderr) is was_broken


def test_a_dry_repair_changes_nothing(run_invoke, broken, messages) -> None:
    before = content(messages)
    result = run_invoke("--dry", "ddb.verify", "--repair", env=broken)
    assert "would send dynamodb TransactWriteItems" in result.stdout
    assert content(messages) == before


def test_a_repair_of_a_production_table_needs_the_name(run_invoke, broken, messages) -> None:
    item = keys.ENVIRONMENT_KEY | {"environment": {"S": "production"}}
    messages.request("put_item", Item=item)
    refused = run_invoke("ddb.verify", "--repair", env=broken)
    assert (refused.returncode, "--confirm" in refused.stderr) == (1, True)
    done = run_invoke("ddb.verify", "--repair", "--confirm", messages.name, env=broken)
    assert done.returncode == 0
