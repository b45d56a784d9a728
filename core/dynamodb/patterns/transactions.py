"""The actions of a write, and the single request that commits them together.

Limits of a transaction: 100 actions, 4 MB, each item once:
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import botocore.exceptions

from core.dynamodb import keys
from core.dynamodb.items import inbox_row_item, message_from, message_item
from core.dynamodb.keys import Item, Key
from core.dynamodb.table import Table
from core.errors import DynamoDBError, StoreError
from core.models import InboxRow, Message, Person
from core.timestamps import MICROSECOND, now, parse, sort_key, sort_key_after

MAX_ACTIONS = 100

_MOST_DELETED = 40
"""Rows of one member that a transaction deletes, with room in it for the puts."""

Action = dict[str, Any]

_NOTHING_THERE = "attribute_not_exists(pk)"
_CONDITION_FAILED = "ConditionalCheckFailed"
_TRANSIENT_REASONS = {
    "None",
    _CONDITION_FAILED,
    "ProvisionedThroughputExceeded",
    "ThrottlingError",
    "TransactionConflict",
}
_NOTHING_WAS_SENT = (
    botocore.exceptions.NoCredentialsError,
    botocore.exceptions.PartialCredentialsError,
)
_NOT_PROCESSED = {
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "TransactionConflictException",
}


def put_message(table: Table, message: Message) -> Action:
    """Put ``message``, unless its key is taken."""
    return put_item(table, message_item(message), "attribute_not_exists(pk)")


def put_inbox_row(table: Table, row: InboxRow) -> Action:
    """Put an inbox row, unless another conversation's row has exactly its time."""
    return put_item(
        table,
        inbox_row_item(row),
        "attribute_not_exists(pk) OR message_group_uuid = :group",
        {":group": {"S": row.message_group_uuid}},
    )


def delete_inbox_row(table: Table, row: InboxRow) -> Action:
    """Delete an inbox row, if it is unchanged."""
    return {
        "Delete": {
            "TableName": table.name,
            "Key": keys.key(keys.inbox_pk(row.owner_uuid), row.sort_key),
            **as_read(row),
        }
    }


def mark_row(table: Table, row: InboxRow, message: Message) -> Action:
    """Leave an inbox row as it is, but for a mark that ``message`` was put without moving it.

    A removal that read the row before is then refused: it did not see the message.
    """
    marked = replace(row, after_removal=message.message_uuid)
    put = put_item(table, inbox_row_item(marked), "")
    put["Put"] |= as_read(row)
    return put


def as_read(row: InboxRow) -> dict[str, Any]:
    """The condition that the row is the one that was read.

    A removal puts a row back to where one was before: ``after_removal`` tells the two apart, so
    that nothing from before the removal can be carried out after it.
    """
    condition = "message_group_uuid = :group AND attribute_not_exists(after_removal)"
    values = {":group": {"S": row.message_group_uuid}}
    if row.after_removal:
        condition = "message_group_uuid = :group AND after_removal = :removed"
        values[":removed"] = {"S": row.after_removal}
    return {"ConditionExpression": condition, "ExpressionAttributeValues": values}


def check_stored(table: Table, message: Message) -> Action:
    """Make sure that the message is stored: a removed one must come into no inbox."""
    return check_item(
        table,
        keys.key(keys.message_pk(message.message_group_uuid), message.sort_key),
        *this_message(message),
    )


def this_message(message: Message) -> tuple[str, Item]:
    """The condition that an item is ``message``, with its values."""
    if not message.message_uuid:
        return "attribute_exists(pk)", {}
    return "message_uuid = :uuid", {":uuid": {"S": message.message_uuid}}


def check_not_removed(table: Table, message: Message) -> list[Action]:
    """Make sure that the message was not stored at its key and removed: a retry would restore it.

    Not needed at a first try, before which nothing can have been stored.
    """
    places = keys.removal_keys(message.message_group_uuid, message.sort_key, message.message_uuid)
    values = {":uuid": {"S": message.message_uuid}}
    condition = "attribute_not_exists(pk) OR message_uuid <> :uuid"
    return [check_item(table, key, condition, values) for key in places]


def check_item(table: Table, key: Key, condition: str, values: Item) -> Action:
    """Make sure that ``condition`` holds of the item at ``key``, and change nothing."""
    check = {"TableName": table.name, "Key": key, "ConditionExpression": condition}
    if values:
        check["ExpressionAttributeValues"] = values
    return {"ConditionCheck": check}


def move_rows(
    table: Table,
    message: Message,
    members: tuple[Person, Person],
    rows: Sequence[InboxRow],
    nudges: Mapping[str, int],
    *,
    newest: bool = False,
) -> list[tuple[str, Action]]:
    """The actions that bring both members' inbox rows to ``message``, each with its owner's uuid.

    ``rows`` are the conversation's rows as they were read. A member whose row is at the message's
    key or later keeps it, with a mark, unless ``newest`` says that no message is
    newer: then the row was put late, and the new one follows it. ``nudges`` are microseconds by
    owner, for an owner who has another conversation at that very instant.
    """
    moves = []
    for owner, other in (members, members[::-1]):
        owner_rows = [row for row in rows if row.owner_uuid == owner.uuid]
        last = max((row.sort_key for row in owner_rows), default=None)
        key = message.sort_key
        if last is not None and last >= key:
            if not newest:
                moves += [
                    (owner.uuid, mark_row(table, row, message))
                    for row in owner_rows[:_MOST_DELETED]
                ]
                continue
            key = sort_key_after(last, message.created_at or now())
        key = nudged(key, nudges.get(owner.uuid, 0))
        row = InboxRow(message.message_group_uuid, owner.uuid, other, message.text, key, parse(key))
        # There should be one. Of very many, the next send or a repair deletes the rest.
        deletes = [delete_inbox_row(table, row) for row in owner_rows[:_MOST_DELETED]]
        moves += [(owner.uuid, action) for action in (*deletes, put_inbox_row(table, row))]
    return moves


