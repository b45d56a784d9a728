"""people.erase: a user goes from both stores, with a plan, a name, a reason and a certificate."""

from __future__ import annotations

import json
import stat

import pytest

from commands.conftest import content
from commands.test_ddb_patterns import answer, say
from commands.test_people_rename import own_users as own_users

WHY = ("--reason", "request 4711")
ANDREW = ("--user", "andrewbrown")


def erase(run_invoke, env, *options: str, dry: bool = False):
    confirm = () if dry else ("--confirm", env["DDB_MESSAGE_TABLE"])
    words = (*(("--dry",) if dry else ()), "people.erase", *options, *confirm)
    return run_invoke(*words, env=env)


@pytest.fixture
def sent(run_invoke, own_users) -> dict:
    return say(run_invoke, own_users, "a secret of andrew's")


def uuid_of(run_invoke, env, handle: str) -> str:
    result = run_invoke("people.show", "--user", handle, "--json", env=env)
    return json.loads(result.stdout)[0]["user_uuid"]


def test_a_user_is_gone_from_both_stores_and_a_certificate_says_so(
    run_invoke, own_users, messages, sent, tmp_path
) -> None:
    andrew = uuid_of(run_invoke, own_users, "andrewbrown")
    file = tmp_path / "certificate.json"
    result = erase(run_invoke, own_users, *ANDREW, *WHY, "--file", str(file), "--json")
    assert result.returncode == 0, result.stderr
    assert "would remove 1 message in 1 conversation, 1 pair, " in result.stderr
    (certificate,) = json.loads(result.stdout)
    removed = certificate["removed"]
    assert (removed["messages"], removed["conversations"], removed["profiles"]) == (1, 1, 1)
    assert (certificate["why"], json.loads(file.read_text())) == ("request 4711", certificate)
    text = file.with_suffix(".txt").read_text()
    assert f"Reference: {certificate['reference']}" in text
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    kept = json.dumps(content(messages)) + file.read_text() + text
    for word in (andrew, "andrewbrown", "Andrew Brown", "a secret of andrew's"):
        assert word not in kept
    assert run_invoke("people.show", *ANDREW, env=own_users).returncode == 1
    (inbox,) = answer(run_invoke, own_users, "list-conversations", "--user", "bayko")
    assert (inbox["user_display_name"], inbox["message"]) == (
        "Deleted user",
        "A message was removed",
    )
    verified = run_invoke("ddb.verify", env=own_users)
    assert verified.returncode == 0, verified.stdout


def test_a_message_to_an_erased_user_is_refused_with_that_reason(
    run_invoke, own_users, messages, sent
) -> None:
    erase(run_invoke, own_users, *ANDREW, *WHY)
    before = content(messages)
    result = run_invoke(
        *("ddb.patterns.create-message", "--user", "bayko", "--message", "are you there?"),
        *("--conversation", sent["message_group_uuid"]),
        env=own_users,
    )
    assert (result.returncode, "was erased" in result.stderr) == (1, True)
    assert content(messages) == before


def test_the_setup_still_runs_without_the_demo_user(run_invoke, own_users, sent) -> None:
    for handle in ("andrewbrown", "bayko"):
        erase(run_invoke, own_users, "--user", handle, *WHY)
    result = run_invoke("start", "--no-admin", env=own_users)
    assert (result.returncode, "There is no user" in result.stderr) == (0, True), result.stderr


def test_it_can_be_run_again_with_the_same_result(run_invoke, own_users, messages, sent) -> None:
    andrew = ("--user-uuid", uuid_of(run_invoke, own_users, "andrewbrown"))
    first = json.loads(erase(run_invoke, own_users, *andrew, *WHY, "--json").stdout)
    before = content(messages)
    again = json.loads(erase(run_invoke, own_users, *andrew, *WHY, "--json").stdout)
    assert (again, content(messages)) == (first, before)


