"""Database administration: create, drop, load the schema, read the marker, list sessions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from psycopg import sql

from core.errors import (
    CredentialsError,
    InputError,
    MissingSchemaError,
    PostgresError,
    StoreError,
    TargetRefusedError,
)
from core.postgres.database import Database, Queries
from core.postgres.poolers import refuse_pooler
from core.postgres.statements import FileStatement, load
from core.targets import StoreState

_MAINTENANCE = ("postgres", "template1")
_SYSTEM = {*_MAINTENANCE, "template0"}
_NO_DATA = {("public", "schema_information"), ("public", "cruddur_ops_migrations")}
"""How far the migrations got, for Cruddur's scripts, which write it as they load it, and for us."""

_NO_DATABASES = "which cannot create or drop a database"
"""It keeps sessions in a database that is dropped, and remembers that one was missing."""

_OUR_TABLES = {("public", "users"), ("public", "activities"), *_NO_DATA}


@dataclass(frozen=True, slots=True)
class Session:
    """A connection to the server. A field is None where it is empty or the role may not see it."""

    pid: int
    user: str | None
    database: str | None
    client_address: str | None
    application: str | None
    state: str | None


@dataclass(frozen=True, slots=True)
class Survey:
    """The state of the database before a destructive step."""

    state: StoreState
    exists: bool
    has_tables: bool
    """Whether a table exists that loading the schema would drop."""


def survey(db: Queries) -> Survey:
    """The database's marker, and whether it has tables and data. Works without a database."""
    try:
        tables = db.query_rows(load("admin/tables"))
    except MissingSchemaError:
        return Survey(StoreState(db.address.dbname, None, False), exists=False, has_tables=False)
    environment = read_marker(db)
    names = {(table["schema"], table["name"]): table["hidden"] for table in tables}
    holds_data = environment is None and any(
        hidden or _may_hold_rows(db, *name)
        for name, hidden in names.items()
        if name not in _NO_DATA
    )
    state = StoreState(db.address.dbname, environment, holds_data)
    return Survey(state, exists=True, has_tables=bool(names.keys() & _OUR_TABLES))


def read_state(db: Queries) -> StoreState:
    """The database's marker, or whether it has data. A missing database has neither."""
    try:
        if (environment := read_marker(db)) is not None:
            return StoreState(db.address.dbname, environment, holds_data=False)
    except MissingSchemaError:
        return StoreState(db.address.dbname, None, holds_data=False)
    return survey(db).state


def _may_hold_rows(db: Queries, schema: str, name: str) -> bool:
    statement = load("admin/holds_rows").format(table=sql.Identifier(schema, name))
    try:
        return bool(db.query_value(statement))
    except (PostgresError, MissingSchemaError):
        # A table that we may not read, or that was just dropped, counts as data.
        return True


def read_marker(db: Queries) -> str | None:
    """The environment in the database's marker; None where there is no marker."""
    if not db.query_value(load("admin/marker_exists")):
        return None
    marker: str | None = db.query_value(load("admin/read_marker"))
    return marker


def write_marker(db: Queries, environment: str) -> None:
    """Mark the database as ``environment`` unless it has a marker."""
    db.query_commit(load("admin/create_marker_table"))
    db.query_commit(load("admin/write_marker"), {"environment": environment})


def mark(db: Database, environment: str) -> bool:
    """True if the database was marked; False if it had a marker, which stays."""
    with db.transaction() as transaction:
        transaction.query_commit(load("admin/begin_schema_load"))
        if not db.is_dry and read_marker(transaction) is not None:
            return False
        write_marker(transaction, environment)
    return True


def database_exists(db: Database) -> bool:
    """Whether the database exists on the server."""
    with _maintenance(db) as server:
        return _exists(server, db.address.dbname)


def create_database(db: Database) -> bool:
    """True if the database was created; False if it exists. A dry run assumes it is missing.

    Raises:
        InputError: it does not exist, and the URL leads through a connection pooler.
    """
    name = db.address.dbname
    if not db.is_dry and _answers(db):
        return False
    with _maintenance(db) as server:
        if not db.is_dry and _exists(server, name):
            return False
        refuse_pooler(server, _NO_DATABASES)
        try:
            server.run_alone(_naming("admin/create_database", name))
        except PostgresError as error:
            # Another session created it in the meantime: Postgres reports one of these two codes.
            if error.sqlstate in ("42P04", "23505"):
                return False
            raise
    return True


def check_droppable(db: Database) -> None:
    """Refuse to drop a database that the server needs for itself.

    Raises:
        InputError: it is such a database.
    """
    address = db.address
    variable = address.variable or "the URL"
    if address.dbname in _SYSTEM:
        raise InputError(
            f"Refused to drop {address.dbname!r}: it is the server's own database",
            f"Name Cruddur's database in {variable}.",
        )


