"""Cruddur's users and what they post."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from psycopg.errors import UniqueViolation

from core import cursors
from core.errors import InputError, NotFoundError, PostgresError
from core.models import Page, Person, User
from core.postgres.database import Database, Queries, Row
from core.postgres.handles import bare_handle as bare_handle, is_text, no_such_user
from core.postgres.searches import Statements, search
from core.postgres.statements import load
from core.timestamps import now

_ACTIVITIES = "activities"
_LAST_UUID = str(uuid.UUID(int=2**128 - 1))


@dataclass(frozen=True, slots=True)
class Activity:
    """A row of ``public.activities``: something a user posted. Times are aware and in UTC.

    A time is None if it is one that Python cannot hold, like ``infinity``.
    """

    uuid: str
    user_uuid: str
    message: str
    replies_count: int
    reposts_count: int
    likes_count: int
    reply_to_activity_uuid: str | None
    expires_at: datetime | None
    created_at: datetime | None


def find_user(db: Queries, handle: str) -> User:
    """The user called ``handle``.

    Raises:
        NotFoundError: there is none.
    """
    users = find_users_by_handle(db, [handle])
    if handle not in users:
        raise no_such_user(db, handle)
    return users[handle]


def find_users_by_handle(db: Queries, handles: Iterable[str]) -> dict[str, User]:
    """The users with these handles, by the handle as it was typed. Unknown ones are left out.

    Where Cruddur's own table holds a handle twice, this gives the older user.
    """
    # A handle is tried as it was typed first: a stored one may begin with an @ or hold blanks.
    readings_of = {handle: (handle, handle.strip(), bare_handle(handle)) for handle in handles}
    candidates = {reading for readings in readings_of.values() for reading in readings}
    rows = _rows_of(db, "users/by_handles", "handles", candidates)
    users = {user.handle: user for user in map(_user, reversed(rows))}
    matches = {
        handle: next((users[reading] for reading in readings if reading in users), None)
        for handle, readings in readings_of.items()
    }
    return {handle: user for handle, user in matches.items() if user is not None}


def find_users_by_uuid(db: Queries, uuids: Iterable[str]) -> dict[str, User]:
    """The users with these uuids, by the uuid as it was typed.

    Unknown uuids are left out, and so are invalid ones.
    """
    wanted = {user_uuid: parsed for user_uuid in uuids if (parsed := _uuid(user_uuid)) is not None}
    rows = _rows_of(db, "users/by_uuids", "uuids", set(wanted.values()))
    users = {user.uuid: user for user in map(_user, rows)}
    return {user_uuid: users[parsed] for user_uuid, parsed in wanted.items() if parsed in users}


def find_user_by_uuid(db: Queries, user_uuid: str) -> User:
    """The user ``user_uuid``, whatever the handle is now.

    Raises:
        NotFoundError: there is none.
    """
    user = find_users_by_uuid(db, [user_uuid]).get(user_uuid)
    if user is None:
        raise NotFoundError(f"There is no user {user_uuid}", "The user may have been erased.")
    return user


def find_people_by_uuid(db: Queries, uuids: Iterable[str]) -> dict[str, Person]:
    """As :func:`find_users_by_uuid`, without emails: opening Postgres for looking is enough."""
    wanted = {user_uuid: parsed for user_uuid in uuids if (parsed := _uuid(user_uuid)) is not None}
    rows = _rows_of(db, "users/people_by_uuids", "uuids", set(wanted.values()))
    people = {person.uuid: person for person in map(_person, rows)}
    return {user_uuid: people[parsed] for user_uuid, parsed in wanted.items() if parsed in people}


def search_users(
    db: Queries, text: str, *, limit: int = 20, after: str | None = None
) -> Page[User]:
    """Users whose handle, display name or email contains ``text``.

    First those whose handle begins with it, then the others in the order of handles. An empty
    ``text`` matches every user. ``after`` is the cursor of the page before; a page may have fewer
    than ``limit`` users, or none, before the last. Users without a handle are left out.

    Raises:
        InputError: ``after`` is not a cursor.
    """
    statements = Statements(load("users/beginning"), load("users/search"))
    rows, cursor = search(db, statements, text, limit, after)
    return Page([_user(row) for row in rows], cursor)


def count_users(db: Queries) -> int:
    """The number of users."""
    return int(db.query_value(load("users/count")))


def create_user(
    db: Database, handle: str, display_name: str, email: str, *, user_uuid: str | None = None
) -> User:
    """The user that was added. Cognito does not know them yet.

    Raises:
        InputError: a value is missing or invalid, or another user has the handle or the email.
    """
    handle, display_name, email = bare_handle(handle), display_name.strip(), email.strip()
    check_user(handle, display_name, email)
    user_uuid = user_uuid or str(uuid.uuid4())
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
    """Store Cognito's ``ids`` by user uuid, all or none; returns how many users changed."""
    changed = db.query_commit(
        load("users/set_cognito_user_ids"),
        {"uuids": list(ids), "cognito_user_ids": list(ids.values())},
    )
    return int(changed or 0)


def find_users_by_bare_handle(db: Queries, handles: Iterable[str]) -> list[User]:
    """The users with one of these ``handles``, oldest first. Reads the whole table.

    Blanks around a stored handle and a leading ``@`` are ignored.
    """
    rows = _rows_of(db, "users/by_bare_handles", "handles", set(handles))
    return [_user(row) for row in rows]


