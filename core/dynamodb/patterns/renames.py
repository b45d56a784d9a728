"""Writes a user's current names into the inbox rows of the user's conversations.

Names on rows are changed in place: Cruddur's stream function skips all keys that are not a
message's. The messages keep the names that they were sent with.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from core.dynamodb import keys
from core.dynamodb.patterns.reads import inbox_rows, list_rows_of, walk_inbox
from core.dynamodb.retries import Backoff
from core.dynamodb.table import GoOn, Table, always, request_if
from core.errors import StoreError
from core.models import InboxRow, Person

_MOST_PASSES = 3


@dataclass(frozen=True, slots=True)
class RenamedRows:
    """The counts of a rename: conversations read, and inbox rows that had another name."""

    conversations: int
    changed: int


def rename_in_inboxes(table: Table, person: Person, *, go_on: GoOn = always) -> RenamedRows:
    """Write the current names of ``person`` into every inbox row that shows them.

    Constant memory. 0.5 RCU for each of their conversations in each of at least two passes, and 2
    WCU for a row that has another name. It may be interrupted and run again. A writer that
    has read the old name may still write it after the last pass: a verification finds that.

    Raises:
        StoreError: no answer came, or a row keeps moving. Run it again.
    """
    changed = 0
    for _ in range(_MOST_PASSES):
        looked_at = changed_now = 0
        for group, other in _conversations(table, person.uuid):
            if not go_on(looked_at):
                break
            looked_at += 1
            changed_now += _rename(table, person, group, other)
        changed += changed_now
        if not changed_now or table.dry:
            break
    return RenamedRows(looked_at, changed)


def _conversations(table: Table, user_uuid: str) -> Iterator[tuple[str, str]]:
    """The conversations in a user's inbox, with the other member of each."""
    for row in walk_inbox(table, user_uuid):
        yield row.message_group_uuid, row.other.uuid


def _rename(table: Table, person: Person, group: str, other: str) -> int:
    """The number of changed rows of one conversation."""
    rows = [row for row in list_rows_of(table, group) if row.owner_uuid == other]
    rows = rows or inbox_rows(table, other, group)  # the index lags, or there is none
    backoff = Backoff()
    changed = 0
    while stale := [row for row in rows if _has_other_names(row, person)]:
        results = [_update(table, person, row) for row in stale]
        changed += sum(results)
        if all(results):
            break
        if not backoff.pause():
            raise StoreError(
                f"The inbox rows of conversation {group} keep changing", "Run it again."
            )
        rows = inbox_rows(table, other, group)
    return changed


def _has_other_names(row: InboxRow, person: Person) -> bool:
    return row.other.uuid == person.uuid and row.other != person


def _update(table: Table, person: Person, row: InboxRow) -> bool:
    """True if the row was changed; False if it has moved on or shows another person."""
    return request_if(
        table,
        "update_item",
        Key=keys.key(keys.inbox_pk(row.owner_uuid), row.sort_key),
        UpdateExpression="SET user_handle = :handle, user_display_name = :name",
        ConditionExpression="user_uuid = :uuid AND message_group_uuid = :group",
        ExpressionAttributeValues={
            ":handle": {"S": person.handle},
            ":name": {"S": person.display_name},
            ":uuid": {"S": person.uuid},
            ":group": {"S": row.message_group_uuid},
        },
    )
