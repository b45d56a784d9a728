"""Patterns C and D: the path of a message into the table.

One transaction puts the message and moves both members' inbox rows to it. Its conditions make a
concurrent send cancel it. Then the rows are read again, consistently, and the transaction is
retried; the message's key stays the same until another message is found under it. So a lost reply
never doubles a message, and an inbox row never moves backwards.
"""

from __future__ import annotations

import contextlib
import uuid
from dataclasses import dataclass, field, replace

from core.dynamodb.patterns.erasure_reads import (
    check_no_erasure,
    check_not_erased,
    names_each_other,
    refuse_erased,
)
from core.dynamodb.patterns.reads import (
    conversation_of,
    find_message,
    inbox_row,
    inbox_row_at,
    list_rows_of,
    newest_message,
    pair_group,
)
from core.dynamodb.patterns.removal_reads import find_removal
from core.dynamodb.patterns.row_moves import settle
from core.dynamodb.patterns.transactions import (
    Action,
    Outcome,
    check_not_removed,
    commit,
    move_rows,
    nudge,
    put_message,
    put_pair,
)
from core.dynamodb.retries import Backoff
from core.dynamodb.schema import require_index
from core.dynamodb.table import Table
from core.errors import MessageRemovedError, MessageUnconfirmedError, StoreError
from core.models import InboxRow, Message, Person
from core.timestamps import now, parse, sort_key, sort_key_after


@dataclass(frozen=True, slots=True)
class Draft:
    """A message that is not stored yet.

    A retry of an unconfirmed send carries the ``message_uuid`` and, as ``tried_from``, the
    ``created_at`` of :class:`~core.errors.MessageUnconfirmedError`.
    """

    sender: Person
    recipient: Person
    text: str
    message_uuid: str = field(default_factory=lambda: str(uuid.uuid4()))
    tried_from: str | None = None

    def message(self, message_group_uuid: str, key: str) -> Message:
        return Message(
            message_group_uuid, self.message_uuid, self.sender, self.text, key, parse(key)
        )


def send(
    table: Table,
    message_group_uuid: str,
    draft: Draft,
    rows: list[InboxRow] | None = None,
) -> Message:
    """Pattern D: add a message to a conversation. Returns the message as it is stored.

    Two requests, 0.5 RCU and 14 WCU for items of up to 1 KB; more only under contention.
    ``rows`` are the conversation's inbox rows where the caller has just read them: it is the
    caller who checks that the sender is a member.

    Raises:
        MessageUnconfirmedError: no answer came for too long; carries what a retry needs.
        MessageRemovedError: an earlier try was stored, and its message has been removed since.
        MemberErasedError: the recipient or the sender was erased.
        StoreError: it is certain that nothing was stored.
    """
    return _Sending(table, message_group_uuid, draft).run(rows)


