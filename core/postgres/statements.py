"""The project's SQL statements: one file each under ``sql/``, loaded by name.

Values are bound (``%(name)s``) and identifiers composed (``{name}``); no SQL is formatted. The
first line of a file names the permission that its statement needs::

    -- needs: look | make | read | write | destroy
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, LiteralString, TypeAlias

from psycopg import sql
from psycopg.abc import AdaptContext

from core.purposes import Need
from core.settings import PROJECT_ROOT

_FOLDER = PROJECT_ROOT / "sql"
_PLACEHOLDER = re.compile(r"%(?:%|\((\w+)\)s)")
_NEEDS = re.compile(r"-- needs: (\w+)\n")

Params: TypeAlias = Mapping[str, Any]


class FileStatement(sql.Composable):
    """The statement of a file, and the permission it needs."""

    def __init__(self, text: sql.SQL, need: Need, body: sql.Composable | None = None) -> None:
        super().__init__(body or text)
        self._text = text
        self._body: sql.Composable = body or text
        self.need = need

    @classmethod
    def from_text(cls, text: str, need: Need) -> FileStatement:
        """A statement from another file, such as a migration."""
        return cls(_sql(text), need)

    def as_bytes(self, context: AdaptContext | None = None) -> bytes:
        return self._body.as_bytes(context)

    def format(self, **identifiers: sql.Composable) -> FileStatement:
        """The statement with ``identifiers`` in place of ``{name}``."""
        return FileStatement(self._text, self.need, self._text.format(**identifiers))


Statement: TypeAlias = sql.Composable | LiteralString


@cache
def load(name: str) -> FileStatement:
    """The statement in ``sql/<name>.sql``; ``load("users/by_handles")``."""
    text = (_FOLDER / f"{name}.sql").read_text("utf-8")
    first = _NEEDS.match(text)
    if first is None:
        raise ValueError(f"sql/{name}.sql does not begin with what it needs")
    return FileStatement(_sql(text[first.end() :]), Need(first[1]))


def names() -> list[str]:
    """Every name that :func:`load` knows. The migrations are read otherwise, and have none."""
    files = (path.relative_to(_FOLDER) for path in _FOLDER.rglob("*.sql"))
    return sorted(
        path.with_suffix("").as_posix() for path in files if path.parts[0] != "migrations"
    )


def need_of(statement: Statement, otherwise: Need) -> Need:
    """The permission that ``statement`` needs: the one in its file, or else ``otherwise``."""
    return statement.need if isinstance(statement, FileStatement) else otherwise


def composed(statement: Statement) -> sql.Composed:
    """``statement`` in a form that can be executed or become part of another statement."""
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
    """``statement`` with its values filled in, as it could be typed into psql.

    A dry run shows it. It needs no connection, and it is never executed.
    """
    text = composed(statement).as_string(None)
    if params is not None:
        text = _PLACEHOLDER.sub(lambda match: _value(match, params), text)
    return f"{text};"


def _value(match: re.Match[str], params: Params) -> str:
    if match[1] is None:
        return "%"
    return sql.Literal(params[match[1]]).as_string(None)
