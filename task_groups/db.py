"""Postgres: the users and activities database."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from task_groups import edge
from task_groups.edge import Context, help_for, task

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.postgres.admin import Survey
    from core.targets import Target


@task(help=help_for("prod"))
def connect(ctx: Context, prod: bool = False) -> None:
    """Open psql on the database."""
    from core.engines import psql_path
    from core.postgres.shell import find_shell

    target = edge.open_target(prod, "postgres")
    shell = find_shell(target.postgres, psql_path())
    if edge.is_dry(ctx):
        edge.print_line(f"would run: {shell}")
        return
    sys.stdout.flush()
    shell.replace_this_process()


@task(help=help_for("prod"))
def create(ctx: Context, prod: bool = False) -> None:
    """Create the database."""
    _create(ctx, edge.open_target(prod, "postgres"))


@task(help=help_for("prod", "confirm"))
def drop(ctx: Context, prod: bool = False, confirm: str = "") -> None:
    """Drop the database and everything in it."""
    from core.postgres.admin import check_droppable, survey

    target = edge.open_target(prod, "postgres")
    check_droppable(target.postgres)
    found = survey(target.postgres)
    if found.exists:
        edge.guard(ctx, target, found.state, "drop the database", confirm)
    _drop(ctx, target)


@task(help=help_for("prod", "confirm"))
def schema_load(ctx: Context, prod: bool = False, confirm: str = "") -> None:
    """Drop and recreate the tables."""
    from core.postgres.admin import survey

    target = edge.open_target(prod, "postgres")
    found = survey(target.postgres)
    if not found.is_blank:
        edge.guard(ctx, target, found.state, "drop the tables of", confirm)
    _schema_load(ctx, target, found)


@task(help=help_for("prod", "confirm"))
def seed(ctx: Context, prod: bool = False, confirm: str = "") -> None:
    """Add the demo users and their activities."""
    from core.postgres.admin import survey

    target = edge.open_target(prod, "postgres")
    edge.guard(ctx, target, survey(target.postgres).state, "add demo users to", confirm)
    _seed(ctx, target)


@task(aliases=["session"], help=help_for("prod", "json"))
def sessions(ctx: Context, prod: bool = False, json: bool = False) -> None:
    """List who is connected to the server."""
    from dataclasses import asdict

    from core.postgres.admin import sessions

    target = edge.open_target(prod, "postgres")
    with edge.database(ctx, target) as db:
        rows = [asdict(session) for session in sessions(db)]
    if json:
        edge.print_json(rows)
        return
    columns = ("pid", "user", "database", "client_address", "application", "state")
    edge.print_table(
        [column.replace("_", " ") for column in columns],
        [["" if row[column] is None else row[column] for column in columns] for row in rows],
        empty="nobody is connected",
    )


@task(help=help_for("prod", "confirm"))
def setup(ctx: Context, prod: bool = False, confirm: str = "") -> None:
    """Drop, create, load the schema, seed, and fetch the Cognito ids."""
    from core.errors import SettingsError
    from core.postgres.admin import check_droppable, survey
    from core.postgres.seed import demo_people

    pool_id = edge.settings().user_pool_id
    target = edge.open_target(prod, "postgres", *(["aws"] if pool_id else []))
    check_droppable(target.postgres)
    demo_people(target.settings)  # what is wrong with the settings is said before anything is gone
    found = survey(target.postgres)
    if found.exists:
        edge.guard(ctx, target, found.state, "drop and set up", confirm)
    _drop(ctx, target)
    _create(ctx, target)
    _schema_load(ctx, target, found)
    _seed(ctx, target)
    if pool_id is None:
        edge.note("no AWS_COGNITO_USER_POOL_ID: the users keep 'MOCK' as their Cognito id")
        return
    try:
        _update_cognito_user_ids(ctx, target, pool_id)
    except SettingsError as error:
        if target.is_production:
            raise
        edge.note(f"the users keep 'MOCK' as their Cognito id: {error}")


@task(help=help_for("prod"))
def update_cognito_user_ids(ctx: Context, prod: bool = False) -> None:
    """Store every user's Cognito id, found by handle."""
    from core.errors import SettingsError

    target = edge.open_target(prod, "postgres", "aws")
    pool_id = target.settings.user_pool_id
    if pool_id is None:
        raise SettingsError(
            "AWS_COGNITO_USER_POOL_ID is not set", "Set it to the id of the user pool."
        )
    _update_cognito_user_ids(ctx, target, pool_id)


def _drop(ctx: Context, target: Target) -> None:
    from core.postgres.admin import drop_database

    name = target.postgres.dbname
    ended = drop_database(target.postgres, dry=_dry(ctx))
    if ended is None:
        edge.print_line(f"there is no database {name} to drop")
    elif not edge.is_dry(ctx):
        inside = f" and ended {len(ended)} session(s) in it" if ended else ""
        edge.print_line(f"dropped the database {name}{inside}")


def _create(ctx: Context, target: Target) -> None:
    from core.postgres.admin import create_database

    name = target.postgres.dbname
    if not create_database(target.postgres, dry=_dry(ctx)):
        edge.print_line(f"the database {name} is there already")
    elif not edge.is_dry(ctx):
        edge.print_line(f"created the database {name}")


def _schema_load(ctx: Context, target: Target, before: Survey) -> None:
    from core.postgres.admin import load_schema

    # A database that was dropped a moment ago stays what it said it was.
    environment = before.state.environment or target.environment
    with edge.database(ctx, target) as db:
        load_schema(db, environment)
    if not edge.is_dry(ctx):
        edge.print_line(f"loaded the schema into {target.postgres.dbname}, marked {environment}")


def _seed(ctx: Context, target: Target) -> None:
    from core.postgres.seed import demo_people, seed

    with edge.database(ctx, target) as db:
        added = seed(db, target.settings)
    if edge.is_dry(ctx):
        return
    if added.users or added.activities:
        edge.print_line(f"added {added.users} user(s) and {added.activities} activities")
        return
    handles = ", ".join(person.handle for person in demo_people(target.settings))
    edge.print_line(f"nothing to add: {handles} and their activities are there already")


def _update_cognito_user_ids(ctx: Context, target: Target, pool_id: str) -> None:
    from core.aws.cognito import list_users
    from core.postgres.users import find_by_handles, set_cognito_user_ids

    subs: dict[str, list[str]] = {}
    for user in list_users(target.aws, pool_id):
        if user.handle:
            subs.setdefault(user.handle, []).append(user.sub)
        else:
            edge.note(f"no handle in Cognito: {user.username} ({user.email})")
    for handle in [handle for handle, found in subs.items() if len(found) > 1]:
        edge.note(f"several Cognito users are called {handle}: left as it is")
        del subs[handle]
    with edge.database(ctx, target) as db:
        changed = set_cognito_user_ids(db, {handle: found[0] for handle, found in subs.items()})
        if edge.is_dry(ctx):
            return
        unknown = subs.keys() - find_by_handles(db, subs).keys()
    for handle in sorted(unknown):
        edge.note(f"in Cognito, not in Postgres: {handle}")
    edge.print_line(
        f"{changed} Cognito id(s) updated, {len(subs) - len(unknown) - changed} as they were"
    )


def _dry(ctx: Context) -> Callable[[str], None] | None:
    return edge.dry_sink(ctx)
