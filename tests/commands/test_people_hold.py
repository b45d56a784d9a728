"""people.hold, people.release and people.show: of a held user nothing is removed or dropped."""

from __future__ import annotations

import json

import pytest

from commands.conftest import content
from commands.test_ddb_patterns import say

WHY = ("--reason", "case 12")
BAYKO = ("--user", "bayko")


def shown(run_invoke, env) -> dict:
    result = run_invoke("people.show", *BAYKO, "--json", env=env)
    assert result.returncode == 0, result.stderr
    (facts,) = json.loads(result.stdout)
    return facts


def test_a_held_user_s_message_stays_until_they_are_released(
    run_invoke, table_env, messages
) -> None:
    mine = say(run_invoke, table_env, "hello")
    theirs = say(run_invoke, table_env, "hi", user="bayko", other="andrewbrown")
    assert run_invoke("people.hold", *BAYKO, *WHY, env=table_env).stdout == "bayko is held\n"
    again = run_invoke("people.hold", *BAYKO, "--reason", "another", env=table_env)
    assert "was held before" in again.stdout
    facts = shown(run_invoke, table_env)
    assert (facts["hold_reason"], facts["conversations"]) == ("case 12", 1)

    def remove(message: dict):
        options = ("--conversation", message["message_group_uuid"], *WHY)
        named = ("--message-uuid", message["message_uuid"])
        confirmed = ("--confirm", table_env["DDB_MESSAGE_TABLE"])
        return run_invoke(
            "ddb.patterns.remove-message", *options, *named, *confirmed, env=table_env
        )

    before = content(messages)
    refused = remove(theirs)
    assert (refused.returncode, "There is a hold" in refused.stderr) == (1, True)
    assert content(messages) == before
    assert remove(mine).returncode == 0
    released = run_invoke("people.release", *BAYKO, *WHY, env=table_env)
    assert released.stdout == "bayko is released\n"
    assert shown(run_invoke, table_env)["held_at"] is None
    assert remove(theirs).returncode == 0


@pytest.mark.parametrize("task", ["ddb.drop", "db.drop", "db.setup", "db.schema-load"])
def test_no_store_is_dropped_during_a_hold(run_invoke, table_env, messages, task: str) -> None:
    run_invoke("people.hold", *BAYKO, *WHY, env=table_env)
    before = content(messages)
    refused = run_invoke(task, env=table_env)
    assert (refused.returncode, "There is a hold on 1 user" in refused.stderr) == (1, True)
    assert content(messages) == before
    assert shown(run_invoke, table_env)["user_handle"] == "bayko"


@pytest.mark.parametrize("task", ["hold", "release"])
def test_a_reason_is_given_on_every_target(run_invoke, table_env, messages, task: str) -> None:
    before = content(messages)
    refused = run_invoke(f"people.{task}", *BAYKO, env=table_env)
    assert (refused.returncode, "no reason was given" in refused.stderr) == (1, True)
    assert run_invoke("--dry", f"people.{task}", *BAYKO, *WHY, env=table_env).returncode == 0
    assert content(messages) == before


@pytest.mark.parametrize("task", ["show", "hold", "release"])
def test_a_user_is_named_and_known(run_invoke, table_env, task: str) -> None:
    assert run_invoke(f"people.{task}", *WHY, env=table_env).returncode == 2
    unknown = run_invoke(f"people.{task}", "--user", "nobody", *WHY, env=table_env)
    assert (unknown.returncode, "no user with the handle" in unknown.stderr) == (1, True)
