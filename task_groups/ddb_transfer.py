"""The whole message table to a file, and back."""

from __future__ import annotations

from pathlib import Path

from invoke.exceptions import Exit

from task_groups import edge
from task_groups.edge import Context, help_for, task


@task(
    help=help_for(
        "prod",
        file="Where to write. Standard output unless given; a file can be gone on with.",
        json="Plain values for people and programs instead of DynamoDB JSON; not for ddb.import.",
    )
)
def export(ctx: Context, file: str = "", prod: bool = False, json: bool = False) -> None:
    """Write every item of the table as a line of JSON, lossless."""
    from core.dynamodb.items import plain_item
    from core.dynamodb.reads import scan
    from core.dynamodb.transfer import export_file, export_lines
    from core.errors import UsageError

    if file and json:
        raise UsageError("--file is lossless, --json is not", "Give one of them.")
    table = edge.table(ctx, edge.open_target(prod, "dynamodb"))
    if json:
        for item in scan(table):
            edge.print_json_line(plain_item(item))
    elif not file:
        for line in export_lines(table, ascii_only=edge.speaks_ascii()):
            edge.print_json_text(line)
    elif edge.is_dry(ctx):
        edge.print_line(f"would write every item of {table.name} to {file}")
    else:
        with edge.progress(f"exporting {table.name}") as progress:
            count = export_file(table, Path(file), progress)
        edge.print_line(f"wrote {count:,} items to {file}")
    edge.note(str(table.capacity))


@task(name="import", help=help_for("prod", "confirm", file="A file that ddb.export wrote."))
def import_(ctx: Context, file: str = "", prod: bool = False, confirm: str = "") -> None:
    """Put the items of a file into the table; one that differs from what is there stays out."""
    from core.dynamodb.table import store_state
    from core.dynamodb.transfer import import_file
    from core.errors import UsageError
    from core.targets import aimed

    if not file:
        raise UsageError("--file PATH is missing", "Write one with: invoke ddb.export --file PATH")
    target = edge.open_target(prod, "dynamodb")
    table = edge.table(ctx, target)
    edge.guard(ctx, target, store_state(table), "import into table", confirm)
    with edge.progress(f"importing into {table.name}") as progress:
        done = import_file(table, Path(file), progress)
    if not edge.is_dry(ctx):
        edge.print_line(f"added {done.added:,} items; {done.present:,} were there already")
        if done.added:
            edge.note(aimed("check what is there now: invoke ddb.verify", prod=prod))
    edge.note(str(table.capacity))
    if done.differing:
        lines = ", ".join(map(str, done.lines))
        raise Exit(
            f"{done.differing:,} items were left out: others have their keys (line {lines} …)."
            " Look at them with: invoke ddb.scan",
            1,
        )
