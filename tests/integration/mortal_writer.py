"""Writers that are killed: a prepared process that forks a new one for every job.

Run as a program, ``mortal_writer.py ENDPOINT TABLE`` reads a job a line: the messages to send. The
writer it forks says on stdout what it is about to send and what was acknowledged, a line each; its
parent adds how it ended. A line is written whole or not at all, so a kill tears none.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import Future
from dataclasses import asdict, dataclass, replace
from types import TracebackType
from typing import Any, Self

from core.aws.clients import make_client
from core.dynamodb.patterns.sends import Draft, start
from core.dynamodb.table import Table
from core.models import Person
from core.targets import AwsTarget
from core.timestamps import now, sort_key


@dataclass
class Told:
    """The report of a writer: the keys of what it ``tried`` and of what was ``acknowledged``, by
    message_uuid, in order; and whether it was killed before it was through."""

    tried: dict[str, str]
    acknowledged: dict[str, str]
    killed: bool


class MortalWriter:
    """Runs writers one after the other. ``victim`` is the pid of the one that runs."""

    def __init__(self, endpoint_url: str, table_name: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, endpoint_url, table_name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._victim: Future[int] = Future()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate(timeout=60)

    def kill(self) -> None:
        """Kill the running writer at its current point."""
        os.kill(self._victim.result(10), signal.SIGKILL)

    def run(self, drafts: list[Draft]) -> Told:
        """Let a new writer send ``drafts``, until it has finished or was killed."""
        self._victim = Future()
        report = Told({}, {}, killed=False)
        print(json.dumps([asdict(draft) for draft in drafts]), file=self._process.stdin, flush=True)
        for line in self._process.stdout:
            match json.loads(line):
                case ["pid", pid]:
                    self._victim.set_result(pid)
                case ["try", message_uuid, key]:
                    report.tried[message_uuid] = key
                case ["acknowledged", message_uuid, key]:
                    report.acknowledged[message_uuid] = key
                case ["ended", status]:
                    assert status in (0, -signal.SIGKILL), "the writer failed: see its stderr"
                    return replace(report, killed=status != 0)
        raise AssertionError("the writer's parent is gone")


def main(endpoint_url: str, table_name: str) -> None:
    target = AwsTarget(endpoint_url, "us-east-1", placeholder_credentials=True)
    table = Table(make_client(target, "dynamodb"), table_name, target)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _live(table, json.loads(line))
        _, status = os.waitpid(pid, 0)
        _say("ended", os.waitstatus_to_exitcode(status))


def _live(table: Table, job: list[dict[str, Any]]) -> None:
    """Send the job's messages, and exit without cleanup: the open files belong to the parent."""
    status = 1
    try:
        _say("pid", os.getpid())
        for entry in job:
            _send(table, _draft(entry))
        status = 0
    except Exception:  # noqa: BLE001 — it is printed, and the parent's code must not continue
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(status)


def _draft(entry: dict[str, Any]) -> Draft:
    people = {name: Person(**entry[name]) for name in ("sender", "recipient")}
    return Draft(**(entry | people))


def _send(table: Table, draft: Draft) -> None:
    _say("try", draft.message_uuid, draft.tried_from or sort_key(now()))
    message, _ = start(table, draft)
    _say("acknowledged", message.message_uuid, message.sort_key)


def _say(*words: object) -> None:
    os.write(sys.stdout.fileno(), json.dumps(words).encode() + b"\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
