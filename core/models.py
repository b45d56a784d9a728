"""What crosses the boundary between the stores and their callers: plain, frozen data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

Entry = TypeVar("Entry")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who takes part in conversations, as the message items name them."""

    uuid: str
    handle: str
    display_name: str


@dataclass(frozen=True, slots=True)
class User:
    """A row of ``public.users``. ``cognito_user_id`` is ``'MOCK'`` until Cognito's is known."""

    uuid: str
    handle: str
    display_name: str
    email: str
    cognito_user_id: str
    created_at: datetime

    @property
    def person(self) -> Person:
        return Person(self.uuid, self.handle, self.display_name)


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation.

    ``sort_key`` is stored as it was written (the order of a conversation is its byte order);
    ``created_at`` is the instant it names, aware and in UTC, or None where it names none.
    """

    message_group_uuid: str
    message_uuid: str
    sender: Person
    text: str
    sort_key: str
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class Conversation:
    """One line of a member's inbox: the other person and the last message.

    ``last_message_at`` is aware and in UTC, or None where ``sort_key`` names no instant.
    """

    message_group_uuid: str
    owner_uuid: str
    other: Person
    last_message: str
    sort_key: str
    last_message_at: datetime | None


@dataclass(frozen=True, slots=True)
class Page(Generic[Entry]):
    """A run of entries in the order they were asked for.

    ``cursor`` asks for the entries that follow, in the same direction; None at the end. It is
    opaque: made by the store, valid for the same question only, safe to keep for any time.
    """

    entries: Sequence[Entry]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class SentMessage:
    """An acknowledged send. ``started`` is True when it began the conversation."""

    message: Message
    recipient: Person
    started: bool
