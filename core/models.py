"""The data that the stores and their callers exchange: plain and frozen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

Entry = TypeVar("Entry")


@dataclass(frozen=True, slots=True)
class Person:
    """A member of conversations, with the names in the message items."""

    uuid: str
    handle: str
    display_name: str

    @property
    def full_name(self) -> str:
        """``Andrew Bayko (@bayko)``; the uuid where there is no handle."""
        handle = f"@{self.handle}" if self.handle else self.uuid
        return f"{self.display_name} ({handle})" if self.display_name else handle


@dataclass(frozen=True, slots=True)
class User:
    """A row of ``public.users``. ``cognito_user_id`` is ``'MOCK'`` until Cognito's is known.

    ``created_at`` is None if the stored time is one that Python cannot hold, like ``infinity``.
    """

    uuid: str
    handle: str
    display_name: str
    email: str
    cognito_user_id: str
    created_at: datetime | None

    @property
    def person(self) -> Person:
        return Person(self.uuid, self.handle, self.display_name)


REMOVED_TEXT = "A message was removed"
"""Shown in the place of a removed message, and as the preview where no message remains."""

DELETED_NAME = "Deleted user"
"""Shown in the place of an erased user's names. No user can have it as a handle: it has a blank."""

NOBODY = Person("", "", "")
"""The sender that a removal names."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation.

    ``sort_key`` is stored as it was written (the order of a conversation is its byte order);
    ``created_at`` is the instant it names, aware and in UTC, or None where it names none.
    ``removal`` is empty, or says why the message is gone: then only its place is left.
    """

    message_group_uuid: str
    message_uuid: str
    sender: Person
    text: str
    sort_key: str
    created_at: datetime | None
    removal: str = ""


class RemovalReason(StrEnum):
    """Why a message is gone."""

    REMOVED = "removed"
    ERASED = "erased"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Removal:
    """The record of a removed message: its key, its uuid, when and why. It names no user."""

    message_group_uuid: str
    message_uuid: str
    sort_key: str
    removed_at: str
    reason_code: str

    def in_place_of(self, created_at: datetime | None) -> Message:
        """The line that a thread shows where the message was."""
        return Message(
            self.message_group_uuid,
            self.message_uuid,
            NOBODY,
            REMOVED_TEXT,
            self.sort_key,
            created_at,
            self.reason_code,
        )


@dataclass(frozen=True, slots=True)
class Erasure:
    """The record that a conversation has lost a member. It names the other one.

    ``replacement_uuid`` stands for the erased user; it is random and belongs to nobody.
    """

    message_group_uuid: str
    remaining_user_uuid: str
    replacement_uuid: str
    removed_at: str

    @property
    def replacement(self) -> Person:
        """What inbox rows show instead of the erased user."""
        return Person(self.replacement_uuid, DELETED_NAME, DELETED_NAME)

    def names(self, user_uuids: Iterable[str]) -> bool:
        """Whether these are the remaining member and the replacement, and nobody else."""
        return {*user_uuids} <= {self.remaining_user_uuid, self.replacement_uuid}


@dataclass(frozen=True, slots=True)
class Hold:
    """A user of whom nothing may be removed, since when and why."""

    user_uuid: str
    held_at: str
    reason: str


@dataclass(frozen=True, slots=True)
class InboxRow:
    """One member's stored line for a conversation: the other member and the last message.

    ``last_message_at`` is aware and in UTC, or None where ``sort_key`` names no instant.
    ``after_removal`` is the message_uuid of the removal that put the row, if one did.
    """

    message_group_uuid: str
    owner_uuid: str
    other: Person
    preview: str
    sort_key: str
    last_message_at: datetime | None
    after_removal: str = ""


def member_uuids(rows: Iterable[InboxRow]) -> tuple[str, ...]:
    """The user uuids of a conversation's two members, in order, as its rows name them.

    Empty without rows: no inbox shows the conversation. Also empty if the rows contradict each
    other: an operator must then decide who may see it.
    """
    pairs = {tuple(sorted((row.owner_uuid, row.other.uuid))) for row in rows}
    return pairs.pop() if len(pairs) == 1 else ()


Pair = tuple[str, str]
"""Two members' user uuids, in order."""


def pairs_of(rows: Iterable[InboxRow]) -> tuple[Pair, ...]:
    """The pairs of members that share a conversation's id, in order, as its rows name them.

    There should be one. Cruddur's seed gives every pair the same id, so that after its users were
    created again there are two. Empty if the rows contradict each other: one user is in two pairs.
    """
    pairs = sorted({_ordered(row.owner_uuid, row.other.uuid) for row in rows})
    uuids = [uuid for pair in pairs for uuid in pair]
    return tuple(pairs) if len(set(uuids)) == len(uuids) else ()


def rows_of_pair(rows: Iterable[InboxRow], pair: Pair) -> list[InboxRow]:
    """The rows of one of several pairs."""
    return [row for row in rows if _ordered(row.owner_uuid, row.other.uuid) == pair]


def pair_with(rows: Iterable[InboxRow], user_uuid: str) -> Pair | None:
    """The pair that a user belongs to; None if there is none or the rows contradict each other."""
    return next((pair for pair in pairs_of(rows) if user_uuid in pair), None)


def _ordered(one: str, other: str) -> Pair:
    return (one, other) if one <= other else (other, one)


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation of two members, known from its inbox rows.

    ``newest`` is the newest message if it was read, else None. Without rows, no inbox shows it.
    """

    message_group_uuid: str
    rows: Sequence[InboxRow]
    newest: Message | None = None

    @property
    def member_uuids(self) -> tuple[str, ...]:
        """See :func:`member_uuids`."""
        return member_uuids(self.rows)

    @property
    def members(self) -> tuple[Person, ...]:
        """All people that the rows name, sorted by uuid.

        A member whose name is only in a missing row has just a uuid.
        """
        people = {row.owner_uuid: Person(row.owner_uuid, "", "") for row in self.rows}
        people |= {row.other.uuid: row.other for row in self.rows}
        return tuple(people[uuid] for uuid in sorted(people) if uuid)

    @property
    def newest_row(self) -> InboxRow:
        """The row with the greatest sort key.

        Raises:
            ValueError: there is no row.
        """
        return max(self.rows, key=lambda row: row.sort_key)


@dataclass(frozen=True, slots=True)
class Page(Generic[Entry]):
    """One page of entries, in the requested order.

    ``cursor`` requests the next page; it is None on the last one. It is opaque, valid only for the
    same request, and never expires.
    """

    entries: Sequence[Entry]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class SentMessage:
    """An acknowledged send. ``started`` is True when it began the conversation.

    ``recipient_is_known`` is False if the other member is no longer in Postgres.
    """

    message: Message
    recipient: Person
    started: bool
    recipient_is_known: bool = True
