"""ddb.patterns.export-conversation: one conversation as text, JSON Lines and a web page."""

from __future__ import annotations

import json
import stat

import pytest

from commands.test_ddb_patterns import PAIR, say

TASK = "ddb.patterns.export-conversation"
ATTACK = "</p><script>alert(1)</script> \x1b[31mred \u202etxet"


@pytest.fixture
def talked(run_invoke, table_env) -> str:
    """The id of a conversation with one removed message."""
    say(run_invoke, table_env, "hello\nin two lines")
    gone = say(run_invoke, table_env, "a password", user="bayko", other="andrewbrown")
    say(run_invoke, table_env, ATTACK)
    options = ("--conversation", gone["message_group_uuid"], "--message-uuid", gone["message_uuid"])
    confirmed = ("--confirm", table_env["DDB_MESSAGE_TABLE"], "--reason", "leaked")
    removed = run_invoke("ddb.patterns.remove-message", *options, *confirmed, env=table_env)
    assert removed.returncode == 0, removed.stderr
    return gone["message_group_uuid"]


def test_the_three_formats_show_the_same_conversation(
    run_invoke, table_env, talked, tmp_path
) -> None:
    for ending in ("txt", "jsonl", "html"):
        path = tmp_path / f"conversation.{ending}"
        done = run_invoke(TASK, *PAIR, "--file", str(path), env=table_env)
        assert done.returncode == 0, done.stderr
        assert f"wrote {path.stat().st_size:,} bytes to {path}" in done.stdout
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        written = path.read_text()
        assert "a password" not in written
        assert written.count("A message was removed") == 1
    lines = (tmp_path / "conversation.jsonl").read_text().splitlines()
    messages = [json.loads(line) for line in lines]
    assert [message["message"] for message in messages] == [
        "hello\nin two lines",
        "A message was removed",
        ATTACK,
    ]
    assert [message["removed"] for message in messages] == [None, "removed", None]
    text = (tmp_path / "conversation.txt").read_text()
    assert text.startswith("Andrew B")
    assert f"Conversation {talked}\n" in text
    assert "All times are UTC." in text
    assert "  Andrew Brown (@andrewbrown)\n    hello\n    in two lines\n" in text
    assert r"\x1b[31mred \u202etxet" in text
    page = (tmp_path / "conversation.html").read_text()
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "\x1b" not in page
    assert "default-src &#x27;none&#x27;" in page or "default-src 'none'" in page
    assert "counter(pages)" in page
    # A file is never replaced, and nothing unfinished is left.
    again = run_invoke(TASK, *PAIR, "--file", str(path), env=table_env)
    assert again.returncode == 1
    assert "exists" in again.stderr
    assert len([*tmp_path.iterdir()]) == 3
    # On standard output, what a terminal or a program can read.
    text = run_invoke(TASK, "--conversation", talked, env=table_env).stdout
    assert r"\x1b[31mred" in text
    lines = run_invoke(TASK, "--conversation", talked, "--format", "jsonl", env=table_env).stdout
    assert [json.loads(line)["message"] for line in lines.splitlines()][2] == ATTACK


def test_a_wrong_option_is_one_line_and_a_dry_run_writes_nothing(
    run_invoke, table_env, tmp_path
) -> None:
    group = say(run_invoke, table_env, "hello")["message_group_uuid"]
    for options, complaint in (
        ((*PAIR, "--format", "pdf"), "2 There is no format pdf"),
        ((*PAIR, "--format", "html"), "2 --file PATH is missing"),
        (("--conversation", "nope"), "1 There is no conversation nope"),
        (("--user", "londo", "--conversation", group), "1 londo is not a member"),
        ((*PAIR, "--file", "/nowhere/a.txt"), "1 Could not write /nowhere/a.txt"),
        ((), "2 The conversation is not clear"),
    ):
        refused = run_invoke(TASK, *options, env=table_env)
        assert refused.stdout == ""
        last_line = refused.stderr.splitlines()[-1]
        assert f"{refused.returncode} {last_line}".startswith(complaint)
        assert "Traceback" not in refused.stderr
    path = tmp_path / "a.html"
    dry = run_invoke("--dry", TASK, *PAIR, "--file", str(path), env=table_env)
    assert f"would write the conversation to {path}" in dry.stdout
    assert not path.exists()
