"""Gives a user another handle, display name or email."""

from __future__ import annotations

from core.errors import InputError
from core.models import User
from core.postgres.database import Database
from core.postgres.handles import bare_handle
from core.postgres.statements import load
from core.postgres.users import check_values, find_user_by_uuid, refusing_duplicates


def rename_user(
    db: Database, user_uuid: str, *, new_handle: str = "", display_name: str = "", email: str = ""
) -> User:
    """The user ``user_uuid`` after the change. Empty values change nothing.

    Raises:
        NotFoundError: there is no such user.
        InputError: a value is invalid, or another user has the handle or the email.
    """
    with refusing_duplicates(), db.transaction() as transaction:
        user = find_user_by_uuid(transaction, user_uuid)
        values = {
            "uuid": user.uuid,
            "handle": bare_handle(new_handle) or user.handle,
            "display_name": display_name.strip() or user.display_name,
            "email": email.strip() or user.email,
        }
        renamed = User(
            user.uuid,
            values["handle"],
            values["display_name"],
            values["email"],
            user.cognito_user_id,
            user.created_at,
        )
        if renamed == user:
            return user
        # A stored value may be one that nobody can type: Cruddur's sign-up stores any.
        changed = {name: value for name, value in values.items() if value != getattr(user, name)}
        check_values(changed)
        taken = transaction.query_rows(load("users/taken_by_others"), values)[0]
        for field in ("handle", "email"):
            if taken[field]:
                raise InputError(
                    f"The {field} {values[field]!r} belongs to another user",
                    f"Choose another {field}.",
                )
        transaction.query_commit(load("users/rename"), values)
    return renamed
