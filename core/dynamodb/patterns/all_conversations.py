"""All conversations of the store, whoever takes part, and how many messages one has."""

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
    """Inbox rows of the whole store, a conversation's beside each other, in no other order.

    One request: a page of the sparse index, which holds nothing else, of up to 1,000 rows or 1 MB.
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
    # Others may have put more into the index: an item without an owner is no inbox row.
    return Page([row for row in rows if row.owner_uuid], following)


def conversations_of(rows: Iterable[InboxRow]) -> list[Conversation]:
    """The conversations that ``rows`` belong to, the one with the newest message first."""
    rows_by_id: dict[str, list[InboxRow]] = {}
    for row in rows:
        rows_by_id.setdefault(row.message_group_uuid, []).append(row)
    conversations = [Conversation(group, tuple(rows)) for group, rows in rows_by_id.items()]
    return sorted(conversations, key=lambda each: each.newest_row.sort_key, reverse=True)


def count_messages(table: Table, message_group_uuid: str) -> int:
    """How many messages a conversation has.

    DynamoDB counts by reading: 0.5 RCU per 4 KB of them, a request per 1 MB.
    """
    return _count(table, keys.message_pk(message_group_uuid))


def count_conversations(table: Table, user_uuid: str) -> int:
    """How many inbox rows a user has. Costs what :func:`count_messages` does."""
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