class _Sending:
    """One send, with all its retries.

    ``unknown`` is True once a try of it may have been stored: from then on nothing is certain
    until the message is found, or its removal: a removed message is not stored again. ``key`` is
    where it can be: it moves on only once it is certain that no try so far was stored, or can be
    yet. ``first_key`` is where it can have been first.
    """

    def __init__(self, table: Table, message_group_uuid: str, draft: Draft) -> None:
        self.table = table
        self.group = message_group_uuid
        self.draft = draft
        self.members = (draft.sender, draft.recipient)
        self.rows: list[InboxRow] = []
        self.key = draft.tried_from or ""
        self.first_key = self.key
        self.unknown = draft.tried_from is not None
        self.nudges: dict[str, int] = {}
        self.last_checks = 0

    def run(self, rows: list[InboxRow] | None) -> Message:
        try:
            self.rows = list_rows_of(self.table, self.group) if rows is None else rows
            return self._stored() or self._run()
        except StoreError as error:
            if self.unknown:
                raise unconfirmed(self.draft, self.key) from error
            raise

    def _run(self) -> Message:
        if not self.key:
            self.key = self.first_key = sort_key_after(self._last(), now())
        backoff = Backoff()
        if len({row.owner_uuid for row in self.rows}) < len(self.members):
            self._read_rows_again()  # the index lags, or a row is missing
        while True:
            message = self.draft.message(self.group, self.key)
            newest = self._would_be_newest()
            moves = move_rows(
                self.table, message, self.members, self.rows, self.nudges, newest=newest
            )
            checks = self._checks(message)
            actions = [put_message(self.table, message), *(action for _, action in moves)]
            outcome = commit(self.table, actions + checks)
            if outcome.committed:
                self._settle(message)
                return message
            if (stored := self._already_stored(outcome, len(actions + checks))) is not None:
                return stored
            nudge(self.nudges, moves, [n - 1 for n in outcome.failed if 0 < n <= len(moves)])
            if 0 in outcome.failed:  # another message has the key: ours needs a new one
                self.key = max(sort_key_after(self.key, now()), sort_key_after(self._last(), now()))
            if outcome.final or not backoff.pause():
                raise outcome.error or StoreError("Could not store the message", "Try again.")
            self._read_rows_again()
            if not self.unknown:  # our message is not stored: move it after newer messages
                self.key = max(self.key, sort_key_after(self._last(), now()))

    def _settle(self, message: Message) -> None:
        with contextlib.suppress(StoreError):  # the message is stored; a repair can do this later
            settle(self.table, message, self.members, self.rows)

    def _would_be_newest(self) -> bool:
        """Whether no stored message is newer than this one would be.

        Normally the rows say so. Only if a row is later than the key, the message is looked up: the
        row may show a newer message, or an older one that moved by a microsecond.
        """
        if (self._last() or "") < self.key:
            return True
        senders = [member.uuid for member in self.members]
        newest = newest_message(self.table, self.group, senders=senders, consistent=True)
        return newest is None or newest.sort_key < self.key

    def _checks(self, message: Message) -> list[Action]:
        """Make sure of what the rows and the message's key do not say: erasures come last."""
        checks = check_not_removed(self.table, message) if self.unknown else []
        erasures: list[Action] = []
        if not names_each_other(self.rows, self.members):
            # If both rows are there, their conditions are enough: an erasure changes them.
            erasures = check_not_erased(self.table, *(member.uuid for member in self.members))
            erasures.append(check_no_erasure(self.table, self.group))
        self.last_checks = len(erasures)
        return checks + erasures

    def _already_stored(self, outcome: Outcome, count: int) -> Message | None:
        """This very message, if an earlier try of it was committed after all.

        Raises:
            MessageRemovedError, MemberErasedError: it is not stored, and cannot be.
        """
        in_the_way = outcome.message_in_the_way(0)
        if in_the_way is not None and in_the_way.message_uuid == self.draft.message_uuid:
            return in_the_way
        if self.unknown and outcome.failed:  # another may have the key where ours was
            self._refuse_removed()
        if any(position >= count - self.last_checks for position in outcome.failed):
            return self._stored() or refuse_erased(self.group)
        if not outcome.unknown:
            return None
        self.unknown = True
        try:
            return self._stored()
        except StoreError:
            return None  # still no answer: the next try will show

    def _stored(self) -> Message | None:
        """The message, if an unconfirmed try has stored it."""
        if not self.unknown:
            return None
        stored = find_message(self.table, self.group, self.draft.message_uuid, since=self.key)
        if stored is None:
            self._refuse_removed()
        return stored

    def _refuse_removed(self) -> None:
        uuid, since = self.draft.message_uuid, self.first_key
        if find_removal(self.table, self.group, uuid, since=since) is not None:
            raise MessageRemovedError(
                "The message was stored, and has been removed since",
                "It was not stored again. Send another one if you still want to.",
            )

    def _last(self) -> str | None:
        return max((row.sort_key for row in self.rows), default=None)

    def _read_rows_again(self) -> None:
        """Read each member's rows from the base table: the index may lag behind it."""
        try:
            self.rows = [row for member in self.members for row in self._rows_of(member.uuid)]
        except StoreError:
            if not self.unknown:
                raise
            # Keep the earlier rows: the conditions detect a change.

    def _rows_of(self, owner: str) -> list[InboxRow]:
        """The owner's newest row, and the other rows that were read earlier and still exist."""
        newest = inbox_row(self.table, owner, self.group)
        if newest is None:
            return []
        seen = [row.sort_key for row in self.rows if row.owner_uuid == owner]
        older = (key for key in seen if key != newest.sort_key and len(seen) > 1)
        others = [inbox_row_at(self.table, owner, key) for key in older]
        return [newest, *(r for r in others if r and r.message_group_uuid == self.group)]


