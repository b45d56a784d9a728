"""The database itself: create, drop, set up, seed, inspect."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from invoke.exceptions import Exit

from core.wording import counted
from task_groups import terminal
from task_groups.db import migrations
from task_groups.holds import refuse_while_held
from task_groups.running import opened, run, task
from task_groups.terminal import Context, help_for

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from core.access import Stores
    from core.postgres import Survey
    from core.usecases.cognito_link import Link

_POSTGRES = "postgres"


def _connect_opens(arguments: Mapping[str, Any]) -> dict[str, str]:
    return {_POSTGRES: "writing" if arguments.get("write") else "reading"}


@task(
    hands_over="psql answers in its own form. For JSON, use db.query --json",
    help=help_for(
        "prod", "reason", "confirm", write="Allow statements that change something on production."
    ),
    opens=_connect_opens,
    confirmed_by=_POSTGRES,
)
def connect(
    ctx: Context, prod: bool = False, write: bool = False, reason: str = "", confirm: str = ""
) -> None:
    """Open psql on the database; read-only on production unless --write is given."""
    from core.engines import psql_path
    from core.postgres import check_read_only, find_shell

    run().tell_target()
    with opened(ctx) as stores:
        read_only = stores.grant.is_production and not write
        if read_only:
            check_read_only(stores.db)
        shell = find_shell(
            stores.db.reached,
            psql_path(),
            read_only=read_only,
            stops_at_errors=sys.stdin is None or not sys.stdin.isatty(),
        )
    if terminal.is_dry(ctx):
        terminal.print_line(f"would run: {shell}")
        return
    sys.stdout.flush()
    shell.replace_this_process()


@task(help=help_for("prod"), opens={_POSTGRES: "making"}, confirmed_by=_POSTGRES)
def create(ctx: Context, prod: bool = False) -> None:
    """Create the database."""
    run().tell_target()
    with opened(ctx) as stores:
        _create(ctx, stores)


@task(help=help_for("prod", "confirm"), opens={_POSTGRES: "destroying"}, confirmed_by=_POSTGRES)
def drop(ctx: Context, prod: bool = False, confirm: str = "") -> None:
    """Drop the database and everything in it."""
    from core.postgres import check_droppable

    run().tell_target()
    check_droppable(run().door.look().db)
    survey = _survey()
    if not survey.exists:
        terminal.print_line(f"There is no database {survey.state.name} to drop")
        return
    with opened(ctx) as stores:
        refuse_while_held()
        _drop(ctx, stores)


@task(help=help_for("prod", "confirm"), opens={_POSTGRES: "destroying"}, confirmed_by=_POSTGRES)
def schema_load(ctx: Context, prod: bool = False, confirm: str = "") -> None:
    """Drop and recreate the tables; if there are none, create them."""
    from core.purposes import Purpose

    run().tell_target()
    action = run().action
    survey = _survey()
    if not (survey.has_tables or survey.state.holds_data):
        action = action.narrowed(Purpose.MAKING)
    with opened(ctx, action) as stores:
        if stores.db.purpose.allows_all:
            refuse_while_held()
        _schema_load(ctx, stores)


@task(help=help_for("prod", "confirm"), opens={_POSTGRES: "writing"}, confirmed_by=_POSTGRES)
def seed(ctx: Context, prod: bool = False, confirm: str = "") -> None:
    """Add the demo users and their activities."""
    run().tell_target()
    with opened(ctx) as stores:
        _seed(ctx, stores)


@task(
    help=help_for(
        "prod", "confirm", file="A CSV file with the columns handle, display_name and email."
    ),
    opens={_POSTGRES: "writing"},
    confirmed_by=_POSTGRES,
)
def import_users(ctx: Context, file: str = "", prod: bool = False, confirm: str = "") -> None:
    """Add the users of a CSV file: all of them, or none."""
    from pathlib import Path

    from core.errors import UsageError
    from core.postgres import import_users

    if not file:
        raise UsageError("--file PATH is missing", "Name a CSV file.")
    run().tell_target()
    with opened(ctx) as stores, terminal.progress("importing users", "users") as progress:
        count = import_users(stores.db, Path(file), progress, _who_is_erased)
    would = "would add" if terminal.is_dry(ctx) else "added"
    terminal.print_line(f"{would} {counted(count, 'user')}", users=count)


def _who_is_erased() -> Callable[[str], bool]:
    """From DynamoDB, which this task does not need for anything else."""
    from core.dynamodb import who_is_erased
    from core.errors import CoreError

    try:
        return who_is_erased(run().door.look_quickly().table)
    except CoreError as error:
        terminal.note(f"Could not see whether the file has erased users: {error.problem}")
        return lambda _: False


@task(csv=True, aliases=["session"], help=help_for("prod", "json"), opens={_POSTGRES: "looking"})
def sessions(ctx: Context, prod: bool = False, json: bool = False) -> None:
    """List who is connected to the server."""
    from dataclasses import asdict

    from core.postgres import sessions

    run().tell_target()
    with opened(ctx) as stores:
        rows = [asdict(session) for session in sessions(stores.db)]
    if json:
        terminal.print_json(rows)
        return
    columns = ("pid", "user", "database", "client_address", "application", "state")
    terminal.print_table(
        [column.replace("_", " ") for column in columns],
        [["" if row[column] is None else row[column] for column in columns] for row in rows],
        empty="No sessions are connected",
    )


def _setup_opens(_: Mapping[str, Any]) -> dict[str, str]:
    if run().settings.user_pool_id is None:
        return {_POSTGRES: "destroying"}
    return {_POSTGRES: "destroying", "aws": "reading"}


@task(help=help_for("prod", "confirm"), opens=_setup_opens, confirmed_by=_POSTGRES)
def setup(ctx: Context, prod: bool = False, confirm: str = "") -> None:
    """Drop, create, load the schema, seed, fetch the Cognito ids, and apply the migrations."""
    from core.postgres import check_droppable, demo_people, read_migrations

    run().tell_target()
    check_droppable(run().door.look().db)
    demo_people(run().settings)  # report a wrong setting before anything is dropped
    files = read_migrations(run().settings.migrations_path)
    with opened(ctx) as stores:
        refuse_while_held()
        _drop(ctx, stores)
        _create(ctx, stores)
        _schema_load(ctx, stores)
        _seed(ctx, stores)
        link = _update_cognito_user_ids_if_there_are_any(ctx, stores)
        migrations.apply(ctx, stores, files, is_new=True)
    _fail_if_ambiguous(link)


def _update_cognito_user_ids_if_there_are_any(ctx: Context, stores: Stores) -> Link | None:
    from core.errors import SettingsError

    pool_id = stores.target.settings.user_pool_id
    if pool_id is None:
        setting = stores.target.source_of_user_pool
        terminal.note(f"{setting} is not set: the users keep 'MOCK' as their Cognito id")
        return None
    try:
        return _update_cognito_user_ids(ctx, stores, pool_id)
    except SettingsError as error:
        if stores.target.is_production:
            raise
        terminal.note(f"The users keep 'MOCK' as their Cognito id: {error}")
        return None


@task(
    help=help_for("prod", "confirm"),
    opens={_POSTGRES: "writing", "aws": "reading"},
    confirmed_by=_POSTGRES,
)
def update_cognito_user_ids(ctx: Context, prod: bool = False, confirm: str = "") -> None:
    """Store every user's Cognito id, found by handle."""
    from core.errors import SettingsError

    run().tell_target()
    pool_id = run().settings.user_pool_id
    if pool_id is None:
        setting = run().target.source_of_user_pool
        raise SettingsError(f"{setting} is not set", "Set it to the id of the user pool.")
    with opened(ctx) as stores:
        link = _update_cognito_user_ids(ctx, stores, pool_id)
    _fail_if_ambiguous(link)


