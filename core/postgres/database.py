"""A Postgres database, opened for one purpose: statements in, plain rows out.

Every statement runs in a transaction that sets every option it relies on: the defaults of the
server, the role, the database or the environment have no effect. Nothing is set for the session,
because a pooler may be in between. A transaction that only reads begins ``READ ONLY``.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any, Literal

import psycopg

from core.errors import PostgresError
from core.postgres.connections import Connection, Connections, Row
from core.postgres.reading import typed_cursor
from core.postgres.statements import (
    FileStatement,
    Params,
    Statement,
    as_json,
    composed,
    need_of,
    rendered,
)
from core.postgres.translation import translating
from core.purposes import Need, Purpose
from core.targets.postgres import PostgresAddress

__all__ = ["Check", "Database", "Queries", "Row", "Transaction"]

DrySink = Callable[[str], None]

_BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED READ {mode}"
_SETTINGS = {
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "timezone": "UTC",
    "search_path": "public",
    "bytea_output": "hex",
    "standard_conforming_strings": "on",
    "quote_all_identifiers": "off",
}
"""The options that results depend on: https://www.postgresql.org/docs/current/runtime-config-client.html"""

logger = logging.getLogger(__name__)


class Queries(ABC):
    """The statements a database runs, inside a transaction or outside of one.

    Reads are SELECTs. Every change goes through :meth:`query_commit`: a dry run passes it to
    ``dry`` as text and sends nothing. A statement that the purpose does not allow is refused with
    :class:`~core.errors.NotPermittedError` before it is sent.
    """

    def __init__(
        self, address: PostgresAddress, purpose: Purpose, dry: DrySink | None, log: bool
    ) -> None:
        self.address = address
        self.purpose = purpose
        self._dry = dry
        self._log = log

    @property
    def is_dry(self) -> bool:
        return self._dry is not None

    @property
    def dry_sink(self) -> DrySink | None:
        """Receives the statements that a dry run does not send; None outside a dry run."""
        return self._dry

    def query_rows(self, statement: Statement, params: Params | None = None) -> list[Row]:
        """The rows, by column name, with Python's own types."""
        self._require(statement, Need.READ)
        return self._run(statement, params, read_only=True)

    def query_value(self, statement: Statement, params: Params | None = None) -> Any:
        """The first column of the first row; None where there is no row."""
        return _first_value(self.query_rows(statement, params))

    def query_array_json(self, statement: Statement, params: Params | None = None) -> list[Row]:
        """The rows as Postgres writes them in JSON: times and uuids are strings."""
        self._require(statement, Need.READ)
        rows = self._run(as_json(statement), params, read_only=True)
        return [row["object"] for row in rows]

    def query_object_json(self, statement: Statement, params: Params | None = None) -> Row | None:
        """The first of :meth:`query_array_json`'s rows; None where there is none."""
        rows = self.query_array_json(statement, params)
        return rows[0] if rows else None

    def query_commit(self, statement: Statement, params: Params | None = None) -> Any:
        """The value of RETURNING (first column, first row), or None, after the change is committed.

        Inside a transaction it is committed with the others. A dry run returns None.
        """
        self._require(statement, Need.WRITE)
        if self._dry is not None:
            self._dry(rendered(statement, params))
            return None
        return _first_value(self._run(statement, params, read_only=False))

    def copy_in(self, statement: Statement, blocks: Iterable[bytes]) -> None:
        """Send ``blocks`` to a ``COPY … FROM STDIN``: all of it is committed, or nothing.

        A dry run reads all blocks and sends none.
        """
        self._require(statement, Need.WRITE)
        if self._dry is not None:
            self._dry(rendered(statement))
            for _ in blocks:
                pass
            return
        with (
            self._in_transaction(read_only=False) as connection,
            translating(self.address),
            connection.cursor() as cursor,
            cursor.copy(composed(statement)) as copy,
        ):
            for block in blocks:
                copy.write(block)

    def _require(self, statement: Statement, otherwise: Need) -> None:
        need = need_of(statement, otherwise)
        self.purpose.require(need, f"a statement that needs to {need}")

    def _run(self, statement: Statement, params: Params | None, *, read_only: bool) -> list[Row]:
        with self._in_transaction(read_only) as connection:
            return self._fetch(connection, statement, params)

    def _fetch(
        self, connection: Connection, statement: Statement, params: Params | None
    ) -> list[Row]:
        query = composed(statement)
        if self._log:
            logger.info("%s", query.as_string(None))
        with translating(self.address):
            cursor = connection.execute(query, params)
            return cursor.fetchall() if cursor.description else []

    @abstractmethod
    def _in_transaction(self, read_only: bool) -> AbstractContextManager[Connection]: ...


class Transaction(Queries):
    """Several statements that are committed together or not at all.

    :meth:`Database.transaction` yields it.
    """

    def __init__(
        self, address: PostgresAddress, purpose: Purpose, connection: Connection, log: bool
    ) -> None:
        super().__init__(address, purpose, None, log)
        self._open = connection

    def _in_transaction(self, read_only: bool) -> AbstractContextManager[Connection]:
        return nullcontext(self._open)


