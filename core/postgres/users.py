"""Cruddur's users and what they post."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from psycopg.errors import UniqueViolation

from core.errors import InputError, PostgresError
from core.models import Page, User
from core.postgres.database import Database, Queries, Row
from core.postgres.handles import bare_handle as bare_handle
from core.postgres.handles import is_text, no_such_user
from core.postgres.statements import load
from core.timestamps import now

_NO_UUID = str(uuid.UUID(int=0))
_LAST_UUID = str(uuid.UUID(int=2**128 - 1))


@dataclass(frozen=True, slots=True)
class Activity:
    """A row of ``public.activities``: something a user posted. Times are aware and in UTC."""

    uuid: str
    user_uuid: str
    message: str
    replies_count: int
    reposts_count: int
    likes_count: int
    reply_to_activity_uuid: str | None
    expires_at: datetime | None
    created_at: datetime


def find_by_handle(db: Queries, handle: str) -> User:
    """The user called ``handle``.

    Raises:
        NotFoundError: there is none.
    """
    found = find_by_handles(db, [handle])
    if handle not in found:
        raise no_such_user(db, handle)
    return found[handle]


def find_by_handles(db: Queries, handles: Iterable[str]) -> dict[str, User]:
    """The users with these handles, by the handle as it was given. Unknown ones are left out.

    Where Cruddur's own table holds a handle twice, the older user is meant.
    """
    # As it is stored, before it is taken for one with an @ or blanks that do not belong to it.
    wanted = {given: (given, given.strip(), bare_handle(given)) for given in handles}
    asked = {handle for readings in wanted.values() for handle in readings}
    rows = _rows_of(db, "users/by_handles", "handles", asked)
    found = {user.handle: user for user in map(_user, reversed(rows))}
    read = {given: next(filter(found.get, readings), None) for given, readings in wanted.items()}
    return {given: found[handle] for given, handle in read.items() if handle is not None}


def find_by_uuids(db: Queries, uuids: Iterable[str]) -> dict[str, User]:
    """The users with these uuids, by the uuid as it was given.

    Unknown ones are left out, and so is what is no uuid at all.
    """
    wanted = {given: parsed for given in uuids if (parsed := _uuid(given)) is not None}
    rows = _rows_of(db, "users/by_uuids", "uuids", set(wanted.values()))
    found = {user.uuid: user for user in map(_user, rows)}
    return {given: found[parsed] for given, parsed in wanted.items() if parsed in found}


def search(db: Queries, text: str, *, limit: int = 20, after: str | None = None) -> Page[User]:
    """Users whose handle, display name or email holds ``text``, by handle; all for no text.

    ``after`` is the cursor of the page before. Users without a handle are not found.

    Raises:
        InputError: ``after`` is not a cursor.
    """
    handle, last_uuid = _read_cursor(after, ("", _NO_UUID))
    if not is_text(text):
        return Page((), None)
    rows = db.query_rows(
        load("users/search"),
        {
            "pattern": f"%{_escaped(bare_handle(text))}%",
            "after_handle": handle,
            "after_uuid": last_uuid,
            "limit": limit + 1,
        },
    )
    users = [_user(row) for row in rows]
    last = users[limit - 1] if len(users) > limit else None
    return Page(users[:limit], _cursor(last.handle, last.uuid) if last else None)


def count(db: Queries) -> int:
    """How many users there are."""
    return int(db.query_value(load("users/count")))


def create_user(db: Database, handle: str, display_name: str, email: str) -> User:
    """Add a user that Cognito does not know yet.

    Raises:
        InputError: a value is missing or unfit, or another user has the handle or the email.
    """
    handle, display_name, email = bare_handle(handle), display_name.strip(), email.strip()
    _check_new_user(handle, display_name, email)
    user_uuid = str(uuid.uuid4())
    values = {
        "uuid": user_uuid,
        "handle": handle,
        "display_name": display_name,
        "email": email,
    }
    with refusing_duplicates(), db.transaction() as transaction:
        taken = transaction.query_rows(load("users/taken"), {"handle": handle, "email": email})[0]
        for field in ("handle", "email"):
            if taken[field]:
                raise _duplicate(field, values[field])
        created_at = transaction.query_commit(load("users/create"), values) or now()
    return User(user_uuid, handle, display_name, email, "MOCK", _aware(created_at))


def set_cognito_user_ids(db: Queries, ids: Mapping[str, str]) -> int:
    """Store Cognito's ``ids`` by handle, all or none; the number of users that had another one."""
    changed = db.query_commit(
        load("users/set_cognito_user_ids"),
        {"handles": list(ids), "cognito_user_ids": list(ids.values())},
    )
    return int(changed or 0)


