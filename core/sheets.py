"""Rows as files that other programs open: CSV for a spreadsheet, JSON Lines for anything else."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_text(rows: Iterable[Mapping[str, object]], columns: Iterable[str]) -> str:
    """RFC 4180, with a header. A cell that a spreadsheet might run as a formula begins with ``'``.

    https://owasp.org/www-community/attacks/CSV_Injection
    """
    names = list(columns)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(names)
    for row in rows:
        writer.writerow([_cell(row.get(name)) for name in names])
    return out.getvalue()


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def json_lines(rows: Iterable[Mapping[str, object]]) -> str:
    """An object a line, as it is."""
    return "".join(json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in rows)