def _fail_if_ambiguous(link: Link | None) -> None:
    """End with exit code 1 if a handle that occurs twice was left unchanged."""
    if link is not None and link.is_ambiguous:
        raise Exit(code=1)


def _survey() -> Survey:
    """The state of the database before a destructive step."""
    from core.postgres import survey

    return survey(run().door.look().db)


def _drop(ctx: Context, stores: Stores) -> None:
    from core.postgres import drop_database

    name = stores.target.postgres.dbname
    ended = drop_database(stores.db)
    if ended is None:
        terminal.print_line(f"There is no database {name} to drop")
    elif not terminal.is_dry(ctx):
        inside = f" and ended {counted(len(ended), 'session')} in it" if ended else ""
        terminal.print_line(f"dropped the database {name}{inside}", database=name)


def _create(ctx: Context, stores: Stores) -> None:
    from core.postgres import create_database

    name = stores.target.postgres.dbname
    if not create_database(stores.db):
        terminal.print_line(f"The database {name} already exists")
    elif not terminal.is_dry(ctx):
        terminal.print_line(f"created the database {name}", database=name)


def _schema_load(ctx: Context, stores: Stores) -> None:
    from core.access import Store
    from core.postgres import load_schema

    # A database that was dropped a moment ago keeps the environment that it had.
    environment = stores.environment_of(Store.POSTGRES)
    load_schema(stores.db, environment, only_if_missing=not stores.db.purpose.allows_all)
    if not terminal.is_dry(ctx):
        terminal.print_line(
            f"loaded the schema into {stores.target.postgres.dbname}, marked {environment}",
            environment=environment,
        )


def _seed(ctx: Context, stores: Stores) -> None:
    from core.postgres import demo_people
    from core.usecases import setup

    settings = stores.target.settings
    added = setup.seed_users(stores)
    if terminal.is_dry(ctx):
        return
    if added.users or added.activities:
        terminal.print_line(
            f"added {counted(added.users, 'user')} and"
            f" {counted(added.activities, 'activity', 'activities')}",
            users=added.users,
            activities=added.activities,
        )
        return
    handles = ", ".join(person.handle for person in demo_people(settings))
    terminal.print_line(f"nothing to add: {handles} and their activities already exist")


def _update_cognito_user_ids(ctx: Context, stores: Stores, pool_id: str) -> Link:
    from core.usecases.cognito_link import link_users

    link = link_users(stores.db, stores.aws, pool_id)
    for name in link.without_handle:
        terminal.note(f"no handle in Cognito: {name}")
    for handle in link.twice_in_cognito:
        terminal.problem(f"several Cognito users have the handle {handle}: left unchanged")
    for handle in link.twice_in_postgres:
        terminal.problem(f"several users in Postgres have the handle {handle}: left unchanged")
    for handle in sorted(link.not_in_postgres):
        terminal.note(f"in Cognito, not in Postgres: {handle}")
    if not terminal.is_dry(ctx):
        terminal.print_line(
            f"{counted(len(link.updated), 'Cognito id')} updated, {len(link.unchanged)} unchanged",
            updated=len(link.updated),
            unchanged=len(link.unchanged),
        )
    return link