def find_person(db: Queries, handle: str) -> Person:
    """The person with this handle, without an email: opening Postgres for looking is enough.

    The handle is tried as it was typed first, then without blanks and a leading ``@``.

    Raises:
        NotFoundError: no user has the handle.
    """
    readings = [handle, handle.strip(), bare_handle(handle)]
    rows = db.query_rows(load("users/person"), {"handles": readings}) if is_text(handle) else []
    if not rows:
        raise no_such_user(db, handle)
    return _person(rows[0])


def search_people(
    db: Queries, text: str, *, limit: int = 20, after: str | None = None
) -> Page[Person]:
    """People whose handle or display name contains ``text``, in the order of :func:`search_users`.

    An empty ``text`` matches everyone. Emails are left out: opening Postgres for looking is
    enough. ``after`` is the cursor of the page before. Users without a handle are left out.

    Raises:
        InputError: ``after`` is not a cursor.
    """
    statements = Statements(load("users/people_beginning"), load("users/people"))
    rows, cursor = search(db, statements, text, limit, after)
    return Page([_person(row) for row in rows], cursor)


def count_activities(db: Queries, user_uuid: str) -> int:
    """The number of a user's activities. Opening Postgres for looking is enough."""
    return int(db.query_value(load("activities/count_of_user"), {"user_uuid": user_uuid}) or 0)


def list_activities(
    db: Queries, user_uuid: str, *, limit: int = 20, after: str | None = None
) -> Page[Activity]:
    """A page of the user's activities, newest first. ``after`` is the cursor of the page before.

    Raises:
        InputError: ``after`` is not a cursor.
    """
    before, before_uuid = _read_cursor(after, _ACTIVITIES, ("infinity", _LAST_UUID))
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
    last = rows[limit - 1] if len(rows) > limit else None
    # The time as Postgres writes it: Python may not be able to hold it.
    place = [last["created_at_text"], str(last["uuid"])] if last else None
    cursor = cursors.encode(_ACTIVITIES, place) if place else None
    return Page([_activity(row) for row in rows[:limit]], cursor)


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
    return InputError(f"The {field} {value!r} belongs to another user", f"Choose another {field}.")


def check_user(handle: str, display_name: str, email: str) -> None:
    """Refuse values that no user can have.

    Raises:
        InputError: a value is missing or invalid.
    """
    check_values({"handle": handle, "display_name": display_name, "email": email})


def check_values(values: Mapping[str, str]) -> None:
    """Refuse values that no user can have; ``values`` has some of a user's, by field.

    Raises:
        InputError: a value is empty or invalid.
    """
    for name, value in values.items():
        field = name.replace("_", " ")
        if not value:
            raise InputError(f"The {field} is empty", "Enter one.")
        if not is_text(value) or "\n" in value:
            raise InputError(
                f"The {field} {value!r} cannot be stored", "Type it again as plain text."
            )
    handle = values.get("handle", "")
    if any(character.isspace() or character == "@" for character in handle):
        raise InputError(f"The handle {handle!r} contains a blank or an @", "Remove it.")
    if (email := values.get("email")) is not None:
        _check_email(email)


def _check_email(email: str) -> None:
    name, _, domain = email.rpartition("@")
    if not name or not domain or any(character.isspace() for character in email):
        raise InputError(f"{email!r} is not an email address", "Enter one like name@example.com.")


def _rows_of(db: Queries, statement: str, name: str, values: set[str]) -> list[Row]:
    askable = sorted(value for value in values if is_text(value))
    return db.query_rows(load(statement), {name: askable}) if askable else []


def _person(row: Row) -> Person:
    handle = row["handle"] or ""
    return Person(str(row["uuid"]), handle, row["display_name"] or handle)


def _user(row: Row) -> User:
    # Cruddur's own tables may have nulls where ours have text.
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
    reply_to = row["reply_to_activity_uuid"]
    return Activity(
        uuid=str(row["uuid"]),
        user_uuid=str(row["user_uuid"]),
        message=row["message"],
        replies_count=row["replies_count"] or 0,
        reposts_count=row["reposts_count"] or 0,
        likes_count=row["likes_count"] or 0,
        reply_to_activity_uuid=None if reply_to is None else str(reply_to),
        expires_at=_aware(row["expires_at"]),
        created_at=_aware(row["created_at"]),
    )


def _aware(instant: datetime | None) -> datetime | None:
    """``instant`` in UTC. Cruddur's own columns have no time zone; their values are in UTC."""
    if instant is None:
        return None
    if instant.tzinfo is None:
        return instant.replace(tzinfo=UTC)
    return instant.astimezone(UTC)


def _uuid(text: str) -> str | None:
    try:
        return str(uuid.UUID(text))
    except (ValueError, AttributeError, TypeError):
        return None


def _read_cursor(cursor: str | None, question: str, start: tuple[str, str]) -> tuple[str, str]:
    """The text and the uuid of the last row of the page that ``cursor`` came with."""
    if cursor is None:
        return start
    place = cursors.decode(cursor, question)
    try:
        first, row_uuid = place
        if isinstance(first, str) and is_text(first):
            return first, str(uuid.UUID(row_uuid))
    except (ValueError, TypeError, AttributeError):
        pass
    raise cursors.invalid()
