"""ddb.patterns.expire: what was sent before a time goes, and nothing else."""

from __future__ import annotations

import pytest

from commands.conftest import content
from commands.test_ddb_patterns import answer, say

PAIR = ("--user", "andrewbrown", "--with", "bayko")
WHY = ("--reason", "retention of one year")


def expire(run_invoke, env, *options: str, dry: bool = False):
    if dry:
        return run_invoke("--dry", "ddb.patterns.expire", *options, env=env)
    confirm = ("--confirm", env["DDB_MESSAGE_TABLE"])
    return run_invoke("ddb.patterns.expire", *options, *confirm, env=env)


@pytest.fixture
def sent(run_invoke, table_env) -> list[dict]:
    return [say(run_invoke, table_env, text) for text in ("old", "older", "new")]


def test_what_is_older_goes_and_inboxes_show_the_rest(
    run_invoke, table_env, messages, sent
) -> None:
    options = ("--before", sent[2]["created_at"], *WHY)
    before = content(messages)
    plan = expire(run_invoke, table_env, *options, dry=True)
    assert "would remove 2 messages in 1 conversation, for at most 34 WCU" in plan.stdout
    assert content(messages) == before
    done = expire(run_invoke, table_env, *options)
    assert done.stdout == "removed 2 messages in 1 conversation\n"
    shown = answer(run_invoke, table_env, "get-conversation", *PAIR)
    assert [entry.get("removed") for entry in shown] == ["expired", "expired", None]
    (inbox,) = answer(run_invoke, table_env, "list-conversations", "--user", "bayko")
    assert inbox["message"] == "new"
    assert (
        expire(run_invoke, table_env, *options).stdout == "removed 0 messages in 0 conversations\n"
    )
    assert run_invoke("ddb.verify", env=table_env).returncode == 0


def test_what_a_held_user_sent_stays(run_invoke, table_env, messages, sent) -> None:
    held = ("people.hold", "--user", "andrewbrown", "--reason", "case 12")
    assert run_invoke(*held, env=table_env).returncode == 0
    before = content(messages)
    options = ("--before", "2999-01-01", *WHY)
    for dry in (True, False):
        result = expire(run_invoke, table_env, *options, dry=dry)
        assert "3 messages stay" in result.stderr
    assert content(messages) == before


@pytest.mark.parametrize(
    ("options", "code", "complaint"),
    [
        (WHY, 2, "--before TIME is missing. See: invoke --help ddb.patterns.expire"),
        (("--before", "yesterday", *WHY), 2, "yesterday"),
        (("--before", "2999-01-01"), 1, "no reason was given"),
    ],
)
def test_bad_input_changes_nothing(
    run_invoke, table_env, messages, sent, options, code, complaint
) -> None:
    before = content(messages)
    result = expire(run_invoke, table_env, *options)
    assert (result.returncode, complaint in result.stderr.splitlines()[-1]) == (code, True)
    assert content(messages) == before
