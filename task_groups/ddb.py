"""The DynamoDB message table: load its schema, seed it, look into it, drop it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING

from invoke.collection import Collection
from invoke.exceptions import Exit

from task_groups import ddb_patterns, ddb_transfer, edge
from task_groups.edge import Context, help_for, task

if TYPE_CHECKING:
    from core.dynamodb.client import Table
    from core.dynamodb.faults import Summary
    from core.dynamodb.stream import Batch, Follower
    from core.dynamodb.verification import Verification
    from core.settings import Settings

POLL_S = 1.0


@task(help=help_for("prod"))
def schema_load(ctx: Context, prod: bool = False) -> None:
    """Create the message table with its index and stream."""
    from core.dynamodb.table import create_table

    target = edge.open_target(prod, "dynamodb")
    table = edge.table(ctx, target)
    if create_table(table, target.environment):
        if not edge.is_dry(ctx):
            edge.print_line(f"created table {table.name}")
    else:
        edge.print_line(f"table {table.name} is there already, with this schema")


@task(help=help_for("prod", "confirm"))
def drop(ctx: Context, prod: bool = False, confirm: str = "") -> None:
    """Drop the message table and all that is in it."""
    from core.dynamodb.table import drop_table, store_state

    target = edge.open_target(prod, "dynamodb")
    table = edge.table(ctx, target)
    edge.guard(ctx, target, store_state(table), "drop table", confirm)
    if not drop_table(table):
        edge.print_line(f"there is no table {table.name}: nothing to drop")
    elif not edge.is_dry(ctx):
        edge.print_line(f"dropped table {table.name}")


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
        edge.print_line(name)
    if not found:
        create = "invoke ddb.schema-load --prod" if prod else "invoke ddb.schema-load"
        edge.note(f"there are no tables. Create one: {create}")


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
    from core.dynamodb.dynamodb_json import raw_item
    from core.dynamodb.items import plain_item
    from core.dynamodb.reads import scan

    most = edge.whole_number(limit, "--limit")
    table = edge.table(ctx, edge.open_target(prod, "dynamodb"))
    count = 0
    for item in islice(scan(table), most):
        count += 1
        if json or raw:
            edge.print_json_line(raw_item(item) if raw else plain_item(item))
        else:
            edge.print_line(_one_line(plain_item(item)))
    edge.note(f"{count:,} items · {table.capacity}")


def _one_line(item: dict[str, object]) -> str:
    """``pk  sk  name=value …``, safe to print."""
    rest = sorted((name, value) for name, value in item.items() if name not in ("pk", "sk"))
    cells = [str(item.get("pk")), str(item.get("sk")), *(f"{name}={value}" for name, value in rest)]
    return "  ".join(cells)


@task(
    help=help_for(
        "prod",
        "confirm",
        file="A conversation to load: lines of `Person 1: ...` and `Person 2: ...`, or JSON Lines.",
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
        edge.print_line(f"all {loaded.present} messages are in {place} already")
    elif not edge.is_dry(ctx):
        before = f" ({loaded.present} were there already)" if loaded.present else ""
        edge.print_line(f"loaded {loaded.added} messages into {place}{before}")
    edge.note(str(table.capacity))


def _demo_handles(settings: Settings) -> tuple[str, str]:
    from core.postgres.seed import demo_people

    people = demo_people(settings)
    return people[0].handle, people[1].handle


@task(help=help_for("prod"))
def follow_stream(ctx: Context, prod: bool = False) -> None:
    """Keep inboxes up to date with messages that others write (pattern E); Ctrl-C ends it."""
    from core.dynamodb.stream import open_follower

    target = edge.open_target(prod, "dynamodb")
    table = edge.table(ctx, target)
    follower = open_follower(table, target.settings.engines_path)
    if edge.is_dry(ctx):
        edge.print_line(f"would follow {follower.arn}")
        return
    edge.note(f"following {follower.arn}")
    try:
        _follow(table, follower, prod)
    except KeyboardInterrupt:
        edge.note("stopped; the next run goes on from here")


def _follow(table: Table, follower: Follower, prod: bool) -> None:
    import time

    from core.errors import StoreError
    from core.targets import aimed

    while True:
        busy, arn = False, follower.arn
        try:
            for batch in follower.poll():
                busy = _project(table, follower, batch) or busy
        except StoreError as error:
            if not error.is_transient:
                raise
            edge.note(f"{error} (trying again)")
        if follower.arn != arn:
            mend = aimed("invoke ddb.verify --repair", prod=prod)
            edge.note(
                f"the stream was turned off and on again: following {follower.arn}."
                f" Messages of the time between show in no inbox yet: {mend}"
            )
        if not busy:
            time.sleep(POLL_S)


def _project(table: Table, follower: Follower, batch: Batch) -> bool:
    """Deal with one batch; False where it is to be delivered again, after a pause."""
    from core.dynamodb.stream_handler import project
    from core.timestamps import now

    failures = project(table, batch.records)["batchItemFailures"]
    if failures:
        follower.again(batch)
    else:
        follower.done(batch)
    lag = f" · {(now() - batch.newest_at).total_seconds():.0f} s behind" if batch.newest_at else ""
    trouble = f" · {len(failures)} to do again" if failures else ""
    edge.note(f"{len(batch.records):,} records · {table.capacity}{lag}{trouble}")
    return not failures


@task(
    help=help_for(
        "prod", "confirm", "json", repair="Mend what can be mended, after showing what it is."
    )
)
def verify(
    ctx: Context, prod: bool = False, repair: bool = False, json: bool = False, confirm: str = ""
) -> None:
    """Check every guarantee over the stored items; exit 1 if one is broken."""
    from core import messaging
    from core.dynamodb import repairs
    from core.dynamodb.table import store_state

    target = edge.open_target(prod, "postgres", "dynamodb")
    table = edge.table(ctx, target)
    with edge.database(ctx, target) as db:
        show = functools.partial(_print_faults, json=json)
        found = _report(messaging.verification(db, table), _print_plan if repair and json else show)
        if repair and found.total:
            edge.guard(ctx, target, store_state(table), "repair table", confirm)
            repairs.repair(messaging.verification(db, table))
            if not edge.is_dry(ctx):
                edge.note("repaired; what is left:")
                found = _report(messaging.verification(db, table), show)
        elif repair and json:
            show(found)
    edge.note(str(table.capacity))
    if found.total:
        raise Exit(code=1)


def _report(verification: Verification, show: Callable[[Summary], None]) -> Summary:
    """What a verification finds, by kind, shown; what it looked at is told."""
    from core.dynamodb.faults import Summary

    summary = Summary()
    for finding in verification.findings():
        summary.add(finding)
    show(summary)
    looked = ", ".join(f"{count:,} {kind}" for kind, count in verification.counts.items())
    edge.note(f"looked at {looked or 'nothing'}")
    return summary


def _print_plan(found: Summary) -> None:
    """Say what a repair would mend, where standard output is for the program that asked."""
    from core.dynamodb.faults import MENDABLE

    for fault, count in found.counts.items():
        edge.note(f"{count:,} {fault}: {'--repair' if fault in MENDABLE else 'by hand'}")


def _print_faults(found: Summary, *, json: bool) -> None:
    from core.dynamodb.faults import EXPLAINED, MENDABLE

    if json:
        edge.print_json(
            [
                {
                    "fault": fault,
                    "count": count,
                    "explanation": EXPLAINED[fault],
                    "mendable": fault in MENDABLE,
                    "samples": [{"pk": s.pk, "sk": s.sk} for s in found.samples[fault]],
                }
                for fault, count in found.counts.items()
            ]
        )
        return
    rows = [
        (
            count,
            fault,
            EXPLAINED[fault],
            "--repair" if fault in MENDABLE else "by hand",
            f"{found.samples[fault][0].pk} {found.samples[fault][0].sk}",
        )
        for fault, count in found.counts.items()
    ]
    edge.print_table(("count", "fault", "what it is", "mend", "for example"), rows, "all well")


ns = Collection(schema_load, drop, list_tables, scan, seed, follow_stream, verify)
ns.add_task(ddb_transfer.export)
ns.add_task(ddb_transfer.import_)
ns.add_collection(Collection.from_module(ddb_patterns), "patterns")
