"""End sessions on the database; copy the whole database to a file and back."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

from core.wording import counted
from task_groups import terminal
from task_groups.holds import refuse_while_held
from task_groups.running import opened, run, task
from task_groups.terminal import Context, help_for

_POSTGRES = "postgres"


@task(help=help_for("prod", "confirm"), opens={_POSTGRES: "destroying"}, confirmed_by=_POSTGRES)
def kill_all(ctx: Context, prod: bool = False, confirm: str = "") -> None:
    """End the other sessions on the database, after listing them."""
    from core.postgres import end_session, other_sessions

    run().tell_target()
    listed = other_sessions(run().door.look().db)
    columns = ("pid", "user", "client_address", "application", "state")
    rows = [asdict(session) for session in listed]
    terminal.print_table(
        [column.replace("_", " ") for column in columns],
        [["" if row[column] is None else row[column] for column in columns] for row in rows],
        empty="No other sessions are connected",
    )
    with opened(ctx) as stores:
        ended = [end_session(stores.db, session) for session in listed]
    if listed and not terminal.is_dry(ctx):
        terminal.print_line(f"ended {counted(sum(ended), 'session')}", ended=sum(ended))


@task(
    help=help_for("prod", "reason", file="Where to write the dump, in pg_dump's custom format."),
    opens={_POSTGRES: "reading"},
    confirmed_by=_POSTGRES,
)
def dump(ctx: Context, file: str = "", prod: bool = False, reason: str = "") -> None:
    """Write the whole database to a file."""
    from core.engines import program_folders
    from core.errors import UsageError
    from core.postgres import dump_database, find_programs

    if not file:
        raise UsageError("--file PATH is missing", "Name the file to write.")
    run().tell_target()
    programs = find_programs(run().door.look().db, program_folders())
    with opened(ctx) as stores:
        name = stores.target.postgres.dbname
        if terminal.is_dry(ctx):
            terminal.print_line(f"would write the database {name} to {file}")
            return
        with terminal.progress(f"dumping {name}", "tables") as progress:
            size_bytes = dump_database(stores.db, programs, Path(file), progress)
    terminal.print_line(f"wrote {size_bytes:,} bytes to {file}", bytes=size_bytes, file=file)


@task(
    help=help_for("prod", "confirm", file="A file that db.dump wrote."),
    opens={_POSTGRES: "destroying"},
    confirmed_by=_POSTGRES,
)
def restore(ctx: Context, file: str = "", prod: bool = False, confirm: str = "") -> None:
    """Restore a dump, completely or not at all; asks first if the database is not empty."""
    from core.access import Store
    from core.engines import program_folders
    from core.errors import UsageError
    from core.postgres import check_dump, find_programs, has_any_table, restore_database

    if not file:
        raise UsageError("--file PATH is missing", "Name a file that db.dump wrote.")
    check_dump(Path(file))  # before anything is asked
    run().tell_target()
    action, looked_at = run().action, run().door.look().db
    programs = find_programs(looked_at, program_folders())
    if has_tables := has_any_table(looked_at):
        action = replace(action, asks_everywhere=True)
    with opened(ctx, action) as stores:
        if has_tables:
            refuse_while_held()
        name = stores.target.postgres.dbname
        if terminal.is_dry(ctx):
            terminal.print_line(f"would restore {file} into the database {name}")
            return
        environment = stores.environment_of(Store.POSTGRES)
        with terminal.progress(f"restoring {name}", "tables") as progress:
            restore_database(stores.db, programs, Path(file), environment, progress)
    terminal.print_line(f"restored {file} into the database {name}", database=name, file=file)
    _name_erased()


def _name_erased() -> None:
    """Name the users who were erased after the dump was made: they must be erased again."""
    from core.commands import Command, option
    from core.errors import CoreError, MissingSchemaError
    from core.usecases.erasure import erased_and_back

    looking = run().door.look_quickly()
    try:
        people = erased_and_back(looking.db, looking.table)
    except MissingSchemaError:
        return
    except CoreError as error:
        terminal.note(f"Could not see whether the dump has erased users: {error.problem}")
        return
    for person in people:
        again = Command("people.erase", (option("--user", person.handle), "--reason TEXT"))
        line = again.line(run().target.options)
        terminal.problem(f"{person.handle} was erased and is back. Erase the user again: {line}")
