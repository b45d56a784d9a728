"""ddb.follow-stream: typed, interrupted and killed as a person does it."""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from core.dynamodb import keys
from core.dynamodb.items import message_item
from core.dynamodb.patterns import reads
from core.dynamodb.table import Table
from core.models import Message
from core.settings import PROJECT_ROOT
from core.timestamps import now, parse, sort_key

from .conftest import hermetic_environment

Follow = Callable[[], contextlib.AbstractContextManager[subprocess.Popen[str]]]


@pytest.fixture
def follow(seeded: Mapping[str, str], tmp_path: Path) -> Follow:
    """Starts to follow the stream; its notes are on ``stderr``."""

    @contextlib.contextmanager
    def started() -> Iterator[subprocess.Popen[str]]:
        with subprocess.Popen(
            [sys.executable, "-m", "invoke", "ddb.follow-stream"],
            cwd=PROJECT_ROOT,
            env=hermetic_environment(tmp_path) | dict(seeded),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as follower:
            try:
                assert "target" in follower.stderr.readline()
                assert "following" in follower.stderr.readline()
                yield follower
            finally:
                follower.kill()

    return started


@pytest.fixture
def group(seeded, messages) -> str:
    return group_in(messages)


def group_in(table: Table) -> str:
    rows = (item for item in reads.scan(table) if item["pk"]["S"].startswith("GRP#"))
    return next(rows)["message_group_uuid"]["S"]


def write_plainly(table: Table, group: str, text: str) -> None:
    sender = reads.senders_of(table, group, most=1)[0]
    key = sort_key(now())
    item = message_item(Message(group, f"uuid of {text}", sender, text, key, parse(key)))
    table.request("put_item", Item=item)


def wait_for_previews(table: Table, group: str, text: str) -> None:
    deadline = time.monotonic() + 30
    while [row.preview for row in reads.list_rows_of(table, group)] != [text, text]:
        assert time.monotonic() < deadline, reads.list_rows_of(table, group)
        time.sleep(0.05)


def records_told(line: str) -> int:
    counted = re.match(r"([\d,]+) records? ", line)
    return int(counted[1].replace(",", "")) if counted else 0


def test_previews_follow_until_it_is_interrupted(follow, messages, group) -> None:
    with follow() as follower:
        write_plainly(messages, group, "plain")
        wait_for_previews(messages, group, "plain")
        assert " s behind" in follower.stderr.readline()
        follower.send_signal(signal.SIGINT)
        rest = follower.stderr.read()
        assert follower.wait(10) == 0
    assert rest.endswith("Stopped. The next run resumes from here.\n")
    assert "Traceback" not in rest


def test_a_killed_run_resumes_where_it_stopped(follow, messages, group) -> None:
    with follow() as follower:
        write_plainly(messages, group, "first")
        wait_for_previews(messages, group, "first")
        records = 0
        while records < 50:  # the seed's records and more: they are dealt with by now
            records += records_told(follower.stderr.readline())
        follower.kill()
    write_plainly(messages, group, "second")
    with follow() as follower:
        wait_for_previews(messages, group, "second")
        assert 0 < records_told(follower.stderr.readline()) < 50


def test_invalid_records_block_nothing(follow, messages, group) -> None:
    for item in (
        {"pk": {"S": "MSG#"}, "sk": {"S": sort_key(now())}},
        {"pk": {"S": f"MSG#{group}"}, "sk": {"S": "some day"}},
        message_item(
            Message("", "m", reads.senders_of(messages, group, most=1)[0], "x", "2026", None)
        ),
        keys.key("GRP#", "x") | {"message_group_uuid": {"S": group}},
    ):
        messages.request("put_item", Item=item)
    with follow() as follower:
        write_plainly(messages, group, "plain")
        wait_for_previews(messages, group, "plain")
        lines = [follower.stderr.readline()]
        while not records_told(lines[-1]):
            lines.append(follower.stderr.readline())
    assert [line for line in lines[:-1] if "record dropped" not in line] == []
    assert (len(lines[:-1]), "to retry" in lines[-1]) == (3, False)


def test_a_stream_that_is_turned_off_and_on_again_is_followed_on(follow, messages, group) -> None:
    def turn(is_on: bool) -> None:
        view = {"StreamViewType": "NEW_IMAGE"} if is_on else {}
        messages.client.update_table(
            TableName=messages.name, StreamSpecification={"StreamEnabled": is_on} | view
        )

    with follow() as follower:
        write_plainly(messages, group, "before")
        wait_for_previews(messages, group, "before")
        follower.send_signal(signal.SIGSTOP)
        turn(False)
        turn(True)
        write_plainly(messages, group, "after")
        follower.send_signal(signal.SIGCONT)
        wait_for_previews(messages, group, "after")
        follower.send_signal(signal.SIGINT)
        assert "turned off and on again" in follower.stderr.read()


def test_a_table_that_is_created_again_is_followed_on(follow, run_invoke, seeded, messages) -> None:
    with follow() as follower:
        follower.send_signal(signal.SIGSTOP)  # while there is no table, it would end
        for task in ("ddb.drop", "ddb.schema-load", "ddb.seed"):
            assert run_invoke(task, env=seeded).returncode == 0
        follower.send_signal(signal.SIGCONT)
        group = group_in(messages)
        write_plainly(messages, group, "plain")
        wait_for_previews(messages, group, "plain")
        follower.send_signal(signal.SIGINT)
        assert "Traceback" not in follower.stderr.read()


def test_a_stream_that_is_turned_off_ends_it_with_the_command_that_turns_it_on(
    follow, messages, group
) -> None:
    with follow() as follower:
        messages.client.update_table(
            TableName=messages.name, StreamSpecification={"StreamEnabled": False}
        )
        last = follower.stderr.read().splitlines()[-1]
        assert follower.wait(30) == 1
    assert f"The stream of table {messages.name} is off" in last
    assert "aws dynamodb update-table" in last
