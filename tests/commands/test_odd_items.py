"""Unusual stored items of every kind: each task shows them as data and does not change them."""

from __future__ import annotations

import json

import pytest
from unguarded import Database

from core.dynamodb import keys
from core.postgres.users import find_user
from core.targets.postgres import parse_url

from .conftest import content

GROUP = "odd#group"
LARGE = "x" * 390_000
TEXTS = ["", " ", "x" * 2000, "🙂" * 1024, "a\0b", "<script>alert(1)</script>", "' OR 1=1 --",
         "=cmd()", "\x1b[31mred\x1b[0m", "\u202eright to left", LARGE]  # fmt: skip
WRONG_TYPES = [{"N": "7"}, {"BOOL": True}, {"NULL": True}, {"L": [{"S": "a"}]}, {"M": {}},
               {"B": b"\x00\xff"}, {"SS": ["a", "b"]}, {"NS": ["1", "2"]}]  # fmt: skip
TASKS = [
    ("ddb.scan",),
    ("ddb.scan", "--json"),
    ("ddb.scan", "--raw", "--json"),
    ("ddb.patterns.get-conversation", "--user", "bayko", "--conversation", GROUP),
    ("ddb.patterns.get-conversation", "--user", "bayko", "--conversation", GROUP, "--json"),
    ("ddb.patterns.list-conversations", "--user", "bayko"),
    ("ddb.patterns.list-conversations", "--user", "bayko", "--json"),
    ("ddb.verify",),
    ("ddb.verify", "--json"),
]


@pytest.fixture
def odd_items(table_env, messages) -> int:
    """The number of items in the table now, without its marker."""
    with Database(parse_url(table_env["CONNECTION_URL"], "CONNECTION_URL")) as db:
        ben, ana = (find_user(db, handle).uuid for handle in ("bayko", "andrewbrown"))
    row = {"message_group_uuid": {"S": GROUP}, "user_uuid": {"S": ana}}
    items = [keys.key(keys.inbox_pk(ben), "2026-01-01T00:00:00") | row]
    for n, text in enumerate(TEXTS):
        sort_key = f"2026-01-01T00:00:{n:02}"
        items.append(keys.key(keys.message_pk(GROUP), sort_key) | {"message": {"S": text}})
        if text != LARGE:
            group = {"message_group_uuid": {"S": f"text-{n}"}, "message": {"S": text}}
            items.append(keys.key(keys.inbox_pk(ben), f"2026-01-02T00:00:{n:02}") | group)
    for n, value in enumerate(WRONG_TYPES):
        names = ("message", "message_uuid", "user_uuid", "user_handle", "user_display_name")
        wrong = dict.fromkeys(names, value)
        items.append(keys.key(keys.message_pk(GROUP), f"2026-01-03T00:00:{n:02}") | wrong)
        items.append(keys.key(keys.inbox_pk(ben), f"2026-01-03T00:00:{n:02}") | wrong)
    items += [
        keys.key("UNKNOWN#kind", "anything") | {"more": {"M": {"deep": {"L": [{"N": "1"}]}}}},
        keys.key("MSG#", "no group"),
        keys.key("GRP#", "no owner"),
        keys.key("PAIR#half", "PAIR"),
        keys.key(keys.inbox_pk(ben), "2026-01-04T00:00:00")
        | {
            "message_group_uuid": {"S": "long"},
            "message": {"S": "to somebody whose id no key can hold"},
            "user_uuid": {"S": "x" * 3000},
            "user_handle": {"S": "long"},
            "user_display_name": {"S": "Long"},
        },
        keys.key(keys.message_pk(GROUP), "not a time") | {"message": {"S": "when?"}},
        keys.key("#", "#"),
    ]
    for item in items:
        messages.request("put_item", Item=item)
    return len(items)


@pytest.mark.parametrize("task", TASKS, ids=" ".join)
def test_a_task_shows_them_or_reports_the_problem_and_changes_nothing(
    run_invoke, table_env, messages, odd_items, task
) -> None:
    before = content(messages)
    result = run_invoke(*task, env=table_env)
    assert result.returncode in (0, 1), result.stderr
    assert result.stdout
    assert "\x1b[31m" not in result.stdout
    if "--json" in task and task[0] != "ddb.scan":
        json.loads(result.stdout)
    if task[0] == "ddb.scan" and "--json" in task:
        assert len([json.loads(line) for line in result.stdout.splitlines()]) == odd_items + 1
    assert content(messages) == before


def test_an_export_of_them_is_imported_as_they_are(
    run_invoke, table_env, messages, odd_items, tmp_path
) -> None:
    before = content(messages)
    file = str(tmp_path / "odd.jsonl")
    assert run_invoke("ddb.export", "--file", file, env=table_env).returncode == 0
    for item in [item for _, _, item in before if item["pk"]["S"] != "ENV#"]:
        messages.request("delete_item", Key={name: item[name] for name in ("pk", "sk")})
    result = run_invoke("ddb.import", "--file", file, env=table_env)
    assert result.returncode == 0, result.stderr
    assert content(messages) == before


def test_a_repair_among_them_repairs_what_it_can_and_loses_no_message(
    run_invoke, table_env, messages, odd_items
) -> None:
    def stored() -> list:
        return [item for pk, _, item in content(messages) if pk.startswith("MSG#")]

    sent = ("--user", "bayko", "--with", "andrewbrown", "--message", "to be listed again")
    run_invoke("ddb.patterns.create-conversation", *sent, env=table_env)
    (row,) = [
        item
        for pk, _, item in content(messages)
        if item.get("message") == {"S": "to be listed again"} and pk.startswith("GRP#")
    ][:1]
    messages.request("delete_item", Key={name: row[name] for name in ("pk", "sk")})
    before = stored()
    result = run_invoke("ddb.verify", "--repair", env=table_env)
    assert result.returncode == 1, "a problem that cannot be repaired is left and reported"
    assert row in [item for _, _, item in content(messages)]
    assert stored() == before
