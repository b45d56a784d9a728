"""ddb.patterns.*: the access patterns, by handle, as people and programs use them."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.dynamodb.items import message_from
from core.dynamodb.patterns import reads

TO_BAYKO = ("--with", "bayko", "--message", "x")
TO_NOWHERE = ("--conversation", "nope", "--message", "x")
PAIR = ("--user", "andrewbrown", "--with", "bayko")


def say(run_invoke, env, text: str, user: str = "andrewbrown", other: str = "bayko") -> dict:
    options = ("--user", user, "--with", other, "--message", text, "--json")
    result = run_invoke("ddb.patterns.create-conversation", *options, env=env)
    assert result.returncode == 0, result.stderr
    (message,) = json.loads(result.stdout)
    return message


def answer(run_invoke, env, task: str, *options: str):
    result = run_invoke(f"ddb.patterns.{task}", *options, "--json", env=env)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_a_conversation_is_started_continued_and_read_back(run_invoke, table_env) -> None:
    first = say(run_invoke, table_env, "hello")
    second = say(run_invoke, table_env, "hi", user="bayko", other="andrewbrown")
    group = first["message_group_uuid"]
    third = answer(
        run_invoke,
        table_env,
        "create-message",
        *("--user", "andrewbrown", "--conversation", group, "--message", "how are you?"),
    )[0]
    assert answer(run_invoke, table_env, "get-conversation", *PAIR) == [first, second, third]
    assert set(first) == {
        "message_uuid",
        "message_group_uuid",
        "user_uuid",
        "user_handle",
        "user_display_name",
        "message",
        "created_at",
    }


def test_an_inbox_shows_the_other_person_and_the_last_message(run_invoke, table_env) -> None:
    message = say(run_invoke, table_env, "hello")
    (conversation,) = answer(run_invoke, table_env, "list-conversations", "--user", "@bayko")
    assert conversation == {
        "message_group_uuid": message["message_group_uuid"],
        "user_uuid": message["user_uuid"],
        "user_handle": "andrewbrown",
        "user_display_name": "Andrew Brown",
        "message": "hello",
        "last_message_at": message["created_at"],
    }


def test_inboxes_are_newest_first(run_invoke, table_env) -> None:
    say(run_invoke, table_env, "one")
    say(run_invoke, table_env, "two", other="londo")
    conversations = answer(run_invoke, table_env, "list-conversations", "--user", "andrewbrown")
    assert [c["user_handle"] for c in conversations] == ["londo", "bayko"]


def test_twelve_processes_that_start_at_once_share_one_conversation(
    run_invoke, table_env, messages
) -> None:
    with ThreadPoolExecutor(12) as pool:
        sent = list(pool.map(lambda n: say(run_invoke, table_env, f"message {n}"), range(12)))
    assert len({message["message_group_uuid"] for message in sent}) == 1
    kinds = sorted(item["pk"]["S"].split("#")[0] for item in reads.scan(messages))
    assert kinds == ["ENV", "GRP", "GRP", *["MSG"] * 12, "PAIR"]


def test_a_person_sees_a_table_oldest_first_and_what_it_cost(run_invoke, table_env) -> None:
    say(run_invoke, table_env, "first")
    say(run_invoke, table_env, "second")
    result = run_invoke("ddb.patterns.get-conversation", *PAIR, env=table_env)
    header, _, *rows = result.stdout.splitlines()
    assert header.split() == ["UTC", "from", "message"]
    assert [row.split()[-1] for row in rows] == ["first", "second"]
    assert "RCU" in result.stderr


def pages(run_invoke, env, task: str, *options: str) -> list[list[dict[str, str]]]:
    """Every page of a list, found by the cursor of the page before."""
    listed: list[list[dict[str, str]]] = []
    cursor: tuple[str, ...] = ()
    while True:
        more = (*options, "--limit", "3", "--json", *cursor)
        result = run_invoke(f"ddb.patterns.{task}", *more, env=env)
        listed.append(json.loads(result.stdout))
        rest = json.loads(result.stderr.splitlines()[-1])
        if "cursor" not in rest:
            return listed
        cursor = ("--cursor", rest["cursor"])


OFFSETS = (
    "2026-03-03T05:00:00.000000+00:00",
    "2026-03-03T04:59:00Z",
    "2026-03-03T10:05:00+05:30",
    "2026-03-03T04:06:00",
    "2026-03-03 04:05:00",
    "2026-03-02T23:07:00-05:00",
    "2026-03-02T23:06:59.5-05:00",
    "no time",
)
"""Sort keys that others may store. In the order of their bytes their times go to and fro."""


def test_paging_by_the_cursor_shows_every_message_once(run_invoke, table_env, messages) -> None:
    group = say(run_invoke, table_env, "newest")["message_group_uuid"]
    sent = next(item for item in reads.scan(messages) if item["pk"]["S"].startswith("MSG#"))
    for key in OFFSETS:
        messages.request("put_item", Item=sent | {"sk": {"S": key}, "message": {"S": key}})
    listed = pages(run_invoke, table_env, "get-conversation", "--conversation", group)
    assert [len(page) for page in listed] == [3, 3, 3]
    texts = [entry["message"] for page in reversed(listed) for entry in page]
    assert texts == sorted([*OFFSETS, "newest"])
    odd = ("--conversation", group, "--cursor", "no time")  # a stored key, so a page may end there
    assert len(answer(run_invoke, table_env, "get-conversation", *odd)) == len(OFFSETS)


def test_paging_by_the_cursor_shows_every_conversation_once(
    run_invoke, table_env, messages
) -> None:
    say(run_invoke, table_env, "newest")
    row = next(item for item in reads.scan(messages) if item["pk"]["S"].startswith("GRP#"))
    for key in OFFSETS:
        other = {"sk": {"S": key}, "message_group_uuid": {"S": key}, "message": {"S": key}}
        messages.request("put_item", Item=row | other)
    owner = "bayko" if row["user_handle"]["S"] == "andrewbrown" else "andrewbrown"
    listed = pages(run_invoke, table_env, "list-conversations", "--user", owner)
    assert sorted(entry["message"] for page in listed for entry in page) == sorted(
        [*OFFSETS, "newest"]
    )
    odd = ("--user", owner, "--cursor", "no time")
    assert len(answer(run_invoke, table_env, "list-conversations", *odd)) == len(OFFSETS)


def test_bounds_leave_out_what_is_older_or_newer(run_invoke, table_env) -> None:
    first = say(run_invoke, table_env, "first")
    second = say(run_invoke, table_env, "second")
    third = say(run_invoke, table_env, "third")
    bounds = ("--after", first["created_at"], "--before", third["created_at"])
    assert answer(run_invoke, table_env, "get-conversation", *PAIR, *bounds) == [second]
    assert answer(run_invoke, table_env, "get-conversation", *PAIR, "--before", "2020-01-01") == []


def test_empty_answers_are_empty_arrays_and_a_note(run_invoke, table_env) -> None:
    assert answer(run_invoke, table_env, "list-conversations", "--user", "bayko") == []
    result = run_invoke("ddb.patterns.list-conversations", "--user", "bayko", env=table_env)
    assert result.stdout == ""
    assert "There are no conversations" in result.stderr


@pytest.mark.parametrize("text", ["<script>", "' OR 1=1 --", "=cmd()", "[a](javascript:b)", "🙂"])
def test_a_message_is_data(run_invoke, table_env, text) -> None:
    say(run_invoke, table_env, text)
    (message,) = answer(run_invoke, table_env, "get-conversation", *PAIR)
    assert message["message"] == text


@pytest.mark.parametrize(
    ("task", "options", "code", "complaint"),
    [
        ("create-conversation", (), 2, "--user"),
        ("create-conversation", ("--user", "bayko"), 2, "--with"),
        ("create-conversation", PAIR, 2, "--message"),
        ("create-conversation", (*PAIR, "--message", "  "), 1, "empty"),
        ("create-conversation", (*PAIR, "--message", "x" * 1025), 1, "1,024"),
        ("create-conversation", ("--user", "nobody", *TO_BAYKO), 1, "no user with the handle"),
        ("create-conversation", ("--user", "bayko", *TO_BAYKO), 1, "two different users"),
        ("create-message", (*PAIR, "--message", "x"), 1, "no conversation with"),
        ("create-message", ("--user", "bayko", *TO_NOWHERE), 1, "nope"),
        ("create-message", TO_NOWHERE, 2, "--user"),
        ("get-conversation", (), 2, "--conversation"),
        ("get-conversation", (*PAIR, "--conversation", "x"), 2, "conversation is not clear"),
        ("get-conversation", (*PAIR, "--before", "yesterday"), 2, "yesterday"),
        ("get-conversation", (*PAIR, "--limit", "abc"), 2, "abc"),
        ("get-conversation", ("--conversation", "nope"), 1, "There is no conversation nope"),
        ("get-conversation", ("--conversation", "c", "--cursor", "nonsense"), 2, "not 'nonsense'"),
        ("list-conversations", ("--user", "bayko", "--cursor", "20260131"), 2, "not '20260131'"),
        ("list-conversations", (), 2, "--user"),
        ("list-conversations", ("--user", "nobody"), 1, "nobody"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_and_writes_nothing(
    run_invoke, table_env, messages, task, options, code, complaint
) -> None:
    result = run_invoke(f"ddb.patterns.{task}", *options, env=table_env)
    assert result.returncode == code, result.stderr
    assert complaint in result.stderr.splitlines()[-1]
    assert result.stdout == ""
    assert len(list(reads.scan(messages))) == 1


def test_only_a_member_reads_or_writes_as_that_member(run_invoke, table_env, messages) -> None:
    group = say(run_invoke, table_env, "private")["message_group_uuid"]
    for task, more in (("get-conversation", ()), ("create-message", ("--message", "hi"))):
        options = ("--user", "londo", "--conversation", group, *more)
        result = run_invoke(f"ddb.patterns.{task}", *options, env=table_env)
        assert result.returncode == 1
        assert "not a member" in result.stderr
        assert "private" not in result.stdout
    assert sum(item["pk"]["S"].startswith("MSG#") for item in reads.scan(messages)) == 1


def test_a_dry_send_prints_the_transaction_and_stores_nothing(
    run_invoke, table_env, messages
) -> None:
    options = (*PAIR, "--message", "hi")
    result = run_invoke("--dry", "ddb.patterns.create-conversation", *options, env=table_env)
    assert (result.returncode, "TransactWriteItems" in result.stdout) == (0, True)
    assert [message_from(item).text for item in reads.scan(messages)] == [""]


def test_a_store_that_is_down_is_one_line(run_invoke, table_env) -> None:
    env = table_env | {"CONNECTION_URL": "postgresql://u:hunter2@127.0.0.1:1/d"}
    result = run_invoke("ddb.patterns.list-conversations", "--user", "bayko", env=env)
    assert result.returncode == 1
    assert "invoke up" in result.stderr
    assert "hunter2" not in result.stderr


def two_conversations(messages) -> str:
    """A second conversation of the two, as Cruddur's seed makes one; returns its id."""
    rows = [item for item in reads.scan(messages) if item["pk"]["S"].startswith("GRP#")]
    message = next(item for item in reads.scan(messages) if item["pk"]["S"].startswith("MSG#"))
    group = "5ae290ed-55d1-47a0-bc6d-fe2bc2700399"
    earlier = {"sk": {"S": "2024-01-01T00:00:00.000000+00:00"}}
    for row in rows:
        messages.request("put_item", Item=row | earlier | {"message_group_uuid": {"S": group}})
    messages.request("put_item", Item=message | earlier | {"pk": {"S": f"MSG#{group}"}})
    return group