def nudged(key: str, microseconds: int) -> str:
    """The sort key ``microseconds`` after ``key``; ``key`` itself if it is not a time."""
    instant = parse(key)
    if microseconds == 0 or instant is None:
        return key
    return sort_key(instant + microseconds * MICROSECOND)


def nudge(
    nudges: dict[str, int], moves: Sequence[tuple[str, Action]], failed: Iterable[int]
) -> None:
    """Note the owners whose put ``failed``: another of their conversations has that instant.

    ``failed`` are positions in ``moves``. A row first moves by a microsecond, then by up to a
    millisecond more, at random: if a clock stands still, many instants may be in use.
    """
    for position in failed:
        owner, action = moves[position]
        if "Put" in action and action["Put"]["ConditionExpression"].startswith(_NOTHING_THERE):
            nudges[owner] = nudges[owner] + random.randint(1, 1000) if owner in nudges else 1


def put_pair(table: Table, one: str, other: str, message_group_uuid: str) -> Action:
    """Store the pair of two users, unless there is one already."""
    item = keys.pair_key(one, other) | {"group_uuid": {"S": message_group_uuid}}
    return put_item(table, item, "attribute_not_exists(pk)")


def put_item(table: Table, item: Item, condition: str, values: Item | None = None) -> Action:
    """Put ``item``, unless ``condition`` does not hold."""
    put = {
        "TableName": table.name,
        "Item": item,
        "ConditionExpression": condition,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    if values:
        put["ExpressionAttributeValues"] = values
    return {"Put": put}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a transaction.

    It was ``committed``; or refused, with the positions of the actions whose condition ``failed``;
    or is ``unknown`` because a try got no reply: it may have been committed, or may still be.
    ``final``: a retry cannot help.
    """

    committed: bool = False
    unknown: bool = False
    final: bool = False
    failed: frozenset[int] = frozenset()
    stored: dict[int, Item] = field(default_factory=dict)
    error: StoreError | None = None

    @property
    def is_cancelled(self) -> bool:
        """Whether DynamoDB cancelled it: by a condition, or for another writer of an item."""
        return isinstance(self.error, DynamoDBError) and bool(self.error.reasons)

    def message_in_the_way(self, position: int) -> Message | None:
        """The message that holds the key which the action at ``position`` wanted."""
        item = self.stored.get(position)
        return message_from(item) if item else None


def commit(table: Table, actions: Sequence[Action]) -> Outcome:
    """Commit ``actions`` together, or none of them. 2 WCU per KB and item, index writes aside.

    Raises:
        StoreError: nothing was committed, and a retry cannot help.
    """
    try:
        # The SDK adds a ClientRequestToken, the same one for each of its own retries.
        table.send("transact_write_items", TransactItems=list(actions))
    except StoreError as error:
        if isinstance(error, DynamoDBError) and error.code == "TransactionCanceledException":
            return _cancelled(error)
        return _unanswered(error)
    return Outcome(committed=True)


def _unanswered(error: StoreError) -> Outcome:
    """The outcome of an error: an earlier try of the SDK may have been committed."""
    unknown = _may_be_committed(error)
    if not (error.is_transient or unknown):
        raise error
    return Outcome(unknown=unknown, final=not error.is_transient, error=error)


def _may_be_committed(error: StoreError) -> bool:
    if isinstance(error.__cause__, _NOTHING_WAS_SENT):
        return False
    if not isinstance(error.__cause__, botocore.exceptions.ClientError):
        return True  # no answer, or one that is not DynamoDB's
    if _tries_before(error):
        return True
    code = error.__cause__.response.get("Error", {}).get("Code")
    return error.is_transient and code not in _NOT_PROCESSED


def _tries_before(error: StoreError) -> int:
    """The SDK's tries before the one that met ``error``: any of them may have lost its answer."""
    response = getattr(error.__cause__, "response", {})
    return int(response.get("ResponseMetadata", {}).get("RetryAttempts", 0))


def _cancelled(error: DynamoDBError) -> Outcome:
    if not _TRANSIENT_REASONS.issuperset(error.reasons):
        raise error
    failed = frozenset(n for n, reason in enumerate(error.reasons) if reason == _CONDITION_FAILED)
    # A failed condition shows what is stored; a conflict does not.
    unknown = not failed and _tries_before(error) > 0
    return Outcome(unknown=unknown, failed=failed, stored=_stored_items(error), error=error)


def _stored_items(error: DynamoDBError) -> dict[int, Item]:
    """The stored items that made conditions fail, by the position of their action."""
    cause = error.__cause__
    if not isinstance(cause, botocore.exceptions.ClientError):
        return {}
    reasons = cause.response.get("CancellationReasons", [])
    return {n: reason["Item"] for n, reason in enumerate(reasons) if reason.get("Item")}
