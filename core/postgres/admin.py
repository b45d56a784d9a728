"""The upkeep of a database: create, drop, load the schema, what it holds, who is connected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from psycopg import sql

from core.errors import (
    CredentialsError,
    InputError,
    MissingSchemaError,
    PostgresError,
    StoreError,
)
from core.postgres.conninfo import PostgresAddress
from core.postgres.database import Database, Queries
from core.postgres.statements import load
from core.targets import StoreState

DrySink = Callable[[str], None]

_MAINTENANCE = ("postgres", "template1")
_SYSTEM = {*_MAINTENANCE, "template0"}
_OUR_TABLES = {("public", "users"), ("public", "activities")}


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody connected to the server. None: the role may not see it, or there is none."""

    pid: int
    user: str | None
    database: str | None
    client_address: str | None
    application: str | None
    state: str | None


@dataclass(frozen=True, slots=True)
class Survey:
    """What there is before a destructive step."""

    state: StoreState
    exists: bool
    has_tables: bool
    """Whether there is a table that loading the schema would drop."""

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing that loading the schema could destroy or belie."""
        state = self.state
        return not (self.has_tables or state.holds_data or state.environment is not None)


def survey(address: PostgresAddress) -> Survey:
    """What the database holds and says of itself; nothing, where there is no database."""
    with Database(address) as db:
        try:
            tables = db.query_rows(load("admin/tables"))
        except MissingSchemaError:
            return Survey(StoreState(address.dbname, None, False), exists=False, has_tables=False)
        environment = read_marker(db)
        holds_data = any(
            table["hidden"] or _may_hold_rows(db, table["schema"], table["name"])
            for table in tables
        )
    found = {(table["schema"], table["name"]) for table in tables}
    state = StoreState(address.dbname, environment, holds_data)
    return Survey(state, exists=True, has_tables=bool(found & _OUR_TABLES))


def state(address: PostgresAddress) -> StoreState:
    """What the database says of itself: for the guard, read just before the step it guards."""
    return survey(address).state


def _may_hold_rows(db: Queries, schema: str, name: str) -> bool:
    statement = load("admin/holds_rows").format(table=sql.Identifier(schema, name))
    try:
        return bool(db.query_value(statement))
    except (PostgresError, MissingSchemaError):
        # What cannot be looked into, or changed under our eyes, counts as data.
        return True


def read_marker(db: Queries) -> str | None:
    """The environment that the database says it is; None where it says nothing."""
    if not db.query_value(load("admin/marker_exists")):
        return None
    marker: str | None = db.query_value(load("admin/read_marker"))
    return marker


def write_marker(db: Queries, environment: str) -> None:
    """Have the database say that it is ``environment``, unless it said something before."""
    db.query_commit(load("admin/write_marker"), {"environment": environment})


def database_exists(address: PostgresAddress) -> bool:
    """Whether the server has the database."""
    with _maintenance(address, None) as db:
        return _exists(db, address.dbname)


def create_database(address: PostgresAddress, *, dry: DrySink | None = None) -> bool:
    """Create the database; False if it was there. A dry run takes it for missing."""
    with _maintenance(address, dry) as db:
        if dry is None and _exists(db, address.dbname):
            return False
        try:
            db.query_commit(_naming("admin/create_database", address.dbname))
        except PostgresError as error:
            # Somebody else created it in between: Postgres says so in one of these two ways.
            if error.sqlstate in ("42P04", "23505"):
                return False
            raise
    return True


def check_droppable(address: PostgresAddress) -> None:
    """Refuse to drop a database that belongs to the server itself.

    Raises:
        InputError: it is one.
    """
    if address.dbname in _SYSTEM:
        variable = address.variable or "the URL"
        raise InputError(
            f"{address.dbname!r} is the server's own database and is not dropped",
            f"Name Cruddur's database in {variable}.",
        )


def drop_database(
    address: PostgresAddress, *, dry: DrySink | None = None
) -> tuple[Session, ...] | None:
    """Drop the database and end the sessions in it, which are the answer; None if none was there.

    Raises:
        InputError: the database belongs to the server itself.
        PostgresError: Postgres refused; the hint says who is connected.
    """
    check_droppable(address)
    with _maintenance(address, dry) as db:
        if not _exists(db, address.dbname):
            return None
        inside = tuple(found for found in sessions(db) if found.database == address.dbname)
        try:
            db.query_commit(_naming("admin/drop_database", address.dbname))
        except PostgresError as error:
            if not inside:
                raise
            who = ", ".join(f"pid {found.pid} ({found.user})" for found in inside)
            raise PostgresError(
                error.problem, f"Connected to it: {who}. {error.hint}", sqlstate=error.sqlstate
            ) from error
    return inside


def load_schema(db: Database, environment: str, *, only_if_missing: bool = False) -> bool:
    """Drop and recreate the tables, all or none, and mark the database as ``environment``.

    A marker that is there stays. With ``only_if_missing`` tables that are there stay too, and
    the answer is False; two that do this at once load the schema once.
    """
    with db.transaction() as transaction:
        transaction.query_commit(load("admin/begin_schema_load"))
        if only_if_missing and not db.is_dry and has_tables(transaction):
            return False
        transaction.query_commit(load("schema"))
        write_marker(transaction, environment)
    return True


def has_tables(db: Queries) -> bool:
    """Whether any of the tables is there that :func:`load_schema` makes."""
    tables = db.query_rows(load("admin/tables"))
    return any((table["schema"], table["name"]) in _OUR_TABLES for table in tables)


def sessions(
    db: Queries, *, limit: int | None = None, after: Session | None = None
) -> list[Session]:
    """Who is connected to the server, this connection included, by database and pid.

    All of them, or up to ``limit`` that follow ``after``.
    """
    params = {
        "limit": limit,
        "pid": after.pid if after else None,
        "database": after.database if after else None,
    }
    return [Session(**row) for row in db.query_rows(load("admin/sessions"), params)]


def _exists(db: Queries, name: str) -> bool:
    return bool(db.query_value(load("admin/database_exists"), {"name": name}))


def _naming(statement: str, name: str) -> sql.Composed:
    return load(statement).format(name=sql.Identifier(name))


def _maintenance(address: PostgresAddress, dry: DrySink | None) -> Database:
    """The server, seen from a database that is always there: the target may be the missing one."""
    refusal: StoreError | None = None
    for name in _MAINTENANCE:
        db = Database(address.with_dbname(name), dry=dry)
        try:
            db.query_value("SELECT true")
        except (MissingSchemaError, CredentialsError, PostgresError) as error:
            db.close()
            refusal = refusal or error
        else:
            return db
    assert refusal is not None  # noqa: S101 - the loop ran
    raise refusal