NOT_ALLOWED = (
    ((), 2, "user is not clear"),
    ((*ANDREW, "--user-uuid", "x"), 2, "user is not clear"),
    (("--user-uuid", "x", *WHY), 1, "not a uuid"),
    (("--user-uuid", "0b9d7b1e-0000-4000-8000-000000000000", *WHY), 1, "Neither store has"),
    (ANDREW, 1, "no reason was given"),
    ((*ANDREW, "--reason", "andrewbrown asked"), 1, "names the user"),
    ((*ANDREW, *WHY, "--file", "certificate.txt"), 2, "--file is for the JSON"),
    ((*ANDREW, *WHY, "--file", "."), 2, ". is a folder"),
    ((*ANDREW, *WHY, "--file", "/"), 2, "/ is a folder"),
)


def test_what_is_not_clear_or_not_allowed_changes_nothing(
    run_invoke, own_users, messages, sent
) -> None:
    before = content(messages)
    for options, code, complaint in NOT_ALLOWED:
        result = erase(run_invoke, own_users, *options)
        assert (result.returncode, complaint in result.stderr) == (code, True), result.stderr
    assert content(messages) == before


def test_a_damaged_audit_is_found_before_anything_is_removed(
    run_invoke, own_users, messages, sent, tmp_path
) -> None:
    """The certificate names the copies that the audit knows."""
    log = tmp_path / "audit.jsonl"
    log.write_text('{"at": "2026')
    before = content(messages)
    env = own_users | {"CRUDDUR_AUDIT_LOG": str(log)}
    refused = erase(run_invoke, env, *ANDREW, *WHY)
    assert (refused.returncode, "line 1: This is not an audit line" in refused.stderr) == (1, True)
    assert content(messages) == before
    log.unlink()
    assert erase(run_invoke, env, *ANDREW, *WHY).returncode == 0


def test_a_dry_run_shows_the_plan_and_changes_nothing(
    run_invoke, own_users, messages, sent
) -> None:
    before = content(messages)
    result = erase(run_invoke, own_users, *ANDREW, *WHY, dry=True)
    assert (result.returncode, "would remove 1 message" in result.stdout) == (0, True)
    assert content(messages) == before


def test_a_held_user_is_not_erased(run_invoke, own_users, messages, sent) -> None:
    run_invoke("people.hold", *ANDREW, *WHY, env=own_users)
    before = content(messages)
    result = erase(run_invoke, own_users, *ANDREW, *WHY)
    assert (result.returncode, "There is a hold" in result.stderr) == (1, True)
    assert "invoke people.show --user andrewbrown" in result.stderr
    assert content(messages) == before


@pytest.mark.parametrize("written", [str.lower, str.upper, "{{{}}}".format])
def test_a_list_of_users_from_before_does_not_bring_the_user_back(
    run_invoke, own_users, sent, tmp_path, written
) -> None:
    andrew = uuid_of(run_invoke, own_users, "andrewbrown")
    assert erase(run_invoke, own_users, *ANDREW, *WHY).returncode == 0
    path = tmp_path / "users.csv"
    path.write_text(
        "handle,display_name,email,uuid\n"
        "zoe,Zoe,zoe@example.com,00000000-0000-4000-8000-000000000001\n"
        f"andrewbrown,Andrew Brown,andrew@example.com,{written(andrew)}\n"
    )
    refused = run_invoke("db.import-users", "--file", str(path), env=own_users)
    assert refused.returncode == 1
    assert "line 3: the user was erased. Fix the lines or remove them" in refused.stderr
    assert run_invoke("people.show", "--user", "zoe", env=own_users).returncode == 1


def test_a_dump_from_before_the_erasure_names_who_must_be_erased_again(
    run_invoke, own_users, sent, tmp_path
) -> None:
    dump = ("--file", str(tmp_path / "before.dump"))
    assert run_invoke("db.dump", *dump, env=own_users).returncode == 0
    erase(run_invoke, own_users, *ANDREW, *WHY)
    name = own_users["CONNECTION_URL"].rpartition("/")[2].partition("?")[0]
    restored = run_invoke("db.restore", *dump, "--confirm", name, env=own_users)
    assert restored.returncode == 0, restored.stderr
    assert "invoke people.erase --user andrewbrown" in restored.stderr
    verified = run_invoke("ddb.verify", env=own_users)
    assert (verified.returncode, "erased profile" in verified.stdout) == (1, True)
    assert erase(run_invoke, own_users, *ANDREW, *WHY).returncode == 0
    assert run_invoke("ddb.verify", env=own_users).returncode == 0
