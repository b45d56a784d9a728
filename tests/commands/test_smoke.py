"""One installation in a few commands: a change anywhere is likely to break one of them."""

from __future__ import annotations

import json

from .conftest import RunInvoke

PAIR = ("--user", "andrewbrown", "--with", "bayko")


def test_an_installation_is_started_read_written_to_checked_and_moved(
    run_invoke: RunInvoke, database_url: str, bare_env: dict[str, str], tmp_path
) -> None:
    env = bare_env | {"CONNECTION_URL": database_url}
    file = str(tmp_path / "messages.jsonl")

    def answer(*words: str) -> str:
        done = run_invoke(*words, env=env)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    assert "The inbox of andrewbrown:" in answer("start", "--no-admin")
    answer("ddb.patterns.create-message", *PAIR, "--message", "a new one")
    shown = json.loads(answer("ddb.patterns.get-conversation", *PAIR, "--json"))
    assert shown[-1]["message"] == "a new one"
    inbox = json.loads(answer("ddb.patterns.list-conversations", "--user", "bayko", "--json"))
    assert inbox[0]["message"] == "a new one"
    assert json.loads(answer("ddb.verify", "--json")) == []
    assert "postgres schema" in answer("doctor")
    assert "cruddur" in answer("db.sessions")

    answer("ddb.export", "--file", file)
    answer("ddb.drop")
    answer("ddb.schema-load")
    answer("ddb.import", "--file", file)
    assert json.loads(answer("ddb.patterns.get-conversation", *PAIR, "--json")) == shown