def unconfirmed(draft: Draft, key: str) -> MessageUnconfirmedError:
    return MessageUnconfirmedError(
        "DynamoDB did not answer: the message may or may not be stored",
        "Check the conversation before you send it again.",
        message_uuid=draft.message_uuid,
        created_at=key,
    )


def start(table: Table, draft: Draft) -> tuple[Message, bool]:
    """Pattern C: a message to one person. Returns it, and whether it is their first.

    If the two already have a conversation, it is continued, even if other software made it or both
    start at once. One request and 1 RCU more than :func:`send` where the pair is known; three reads
    and one transaction of 14 WCU for a new conversation.

    Raises:
        MessageUnconfirmedError, MemberErasedError, StoreError: as :func:`send`.
    """
    backoff = Backoff()
    own_group = str(uuid.uuid4())
    message = draft.message(own_group, draft.tried_from or sort_key(now()))
    members, pair = (draft.sender, draft.recipient), (draft.sender.uuid, draft.recipient.uuid)
    nudges: dict[str, int] = {}
    unknown = draft.tried_from is not None
    while True:
        moves = move_rows(table, message, members, [], nudges)
        actions = [
            put_pair(table, *pair, own_group),
            put_message(table, message),
            *(action for _, action in moves),
        ]
        try:
            group = existing_group(table, *pair)
            if group is not None:
                break
            outcome = commit(table, [*actions, *check_not_erased(table, *pair)])
            if (begun := _begun(table, draft, message, outcome, unknown)) is not None:
                return begun, True
            unknown = unknown or outcome.unknown
            nudge(nudges, moves, [n - 2 for n in outcome.failed if 2 <= n < len(actions)])
            if outcome.final or not backoff.pause():
                raise outcome.error or StoreError("Could not start the conversation", "Try again.")
        except StoreError as error:
            if unknown:
                raise unconfirmed(draft, message.sort_key) from error
            raise
    if unknown or group == own_group:  # one of our tries was committed, whatever its reply
        draft = replace(draft, tried_from=message.sort_key)
    return send(table, group, draft), group == own_group


_START_ACTIONS = 4
"""The pair, the message and both rows; two checks of the users follow."""


def _begun(
    table: Table, draft: Draft, message: Message, outcome: Outcome, unknown: bool
) -> Message | None:
    """The message that has begun a conversation; None if another try is to be made.

    Raises:
        MemberErasedError: one of the two was erased, and no try was stored before.
    """
    if outcome.committed:
        return message
    if not any(position >= _START_ACTIONS for position in outcome.failed):
        return None
    stored = None
    if unknown:
        group = message.message_group_uuid
        stored = find_message(table, group, draft.message_uuid, since=message.sort_key)
    return stored or refuse_erased(may_be_stored=unknown)


def existing_group(table: Table, one: str, other: str) -> str | None:
    """The conversation of two people, or None. Stores the pair if it was missing, before all else.

    If there is no pair yet, both inboxes are searched for a group made by other software, and
    the newest is used.
    """
    if (group := pair_group(table, one, other)) is not None:
        return group
    if (group := conversation_of(table, one, other)) is None:
        require_index(table)  # later messages need it: a conversation must not begin without
        return None
    put = put_pair(table, one, other, group)
    backoff = Backoff()
    while True:
        outcome = commit(table, [put, *check_not_erased(table, one, other)])
        if outcome.committed or outcome.failed - {0}:  # an erased user is refused later
            return group
        # Another writer stored the pair first; its conversation counts.
        if (stored := pair_group(table, one, other)) is not None:
            return stored
        # Without a pair, another try might not find the conversation, and begin a second one.
        if outcome.final or not backoff.pause():
            raise outcome.error or StoreError("Could not store the pair", "Try again.")
