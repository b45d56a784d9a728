"""people.rename: other names in Postgres, in every inbox row, and in whatever is shown."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from unguarded import Database

from commands.conftest import content
from commands.test_ddb_patterns import answer, say
from core.targets.postgres import parse_url

PAIR = ("--user", "andrewbrown", "--with", "bayko")


@pytest.fixture
def own_users(engines, databases, table_env) -> Iterator[dict[str, str]]:
    """A message table, and users of one's own."""
    url = urlsplit(engines.postgres_url)._replace(path=f"/renamed-{uuid.uuid4().hex[:12]}").geturl()
    address = parse_url(url, "CONNECTION_URL")
    databases.create_seeded(address.dbname)
    yield table_env | {"CONNECTION_URL": url}
    databases.drop(address.dbname)


def rename(run_invoke, env, *options: str, code: int = 0):
    result = run_invoke("people.rename", *options, env=env)
    assert result.returncode == code, result.stderr
    return result


def test_a_rename_is_shown_everywhere_and_messages_keep_their_names(
    run_invoke, own_users, messages
) -> None:
    sent = say(run_invoke, own_users, "hello")
    names = ("--handle", "andrew", "--display-name", "Andrew B.", "--email", "a@example.org")
    result = rename(run_invoke, own_users, "--user", "andrewbrown", *names, "--json")
    (done,) = json.loads(result.stdout)
    assert (done["user_handle"], done["changed_inbox_rows"]) == ("andrew", 1)
    (inbox,) = answer(run_invoke, own_users, "list-conversations", "--user", "bayko")
    assert (inbox["user_handle"], inbox["user_display_name"]) == ("andrew", "Andrew B.")
    by_id = ("--conversation", sent["message_group_uuid"])
    (shown,) = answer(run_invoke, own_users, "get-conversation", *by_id)
    assert (shown["user_handle"], shown["user_display_name"]) == ("andrew", "Andrew B.")
    stored = {pk.split("#")[0]: item for pk, _, item in content(messages)}
    assert stored["MSG"]["user_handle"] == {"S": "andrewbrown"}
    rows = [item["user_handle"]["S"] for pk, _, item in content(messages) if pk[:4] == "GRP#"]
    assert sorted(rows) == ["andrew", "bayko"]
    assert run_invoke("ddb.verify", env=own_users).returncode == 0


def test_an_interrupted_rename_is_finished_by_naming_the_new_handle(
    run_invoke, own_users, messages
) -> None:
    say(run_invoke, own_users, "hello")
    with Database(parse_url(own_users["CONNECTION_URL"], "URL")) as db, db.transaction() as t:
        t.query_commit("UPDATE public.users SET handle = 'andrew' WHERE handle = 'andrewbrown'")
    options = ("--user", "andrewbrown", "--handle", "andrew")
    refused = rename(run_invoke, own_users, *options, code=1)
    assert "people.rename --user andrew" in refused.stderr
    assert "changed 1 inbox row" in rename(run_invoke, own_users, "--user", "andrew").stdout
    assert "changed 0 inbox rows" in rename(run_invoke, own_users, "--user", "andrew").stdout


@pytest.mark.parametrize(
    ("options", "code", "complaint"),
    [
        ((), 2, "--user"),
        (("--user", "nobody"), 1, "no user with the handle"),
        (("--user", "andrewbrown", "--handle", "bayko"), 1, "belongs to another user"),
        (("--user", "andrewbrown", "--handle", "a b"), 1, "contains a blank"),
        (("--user", "andrewbrown", "--email", "nonsense"), 1, "not an email address"),
    ],
)
def test_bad_input_is_one_line_and_changes_nothing(
    run_invoke, own_users, options, code, complaint
) -> None:
    result = rename(run_invoke, own_users, *options, code=code)
    assert complaint in result.stderr.splitlines()[-1]


def test_a_dry_run_changes_nothing(run_invoke, own_users, messages) -> None:
    say(run_invoke, own_users, "hello")
    before = content(messages)
    options = ("--user", "andrewbrown", "--handle", "andrew")
    result = run_invoke("--dry", "people.rename", *options, env=own_users)
    assert result.returncode == 0, result.stderr
    assert "UPDATE public.users" in result.stdout
    assert content(messages) == before
    assert run_invoke("people.rename", "--user", "andrewbrown", env=own_users).returncode == 0
