"""Converts values of Postgres to Python's, leniently: other programs write these tables too.

A time that Python cannot represent (``infinity``, before the year 1, after 9999) becomes None.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import AdaptersMap, Loader
from psycopg.rows import tuple_row
from psycopg.types.datetime import DateLoader, TimestampLoader, TimestamptzLoader
from psycopg.types.string import TextLoader


class _LenientDate(DateLoader):
    def load(self, data: Buffer) -> Any:
        try:
            return super().load(data)
        except psycopg.DataError:
            return None


class _LenientTimestamp(TimestampLoader):
    def load(self, data: Buffer) -> Any:
        try:
            return super().load(data)
        except psycopg.DataError:
            return None


class _LenientTimestamptz(TimestamptzLoader):
    def load(self, data: Buffer) -> Any:
        try:
            return super().load(data)
        except psycopg.DataError:
            return None


def lenient_adapters() -> AdaptersMap:
    """The adapters of a connection that reads such values."""
    adapters = AdaptersMap(psycopg.adapters)
    adapters.register_loader("date", _LenientDate)
    adapters.register_loader("timestamp", _LenientTimestamp)
    adapters.register_loader("timestamptz", _LenientTimestamptz)
    return adapters


_AS_PYTHONS = ["bool", "int2", "int4", "int8", "oid", "float4", "float8", "numeric"]
"""The types whose values are Python's; those of all others are text, as Postgres shows it."""


class JsonText(str):
    """A JSON value as Postgres shows it, which may be deeper or longer than Python can read."""


class _JsonTextLoader(Loader):
    def load(self, data: Buffer) -> JsonText:
        return JsonText(bytes(data).decode())


_FETCHED_AT_ONCE = 500


@contextmanager
def typed_cursor(
    connection: psycopg.Connection[Any], text: str, *, has_cursor: bool
) -> Iterator[tuple[list[str], Iterator[tuple[Any, ...]]]]:
    """The columns and the rows of ``text``, which is one statement, or Postgres refuses it.

    With ``has_cursor`` the rows are fetched from a cursor of the server as they are asked for.
    """
    query = text.encode()
    if not has_cursor:
        with connection.cursor(row_factory=tuple_row) as cursor:
            _show_as_text(cursor.adapters)
            rows = list(cursor.stream(query))  # of EXPLAIN or SHOW: a few
            yield _columns(cursor), iter(rows)
        return
    with connection.cursor("typed", row_factory=tuple_row, scrollable=False) as named:
        named.itersize = _FETCHED_AT_ONCE
        _show_as_text(named.adapters)
        named.execute(query)
        yield _columns(named), iter(named)


def _columns(cursor: Any) -> list[str]:
    return [column.name for column in cursor.description or ()]


def _show_as_text(adapters: AdaptersMap) -> None:
    for info in adapters.types:
        if info.name not in _AS_PYTHONS:
            adapters.register_loader(info.oid, TextLoader)
        if info.array_oid:
            adapters.register_loader(info.array_oid, TextLoader)
    for name in ("json", "jsonb"):
        adapters.register_loader(name, _JsonTextLoader)
