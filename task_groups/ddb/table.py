"""The message table itself: create it, look into it, drop it."""

from __future__ import annotations

from functools import lru_cache
from itertools import islice

from core.wording import counted
from task_groups import terminal
from task_groups.running import opened, run, task
from task_groups.terminal import Context, help_for

_POSTGRES, _DYNAMODB = "postgres", "dynamodb"


@task(help=help_for("prod"), opens={_DYNAMODB: "making"})
def schema_load(ctx: Context, prod: bool = False) -> None:
    """Create the message table with its index and stream."""
    from core.access import Store
    from core.dynamodb import add_missing_index, create_table, relocated

    run().tell_target()
    with opened(ctx) as stores:
        table = stores.table
        if (elsewhere := relocated(table)) is not None:
            terminal.note(f"{elsewhere.problem}.")
        added = add_missing_index(table)
        if added and terminal.is_dry(ctx):
            return
        created = create_table(table, stores.environment_of(Store.DYNAMODB))
    if added:
        terminal.print_line(f"added the missing index to table {table.name}")
    elif not created:
        terminal.print_line(f"table {table.name} already exists with this schema")
    elif not terminal.is_dry(ctx):
        terminal.print_line(f"created table {table.name}")


@task(help=help_for("prod", "confirm"), opens={_DYNAMODB: "destroying"})
def drop(ctx: Context, prod: bool = False, confirm: str = "") -> None:
    """Drop the message table and all that is in it."""
    from core.dynamodb import describe, drop_table
    from task_groups.holds import refuse_while_held

    run().tell_target()
    name = run().target.table_name
    if describe(run().door.look().table) is None:
        terminal.print_line(f"There is no table {name}: nothing to drop")
        return
    with opened(ctx) as stores:
        refuse_while_held()
        dropped = drop_table(stores.table)
    if not dropped:
        terminal.print_line(f"There is no table {name}: nothing to drop")
    elif not terminal.is_dry(ctx):
        terminal.print_line(f"dropped table {name}")


@task(help=help_for("prod", "json"), opens={_DYNAMODB: "looking"})
def list_tables(ctx: Context, prod: bool = False, json: bool = False) -> None:
    """List the tables of the account and region."""
    from core.commands import Command
    from core.dynamodb import list_tables

    run().tell_target()
    with opened(ctx) as stores:
        names = list(list_tables(stores.table))
    if json:
        terminal.print_json(names)
        return
    for name in names:
        terminal.print_line(name)
    if not names:
        create = Command("ddb.schema-load").line(run().target.options)
        terminal.note(f"There are no tables. Create one: {create}")


@task(
    help=help_for(
        "prod",
        "reason",
        limit="How many to print at most. All unless given.",
        json="Print the items as JSON Lines, plain values.",
        raw="Print the items as JSON Lines of DynamoDB JSON, lossless.",
    ),
    opens={_DYNAMODB: "reading"},
)
def scan(
    ctx: Context,
    prod: bool = False,
    limit: str = "",
    json: bool = False,
    raw: bool = False,
    reason: str = "",
) -> None:
    """Print every item of the table, whatever its kind."""
    from core.dynamodb import plain_item, raw_item, scan

    most = terminal.whole_number(limit, "--limit")
    run().tell_target()
    with opened(ctx) as stores:
        table = stores.table
        items = islice(scan(table), most)
        if json or raw:
            count = terminal.print_json_lines(map(raw_item if raw else plain_item, items))
        else:
            count = terminal.print_all(_one_line(plain_item(item)) for item in items)
    terminal.tell_cost(table.capacity, before=f"{counted(count, 'item')} · ")


def _one_line(item: dict[str, object]) -> str:
    """``pk  sk  name=value …``."""
    line = f"{item.get('pk')}  {item.get('sk')}"
    for name in _names_after_the_key(frozenset(item)):
        line += f"  {name}={item[name]}"
    return line


@lru_cache(maxsize=1000)
def _names_after_the_key(names: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted(names - {"pk", "sk"}))
