"""Inbox rows put where there were none: others may put theirs at the same time, and one is left."""

from __future__ import annotations

from collections.abc import Sequence

from core.dynamodb.client import Table
from core.dynamodb.projection import bring
from core.dynamodb.reads import inbox_rows
from core.models import Conversation, Message, Person


def list_again(table: Table, message: Message, owner: str, other: Person) -> bool:
    """Show a lost conversation in the owner's inbox, with its newest message; True if it does.

    ``message`` is one of it. Somebody may send meanwhile: one row is left.
    """
    return bring(table, message, owner, other, [])


def settle(
    table: Table, message: Message, members: tuple[Person, Person], rows: Sequence[Conversation]
) -> None:
    """Leave each member one row, where others may have put one at the time that we did.

    ``rows`` are the conversation's as they were read before ``message`` was stored with rows of its
    own. Only a member who had none is looked at: 1 RCU per 4 KB of the inbox.
    """
    if table.dry:
        return
    for owner, other in (members, members[::-1]):
        if all(row.owner_uuid != owner.uuid for row in rows):
            there = inbox_rows(table, owner.uuid, message.message_group_uuid)
            bring(table, message, owner.uuid, other, there)
