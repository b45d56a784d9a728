"""Figures for a person: tables that also work in a screen reader, sizes, durations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

import streamlit as st

from admin_app.layout import escaped
from core.dynamodb import IndexDescription, TableDescription


def facts(values: Mapping[str, str]) -> None:
    """Show one thing's properties: a name and a value per line."""
    rows = [{"": escaped(name), " ": escaped(value)} for name, value in values.items()]
    st.table(rows, hide_index=True, hide_header=True, border="horizontal")


def table(columns: Sequence[str], rows: Sequence[Sequence[str | None]]) -> None:
    """Show rows of stored text; None becomes an empty cell."""
    cells = [
        {column: escaped(cell or "") for column, cell in zip(columns, row, strict=True)}
        for row in rows
    ]
    st.table(cells, hide_index=True, border="horizontal")


def size(size_bytes: int) -> str:
    """``9.6 MB``, in powers of 1,024."""
    amount = float(size_bytes)
    for unit in ("B", "KB", "MB", "GB"):
        if amount < 1024:
            return f"{amount:,.0f} {unit}" if unit == "B" else f"{amount:,.1f} {unit}"
        amount /= 1024
    return f"{amount:,.1f} TB"


def size_of(described: TableDescription | IndexDescription) -> str:
    """The size of a table or an index; some engines count items, but report no size for them."""
    if described.items and not described.size_bytes:
        return "not reported by this engine"
    return size(described.size_bytes)


def duration(took: timedelta) -> str:
    seconds = took.total_seconds()
    return f"{seconds:.1f} s" if seconds < 60 else f"{seconds / 60:.0f} min"
