"""The embedded engines, and the one command of a newcomer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from task_groups import admin, ddb_patterns, edge
from task_groups.edge import Context, help_for, task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.engines import EngineStatus
    from core.targets import StoreState, Target


@task(help=help_for("json"))
def up(ctx: Context, json: bool = False) -> None:
    """Start the embedded Postgres and DynamoDB, in the background."""
    from core import engines

    folder = edge.settings().engines_path
    if edge.is_dry(ctx):
        edge.print_line(f"would start the embedded engines in {folder}")
        return
    _print(engines.start(folder), json)


@task(help=help_for("json"))
def down(ctx: Context, json: bool = False) -> None:
    """Stop the embedded engines; their data stays."""
    from core import engines

    folder = edge.settings().engines_path
    if edge.is_dry(ctx):
        edge.print_line(f"would stop the embedded engines in {folder}")
        return
    _print(engines.stop(folder), json)


@task(help=help_for("json"))
def status(ctx: Context, json: bool = False) -> None:
    """Show whether the embedded engines run, and where."""
    from core import engines

    _print(engines.status(edge.settings().engines_path), json)


def _print(found: Sequence[EngineStatus], json: bool) -> None:
    if json:
        edge.print_json(
            [
                {
                    "engine": engine.name,
                    "state": engine.state,
                    "port": engine.port,
                    "pid": engine.pid,
                    "notes": engine.notes,
                }
                for engine in found
            ]
        )
        return
    rows = [
        (engine.name, engine.state, engine.port or "", engine.pid or "", engine.notes)
        for engine in found
    ]
    edge.print_table(("engine", "state", "port", "pid", ""), rows, "there are no engines")


@task(
    help={
        "no_admin": "Stop before the admin UI.",
        "port": "Port of the admin UI. The first free one from 8501 unless given.",
    }
)
def start(ctx: Context, no_admin: bool = False, port: str = "") -> None:
    """Set everything up on this machine, print the seeded inbox, open the admin UI."""
    settings = edge.settings()
    if not no_admin:
        admin.free_port(port)  # before anything is set up
    if not (settings.connection_url and settings.endpoint_url):
        up(ctx)
    if edge.is_dry(ctx):
        edge.print_line(
            "would load both schemas and seeds where they are missing, then open the admin UI"
        )
        return
    target = edge.open_target(False, "postgres", "dynamodb")
    _load_what_is_missing(ctx, target)
    _print_inbox(ctx, target)
    if not no_admin:
        admin.run(ctx, target, write=False, port=port)


def _load_what_is_missing(ctx: Context, target: Target) -> None:
    """Both schemas and the seeds, each only where there is nothing yet."""
    from core import messaging, transcripts
    from core.dynamodb.table import create_table, store_state
    from core.postgres import admin as databases
    from core.postgres import seed, users

    databases.create_database(target.postgres)
    _refuse_production(target, databases.state(target.postgres))
    table = edge.table(ctx, target)
    _refuse_production(target, store_state(table))
    with edge.database(ctx, target) as db:
        if databases.load_schema(db, target.environment, only_if_missing=True):
            edge.note("loaded the Postgres schema")
        if users.count(db) == 0:
            seed.seed(db, target.settings)
            edge.note("seeded the users and their activities")
        if create_table(table, target.environment):
            edge.note(f"created table {table.name}")
        if not store_state(table).holds_data:
            one, other = (person.handle for person in seed.demo_people(target.settings)[:2])
            lines = transcripts.read_demo()
            loaded = messaging.load_conversation(db, table, one, other, lines)
            edge.note(f"seeded a conversation of {loaded.added} messages")


def _refuse_production(target: Target, state: StoreState) -> None:
    from core.errors import TargetRefusedError
    from core.targets import why_production

    if reason := why_production(target, state):
        raise TargetRefusedError(
            f"start is for local stores, and of {state.name} {reason}",
            "Open the admin UI on it: invoke admin",
        )


def _print_inbox(ctx: Context, target: Target) -> None:
    from core import messaging
    from core.postgres.seed import demo_people

    handle = demo_people(target.settings)[0].handle
    with edge.database(ctx, target) as db:
        page = messaging.list_conversations(
            db, edge.table(ctx, target), handle, limit=ddb_patterns.DEFAULT_LIMIT
        )
    edge.print_line(f"The inbox of {handle}:")
    ddb_patterns.print_conversations(page.entries, json=False)
