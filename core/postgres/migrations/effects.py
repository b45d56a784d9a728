"""What a migration does to columns, and whether that was already done.

Only ``ALTER TABLE`` with ``ADD``, ``DROP`` and ``ALTER … TYPE`` of columns is understood. The
schema alone does not show whether anything else was done.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache

from core.errors import PostgresError
from core.postgres.database import Queries
from core.postgres.migrations.files import Migration, Script
from core.postgres.migrations.splitting import SqlStatement
from core.postgres.statements import FileStatement, load
from core.purposes import Need


class Presence(StrEnum):
    """Whether a migration's whole effect is present. Unknown: it does something else too."""

    PRESENT = "present"
    ABSENT = "absent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Column:
    """A column after a migration. ``type`` is None if the migration drops the column."""

    type: str | None
    is_not_null: bool = False
    default: str | None = None


Effect = dict[tuple[str, str], Column]
"""The columns after a migration, by table and column, both written as in a statement."""

_TYPES_OF_WORDS = {
    "double precision",
    "character varying",
    "bit varying",
    *(f"{time} {how} time zone" for time in ("time", "timestamp") for how in ("with", "without")),
}
_END_OF_TYPE = {"not", "null", "default", "collate", "using"}


class _NotUnderstood(Exception):  # noqa: N818 - it never leaves this module
    """A statement of another kind."""


@cache
def effect_of(script: Script) -> Effect | None:
    """The effects of ``script`` on columns; None if it does something else too."""
    effect: Effect = {}
    try:
        for statement in script.statements:
            for key, column in _changes(statement):
                effect[key] = column
    except _NotUnderstood:
        return None
    return effect


def changed_table(statement: SqlStatement) -> str | None:
    """The table whose columns ``statement`` changes, as written there, with its schema."""
    try:
        return next(iter(_changes(statement)))[0][0]
    except _NotUnderstood:
        return None


def presence_of(db: Queries, migration: Migration) -> Presence:
    """Whether the whole effect of ``migration`` is present."""
    if migration.present_if:
        question = FileStatement.from_text(migration.present_if, Need.LOOK)
        return Presence.PRESENT if db.query_value(question) is True else Presence.ABSENT
    effect = effect_of(migration.up)
    if effect is None:
        return Presence.UNKNOWN
    return Presence.PRESENT if is_present(db, effect) else Presence.ABSENT


def is_present(db: Queries, effect: Effect) -> bool:
    """Whether every column is as ``effect`` says."""
    keys = list(effect)
    params = {
        "tables": [table for table, _ in keys],
        "columns": [_unquoted(column) for _, column in keys],
        "types": [effect[key].type or "" for key in keys],
    }
    try:
        rows = db.query_rows(load("ledger/columns"), params)
    except PostgresError as error:
        if error.sqlstate in ("42601", "42704"):  # a type that this server does not know
            return False
        raise
    return all(_is_as_wanted(effect[key], row) for key, row in zip(keys, rows, strict=True))


def _is_as_wanted(wanted: Column, row: dict[str, object]) -> bool:
    if wanted.type is None:
        return not row["is_there"]
    default = str(row["default"])
    return (
        bool(row["has_type"])
        and (row["is_not_null"] is True or not wanted.is_not_null)
        and wanted.default in (None, default, default.partition("::")[0])
    )


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def _changes(statement: SqlStatement) -> Iterator[tuple[tuple[str, str], Column]]:
    """The columns after one statement.

    Raises:
        _NotUnderstood: it is not an ``ALTER TABLE`` of columns.
    """
    if not statement.begins("alter", "table"):
        raise _NotUnderstood
    words = _without(list(statement.words[2:]), "if", "exists")
    words = _without(words, "only")
    table, words = _table(words)
    for action in _split_at_commas(words):
        column, change = _change(action)
        yield (table, column), change


def _table(words: list[str]) -> tuple[str, list[str]]:
    """The table's name with its schema, and the words after it."""
    if len(words) > 2 and words[1] == ".":
        return ".".join((words[0], words[2])), words[3:]
    if not words:
        raise _NotUnderstood
    return f"public.{words[0]}", words[1:]


def _change(action: list[str]) -> tuple[str, Column]:
    """The column that one action of an ``ALTER TABLE`` changes, and its new state."""
    match _without(action, "column", at=1):
        case ["drop", *rest]:
            rest = _without(rest, "if", "exists")
            if len(rest) in (1, 2) and rest[1:] in ([], ["restrict"], ["cascade"]):
                return rest[0], Column(None)
        case ["add", *rest]:
            rest = _without(rest, "if", "not", "exists")
            if len(rest) > 1 and rest[0] not in _CONSTRAINTS:
                return rest[0], _added(rest[1:])
        case ["alter", name, *rest]:
            rest = _without(rest, "set", "data")
            if rest[:1] == ["type"]:
                return name, Column(_type(rest[1:])[0])
    raise _NotUnderstood


_CONSTRAINTS = {"constraint", "primary", "unique", "check", "foreign", "exclude"}


def _added(words: list[str]) -> Column:
    name, rest = _type(words)
    column = Column(name)
    while rest:
        match rest:
            case ["not", "null", *others]:
                column, rest = replace(column, is_not_null=True), others
            case ["null", *others]:
                rest = others
            case ["default", value, *others] if others[:1] in ([], ["not"], ["null"]):
                column, rest = replace(column, default=value), others
            case _:
                raise _NotUnderstood
    return column


def _type(words: list[str]) -> tuple[str, list[str]]:
    """The type's name, and the words after it. A type with a length is not understood."""
    length = next((n for n, word in enumerate(words) if word in _END_OF_TYPE), len(words))
    name, rest = " ".join(words[:length]), words[length:]
    if not (length == 1 or name in _TYPES_OF_WORDS):
        raise _NotUnderstood
    return name, [] if rest[:1] == ["using"] else rest


def _without(words: list[str], *unneeded: str, at: int = 0) -> list[str]:
    """``words`` without the ``unneeded`` ones, if they are at that place."""
    end = at + len(unneeded)
    return words[:at] + words[end:] if words[at:end] == list(unneeded) else words


def _split_at_commas(words: Sequence[str]) -> Iterator[list[str]]:
    """The parts between commas, ignoring commas in parentheses."""
    part: list[str] = []
    depth = 0
    for word in words:
        depth += {"(": 1, ")": -1}.get(word, 0)
        if word == "," and depth == 0:
            yield part
            part = []
        else:
            part.append(word)
    yield part
