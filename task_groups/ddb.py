"""The DynamoDB message table: load its schema, seed it, look into it, drop it."""

from __future__ import annotations

from itertools import islice

from invoke import Collection

from task_groups import ddb_patterns, edge
from task_groups.edge import Context, help_for, task

PROGRESS_EVERY = 10_000


@task(help=help_for("prod"))
def schema_load(ctx: Context, prod: bool = False) -> None:
    """Create the message table with its index and stream."""
    from core.dynamodb.table import create_table

    target = edge.open_target(prod, "dynamodb")
    table = edge.table(ctx, target)
    if create_table(table, target.environment):
        if not edge.is_dry(ctx):
            print(f"created table {table.name}")
    else:
        print(f"table {table.name} is there already, with this schema")


@task(help=help_for("prod", "confirm"))
def drop(ctx: Context, prod: bool = False, confirm: str = "") -> None:
    """Drop the message table and all that is in it."""
    from core.dynamodb.table import drop_table, store_state

    target = edge.open_target(prod, "dynamodb")
    table = edge.table(ctx, target)
    edge.guard(ctx, target, store_state(table), "drop table", confirm)
    if not drop_table(table):
        print(f"there is no table {table.name}: nothing to drop")
    elif not edge.is_dry(ctx):
        print(f"dropped table {table.name}")


@task(help=help_for("prod", "json"))
def list_tables(ctx: Context, prod: bool = False, json: bool = False) -> None:
    """List the tables of the account and region."""
    from core.dynamodb.table import list_tables

    names = list_tables(edge.table(ctx, edge.open_target(prod, "dynamodb")))
    if json:
        edge.print_json(list(names))
        return
    found = False
    for name in names:
        found = True
        print(name)
    if not found:
        edge.note("there are no tables. Create one: invoke ddb.schema-load")


@task(
    help=help_for(
        "prod",
        "limit",
        json="Print the items as JSON Lines, plain values.",
        raw="Print the items as JSON Lines of DynamoDB JSON, lossless.",
    )
)
def scan(
    ctx: Context, prod: bool = False, limit: str = "", json: bool = False, raw: bool = False
) -> None:
    """Print every item of the table, whatever its kind."""
    from core.dynamodb.items import plain_item, raw_item
    from core.dynamodb.reads import scan

    most = edge.whole_number(limit, "--limit")
    table = edge.table(ctx, edge.open_target(prod, "dynamodb"))
    count = 0
    for count, item in enumerate(islice(scan(table), most), start=1):
        if json or raw:
            edge.print_json_line(raw_item(item) if raw else plain_item(item))
        else:
            print(_one_line(plain_item(item)))
    edge.note(f"{count:,} items · {table.capacity}")


def _one_line(item: dict[str, object]) -> str:
    """``pk  sk  name=value …``, safe to print."""
    rest = sorted((name, value) for name, value in item.items() if name not in ("pk", "sk"))
    cells = [str(item.get("pk")), str(item.get("sk")), *(f"{name}={value}" for name, value in rest)]
    return "  ".join(edge.plain(cell) for cell in cells)


@task(
    help=help_for(
        "prod",
        "confirm",
        file="A conversation to load: lines of `Person 1: …` and `Person 2: …`, or JSON Lines.",
        me="Handle of Person 1. The first demo user unless given.",
        other="Handle of Person 2. The second demo user unless given.",
    )
)
def seed(
    ctx: Context,
    prod: bool = False,
    file: str = "",
    me: str = "",
    other: str = "",
    confirm: str = "",
) -> None:
    """Load a conversation between two users; loading it again changes nothing."""
    from core import messaging, transcripts
    from core.dynamodb.table import store_state

    lines = transcripts.read(file) if file else transcripts.read_demo()
    target = edge.open_target(prod, "postgres", "dynamodb")
    first, second = _demo_handles(target.settings)
    table = edge.table(ctx, target)
    edge.guard(ctx, target, store_state(table), "seed table", confirm)
    with edge.database(ctx, target) as db:
        loaded = messaging.load_conversation(db, table, me or first, other or second, lines)
    place = f"conversation {loaded.message_group_uuid}"
    if loaded.added == 0:
        print(f"all {loaded.present} messages are in {place} already")
    elif not edge.is_dry(ctx):
        before = f" ({loaded.present} were there already)" if loaded.present else ""
        print(f"loaded {loaded.added} messages into {place}{before}")
    edge.note(str(table.capacity))


def _demo_handles(settings: object) -> tuple[str, str]:
    from core.postgres.seed import demo_people

    people = demo_people(settings)
    return people[0].handle, people[1].handle


ns = Collection(schema_load, drop, list_tables, scan, seed)
ns.add_collection(ddb_patterns, "patterns")
