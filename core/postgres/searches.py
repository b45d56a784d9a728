"""Finds users as a person types, in a time that hardly grows with their number.

An index of handles answers for a handle and its beginning, in any collation. Nothing that Postgres
has without an extension answers for a text in the middle, so such a text is looked for in a stretch
of the users, in the order of their handles; the cursor of the page continues behind it.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from core import cursors
from core.postgres.database import Queries, Row
from core.postgres.handles import bare_handle, is_text
from core.postgres.statements import FileStatement, load

_USERS = "users"
_NO_UUID = str(uuid.UUID(int=0))

STRETCH = 60_000
"""Users that a search for any text looks at in one request."""

BRIEF_STRETCH = 1_000
"""The same where some handles begin with the text."""


@dataclass(frozen=True, slots=True)
class Statements:
    """The two statements of a search: with or without emails."""

    beginning: FileStatement
    containing: FileStatement


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a search continues, and whom its first page showed because of their handles."""

    handle: str = ""
    uuid: str = _NO_UUID
    shown: tuple[str, ...] = ()

    def after(self, row: Row) -> _Place:
        return _Place(row["handle"], str(row["uuid"]), self.shown)

    def cursor(self) -> str:
        return cursors.encode(_USERS, [self.handle, self.uuid, list(self.shown)])


def search(
    db: Queries, statements: Statements, text: str, limit: int, after: str | None
) -> tuple[list[Row], str | None]:
    """A page of the matching rows, and the cursor of the next one.

    The first page begins with handles that begin with ``text``, the handle itself first. A page may
    have fewer rows than ``limit``, or none, before the last.

    Raises:
        InputError: ``after`` is not a cursor.
    """
    place = _Place() if after is None else _read(after)
    if not is_text(text):
        return [], None
    bare = bare_handle(text)
    first = _beginning(db, statements.beginning, bare, limit) if bare and after is None else []
    if first:
        place = _Place(shown=tuple(str(row["uuid"]) for row in first))
    size = BRIEF_STRETCH if first else STRETCH
    if not bare:
        size = limit + 1  # everybody matches
    rest = db.query_rows(
        statements.containing,
        {
            "pattern": f"%{escaped(bare)}%",
            "shown": list(place.shown),
            "limit": limit - len(first) + 1,
            **_stretch(place, size),
        },
    )
    room = limit - len(first)
    return first + rest[:room], _following(db, place, rest, room, size)


def _following(db: Queries, place: _Place, rest: list[Row], room: int, size: int) -> str | None:
    """The cursor of the next page: after the last row of this one, or after the stretch."""
    if len(rest) > room:
        return (place.after(rest[room - 1]) if room else place).cursor()
    ends = db.query_rows(load("users/end_of_stretch"), _stretch(place, size))
    return place.after(ends[0]).cursor() if ends else None


def _stretch(place: _Place, size: int) -> dict[str, object]:
    return {"after_handle": place.handle, "after_uuid": place.uuid, "rows": size}


def _beginning(db: Queries, statement: FileStatement, bare: str, limit: int) -> list[Row]:
    """The rows whose handle begins with a text, in any of its usual spellings."""
    spellings = list({bare, bare.lower(), bare.upper(), bare.capitalize()})
    rows = db.query_rows(statement, {"spellings": spellings, "limit": limit})
    folded = bare.casefold()
    beginning = [row for row in rows if row["handle"].casefold().startswith(folded)]
    beginning.sort(key=lambda row: (row["handle"].casefold() != folded, row["handle"]))
    return beginning[:limit]


def escaped(text: str) -> str:
    """``text`` with LIKE's wildcards escaped."""
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")


def _read(cursor: str) -> _Place:
    place = cursors.decode(cursor, _USERS)
    try:
        handle, row_uuid, shown = place
        if isinstance(handle, str) and is_text(handle):
            return _Place(
                handle,
                str(uuid.UUID(row_uuid)),
                tuple(str(uuid.UUID(user_uuid)) for user_uuid in shown),
            )
    except (ValueError, TypeError, AttributeError):
        pass
    raise cursors.invalid()
