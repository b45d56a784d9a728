"""Following the table's stream, as the Lambda function does on AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.wording import counted
from task_groups import terminal
from task_groups.running import opened, run, task
from task_groups.terminal import Context, help_for

if TYPE_CHECKING:
    from core.dynamodb import Batch, Follower, Table

_DYNAMODB = "dynamodb"
POLL_S = 1.0


@task(help=help_for("prod", "confirm"), opens={_DYNAMODB: "writing"})
def follow_stream(ctx: Context, prod: bool = False, confirm: str = "") -> None:
    """Keep inboxes up to date with messages that others write (pattern E); Ctrl-C ends it."""
    from core.dynamodb import open_follower

    run().tell_target()
    with opened(ctx) as stores:
        table = stores.table
        follower = open_follower(table, stores.target.settings.engines_path)
        if terminal.is_dry(ctx):
            terminal.print_line(f"would follow {follower.arn}")
            return
        terminal.note(f"following {follower.arn}")
        try:
            _follow(table, follower)
        except KeyboardInterrupt:
            terminal.note("Stopped. The next run resumes from here.")


def _follow(table: Table, follower: Follower) -> None:
    import time

    from core.commands import Command
    from core.errors import StoreError

    while True:
        busy, arn = False, follower.arn
        try:
            for batch in follower.poll():
                busy = _project(table, follower, batch) or busy
        except StoreError as error:
            if not error.is_transient:
                raise
            terminal.note(f"{error} Retrying.")
        if follower.arn != arn:
            repair = Command("ddb.verify", ("--repair",)).line(run().target.options)
            terminal.note(
                f"The stream was turned off and on again: following {follower.arn}."
                f" To show the messages written in between, run: {repair}"
            )
        if not busy:
            time.sleep(POLL_S)


def _project(table: Table, follower: Follower, batch: Batch) -> bool:
    """Process one batch; False if it must be delivered again, after a pause."""
    from core.dynamodb import project
    from core.timestamps import now

    failures = project(table, batch.records)["batchItemFailures"]
    if failures:
        follower.again(batch)
    else:
        follower.done(batch)
    lag = f" · {(now() - batch.newest_at).total_seconds():.0f} s behind" if batch.newest_at else ""
    trouble = f" · {len(failures)} to retry" if failures else ""
    count = f"{counted(len(batch.records), 'record')} · "
    terminal.tell_cost(table.capacity, before=count, after=f"{lag}{trouble}")
    return not failures
