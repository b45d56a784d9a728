"""The demo users and their activities."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from core.errors import SettingsError
from core.postgres.database import Database
from core.postgres.statements import load
from core.postgres.users import bare_handle, refusing_duplicates
from core.settings import Settings

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:cruddur:users")


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """A demo user that :func:`seed_demo_data` adds."""

    handle: str
    display_name: str
    email: str

    @property
    def uuid(self) -> str:
        """Derived from the handle, so that seeding again keeps the person's messages reachable."""
        return str(uuid.uuid5(_NAMESPACE, self.handle))


@dataclass(frozen=True, slots=True)
class Seeded:
    """How many demo users and activities were missing and have been added."""

    users: int
    activities: int


_DEFAULTS = (
    DemoPerson("andrewbrown", "Andrew Brown", "andrew.brown@example.com"),
    DemoPerson("bayko", "Andrew Bayko", "bayko@example.com"),
    DemoPerson("londo", "Londo Mollari", "londo.mollari@example.com"),
)


def demo_people(settings: Settings) -> tuple[DemoPerson, ...]:
    """The demo users: first the two that the settings may replace, then the rest.

    Raises:
        SettingsError: a replacement is incomplete, or two of them share a handle or an email.
    """
    first = {
        "username": settings.user1_username,
        "name": settings.user1_name,
        "email": settings.user1_email,
    }
    second = {
        "username": settings.user2_username,
        "name": settings.user2_name,
        "email": settings.user2_email,
    }
    people = (
        _replaced(_DEFAULTS[0], "user1", first),
        _replaced(_DEFAULTS[1], "user2", second),
        *_DEFAULTS[2:],
    )
    for what, values in (
        ("handle", [person.handle for person in people]),
        ("email", [person.email for person in people]),
    ):
        twice = next((value for value in values if values.count(value) > 1), None)
        if twice is not None:
            raise SettingsError(
                f"Two demo users have the {what} {twice!r}",
                "Set different values in user1_… and user2_….",
            )
    return people


def _replaced(default: DemoPerson, prefix: str, settings: Mapping[str, str | None]) -> DemoPerson:
    values = {name: value for name, value in settings.items() if value}
    if not values:
        return default
    missing = [f"{prefix}_{name}" for name in settings if name not in values]
    if missing:
        raise SettingsError(
            f"{' and '.join(missing)} not set, but other {prefix}_… variables are",
            f"Set all three of {prefix}_name, {prefix}_email and {prefix}_username, or none.",
        )
    return DemoPerson(bare_handle(values["username"]), values["name"], values["email"])


def seed_demo_data(db: Database, settings: Settings) -> Seeded:
    """Add the demo data that is missing; existing rows stay as they are.

    A user with a demo handle counts as existing, whatever the uuid: it may be Cruddur's own.

    Raises:
        InputError: another user has the email of a demo user. Nothing was added.
    """
    people = demo_people(settings)
    with refusing_duplicates(), db.transaction() as transaction:
        transaction.query_commit(load("users/lock"))
        added = transaction.query_commit(
            load("seed"),
            {
                "uuids": [person.uuid for person in people],
                "handles": [person.handle for person in people],
                "display_names": [person.display_name for person in people],
                "emails": [person.email for person in people],
            },
        )
    return Seeded(**added) if added else Seeded(0, 0)
