"""The SQL of the project: one file a statement under ``sql/``, loaded by name.

Values are bound (``%(name)s``), identifiers are composed (``{name}``), nothing is formatted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, LiteralString, TypeAlias

from psycopg import sql

from core.settings import PROJECT_ROOT

_FOLDER = PROJECT_ROOT / "sql"
_PLACEHOLDER = re.compile(r"%(?:%|\((\w+)\)s)")

Statement: TypeAlias = sql.Composable | LiteralString
Params: TypeAlias = Mapping[str, Any]


@cache
def load(name: str) -> sql.SQL:
    """The statement in ``sql/<name>.sql``; ``load("users/by_handles")``."""
    return _sql((_FOLDER / f"{name}.sql").read_text("utf-8"))


def names() -> list[str]:
    """Every name that :func:`load` knows."""
    files = _FOLDER.rglob("*.sql")
    return sorted(path.relative_to(_FOLDER).with_suffix("").as_posix() for path in files)


def composed(statement: Statement) -> sql.Composed:
    """``statement``, ready to be executed or to become part of another."""
    if isinstance(statement, str):
        statement = _sql(statement)
    return sql.Composed([statement])


def as_json(statement: Statement) -> sql.Composed:
    """The rows of ``statement`` as JSON objects, in the column ``object``."""
    wrapping = sql.SQL("SELECT row_to_json(answer) AS object FROM (\n{}\n) AS answer")
    return wrapping.format(composed(statement))


def _sql(text: str) -> sql.SQL:
    return sql.SQL(text.strip().rstrip("; \n"))


def rendered(statement: Statement, params: Params | None = None) -> str:
    """``statement`` with its values in place, as it could be typed into psql.

    For people to read in a dry run. Needs no connection; what is executed is never made of it.
    """
    text = composed(statement).as_string(None)
    if params is not None:
        text = _PLACEHOLDER.sub(lambda match: _value(match, params), text)
    return f"{text};"


def _value(match: re.Match[str], params: Params) -> str:
    if match[1] is None:
        return "%"
    return sql.Literal(params[match[1]]).as_string(None)
