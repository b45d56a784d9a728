"""ddb.search: messages by their words, of one user or of the whole store."""

from __future__ import annotations

import json

import pytest

from commands.test_ddb_patterns import say
from commands.test_people_rename import own_users as own_users


@pytest.fixture
def conversations(run_invoke, table_env) -> dict[str, str]:
    """The stores with three conversations in them."""
    for user, other, text in (
        ("andrewbrown", "bayko", "Lunch\x1b[31m at noon?"),
        ("londo", "bayko", "no lunch for me"),
        ("andrewbrown", "londo", "tea?"),
    ):
        pair = ("--user", user, "--with", other)
        run_invoke("ddb.patterns.create-conversation", *pair, "--message", text, env=table_env)
    return table_env


def test_a_search_of_the_whole_store_says_its_cost(run_invoke, conversations) -> None:
    result = run_invoke("ddb.search", "--words", "LUNCH", env=conversations)
    lines = sorted(line.split("  ", 2)[2] for line in result.stdout.splitlines())
    assert [line.split(":")[0] for line in lines] == ["andrewbrown", "londo"]
    assert "\x1b" not in result.stdout
    assert "2 messages found" in result.stderr
    assert "RCU" in result.stderr
    assert "on demand" in result.stderr


def test_a_user_a_sender_and_a_time_narrow_it(run_invoke, conversations) -> None:
    def senders_of(*options: str) -> list[str]:
        result = run_invoke("ddb.search", "--words", "t", "--json", *options, env=conversations)
        return [message["user_handle"] for message in json.loads(result.stdout)]

    assert senders_of() == ["andrewbrown", "andrewbrown"]  # what was sent first comes first
    assert senders_of("--user", "bayko") == ["andrewbrown"]
    assert senders_of("--sender", "londo") == []
    assert senders_of("--before", "2020-01-01") == []
    assert senders_of("--after", "2020-01-01", "--limit", "1") == ["andrewbrown"]


def test_a_sender_who_has_been_renamed_has_the_new_name(run_invoke, own_users) -> None:
    say(run_invoke, own_users, "Lunch at noon?")
    for words in (("--user", "andrewbrown"), ("--user", "bayko")):
        renamed = run_invoke("people.rename", *words, "--handle", f"new-{words[1]}", env=own_users)
        assert renamed.returncode == 0, renamed.stderr
    result = run_invoke("ddb.search", "--words", "lunch", "--json", env=own_users)
    (message,) = json.loads(result.stdout)
    assert message["user_handle"].startswith("new-")


def test_a_limit_says_that_there_may_be_more(run_invoke, conversations) -> None:
    result = run_invoke("ddb.search", "--words", "lunch", "--limit", "1", env=conversations)
    assert len(result.stdout.splitlines()) == 1
    assert "there may be more" in result.stderr


@pytest.mark.parametrize("options", [(), ("--words", " "), ("--words", "x", "--limit", "abc")])
def test_bad_input_is_one_line(run_invoke, table_env, options) -> None:
    result = run_invoke("ddb.search", *options, env=table_env)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr


def test_an_unknown_user_is_one_line(run_invoke, conversations) -> None:
    result = run_invoke("ddb.search", "--words", "x", "--user", "nobody-here", env=conversations)
    assert result.returncode == 1
    assert "nobody-here" in result.stderr
