"""Removes messages: one (a leaked password, abuse), or all before a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from core.commands import Command, option
from core.dynamodb import (
    Table,
    find_hold,
    find_message,
    find_removal,
    list_messages,
    list_messages_before,
    message_at,
    remove_message as remove_stored,
)
from core.errors import HeldError, InputError, NotFoundError
from core.models import Message, RemovalReason
from core.timestamps import MICROSECOND, Instants, parse, sort_key

_FIRST = " "
"""Sorts before every sort key."""


@dataclass(frozen=True, slots=True)
class Removed:
    """A removed message. ``was_removed_before``: this call changed nothing."""

    message_group_uuid: str
    message_uuid: str
    sort_key: str
    was_removed_before: bool


def remove_message(
    table: Table, message_group_uuid: str, *, message_uuid: str = "", at: str = ""
) -> Removed:
    """Remove the message with ``message_uuid``, or the one ``at`` a time, from a conversation.

    Both inboxes then show the newest remaining message. Running it again changes nothing. To find
    a message by its uuid costs 1 RCU per 4 KB of the conversation; by a time that its sort key has
    in another form, 0.5 RCU per 4 KB of the messages within a day of it.

    Raises:
        NotFoundError: there is no such message.
        InputError: two messages have that time.
    """
    message = _find(table, message_group_uuid, message_uuid, at)
    if message is None:
        return _removed_before(table, message_group_uuid, message_uuid, at)
    is_new = remove_stored(table, message)
    return Removed(message_group_uuid, message.message_uuid, message.sort_key, not is_new)


@dataclass(slots=True)
class Expired:
    """The counts of an expiry; ``held`` messages stay, because of a hold on the sender."""

    messages: int = 0
    conversations: int = 0
    held: int = 0

    @property
    def most_write_units(self) -> int:
        """The maximum cost of removing the messages, for items of up to 1 KB."""
        return 14 * self.messages + 6 * self.conversations


def expire(
    table: Table, before: datetime, progress: Callable[[int], None] = lambda _: None
) -> Expired:
    """Remove every message before a time, in every conversation; a dry run only counts.

    Reads the whole table: 0.5 RCU per 4 KB. It may be interrupted and run again.
    """
    done = Expired()
    last_group = ""
    for message in list_messages_before(table, before):
        if _expire_message(table, message):
            done.messages += 1
            done.conversations += message.message_group_uuid != last_group
            last_group = message.message_group_uuid
        else:
            done.held += 1
        progress(done.messages)
    return done


def _expire_message(table: Table, message: Message) -> bool:
    """True if the message is, or would be, removed; False if there is a hold on its sender."""
    if table.dry:
        return find_hold(table, message.sender.uuid or " ") is None
    try:
        remove_stored(table, message, RemovalReason.EXPIRED)
    except HeldError:
        return False
    return True


def _find(table: Table, group: str, message_uuid: str, at: str) -> Message | None:
    if message_uuid:
        return find_message(table, group, message_uuid, since=_FIRST)
    instant = parse(at)
    ours = sort_key(instant) if instant else at
    for key in dict.fromkeys([at, ours]):
        if (message := message_at(table, group, key)) is not None:
            return message
    return _at_instant(table, group, instant) if instant else None


def _at_instant(table: Table, group: str, instant: datetime) -> Message | None:
    """The message at an instant that its sort key has in another form, such as with an offset."""
    try:
        between = Instants(instant - MICROSECOND, instant + MICROSECOND)
    except OverflowError:
        return None
    messages = list_messages(table, group, limit=2, between=between).entries
    if len(messages) > 1:
        raise InputError(
            f"{len(messages)} messages have the time {sort_key(instant)}",
            "Name one with --message-uuid.",
        )
    return messages[0] if messages else None


def _removed_before(table: Table, group: str, message_uuid: str, at: str) -> Removed:
    if message_uuid and (removal := find_removal(table, group, message_uuid, since=_FIRST)):
        return Removed(group, message_uuid, removal.sort_key, was_removed_before=True)
    named = message_uuid or f"at {at}"
    raise NotFoundError(
        f"There is no message {named} in conversation {group}",
        "List its messages",
        Command("ddb.patterns.get-conversation", (option("--conversation", group), "--json")),
    )
