"""All conversations of the store, and how many messages a conversation has."""

from __future__ import annotations

from collections.abc import Iterable

from core import cursors
from core.dynamodb import keys, paging
from core.dynamodb.items import inbox_row_from
from core.dynamodb.table import Table
from core.models import Conversation, InboxRow, Page

_MOST_ROWS = 1000
_QUESTION = "all inbox rows"


def list_all_inbox_rows(table: Table, *, cursor: str | None = None) -> Page[InboxRow]:
    """A page of the store's inbox rows; the rows of a conversation are together.

    One request for a page of the sparse index, of up to 1,000 rows or 1 MB.
    Eventually consistent: 0.5 RCU per 4 KB. A page may end between a conversation's
    two rows, and may be empty before the last.

    Raises:
        InputError: ``cursor`` is not one of ours.
    """
    start = cursors.decode(cursor, _QUESTION) if cursor else None
    if start is not None and not isinstance(start, dict):
        raise cursors.invalid()
    pages = paging.pages(
        table.request,
        "scan",
        IndexName=keys.INDEX,
        Limit=_MOST_ROWS,
        **({"ExclusiveStartKey": start} if start else {}),
    )
    page = next(pages)
    last = page.get("LastEvaluatedKey")
    following = cursors.encode(_QUESTION, last) if last else None
    rows = (inbox_row_from(item) for item in page["Items"])
    # Others may have put other items into the index: one without an owner is not an inbox row.
    return Page([row for row in rows if row.owner_uuid], following)


def conversations_of(rows: Iterable[InboxRow]) -> list[Conversation]:
    """The conversations that ``rows`` belong to, the one with the newest message first."""
    rows_by_id: dict[str, list[InboxRow]] = {}
    for row in rows:
        rows_by_id.setdefault(row.message_group_uuid, []).append(row)
    conversations = [Conversation(group, tuple(rows)) for group, rows in rows_by_id.items()]
    return sorted(
        conversations, key=lambda conversation: conversation.newest_row.sort_key, reverse=True
    )


def count_messages(table: Table, message_group_uuid: str) -> int:
    """The number of messages in a conversation.

    DynamoDB counts by reading: 0.5 RCU per 4 KB of them, a request per 1 MB.
    """
    return _count(table, keys.message_pk(message_group_uuid))


def count_conversations(table: Table, user_uuid: str) -> int:
    """The number of a user's inbox rows. Costs as much as :func:`count_messages`."""
    return _count(table, keys.inbox_pk(user_uuid))


def _count(table: Table, partition_key: str) -> int:
    pages = paging.pages(
        table.request,
        "query",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": partition_key}},
        Select="COUNT",
    )
    return sum(int(page["Count"]) for page in pages)
