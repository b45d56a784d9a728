"""A Postgres database: statements in, plain rows out.

The first thread to ask gets a connection of its own and no pool is started: a command needs one
connection, a clear error at once, and none of a pool's threads. Threads that find it taken share
a psycopg pool. Either way a connection that broke (the server was restarted) is replaced.
"""

from __future__ import annotations

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, TypeAlias

import psycopg
from psycopg.rows import dict_row

from core.errors import PostgresError
from core.postgres.conninfo import PostgresAddress
from core.postgres.statements import Params, Statement, as_json, composed, rendered
from core.postgres.translation import translating

if TYPE_CHECKING:
    from psycopg_pool import ConnectionPool

Row: TypeAlias = dict[str, Any]
Connection: TypeAlias = psycopg.Connection[Row]

CONNECT_TIMEOUT_S = 5
MAX_POOLED = 8
_TRUSTED_FOR_S = 1.0
"""A connection that was used this recently is used again without a look whether it still works."""

logger = logging.getLogger(__name__)


class Queries(ABC):
    """What can be asked of a database, in a transaction or outside of one.

    Reads are SELECTs. Everything that changes something goes through :meth:`query_commit`: a dry
    run hands it to ``dry`` as text and sends nothing.
    """

    def __init__(
        self, address: PostgresAddress, dry: Callable[[str], None] | None, log: bool
    ) -> None:
        self.address = address
        self._dry = dry
        self._log = log

    @property
    def is_dry(self) -> bool:
        return self._dry is not None

    def query_rows(self, statement: Statement, params: Params | None = None) -> list[Row]:
        """The rows, by column name, with Python's own types."""
        return self._execute(statement, params)

    def query_value(self, statement: Statement, params: Params | None = None) -> Any:
        """The first column of the first row; None where there is no row."""
        return _first_value(self._execute(statement, params))

    def query_array_json(self, statement: Statement, params: Params | None = None) -> list[Row]:
        """The rows as Postgres writes them in JSON: times and uuids are strings."""
        return [row["object"] for row in self._execute(as_json(statement), params)]

    def query_object_json(self, statement: Statement, params: Params | None = None) -> Row | None:
        """The first of :meth:`query_array_json`'s rows; None where there is none."""
        rows = self.query_array_json(statement, params)
        return rows[0] if rows else None

    def query_commit(self, statement: Statement, params: Params | None = None) -> Any:
        """The value of RETURNING (first column, first row), or None; the change is committed.

        Inside a transaction it is committed with the others. In a dry run the answer is None.
        """
        if self._dry is not None:
            self._dry(rendered(statement, params))
            return None
        return _first_value(self._execute(statement, params))

    def _execute(self, statement: Statement, params: Params | None) -> list[Row]:
        query = composed(statement)
        if self._log:
            logger.info("%s", query.as_string(None))
        with translating(self.address), self._connection() as connection, self._held(connection):
            cursor = connection.execute(query, params)
            return cursor.fetchall() if cursor.description else []

    def _held(self, connection: Connection) -> AbstractContextManager[Any]:
        # A dry run's connection is read-only, which Postgres honours inside a transaction.
        return connection.transaction() if self.is_dry else nullcontext()

    @abstractmethod
    def _connection(self) -> AbstractContextManager[Connection]: ...


class Transaction(Queries):
    """Several changes that happen together or not at all. Made by :meth:`Database.transaction`."""

    def __init__(self, address: PostgresAddress, connection: Connection, log: bool) -> None:
        super().__init__(address, None, log)
        self._open = connection

    def _connection(self) -> AbstractContextManager[Connection]:
        return nullcontext(self._open)


class Database(Queries):
    """The database at ``address``; safe to share between threads. Connects when first asked.

    With ``dry``, changes are handed to it as text and not made. With ``log``, statements are
    logged, without their values. Close it, or use it as a context manager.
    """

    def __init__(
        self,
        address: PostgresAddress,
        *,
        dry: Callable[[str], None] | None = None,
        log: bool = False,
    ) -> None:
        super().__init__(address, dry, log)
        self._first_taken = threading.Lock()
        self._first: Connection | None = None
        self._first_used_at = 0.0
        self._opening_pool = threading.Lock()
        self._pool: ConnectionPool[Connection] | None = None

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection. Asked again, the database connects again."""
        with self._first_taken:
            if self._first is not None:
                self._first.close()
            self._first = None
        with self._opening_pool:
            if self._pool is not None:
                self._pool.close()
            self._pool = None

    @contextmanager
    def transaction(self) -> Iterator[Queries]:
        """One transaction: committed when the block ends, rolled back when it raises.

        Ask the object it gives, not the database. In a dry run that is the database itself:
        reads see what is stored, changes are told.
        """
        if self._dry is not None:
            self._dry("BEGIN;")
            yield self
            self._dry("COMMIT;")
            return
        with (
            translating(self.address),
            self._connection() as connection,
            connection.transaction(),
        ):
            yield Transaction(self.address, connection, self._log)

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        if not self._first_taken.acquire(blocking=False):
            with self._pooled() as connection:
                yield connection
            return
        try:
            self._first = self._working(self._first)
            yield self._first
            self._first_used_at = time.monotonic()
        finally:
            self._first_taken.release()

    def _working(self, connection: Connection | None) -> Connection:
        """``connection``, or a new one if it broke."""
        if connection is None or connection.closed:
            return self._connect()
        if time.monotonic() - self._first_used_at < _TRUSTED_FOR_S:
            return connection
        try:
            connection.execute("")
        except psycopg.Error:
            connection.close()
            return self._connect()
        return connection

    def _connect(self) -> Connection:
        connection = psycopg.connect(self.address.conninfo, **self._options())
        self._prepare(connection)
        return connection

    def _options(self) -> dict[str, Any]:
        given = psycopg.conninfo.conninfo_to_dict(self.address.conninfo)
        ours = {
            "connect_timeout": CONNECT_TIMEOUT_S,
            # Text is Unicode here, whatever encoding the database was made with.
            "client_encoding": "UTF8",
            "fallback_application_name": "cruddur-ops",
        }
        missing = {key: value for key, value in ours.items() if key not in given}
        return {**missing, "autocommit": True, "row_factory": dict_row}

    def _prepare(self, connection: Connection) -> None:
        connection.read_only = True if self.is_dry else None

    @contextmanager
    def _pooled(self) -> Iterator[Connection]:
        from psycopg_pool import PoolTimeout

        pool = self._open_pool()
        try:
            connection = pool.getconn()
        except PoolTimeout as error:
            # A pool says how long it waited, not why: connecting once more does.
            with self._connect():
                raise PostgresError(
                    f"all {MAX_POOLED} connections to {self.address.place} are busy", "Try again."
                ) from error
        try:
            yield connection
        finally:
            pool.putconn(connection)

    def _open_pool(self) -> ConnectionPool[Connection]:
        from psycopg_pool import ConnectionPool

        with self._opening_pool:
            if self._pool is None:
                self._pool = ConnectionPool(
                    self.address.conninfo,
                    kwargs=self._options(),
                    configure=self._prepare,
                    check=ConnectionPool.check_connection,
                    min_size=0,
                    max_size=MAX_POOLED,
                    timeout=CONNECT_TIMEOUT_S,
                    # Short, so that a server that comes back is found by the next request.
                    reconnect_timeout=CONNECT_TIMEOUT_S,
                    open=True,
                )
            return self._pool


def _first_value(rows: list[Row]) -> Any:
    return next(iter(rows[0].values()), None) if rows else None
