"""The whole message table to a file, and back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from invoke.exceptions import Exit

from core.wording import counted
from task_groups import terminal
from task_groups.running import opened, run, task
from task_groups.terminal import Context, help_for

if TYPE_CHECKING:
    from core.dynamodb import Table


@task(
    help=help_for(
        "prod",
        "reason",
        file="Where to write. Standard output unless given. An interrupted export resumes.",
        json="Plain values for people and programs instead of DynamoDB JSON; not for ddb.import.",
    ),
    opens={"dynamodb": "reading"},
)
def export(
    ctx: Context, file: str = "", prod: bool = False, json: bool = False, reason: str = ""
) -> None:
    """Write every item of the table as a line of JSON, lossless."""
    from core.errors import UsageError

    if file and json:
        raise UsageError("--file and --json contradict each other", "Give one of them.")
    run().tell_target()
    with opened(ctx) as stores:
        table = stores.table
        if file:
            _export_file(ctx, table, file)
        else:
            _print_items(table, json)
    terminal.tell_cost(table.capacity)


def _print_items(table: Table, json: bool) -> None:
    from core.dynamodb import export_lines, plain_item, scan

    if json:
        terminal.print_json_lines(map(plain_item, scan(table)))
        return
    for line in export_lines(table, ascii_only=terminal.speaks_ascii()):
        terminal.print_json_text(line)


def _export_file(ctx: Context, table: Table, file: str) -> None:
    from core.dynamodb import export_file

    if terminal.is_dry(ctx):
        terminal.print_line(f"would write every item of {table.name} to {file}")
        return
    with terminal.progress(f"exporting {table.name}") as progress:
        count = export_file(table, Path(file), progress)
    terminal.print_line(f"wrote {counted(count, 'item')} to {file}", items=count, file=file)


@task(
    name="import",
    help=help_for(
        "prod",
        "confirm",
        file="What ddb.export or `aws dynamodb scan` wrote, or the folder of an export to S3.",
    ),
    opens={"dynamodb": "destroying"},
)
def import_(ctx: Context, file: str = "", prod: bool = False, confirm: str = "") -> None:
    """Put the items of a file into the table; one that differs from a stored item is left out."""
    from core.commands import Command
    from core.dynamodb import import_file
    from core.errors import UsageError

    if not file:
        raise UsageError(
            "--file PATH is missing", "Write one with", Command("ddb.export", ("--file PATH",))
        )
    run().tell_target()
    with opened(ctx) as stores:
        table = stores.table
        with terminal.progress(f"importing into {table.name}") as progress:
            done = import_file(table, Path(file), progress)
    if not terminal.is_dry(ctx):
        were = "was" if done.removed == 1 else "were"
        removed = f"; {done.removed:,} {were} removed and left out" if done.removed else ""
        terminal.print_line(
            f"added {counted(done.added, 'item')}; {done.present:,} already existed{removed}",
            added=done.added,
            present=done.present,
            removed=done.removed,
            differing=done.differing,
        )
        if done.added:
            terminal.note(f"Check the table: {Command('ddb.verify').line(run().target.options)}")
    terminal.tell_cost(table.capacity)
    if done.differing:
        places = ", ".join(done.places)
        raise Exit(
            f"{counted(done.differing, 'differing item')} left out: the table has another one under"
            f" each of these keys: {places}{'' if done.differing == len(done.places) else ' …'}."
            f" Look at them with: {Command('ddb.scan').line(run().target.options)}",
            1,
        )
