"""ddb.patterns.remove-message: a message goes, with a name and a reason on every target."""

from __future__ import annotations

import json

import pytest

from commands.conftest import content
from commands.test_ddb_patterns import PAIR, answer, say
from core.dynamodb import keys

WHY = ("--reason", "ticket 7")


@pytest.fixture
def sent(run_invoke, table_env) -> list[dict]:
    return [say(run_invoke, table_env, text) for text in ("first", "a password", "third")]


def remove(run_invoke, env, message: dict, *options: str, dry: bool = False):
    return run_invoke(
        *(("--dry",) if dry else ()),
        "ddb.patterns.remove-message",
        *("--conversation", message["message_group_uuid"]),
        *options,
        env=env,
    )


def named(env, message: dict) -> tuple[str, ...]:
    return ("--message-uuid", message["message_uuid"], "--confirm", env["DDB_MESSAGE_TABLE"])


def test_a_message_goes_and_a_line_stays_in_its_place(run_invoke, table_env, sent) -> None:
    result = remove(run_invoke, table_env, sent[1], *named(table_env, sent[1]), *WHY)
    assert result.returncode == 0, result.stderr
    assert "is removed" in result.stdout
    shown = answer(run_invoke, table_env, "get-conversation", *PAIR)
    assert [entry["message"] for entry in shown] == ["first", "A message was removed", "third"]
    assert shown[1]["removed"] == "removed"
    assert shown[1]["user_uuid"] == ""
    again = remove(run_invoke, table_env, sent[1], *named(table_env, sent[1]), *WHY)
    assert (again.returncode, "was removed before" in again.stdout) == (0, True)


def test_a_message_is_named_by_its_time_too(run_invoke, table_env, sent) -> None:
    options = ("--at", sent[2]["created_at"], "--confirm", table_env["DDB_MESSAGE_TABLE"], "--json")
    result = remove(run_invoke, table_env, sent[2], *options, *WHY)
    (done,) = json.loads(result.stdout)
    assert done["message_uuid"] == sent[2]["message_uuid"]
    (inbox,) = answer(run_invoke, table_env, "list-conversations", "--user", "bayko")
    assert inbox["message"] == "a password"


def test_the_time_that_is_shown_names_a_message_whose_key_has_another_form(
    run_invoke, table_env, messages, sent
) -> None:
    """Another app may write a time without an offset, with another one, or without a fraction."""
    group = sent[0]["message_group_uuid"]
    written = ("2026-01-31T20:00:00+02:00", "2026-01-31T18:00:01", "2026-01-31T18:00:02Z")
    for key in written:
        item = keys.key(keys.message_pk(group), key) | {"message": {"S": key}}
        messages.request("put_item", Item=item)
    named = ("--confirm", table_env["DDB_MESSAGE_TABLE"], *WHY)
    for entry in answer(run_invoke, table_env, "get-conversation", "--conversation", group):
        if entry["message"] in written:
            result = remove(run_invoke, table_env, sent[0], "--at", entry["created_at"], *named)
            assert result.returncode == 0, result.stderr
    kept = answer(run_invoke, table_env, "get-conversation", "--conversation", group)
    assert not {entry["message"] for entry in kept} & set(written)


def test_a_time_of_two_messages_is_not_clear(run_invoke, table_env, messages, sent) -> None:
    group = sent[0]["message_group_uuid"]
    for key in ("2026-01-31T20:00:00+02:00", "2026-01-31T18:00:00"):
        item = keys.key(keys.message_pk(group), key) | {"message": {"S": key}}
        messages.request("put_item", Item=item)
    options = ("--at", "2026-01-31T18:00:00Z", "--confirm", table_env["DDB_MESSAGE_TABLE"], *WHY)
    result = remove(run_invoke, table_env, sent[0], *options)
    assert result.returncode == 1
    assert "2 messages have the time 2026-01-31T18:00:00.000000+00:00" in result.stderr


@pytest.mark.parametrize(
    ("options", "code", "complaint"),
    [
        ((), 2, "message is not clear"),
        (("--message-uuid", "x", "--at", "2026-01-01"), 2, "message is not clear"),
        (("--message-uuid", "nope", "--confirm", "{table}", *WHY), 1, "no message nope"),
        (("--at", "2020-01-01", "--confirm", "{table}", *WHY), 1, "no message at 2020-01-01"),
        (("--message-uuid", "{uuid}", *WHY), 1, "name of the table was not typed"),
        (("--message-uuid", "{uuid}", "--confirm", "{table}"), 1, "no reason was given"),
        (("--message-uuid", "{uuid}", "--confirm", "x", *WHY), 1, "not the name"),
    ],
)
def test_what_is_not_clear_or_not_allowed_changes_nothing(
    run_invoke, table_env, messages, sent, options, code, complaint
) -> None:
    before = content(messages)
    words = {"table": table_env["DDB_MESSAGE_TABLE"], "uuid": sent[1]["message_uuid"]}
    result = remove(run_invoke, table_env, sent[1], *(word.format(**words) for word in options))
    assert (result.returncode, complaint in result.stderr.splitlines()[-1]) == (code, True)
    assert content(messages) == before


def test_a_dry_run_removes_nothing(run_invoke, table_env, messages, sent) -> None:
    before = content(messages)
    options = ("--message-uuid", sent[1]["message_uuid"], *WHY)
    result = remove(run_invoke, table_env, sent[1], *options, dry=True)
    assert result.returncode == 0, result.stderr
    assert content(messages) == before
