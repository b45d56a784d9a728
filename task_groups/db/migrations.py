"""Migrations of the database: create, list, apply and undo them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke.exceptions import Exit

from task_groups import terminal
from task_groups.running import opened, run, task
from task_groups.terminal import Context, help_for

if TYPE_CHECKING:
    from core.access import Stores
    from core.postgres import Done, Entry, Files

_POSTGRES = "postgres"
FROM = "Folder of a checkout of Cruddur's app, for its own migrations too."


@task(help={"name": "What the migration does, like add_bio_column."})
def generate_migration(ctx: Context, name: str = "") -> None:
    """Write the file of a new migration, with a part to apply and a part to undo it."""
    from core.errors import UsageError
    from core.postgres import generate_migration
    from core.timestamps import now

    terminal.required(name, "--name TEXT")
    settings = run().settings
    if settings.has_installed_migrations:
        raise UsageError(
            "The folder of the migrations belongs to the installation",
            "Run this in a checkout, or name a folder in CRUDDUR_MIGRATIONS_DIR.",
        )
    folder = settings.migrations_path
    dry = terminal.is_dry(ctx)
    path = generate_migration(folder, name, now(), dry=dry)
    terminal.print_line(f"would write {path}" if dry else str(path))


@task(csv=True, help=help_for("prod", "json", from_=FROM), opens={_POSTGRES: "looking"})
def migrations(ctx: Context, prod: bool = False, from_: str = "", json: bool = False) -> None:
    """List the migrations with their states; the exit code is 1 unless all are "applied"."""
    files = read_files(from_)
    run().tell_target()
    with opened(ctx) as stores:
        entries = files.survey(stores.db)
    rows = [_described(entry) for entry in entries]
    if json:
        terminal.print_json(rows)
    else:
        columns = ("stamp", "name", "source", "state", "applied_at", "duration_ms")
        terminal.print_table(
            [column.replace("_", " ") for column in columns],
            [["" if row[column] is None else row[column] for column in columns] for row in rows],
            empty="There are no migrations",
        )
    if not all(entry.is_settled for entry in entries):
        raise Exit(code=1)


def _described(entry: Entry) -> dict[str, object]:
    source, stamp = entry.key
    row = entry.row
    return {
        "stamp": stamp,
        "name": entry.title.partition("_")[2],
        "source": str(source),
        "state": str(entry.standing),
        "applied_at": row.applied_at.isoformat(timespec="seconds") if row else None,
        "duration_ms": row.duration_ms if row else None,
    }


@task(
    help=help_for(
        "prod",
        "confirm",
        to="Stop after this migration: its stamp.",
        from_=FROM,
        no_rehearsal="On production, do not rehearse first.",
    ),
    opens={_POSTGRES: "destroying"},
    confirmed_by=_POSTGRES,
)
def migrate(
    ctx: Context,
    prod: bool = False,
    to: str = "",
    from_: str = "",
    no_rehearsal: bool = False,
    confirm: str = "",
) -> None:
    """Apply the pending migrations in their order, each in one transaction."""
    from task_groups.db import rehearsal

    files = read_files(from_)
    run().tell_target()
    with opened(ctx) as stores:
        if stores.grant.is_production and not (no_rehearsal or terminal.is_dry(ctx)):
            rehearsal.rehearse_first(stores, files)
        apply(ctx, stores, files, to=to or None)


def apply(
    ctx: Context, stores: Stores, files: Files, *, to: str | None = None, is_new: bool = False
) -> None:
    """Apply the pending migrations of ``files``, and print them.

    ``is_new``: the database was just created. A dry run has not created it, and lists them all.
    """
    from core.postgres import migrate

    if is_new and terminal.is_dry(ctx):
        for migration in files.migrations:
            terminal.print_line(f"would apply {migration.title}")
        return
    count = 0
    for done in migrate(stores.db, files, to=to):
        count += 1
        _tell(ctx, done)
    if not count:
        terminal.print_line("There is nothing to apply")


@task(
    help=help_for(
        "prod",
        "confirm",
        to="Undo all migrations applied after this one: its stamp.",
        from_=FROM,
    ),
    opens={_POSTGRES: "destroying"},
    confirmed_by=_POSTGRES,
)
def rollback(
    ctx: Context, prod: bool = False, to: str = "", from_: str = "", confirm: str = ""
) -> None:
    """Undo the migration that was applied last."""
    from core.postgres import roll_back

    files = read_files(from_)
    run().tell_target()
    with opened(ctx) as stores:
        count = 0
        for done in roll_back(stores.db, files, to=to or None):
            count += 1
            _tell(ctx, done)
    if not count:
        terminal.print_line("There is nothing to undo")


def read_files(checkout: str) -> Files:
    """The migrations of the project and, with a checkout, those of Cruddur."""
    from pathlib import Path

    from core.postgres import read_migrations

    return read_migrations(run().settings.migrations_path, Path(checkout) if checkout else None)


def _tell(ctx: Context, done: Done) -> None:
    """Print the result of a migration at once: the next one may take long."""
    for note in done.notes:
        terminal.note(note)
    if not terminal.is_dry(ctx):
        terminal.print_line(done.sentence, flush=True)
