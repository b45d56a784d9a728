"""Erases a user from both stores: first the plan, then the work, then the certificate."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from core.access import Stores
from core.commands import Command, option
from core.dynamodb import (
    ErasurePlan,
    Table,
    close_erasure,
    end_erasure,
    erase_user,
    erased_digests,
    find_erased_user,
    find_hold,
    plan_erasure,
)
from core.errors import HeldError, InputError, NotFoundError
from core.models import Person, User
from core.postgres import (
    Database,
    count_activities,
    delete_user,
    find_people_by_digest,
    find_people_by_uuid,
    find_person,
    find_users_by_uuid,
)
from core.usecases.certificates import Certificate, known_copies, remainders
from core.wording import counted

Progress = Callable[[str, int], None]
"""Receives the name of what is done now, and how many are done."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What an erasure would remove from both stores, and what it would cost."""

    user_uuid: str
    activities: int
    table: ErasurePlan

    def __str__(self) -> str:
        table = self.table
        return (
            f"{counted(table.messages, 'message')} in"
            f" {counted(table.conversations, 'conversation')},"
            f" {counted(table.pairs, 'pair')},"
            f" {counted(self.activities, 'activity', 'activities')} and the profile,"
            f" for about {table.read_units:,.0f} RCU and {table.write_units:,.0f} WCU"
        )


def whom(db: Database, handle: str, user_uuid: str = "", *, reason: str = "") -> str:
    """The uuid of the user to erase: by handle, or by the uuid where Postgres has them no more.

    ``reason`` is what was typed already. It is refused here, before the audit has it, if it names
    the user; only :func:`erase` may read the email to compare that, too.

    Raises:
        NotFoundError: there is no such user.
        InputError: ``user_uuid`` is not a uuid, or the reason names the user.
    """
    person = _whom_by_uuid(db, user_uuid) if user_uuid else find_person(db, handle)
    if reason:
        _refuse_words((person.uuid, person.handle, person.display_name), reason)
    return person.uuid


def _whom_by_uuid(db: Database, typed: str) -> Person:
    try:
        user_uuid = str(UUID(typed))
    except ValueError:
        raise InputError(f"{typed!r} is not a uuid", "Copy it from the audit.") from None
    return find_people_by_uuid(db, [user_uuid]).get(user_uuid, Person(user_uuid, "", ""))


def plan(stores: Stores, user_uuid: str) -> Plan:
    """What :func:`erase` would do. Only counts, so opening both for verifying is enough.

    Raises:
        HeldError: there is a hold on the user.
        NotFoundError: neither store knows the user.
    """
    known = find_people_by_uuid(stores.db, [user_uuid]).get(user_uuid)
    _refuse_held(stores.table, user_uuid, known.handle if known else "")
    counts = plan_erasure(stores.table, user_uuid)
    if not known and counts.is_empty and not find_erased_user(stores.table, user_uuid):
        raise NotFoundError(f"Neither store has a user {user_uuid}", "Nothing is left to erase.")
    return Plan(user_uuid, count_activities(stores.db, user_uuid), counts)


def erase(
    stores: Stores,
    user_uuid: str,
    *,
    audit_path: Path,
    pool_id: str | None = None,
    progress: Progress = lambda _, __: None,
) -> Certificate:
    """Remove a user from both stores; Postgres comes last, so that the handle still finds them.

    It may be stopped at any moment and run again, with the same result. The certificate counts what
    all runs removed.

    Raises:
        HeldError: there is a hold on the user. What was not removed yet stays.
        InputError: the reason names the user. Nothing was removed.
        AuditError: the audit, which names the copies, cannot be read.
        StoreError: a store did not answer. Run it again.
    """
    reason = stores.grant.reason
    known = find_users_by_uuid(stores.db, [user_uuid])
    refuse_names(known.get(user_uuid, User(user_uuid, "", "", "", "", None)), reason)
    known_copies(audit_path)  # a damaged audit is found before anything is removed
    before = find_erased_user(stores.table, user_uuid)
    erase_user(stores.table, user_uuid, progress)
    there = {"profiles": len(known), "activities": count_activities(stores.db, user_uuid)}
    record = close_erasure(stores.table, user_uuid, there)  # the counts survive if it is killed now
    users, activities = delete_user(stores.db, user_uuid)
    if users or activities or before is None or before.removed != record.removed:
        removed = {"profiles": users, "activities": activities}
        record = end_erasure(stores.table, record, removed)
    target = stores.target
    return Certificate(
        reference=record.reference,
        begun_at=record.begun_at,
        erased_at=record.erased_at,
        by=stores.grant.actor.described(),
        why=reason,
        stores=(target.describe_postgres(), target.describe_dynamodb()),
        removed=record.removed,
        remains=remainders(target.table_name, record.erased_at, pool_id, known_copies(audit_path)),
    )


def erased_and_back(db: Database, table: Table) -> Sequence[Person]:
    """The users that Postgres has although they were erased: a dump from before was restored.

    Opening both stores for looking is enough.
    """
    return find_people_by_digest(db, erased_digests(table))


def _refuse_held(table: Table, user_uuid: str, handle: str) -> None:
    if find_hold(table, user_uuid) is not None:
        words = option("--user", handle) if handle else "--user HANDLE"
        raise HeldError(
            "There is a hold on the user",
            "Nothing was erased. See who and why",
            Command("people.show", (words,)),
        )


def refuse_names(user: User, reason: str) -> None:
    """Refuse a reason that is empty or names the user: the certificate has it, and names nobody.

    Raises:
        InputError: it is, or does.
    """
    if not reason.strip():
        raise InputError("No reason was given", "Say why you erase the user.")
    _refuse_words((user.uuid, user.handle, user.display_name, user.email), reason)


def _refuse_words(names: Iterable[str], reason: str) -> None:
    reason = " ".join(reason.split())  # as the audit has it
    for name in filter(None, names):
        if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", reason, re.IGNORECASE):
            raise InputError(
                "The reason names the user, and the certificate must not",
                "Nothing was erased. Give the number of the request, for example.",
            )