@pytest.mark.parametrize("task", ["get-conversation", "create-message"])
def test_of_two_conversations_the_newest_is_meant_and_the_other_named(
    run_invoke, seeded, messages, task
) -> None:
    other = two_conversations(messages)
    options = ("--message", "hi") if task == "create-message" else ()
    pair = ("--user", "bayko", "--with", "andrewbrown")
    result = run_invoke(f"ddb.patterns.{task}", *pair, *options, env=seeded)
    assert result.returncode == 0
    assert f"They have another conversation: --conversation {other}" in result.stderr
    assert other not in result.stdout


def test_times_are_those_that_are_shown_whatever_offset_is_stored(
    run_invoke, seeded, messages
) -> None:
    message = next(item for item in reads.scan(messages) if item["pk"]["S"].startswith("MSG#"))
    group = message["pk"]["S"].removeprefix("MSG#")
    for key in ("2020-03-02T23:07:00-05:00", "2020-03-03T04:05:00", "2020-03-03T09:38:00+05:30"):
        messages.request("put_item", Item=message | {"sk": {"S": key}})

    def shown(*bounds: str) -> list[str]:
        options = ("--conversation", group, "--json", "--limit", "500", *bounds)
        result = run_invoke("ddb.patterns.get-conversation", *options, env=seeded)
        return [entry["created_at"][11:16] for entry in json.loads(result.stdout)]

    year = ("--before", "2021-01-01")
    assert sorted(shown(*year)) == ["04:05", "04:07", "04:08"]
    assert sorted(shown("--after", "2020-03-03T04:06Z", *year)) == ["04:07", "04:08"]
    assert shown("--before", "2020-03-03T04:07Z") == ["04:05"]
    assert shown("--after", "2020-03-02T23:07:30-05:00", *year) == ["04:08"]


def test_a_member_who_is_no_longer_in_postgres_is_said_to_be_gone(
    run_invoke, seeded, messages
) -> None:
    row = next(
        item
        for item in reads.scan(messages)
        if item["pk"]["S"].startswith("GRP#") and item["user_handle"]["S"] == "bayko"
    )
    gone = {"user_uuid": {"S": "gone"}, "user_handle": {"S": "londo"}}
    group = {"message_group_uuid": {"S": "g"}}
    messages.request("put_item", Item=row | gone | group)
    other = {"pk": {"S": "GRP#gone"}, "user_uuid": {"S": row["pk"]["S"].removeprefix("GRP#")}}
    messages.request("put_item", Item=row | other | group)
    options = ("--user", "andrewbrown", "--conversation", "g", "--message", "hello?")
    result = run_invoke("ddb.patterns.create-message", *options, env=seeded)
    assert "continued conversation g with londo, who is no longer in Postgres:" in result.stdout
