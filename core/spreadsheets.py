"""Rows as files that other programs open: CSV for a spreadsheet, JSON Lines for anything else."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from numbers import Number

_SIGNS = "=+-@"
"""A spreadsheet runs a cell that begins with one of them."""

_LOOK_ALIKES = "".join(
    character
    for block in (range(0xFE50, 0xFE70), range(0xFF00, 0xFF60))
    for character in map(chr, block)
    if unicodedata.normalize("NFKC", character) in tuple(_SIGNS)
)
"""The full-width and small forms of the signs, which East Asian editions treat alike."""

_SIGN = re.compile(f"[{re.escape(_SIGNS + _LOOK_ALIKES)}]")
_SEPARATORS = frozenset(",;|\t\"'\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029")
"""The characters after which a spreadsheet of another locale begins a new cell."""

_OPENING = ("\t", "\r", "\n")
_UNSEEN = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})
"""Unicode's categories of what a spreadsheet may strip: controls, format characters, blanks."""


def csv_text(rows: Iterable[Mapping[str, object]], columns: Iterable[str]) -> str:
    """CSV as in RFC 4180, with a header. A ``'`` precedes whatever may begin a formula.

    That is at the beginning of a cell, and inside a cell after every character at which a
    spreadsheet of another locale ends a cell, with or without invisible characters in between. A
    cell that begins with a tab or a line break gets a ``'`` too. A number stays a number. The rule:
    https://owasp.org/www-community/attacks/CSV_Injection
    """
    names = list(columns)
    lines = (csv_line([row.get(name) for name in names]) for row in rows)
    return "".join([csv_line(names), *lines])


def csv_line(values: Iterable[object]) -> str:
    """One row of :func:`csv_text`."""
    out = io.StringIO()
    csv.writer(out).writerow([_cell(value) for value in values])
    return out.getvalue()


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    if isinstance(value, Number):  # its own sign begins no formula
        return text
    if _SIGN.search(text):
        text = _without_formulas(text)
    return f"'{text}" if text.startswith(_OPENING) else text


def _without_formulas(text: str) -> str:
    """``text`` with a ``'`` wherever a cell that began with a sign could begin."""
    kept = 0
    parts: list[str] = []
    begins: int | None = 0
    """Where the cell would begin, as long as nothing that shows has come since."""
    for position, character in enumerate(text):
        if begins is not None and _SIGN.match(character):
            parts += [text[kept:begins], "'"]
            kept, begins = begins, None
        elif character in _SEPARATORS:
            begins = position + 1
        elif begins is not None and unicodedata.category(character) not in _UNSEEN:
            begins = None
    return "".join([*parts, text[kept:]])


def json_lines(rows: Iterable[Mapping[str, object]]) -> str:
    """An object a line, as it is."""
    return "".join(json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in rows)
