"""people.hold, people.release and people.show: what a held user has is not removed or replaced."""

from __future__ import annotations

import json
import uuid
from urllib.parse import urlsplit

import pytest

from commands.conftest import content
from commands.test_ddb_patterns import say
from core.targets.postgres import parse_url

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


def test_a_dump_replaces_no_tables_during_a_hold(
    run_invoke, table_env, databases, tmp_path
) -> None:
    file = ("--file", str(tmp_path / "before.dump"))
    assert run_invoke("db.dump", *file, env=table_env).returncode == 0
    run_invoke("people.hold", *BAYKO, *WHY, env=table_env)
    address = parse_url(table_env["CONNECTION_URL"], "CONNECTION_URL")
    confirmed = ("--confirm", address.dbname)
    for words in (("--dry", "db.restore", *file), ("db.restore", *file, *confirmed)):
        refused = run_invoke(*words, env=table_env)
        assert (refused.returncode, "There is a hold on 1 user" in refused.stderr) == (1, True)
    empty = f"empty-{uuid.uuid4().hex[:12]}"
    databases.copy("template1", empty)
    url = urlsplit(table_env["CONNECTION_URL"])._replace(path=f"/{empty}").geturl()
    back = run_invoke("db.restore", *file, env=table_env | {"CONNECTION_URL": url})
    databases.drop(empty)
    assert back.stdout.endswith(f"into the database {empty}\n")


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
