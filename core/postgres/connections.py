"""The connections to one Postgres server: opened when needed, shared, and replaced when broken.

The first thread gets a single connection, and no pool is started: a command needs one connection
and an immediate, clear error, but none of a pool's threads. While that connection is in use, other
threads share a psycopg pool.

A host name may stand for several servers. All later connections go to the server that the first
one reached, so that a check and the action after it use the same server.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import dict_row

from core.errors import PostgresError
from core.postgres.reading import lenient_adapters
from core.targets.postgres import PostgresAddress, embedded_options

if TYPE_CHECKING:
    from psycopg_pool import ConnectionPool

Row: TypeAlias = dict[str, Any]
Connection: TypeAlias = psycopg.Connection[Row]

CONNECT_TIMEOUT_S = 5
MAX_POOLED = 8
_TRUSTED_FOR_S = 1.0
"""A connection that was used this recently is used again without testing it."""


class Connections:
    """Connections to ``address``; safe to share between threads. Connects at first use."""

    def __init__(self, address: PostgresAddress) -> None:
        self.address = address
        self._reached: PostgresAddress | None = None
        self._first_taken = threading.Lock()
        self._first: Connection | None = None
        self._first_used_at = 0.0
        self._opening_pool = threading.Lock()
        self._pool: ConnectionPool[Connection] | None = None

    @property
    def reached(self) -> PostgresAddress:
        """The one server that was reached; before the first connection, the address as it is."""
        return self._reached or self.address

    def close(self) -> None:
        """Close every connection. A later call connects again."""
        with self._first_taken:
            if self._first is not None:
                self._first.close()
            self._first = None
        with self._opening_pool:
            if self._pool is not None:
                self._pool.close()
            self._pool = None

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A working connection that no other thread uses meanwhile, in autocommit."""
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
        if self._reached is not None:
            try:
                return self._open(self._reached)
            except psycopg.OperationalError:
                self._reached = None  # that server is gone; the host name may stand for another one
        connection = self._open(self.address)
        self._reached = _reached(self.address, connection)
        return connection

    def _open(self, address: PostgresAddress) -> Connection:
        try:
            return psycopg.connect(address.conninfo, **self._options())
        except psycopg.OperationalError as error:
            if address.password is None or "authentication failed" not in str(error):
                raise
            address.password(True)  # it may have been replaced meanwhile
            return psycopg.connect(address.conninfo, **self._options())

    def _options(self) -> dict[str, Any]:
        from_url = conninfo_to_dict(self.address.conninfo)
        ours: dict[str, Any] = {
            "connect_timeout": CONNECT_TIMEOUT_S,
            # Text is Unicode here, whatever encoding the database was made with.
            "client_encoding": "UTF8",
            "fallback_application_name": "cruddur-ops",
        }
        if self.address.ignores_variables:
            ours |= embedded_options()
        if self.address.password is not None:
            ours["password"] = self.address.password(False)
        missing = {key: value for key, value in ours.items() if key not in from_url}
        return {
            **missing,
            "autocommit": True,
            "row_factory": dict_row,
            "context": lenient_adapters(),
            # A pooler may send the next transaction to another session of the server, where a
            # statement prepared here is missing or another one has its name.
            "prepare_threshold": None,
        }

    @contextmanager
    def _pooled(self) -> Iterator[Connection]:
        from psycopg_pool import PoolTimeout

        pool = self._open_pool()
        try:
            connection = pool.getconn()
        except PoolTimeout as error:
            # The pool reports how long it waited, not why. Connecting once more shows the reason.
            with self._connect():
                raise PostgresError(
                    f"All {MAX_POOLED} connections to {self.address.place} are busy", "Try again."
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
                    # Both are asked for each connection: after a failover the server has another
                    # address, and a password may expire.
                    lambda: self.reached.conninfo,
                    kwargs=self._options,
                    check=ConnectionPool.check_connection,
                    min_size=0,
                    max_size=MAX_POOLED,
                    timeout=CONNECT_TIMEOUT_S,
                    # Short, so that a server that comes back is found by the next request.
                    reconnect_timeout=CONNECT_TIMEOUT_S,
                    open=True,
                )
            return self._pool


def _reached(address: PostgresAddress, connection: Connection) -> PostgresAddress:
    """``address`` narrowed to the one server that ``connection`` is on."""
    info = connection.info
    place: dict[str, Any] = {"host": info.host, "port": info.port}
    if info.hostaddr and not info.host.startswith(("/", "@")):
        place["hostaddr"] = info.hostaddr
    return address.narrowed(make_conninfo(address.conninfo, **place), info.host, str(info.port))