Check = Callable[[Queries], None]
"""Runs at the beginning of each transaction; raises to end it."""


class Database(Queries):
    """The database at ``address``, opened for ``purpose``; safe to share between threads.

    Connects at first use. With ``dry``, changes are passed to it as text and not made. With
    ``log``, statements are logged without their values. ``check`` runs first in every transaction,
    on the server that the transaction is on. Close it, or use it as a context manager.
    """

    def __init__(
        self,
        address: PostgresAddress,
        purpose: Purpose,
        *,
        dry: DrySink | None = None,
        log: bool = False,
        check: Check | None = None,
        connections: Connections | None = None,
    ) -> None:
        super().__init__(address, purpose, dry, log)
        self._connections = connections or Connections(address)
        self._check = check

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection, those of its other handles too. A later call connects again."""
        self._connections.close()

    def opened_for(
        self, purpose: Purpose, *, dry: DrySink | None = None, check: Check | None = None
    ) -> Database:
        """Another handle on the same connections."""
        return Database(
            self.address,
            purpose,
            dry=dry,
            log=self._log,
            check=check,
            connections=self._connections,
        )

    @property
    def reached(self) -> PostgresAddress:
        """The one server that was reached; before the first connection, the address as it is."""
        return self._connections.reached

    def session_parameters(self) -> dict[str, str]:
        """The parameters of the connection as libpq reports them, with its host or hosts."""
        with translating(self.address), self._connections.connection() as connection:
            return connection.info.get_parameters()

    def is_verified(self) -> bool:
        """Whether the connection is encrypted, and the server's certificate and name verified."""
        with translating(self.address), self._connections.connection() as connection:
            mode = connection.info.get_parameters().get("sslmode")
            return bool(connection.pgconn.ssl_in_use) and mode == "verify-full"

    def session_pid(self) -> int:
        """The process id of this session on the server; a pooler reports one of its own."""
        with translating(self.address), self._connections.connection() as connection:
            return connection.info.backend_pid

    def is_pooled(self) -> bool:
        """Whether a connection pooler, or another proxy of the protocol, is in between.

        It gives a session's process id of its own.
        """
        with translating(self.address), self._connections.connection() as connection:
            (row,) = connection.execute("SELECT pg_backend_pid() AS pid").fetchall()
            return bool(row["pid"] != connection.info.backend_pid)

    @contextmanager
    def transaction(self) -> Iterator[Queries]:
        """One transaction: committed when the block ends, rolled back when it raises.

        Use the object that it yields, not the database. In a dry run that is the database itself:
        reads see what is stored, and changes are only reported.
        """
        if self._dry is not None:
            self._dry("BEGIN;")
            yield self
            self._dry("COMMIT;")
            return
        with self._in_transaction(not self.purpose.changes_stores) as connection:
            yield Transaction(self.address, self.purpose, connection, self._log)

    @contextmanager
    def typed(
        self, text: str, timeout_s: int, *, has_cursor: bool
    ) -> Iterator[tuple[list[str], Iterator[tuple[Any, ...]]]]:
        """The columns and rows of one statement from outside, in a read-only transaction.

        It is rolled back: a read-only transaction allows EXPLAIN ANALYZE of CREATE TABLE … AS.
        ``has_cursor``: it is one that a cursor can be declared for, and its rows are fetched as
        they are asked for. Either way Postgres refuses several statements.
        """
        self._require(FileStatement.from_text(text, Need.READ), Need.READ)
        with self._in_transaction(read_only=True, end="ROLLBACK") as connection:
            connection.execute(f"SET LOCAL statement_timeout = {int(timeout_s) * 1000}".encode())
            with typed_cursor(connection, text, has_cursor=has_cursor) as answer:
                yield answer

    def run_alone(self, statement: Statement) -> None:
        """Run what Postgres refuses in a transaction: CREATE DATABASE, DROP DATABASE."""
        self._require(statement, Need.DESTROY)
        if self._dry is not None:
            self._dry(rendered(statement))
            return
        with translating(self.address), self._connections.connection() as connection:
            self._fetch(connection, statement, None)

    @contextmanager
    def _in_transaction(
        self, read_only: bool, end: Literal["COMMIT", "ROLLBACK"] = "COMMIT"
    ) -> Iterator[Connection]:
        with translating(self.address), self._connections.connection() as connection:
            # One request: without values it may contain several statements.
            connection.execute(_begin(read_only or self.is_dry))
            try:
                if self._check is not None:
                    self._check(Transaction(self.address, Purpose.LOOKING, connection, self._log))
                yield connection
            except BaseException:
                with suppress(psycopg.Error):
                    connection.execute("ROLLBACK")
                raise
            if connection.execute(end).statusmessage != end:
                raise PostgresError("The transaction was rolled back", "Nothing was changed.")


def _begin(read_only: bool) -> Any:
    settings = "".join(f"; SET LOCAL {name} = '{value}'" for name, value in _SETTINGS.items())
    return _BEGIN.format(mode="ONLY" if read_only else "WRITE") + settings


def _first_value(rows: list[Row]) -> Any:
    return next(iter(rows[0].values()), None) if rows else None
