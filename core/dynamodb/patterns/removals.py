"""Removes a message: deletes it, puts its removal, and moves both inboxes to the newest remaining.

One transaction does all of it. A message is never changed in place: Cruddur's own stream function
treats a changed message as a new one. It skips deletions and all keys that are not a message's.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace

from core.commands import Command
from core.dynamodb import keys
from core.dynamodb.items import removal_item, text_of
from core.dynamodb.patterns.reads import (
    inbox_row,
    inbox_row_at,
    inbox_rows,
    list_rows_of,
    message_at,
    newest_message,
)
from core.dynamodb.patterns.removal_reads import find_removal
from core.dynamodb.patterns.transactions import (
    Action,
    Outcome,
    as_read,
    check_item,
    check_stored,
    commit,
    delete_inbox_row,
    nudge,
    nudged,
    put_inbox_row,
    put_item,
    this_message,
)
from core.dynamodb.retries import Backoff
from core.dynamodb.table import Table
from core.errors import HeldError, StoreError
from core.models import (
    REMOVED_TEXT,
    InboxRow,
    Message,
    Removal,
    RemovalReason,
    pair_with,
    pairs_of,
    rows_of_pair,
)
from core.timestamps import next_sort_key, now, parse, sort_key

_MOST_ROWS = 20
"""Rows of one member that a transaction deletes: there should be one."""


def remove_message(
    table: Table, message: Message, reason: RemovalReason = RemovalReason.REMOVED
) -> bool:
    """True if ``message`` was removed; False if it was gone before.

    Both members' inboxes then show the newest remaining message, and an inbox that has none left
    says that a message was removed. 20 WCU for the newest message, 12 for the only one, 14 for any
    other, and 2.5 or 3.5 RCU, for items of up to 1 KB.

    Raises:
        HeldError: there is a hold on the sender.
        StoreError: no answer came, or the rows keep changing. Run it again: this changes nothing if
            the message was removed.
    """
    return _Removing(table, message, reason).run()


class _ChangedError(Exception):
    """A row has changed since it was read."""


class _Removing:
    """One removal, with all its retries."""

    def __init__(self, table: Table, message: Message, reason: RemovalReason) -> None:
        self.table = table
        self.message = message
        self.group = message.message_group_uuid
        self.removal = Removal(
            self.group, message.message_uuid, message.sort_key, sort_key(now()), reason
        )
        self.rows: list[InboxRow] = []
        self.pair: tuple[str, ...] = ()
        self.newest: Message | None = None
        self.moved: list[InboxRow] = []
        self.nudges: dict[str, int] = {}
        self.place = 0

    def run(self) -> bool:
        backoff = Backoff()
        self._take(list_rows_of(self.table, self.group))
        if len({row.owner_uuid for row in self.rows}) < 2:
            self._read_rows_again()  # the index lags, or a row is missing
        unknown = False
        while True:
            self.newest = newest_message(
                self.table,
                self.group,
                senders=self.pair,
                consistent=True,
                beside=self.message.sort_key,
            )
            outcome = self._try()
            if outcome.committed:
                self._settle()
                return True
            unknown = unknown or outcome.unknown
            if self._is_gone():
                return unknown and self._is_removed()
            if outcome.final or not backoff.pause():
                raise outcome.error or StoreError("Could not remove the message", "Run it again.")
            self._read_rows_again()

    def _try(self) -> Outcome:
        try:
            moves = self._moves()
        except _ChangedError:
            return Outcome()
        actions = [self._delete(), self._put(), *(action for _, action in moves)]
        if self.newest is not None and self.moved:
            actions.append(check_stored(self.table, self.newest))
        actions.append(self._check_not_held())
        outcome = commit(self.table, actions)
        if len(actions) - 1 in outcome.failed:
            raise HeldError(
                f"There is a hold on the sender of message {self.message.message_uuid}",
                "Nothing was removed. See who and why",
                Command("people.show", ("--user HANDLE",)),
            )
        self._note(outcome, moves)
        return outcome

    def _delete(self) -> Action:
        condition, values = this_message(self.message)
        delete = {
            "TableName": self.table.name,
            "Key": keys.key(keys.message_pk(self.group), self.message.sort_key),
            "ConditionExpression": condition,
        }
        return {"Delete": delete | ({"ExpressionAttributeValues": values} if values else {})}

    def _check_not_held(self) -> Action:
        """Check that there is no hold on the sender, if the message has one."""
        key = keys.hold_key(self.message.sender.uuid or " ")
        return check_item(self.table, key, "attribute_not_exists(pk)", {})

    def _put(self) -> Action:
        """Put the removal, at its second key if the first one is taken."""
        places = keys.removal_keys(self.group, self.message.sort_key, self.message.message_uuid)
        condition = "attribute_not_exists(pk) OR message_uuid = :uuid"
        values = {":uuid": {"S": self.message.message_uuid}}
        item = removal_item(self.removal, places[self.place])
        return put_item(self.table, item, condition, values)

    def _moves(self) -> list[tuple[str, Action]]:
        """The actions for the inbox rows, each with the owner's uuid.

        Raises:
            _ChangedError: the rows have changed since they were read.
        """
        self.moved = []
        moves: list[tuple[str, Action]] = []
        for owner in self.pair or {row.owner_uuid for row in self.rows}:
            rows = [row for row in self.rows if row.owner_uuid == owner][:_MOST_ROWS]
            if self._shows_it(rows):
                moves += [(owner, action) for action in self._moved(rows)]
            else:
                moves += [(owner, self._unchanged(row)) for row in rows]
                moves += [(owner, check) for check in self._beside(owner, rows)]
        return moves

    def _beside(self, owner: str, rows: Sequence[InboxRow]) -> list[Action]:
        """Check that no writer puts the message into an inbox that does not show it yet.

        Such a row comes to the message's key, or behind another conversation's rows there. A row
        that comes behind one of ``rows`` replaces it, and :meth:`_unchanged` checks that.
        """
        known = {row.sort_key: row for row in rows}
        actions: list[Action] = []
        place: str | None = self.message.sort_key
        while place is not None and len(actions) < _MOST_ROWS:
            row = inbox_row_at(self.table, owner, place)
            is_own = row is not None and row.message_group_uuid == self.group
            if (row if is_own else None) != known.get(place):
                raise _ChangedError
            if is_own:
                break
            key = keys.key(keys.inbox_pk(owner), place)
            if row is None:
                actions.append(check_item(self.table, key, "attribute_not_exists(pk)", {}))
                break
            actions.append(check_item(self.table, key, *as_read(row).values()))
            place = next_sort_key(place)
        return actions

    def _shows_it(self, rows: Sequence[InboxRow]) -> bool:
        """Whether one of a member's rows shows the message, or the same text."""
        newest = self.newest
        if newest is not None and newest.sort_key > self.message.sort_key and len(rows) == 1:
            row = rows[0]
            if row.preview == newest.text and row.sort_key >= newest.sort_key:
                return False
        return any(row.preview == self.message.text for row in rows)

    def _moved(self, rows: Sequence[InboxRow]) -> list[Action]:
        """Move a member's row to the newest remaining message, or make it say that none is left.

        A transaction may have a key once, so a row that keeps its key is only put.
        """
        last = max(rows, key=lambda row: row.sort_key)
        text, place = REMOVED_TEXT, last.sort_key
        if self.newest is not None:
            text = self.newest.text
            place = nudged(self.newest.sort_key, self.nudges.get(last.owner_uuid, 0))
        marker = self.message.message_uuid or self.removal.removed_at
        row = replace(
            last,
            preview=text,
            sort_key=place,
            last_message_at=parse(place),
            after_removal=marker,
        )
        self.moved.append(row)
        put = put_inbox_row(self.table, row)
        deletes = []
        for stored in rows:
            if stored.sort_key == place:
                put["Put"] |= as_read(stored)
            else:
                deletes.append(delete_inbox_row(self.table, stored))
        return [*deletes, put]

    def _unchanged(self, row: InboxRow) -> Action:
        """Check that a row still shows the same text, so that it cannot show the message."""
        key = keys.key(keys.inbox_pk(row.owner_uuid), row.sort_key)
        condition, values = as_read(row).values()
        shown = {":text": {"S": row.preview}}
        return check_item(self.table, key, f"{condition} AND message = :text", values | shown)

    def _note(self, outcome: Outcome, moves: Sequence[tuple[str, Action]]) -> None:
        """Note the conflict: an earlier removal, or another conversation at that instant."""
        if 1 in outcome.failed:
            self.place = 1
        taken = [
            position - 2
            for position in outcome.failed
            if 2 <= position < len(moves) + 2
            and text_of(outcome.stored.get(position, {}), "message_group_uuid")
            not in ("", self.group)
        ]
        nudge(self.nudges, moves, taken)

    def _is_gone(self) -> bool:
        stored = message_at(self.table, self.group, self.message.sort_key)
        return stored is None or stored.message_uuid != self.message.message_uuid

    def _is_removed(self) -> bool:
        uuid, since = self.message.message_uuid, self.message.sort_key
        return find_removal(self.table, self.group, uuid, since=since) is not None

    def _read_rows_again(self) -> None:
        """Read each member's rows from the base table: the index may lag behind it."""
        members = {uuid for row in self.rows for uuid in (row.owner_uuid, row.other.uuid)}
        if not members and (own := inbox_row(self.table, self.message.sender.uuid, self.group)):
            members = {own.owner_uuid, own.other.uuid}
        self._take(
            [row for uuid in sorted(members) for row in inbox_rows(self.table, uuid, self.group)]
        )

    def _take(self, rows: Sequence[InboxRow]) -> None:
        """Note the rows of the sender's pair, because other pairs may use the same id.

        If the rows contradict each other, all count.
        """
        pairs = pairs_of(rows)
        pair = pair_with(rows, self.message.sender.uuid)
        if pair is None and len(pairs) == 1:
            pair = pairs[0]  # the sender is not a member
        self.pair = pair or ()
        self.rows = rows_of_pair(rows, pair) if pair else list(rows)

    def _settle(self) -> None:
        """Move the rows to a message that another writer has put meanwhile without moving them."""
        if self.table.dry or not self.moved:
            return
        with contextlib.suppress(StoreError):  # it is removed; the stream or a repair does this
            latest = newest_message(self.table, self.group, senders=self.pair, consistent=True)
            shown = self.newest.sort_key if self.newest else ""
            if latest is None or latest.sort_key <= shown:
                return
            actions = [check_stored(self.table, latest)]
            for row in self.moved:
                later = max(latest.sort_key, row.sort_key)
                moved = replace(row, preview=latest.text, sort_key=later, after_removal="")
                put = put_inbox_row(self.table, moved)
                if row.sort_key == later:
                    put["Put"] |= as_read(row)
                    actions.append(put)
                else:
                    actions += [delete_inbox_row(self.table, row), put]
            commit(self.table, actions)  # if a row has moved since, nothing is left to do
