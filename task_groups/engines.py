"""The embedded engines, and the one command of a newcomer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.commands import Command, program
from core.places import is_checkout
from core.wording import counted
from task_groups import admin_server, terminal
from task_groups.ddb import patterns
from task_groups.recording import Form, answer
from task_groups.running import opened, run, task
from task_groups.terminal import Context, help_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.access import Stores
    from core.engines import Choice, EngineStatus


@task(
    csv=True,
    help=help_for(
        "json",
        functions="Also run Lambda functions, for lambda.deploy, in ministack. While they run, do"
        " not open pages that you do not trust in a browser: such a page could run a program here.",
        durable="Use dynoxide as DynamoDB, which loses nothing when it is killed. npm installs it"
        " if it is missing.",
        engine="Move DynamoDB's data to ministack or dynoxide, and keep it there. Unless given:"
        " dynoxide where it is installed.",
    ),
)
def up(
    ctx: Context,
    functions: bool = False,
    durable: bool = False,
    engine: str = "",
    json: bool = False,
) -> None:
    """Start the embedded Postgres and DynamoDB, in the background."""
    from core import engines

    folder = run().settings.engines_path
    choice = _choice(functions=functions, durable=durable, engine=engine, dry=terminal.is_dry(ctx))
    if terminal.is_dry(ctx):
        terminal.print_line(f"would start the embedded engines in {folder}")
        return
    before = {status.name: status for status in engines.status(folder)}
    _print(engines.start(folder, choice), json)
    if functions and before["dynamodb"].state == engines.RUNNING:
        first = Command("down").line()
        terminal.note(f"DynamoDB was running already. If it runs no functions, first run: {first}")


def _choice(*, functions: bool, durable: bool, engine: str, dry: bool) -> Choice:
    """Which program is to be DynamoDB; installs dynoxide where that is asked for."""
    from core import engines
    from core.errors import UsageError

    if engine not in ("", engines.MINISTACK, engines.DYNOXIDE):
        raise UsageError(f"--engine needs ministack or dynoxide, not {engine!r}")
    if durable and (functions or engine == engines.MINISTACK):
        raise UsageError("Functions and --engine ministack are not durable", "Leave out --durable.")
    if functions and engine == engines.DYNOXIDE:
        raise UsageError("Functions run in ministack only", "Leave out --engine.")
    settings = run().settings
    binary = engines.find_dynoxide(settings.dynoxide, settings.engines_path)
    if durable and binary is None and not dry:
        terminal.note("installing dynoxide with npm")
        binary = engines.install_dynoxide(settings.engines_path)
    return engines.Choice(binary, engines.DYNOXIDE if durable else engine, functions)


@task(csv=True, help=help_for("json"))
def down(ctx: Context, json: bool = False) -> None:
    """Stop the embedded engines; their data stays."""
    from core import engines

    folder = run().settings.engines_path
    if terminal.is_dry(ctx):
        terminal.print_line(f"would stop the embedded engines in {folder}")
        return
    _print(engines.stop(folder), json)


@task(csv=True, help=help_for("json"))
def status(ctx: Context, json: bool = False) -> None:
    """Show whether the embedded engines run, and where."""
    from core import engines

    _print(engines.status(run().settings.engines_path), json)


def _print(statuses: Sequence[EngineStatus], json: bool) -> None:
    if json:
        terminal.print_json(
            [
                {
                    "engine": engine.name,
                    "state": engine.state,
                    "port": engine.port,
                    "pid": engine.pid,
                    "notes": engine.notes,
                }
                for engine in statuses
            ]
        )
        return
    rows = [
        (engine.name, engine.state, engine.port or "", engine.pid or "", engine.notes)
        for engine in statuses
    ]
    notes = "notes" if answer().form is Form.CSV else ""
    terminal.print_table(("engine", "state", "port", "pid", notes), rows, "There are no engines")


@task(
    help={
        "no_admin": "Stop before the admin UI.",
        "port": "Port of the admin UI. The first free one from 8501 unless given.",
    },
    opens={"postgres": "destroying", "dynamodb": "writing"},
)
def start(ctx: Context, no_admin: bool = False, port: str = "") -> None:
    """Set everything up on this machine, print the seeded inbox, open the admin UI."""
    from core.parts import ENGINE_MODULES, require
    from core.purposes import Purpose
    from core.usecases import setup

    settings = run().settings
    needs_engines = not (settings.connection_url and settings.endpoint_url)
    # Before anything is set up.
    require(*ENGINE_MODULES * needs_engines, *["streamlit"] * (not no_admin))
    if not no_admin:
        admin_server.refuse_taken(port)
    if needs_engines:
        up(ctx)
    if terminal.is_dry(ctx):
        terminal.print_line(
            "would load both schemas and seeds where they are missing, then open the admin UI"
        )
        return
    run().tell_target()
    _refuse_production()
    _make_what_is_missing(ctx)
    with opened(ctx, run().action.narrowed(Purpose.WRITING)) as stores:
        for note in setup.seed_what_is_empty(stores):
            terminal.note(note)
        _print_inbox(stores)
    where = "" if no_admin else ", in another terminal"
    tutorial = ", or the steps of docs/tutorial.md" if is_checkout() else ""
    terminal.note(f"Next{where}: {program()} --list{tutorial}")
    if not no_admin:
        admin_server.serve(ctx, port=port, browser=True)


def _refuse_production() -> None:
    """``start`` writes without a question, so it is for local stores alone."""
    from core.commands import Command
    from core.errors import TargetRefusedError
    from core.targets import Environment

    door = run().door
    if not (why := door.why_production()):
        return
    problem = f"The task start works on local stores only, but {why}"
    markers = {door.read_state(store).environment for store in run().action.checked_stores}
    if markers - {None, Environment.LOCAL}:  # adopt replaces no marker
        raise TargetRefusedError(problem, "Open the admin UI on it", Command("admin"))
    adopt = Command("adopt", ("--environment", "local"))
    raise TargetRefusedError(problem, "If it is yours alone, mark it as local", adopt)


def _make_what_is_missing(ctx: Context) -> None:
    """Both schemas, each only where there is none, and the first migrations."""
    from core.purposes import Purpose
    from core.usecases import setup

    with opened(ctx, run().action.narrowed(Purpose.MAKING)) as stores:
        for note in setup.make_what_is_missing(stores):
            terminal.note(note)
    with opened(ctx) as stores:
        if applied := sum(1 for _ in setup.apply_first_migrations(stores)):
            terminal.note(f"applied {counted(applied, 'migration')}")


def _print_inbox(stores: Stores) -> None:
    from core.errors import NotFoundError
    from core.postgres import demo_people
    from core.usecases import conversations

    handle, limit = demo_people(stores.target.settings)[0].handle, patterns.DEFAULT_LIMIT
    try:
        page = conversations.list_inbox(stores.db, stores.table, handle, limit=limit)
    except NotFoundError as error:  # renamed or erased since
        terminal.note(f"{error.problem}: no inbox is shown")
        return
    terminal.print_line(f"The inbox of {handle}:")
    patterns.print_conversations(page.entries, json=False)
