"""Converts values of Postgres to Python's, leniently: other programs write these tables too.

A time that Python cannot represent (``infinity``, before the year 1, after 9999) becomes None.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import AdaptersMap
from psycopg.types.datetime import DateLoader, TimestampLoader, TimestamptzLoader


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