def activities_of(
    db: Queries, user_uuid: str, *, limit: int = 20, after: str | None = None
) -> Page[Activity]:
    """What the user posted, newest first. ``after`` is the cursor of the page before.

    Raises:
        InputError: ``after`` is not a cursor.
    """
    before, before_uuid = _read_cursor(after, ("infinity", _LAST_UUID))
    wanted = _uuid(user_uuid)
    if wanted is None:
        return Page((), None)
    rows = db.query_rows(
        load("activities/of_user"),
        {
            "user_uuid": wanted,
            "before": before,
            "before_uuid": before_uuid,
            "limit": limit + 1,
        },
    )
    entries = [_activity(row) for row in rows]
    last = entries[limit - 1] if len(entries) > limit else None
    cursor = _cursor(last.created_at.isoformat(), last.uuid) if last else None
    return Page(entries[:limit], cursor)


@contextmanager
def refusing_duplicates() -> Iterator[None]:
    """Raise a violated unique constraint as an InputError that names the field."""
    try:
        yield
    except PostgresError as error:
        cause = error.__cause__
        if not isinstance(cause, UniqueViolation):
            raise
        # "Key (email)=(a@example.com) already exists.", whatever the constraint is called.
        detail = (cause.diag.message_detail or "").removesuffix(" already exists.")
        field, _, value = detail.removeprefix("Key (").removesuffix(")").partition(")=(")
        raise _duplicate(field, value) from error


def _duplicate(field: str, value: str) -> InputError:
    return InputError(f"the {field} {value!r} belongs to another user", f"Choose another {field}.")


def _check_new_user(handle: str, display_name: str, email: str) -> None:
    for field, value in (("handle", handle), ("display name", display_name), ("email", email)):
        if not value:
            raise InputError(f"the {field} is empty", "Give the new user one.")
        if not is_text(value) or "\n" in value:
            raise InputError(f"the {field} {value!r} cannot be stored", "Type it again, as text.")
    if any(character.isspace() or character == "@" for character in handle):
        raise InputError(f"the handle {handle!r} holds a blank or an @", "Leave it out.")
    name, _, domain = email.rpartition("@")
    if not name or not domain or any(character.isspace() for character in email):
        raise InputError(f"{email!r} is not an email address", "It looks like name@example.com")


def _rows_of(db: Queries, statement: str, name: str, values: set[str]) -> list[Row]:
    askable = sorted(value for value in values if is_text(value))
    return db.query_rows(load(statement), {name: askable}) if askable else []


def _user(row: Row) -> User:
    # Cruddur's own tables may hold nulls where ours hold text.
    handle = row["handle"] or ""
    return User(
        uuid=str(row["uuid"]),
        handle=handle,
        display_name=row["display_name"] or handle,
        email=row["email"] or "",
        cognito_user_id=row["cognito_user_id"] or "MOCK",
        created_at=_aware(row["created_at"]),
    )


def _activity(row: Row) -> Activity:
    reply_to, expires_at = row["reply_to_activity_uuid"], row["expires_at"]
    return Activity(
        uuid=str(row["uuid"]),
        user_uuid=str(row["user_uuid"]),
        message=row["message"],
        replies_count=row["replies_count"] or 0,
        reposts_count=row["reposts_count"] or 0,
        likes_count=row["likes_count"] or 0,
        reply_to_activity_uuid=None if reply_to is None else str(reply_to),
        expires_at=None if expires_at is None else _aware(expires_at),
        created_at=_aware(row["created_at"]),
    )


def _aware(instant: datetime) -> datetime:
    """``instant`` in UTC. Cruddur's own columns carry no zone; they are written in UTC."""
    if instant.tzinfo is None:
        return instant.replace(tzinfo=UTC)
    return instant.astimezone(UTC)


def _uuid(text: str) -> str | None:
    try:
        return str(uuid.UUID(text))
    except (ValueError, AttributeError, TypeError):
        return None


def _escaped(text: str) -> str:
    """``text`` as a LIKE pattern that means itself."""
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")


def _cursor(*key: str) -> str:
    return json.dumps(key)


def _read_cursor(cursor: str | None, start: tuple[str, str]) -> tuple[str, str]:
    if cursor is None:
        return start
    try:
        key: Any = json.loads(cursor)
        first, second = key
        if not isinstance(first, str) or not is_text(first):
            raise InputError("not a cursor of this list", "Start at its first page.")
        return first, str(uuid.UUID(second))
    except (ValueError, TypeError, AttributeError) as error:
        raise InputError("not a cursor of this list", "Start at its first page.") from error