@dataclass(frozen=True, slots=True)
class Identity:
    """The identity of one server and of one database on it.

    ``system_identifier`` is None where the role may not read it.
    """

    started_at: datetime
    system_identifier: int | None
    database_oid: int


def read_identity(db: Queries, name: str) -> Identity | None:
    """The identity of ``db``'s server and its database ``name``; None if that does not exist."""
    rows = db.query_rows(load("admin/identity"), {"name": name})
    if not rows:
        return None
    identifier = None
    if rows[0]["has_identifier"]:
        identifier = int(db.query_value(load("admin/system_identifier")))
    return Identity(rows[0]["started_at"], identifier, rows[0]["database_oid"])


def drop_database(db: Database) -> tuple[Session, ...] | None:
    """The other sessions that dropping the database ended; None if there was no database.

    The drop needs a second session, in another database. That session must be on the server that
    ``db`` was checked on, and the database there must be the one that was checked.

    Raises:
        InputError: the database belongs to the server itself, or the URL names several hosts or
            leads through a connection pooler.
        TargetRefusedError: the second session is on another server, or the database is another one.
        PostgresError: Postgres refused; the hint lists who is connected.
    """
    check_droppable(db)
    name = db.address.dbname
    try:
        checked = read_identity(db, name)
    except MissingSchemaError:
        checked = None
    if checked is None:
        return None
    own = db.session_pid()
    db.close()  # or this session would block the drop; the server may list it a moment longer
    with _maintenance(db) as server:
        refuse_pooler(server, _NO_DATABASES)
        if read_identity(server, name) != checked:
            raise TargetRefusedError(
                f"Refused to drop the database {name}: another server answers now, or the"
                " database was replaced",
                "Name one server in the URL, then run it again.",
            )
        return _drop(server, name, own)


def _answers(db: Database) -> bool:
    try:
        db.query_value(load("admin/is_reachable"))
    except MissingSchemaError:
        return False
    return True


def _drop(server: Database, name: str, own: int) -> tuple[Session, ...]:
    inside = tuple(s for s in sessions(server) if s.database == name and s.pid != own)
    try:
        server.run_alone(_naming("admin/drop_database", name))
    except PostgresError as error:
        if not inside:
            raise
        who = ", ".join(f"pid {session.pid} ({session.user})" for session in inside)
        raise PostgresError(
            error.problem,
            f"Connected to it: {who}. {error.hint}",
            error.command,
            sqlstate=error.sqlstate,
        ) from error
    return inside


def load_schema(db: Database, environment: str, *, only_if_missing: bool = False) -> bool:
    """True if the tables were dropped, recreated and the database marked as ``environment``.

    An existing marker stays. With ``only_if_missing`` existing tables stay too, and this returns
    False; two calls at the same time load the schema once.
    """
    with db.transaction() as transaction:
        transaction.query_commit(load("admin/begin_schema_load"))
        if only_if_missing:
            if not db.is_dry and has_tables(transaction):
                return False
        else:
            transaction.query_commit(load("admin/drop_tables"))
        transaction.query_commit(load("schema"))
        write_marker(transaction, environment)
    return True


def has_tables(db: Queries) -> bool:
    """Whether any table exists that :func:`load_schema` creates."""
    tables = db.query_rows(load("admin/tables"))
    return any((table["schema"], table["name"]) in _OUR_TABLES for table in tables)


def sessions(
    db: Queries, *, limit: int | None = None, after: Session | None = None
) -> list[Session]:
    """The server's connections, this one included, sorted by database and pid.

    All of them, or up to ``limit`` that follow ``after``.
    """
    params = {
        "limit": limit,
        "pid": after.pid if after else None,
        "database": after.database if after else None,
    }
    return [Session(**row) for row in db.query_rows(load("admin/sessions"), params)]


def other_sessions(db: Queries) -> list[Session]:
    """Who else is connected to this database."""
    return [Session(**row) for row in db.query_rows(load("admin/other_sessions"))]


def end_session(db: Queries, session: Session) -> bool:
    """True if ``session`` was ended; False if it had ended by itself."""
    return bool(db.query_commit(load("admin/end_session"), {"pid": session.pid}))


def _exists(db: Queries, name: str) -> bool:
    return bool(db.query_value(load("admin/database_exists"), {"name": name}))


def _naming(statement: str, name: str) -> FileStatement:
    return load(statement).format(name=sql.Identifier(name))


def _maintenance(db: Database) -> Database:
    """A connection to ``db``'s server in a database that always exists, for the same purpose.

    The database of ``db`` may be missing, or be the one to drop.
    """
    refusal: StoreError | None = None
    for name in _MAINTENANCE:
        server = Database(db.reached.with_dbname(name), db.purpose, dry=db.dry_sink)
        try:
            server.query_value(load("admin/is_reachable"))
        except (MissingSchemaError, CredentialsError, PostgresError) as error:
            server.close()
            refusal = refusal or error
        else:
            return server
    assert refusal is not None  # noqa: S101 - the loop ran
    raise refusal
