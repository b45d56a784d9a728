"""Patterns A and B, and the reads that the write path needs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TypeVar

from core import cursors
from core.dynamodb import keys, paging
from core.dynamodb.items import inbox_row_from, message_from
from core.dynamodb.keys import Item
from core.dynamodb.table import Table
from core.models import InboxRow, Message, Page, Person
from core.timestamps import ANY_TIME, Instants

PASSED_OVER = 200
"""Items that a request for a period asks for in addition: those near its ends may not belong."""

_MAX_PAGE = 1000
"""Items a request asks for at most; a page ends at 1 MB in any case."""

Entry = TypeVar("Entry", Message, InboxRow)


def list_messages(
    table: Table,
    message_group_uuid: str,
    *,
    limit: int,
    newest_first: bool = True,
    after: str | None = None,
    before: str | None = None,
    between: Instants = ANY_TIME,
    cursor: str | None = None,
) -> Page[Message]:
    """Pattern A: up to ``limit`` messages of a conversation, newest first or oldest first.

    ``after`` and ``before`` are sort keys, both exclusive; ``between`` are instants, as messages
    show them. Eventually consistent: 0.5 RCU per 4 KB read. One request while the page is under
    1 MB. With instants, what lies within a day of them is read too: a sort key may carry any
    offset from UTC.
    """
    pk = keys.message_pk(message_group_uuid)
    bounds = between.narrowed(after, before)
    return _page(table, pk, message_from, limit, newest_first, *bounds, between, cursor)


def list_inbox(
    table: Table,
    user_uuid: str,
    *,
    limit: int,
    newest_first: bool = True,
    after: str | None = None,
    before: str | None = None,
    between: Instants = ANY_TIME,
    cursor: str | None = None,
) -> Page[InboxRow]:
    """Pattern B: up to ``limit`` conversations of a user, newest first or oldest first.

    Bounds, consistency and cost are those of :func:`list_messages`.
    """
    pk = keys.inbox_pk(user_uuid)
    bounds = between.narrowed(after, before)
    return _page(table, pk, inbox_row_from, limit, newest_first, *bounds, between, cursor)


def _page(
    table: Table,
    pk: str,
    read: Callable[[Item], Entry],
    limit: int,
    newest_first: bool,
    after: str | None,
    before: str | None,
    between: Instants,
    cursor: str | None,
) -> Page[Entry]:
    bounds = bounds_from(cursor, pk, newest_first, after, before)
    # One more than the limit shows whether there is a next page.
    page_size = limit + 1 + (PASSED_OVER if between != ANY_TIME else 0)
    items = query(table, pk, newest_first, *bounds, page_size)
    return first_page(map(read, items), pk, newest_first, limit, between)


def bounds_from(
    cursor: str | None, pk: str, newest_first: bool, after: str | None, before: str | None
) -> tuple[str | None, str | None]:
    """The bounds ``after`` and ``before`` of a page that begins where the cursor's page ended.

    Raises:
        InputError: ``cursor`` is not one of this question.
    """
    if cursor is None:
        return after, before
    reached = cursors.decode(cursor, [pk, newest_first])
    if not isinstance(reached, str):
        raise cursors.invalid()
    if newest_first:
        return after, reached if before is None else min(before, reached)
    return reached if after is None else max(after, reached), before


def first_page(
    entries: Iterable[Entry], pk: str, newest_first: bool, limit: int, between: Instants
) -> Page[Entry]:
    """The first ``limit`` of ``entries`` in the period, with a cursor if there is one more."""
    page: list[Entry] = []
    for entry in entries:
        if not between.includes(entry.sort_key):
            continue
        if len(page) == limit:
            return Page(page, cursors.encode([pk, newest_first], page[-1].sort_key))
        page.append(entry)
    return Page(page, None)


def query(
    table: Table, pk: str, newest_first: bool, after: str | None, before: str | None, limit: int
) -> Iterator[Item]:
    """The items of a partition between two sort keys, both exclusive; asked for by ``limit``."""
    if after is not None and before is not None:
        if after >= before:
            return
        limit += 2  # the ends
    condition, values = key_condition(pk, after, before)
    for item in paging.items(
        table,
        "query",
        KeyConditionExpression=condition,
        ExpressionAttributeValues=values,
        ScanIndexForward=not newest_first,
        Limit=min(limit, _MAX_PAGE),
    ):
        if item["sk"]["S"] not in (after, before):
            yield item


def key_condition(
    pk: str, after: str | None, before: str | None
) -> tuple[str, dict[str, dict[str, str]]]:
    """The condition and the values for the items of a partition between two sort keys.

    With both, the ends are included: a key condition takes one comparison of ``sk``, and BETWEEN
    includes them. DynamoDB refuses ends that are not in order.
    """
    condition, values = "pk = :pk", {":pk": {"S": pk}}
    if after is not None and before is not None:
        condition += " AND sk BETWEEN :after AND :before"
    elif after is not None:
        condition += " AND sk > :after"
    elif before is not None:
        condition += " AND sk < :before"
    for name, bound in ((":after", after), (":before", before)):
        if bound is not None:
            values[name] = {"S": bound}
    return condition, values


def scan(table: Table) -> Iterator[Item]:
    """Every item of the table, of every kind, in no order; one page in memory at a time.

    Eventually consistent: 0.5 RCU per 4 KB of the whole table.
    """
    return paging.items(table, "scan")


def list_rows_of(table: Table, message_group_uuid: str) -> list[InboxRow]:
    """A conversation's inbox rows, from the index: usually two, one a member.

    Eventually consistent, as indexes are: a row just moved may show at its old place, or not at
    all. 0.5 RCU.
    """
    items = paging.items(
        table,
        "query",
        IndexName=keys.INDEX,
        KeyConditionExpression="message_group_uuid = :group",
        ExpressionAttributeValues={":group": {"S": message_group_uuid}},
    )
    return list(_readable(items))


def inbox_row(table: Table, user_uuid: str, message_group_uuid: str) -> InboxRow | None:
    """A member's newest row of one conversation, from the base table, read consistently.

    Walks the inbox from its newest end: one request for a recent conversation.
    """
    return next(_inbox_where(table, user_uuid, "message_group_uuid", message_group_uuid), None)


def inbox_row_at(table: Table, user_uuid: str, sort_key: str) -> InboxRow | None:
    """The row at one sort key of an inbox, read consistently; None if there is none. 1 RCU."""
    key = keys.key(keys.inbox_pk(user_uuid), sort_key)
    item = table.request("get_item", Key=key, ConsistentRead=True).get("Item")
    return None if item is None else next(_readable(iter([item])), None)


def inbox_rows(
    table: Table, user_uuid: str, message_group_uuid: str, *, since: str | None = None
) -> list[InboxRow]:
    """All of a member's rows of one conversation, newest first, from the base table, consistent.

    Reads the inbox from its newest end down to the sort key ``since``, or whole: 1 RCU per 4 KB.
    There should be one row.
    """
    return list(
        _inbox_where(table, user_uuid, "message_group_uuid", message_group_uuid, since=since)
    )


def walk_inbox(table: Table, user_uuid: str) -> Iterator[InboxRow]:
    """Every readable row of an inbox, newest first, read consistently; one page in memory."""
    items = paging.items(
        table,
        "query",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": keys.inbox_pk(user_uuid)}},
        ScanIndexForward=False,
        ConsistentRead=True,
    )
    return _readable(items)


def newest_row_with(table: Table, user_uuid: str, other: str) -> InboxRow | None:
    """A user's newest conversation with ``other`` (a user_uuid), read consistently.

    Walks the inbox from its newest end: one request for a recent conversation.
    """
    return next(_inbox_where(table, user_uuid, "user_uuid", other), None)


def conversation_of(table: Table, user_uuid: str, other: str) -> str | None:
    """The newest conversation that two users have, in either one's inbox, read consistently.

    The second inbox is walked only where the first has no row of it.
    """
    row = newest_row_with(table, user_uuid, other) or newest_row_with(table, other, user_uuid)
    return row.message_group_uuid if row else None


def conversations_with(table: Table, user_uuid: str, other: str) -> list[str]:
    """The conversations that two users have, in either one's inbox, newest first, consistent.

    Each inbox is walked to the first page (1 MB) that has one, so that of an inbox of thousands of
    conversations not all may be found. The second is walked only where the first has no row of it.
    """
    for owner, shown in ((user_uuid, other), (other, user_uuid)):
        for rows in _inbox_pages_where(table, owner, "user_uuid", shown):
            if rows:
                return list(dict.fromkeys(row.message_group_uuid for row in rows))
    return []


def known_conversation(table: Table, user_uuid: str, other: str) -> str | None:
    """The conversation that two users already have, if any.

    The one in their pair item, at 1 RCU; else :func:`conversation_of`.
    """
    return pair_group(table, user_uuid, other) or conversation_of(table, user_uuid, other)


def _inbox_where(
    table: Table, user_uuid: str, attribute: str, value: str, *, since: str | None = None
) -> Iterator[InboxRow]:
    for rows in _inbox_pages_where(table, user_uuid, attribute, value, since=since):
        yield from rows


def _inbox_pages_where(
    table: Table, user_uuid: str, attribute: str, value: str, *, since: str | None = None
) -> Iterator[list[InboxRow]]:
    values = {":pk": {"S": keys.inbox_pk(user_uuid)}, ":wanted": {"S": value}}
    pages = paging.pages(
        table.request,
        "query",
        KeyConditionExpression="pk = :pk AND sk >= :since" if since else "pk = :pk",
        FilterExpression="#wanted = :wanted",
        ExpressionAttributeNames={"#wanted": attribute},
        ExpressionAttributeValues=values | ({":since": {"S": since}} if since else {}),
        ScanIndexForward=False,
        ConsistentRead=True,
    )
    return (list(_readable(iter(page["Items"]))) for page in pages)


def _readable(items: Iterator[Item]) -> Iterator[InboxRow]:
    return filter(names_a_conversation, map(inbox_row_from, items))


def names_a_conversation(row: InboxRow) -> bool:
    """Whether it has an owner, a conversation and another person; it is useless otherwise."""
    ids = (row.owner_uuid, row.message_group_uuid, row.other.uuid)
    return all(map(keys.can_be_id, ids)) and row.owner_uuid != row.other.uuid


def pair_group(table: Table, one: str, other: str) -> str | None:
    """The conversation in the pair of two users, or None, read consistently. 1 RCU."""
    reply = table.request("get_item", Key=keys.pair_key(one, other), ConsistentRead=True)
    group = reply.get("Item", {}).get("group_uuid", {}).get("S")
    return str(group) if group else None


def message_at(table: Table, message_group_uuid: str, sort_key: str) -> Message | None:
    """The message at one sort key, read consistently; None if there is none. 1 RCU."""
    key = keys.key(keys.message_pk(message_group_uuid), sort_key)
    item = table.request("get_item", Key=key, ConsistentRead=True).get("Item")
    return None if item is None else message_from(item)


def find_message(
    table: Table, message_group_uuid: str, message_uuid: str, *, since: str
) -> Message | None:
    """The message with that uuid at sort key ``since`` or later, read consistently."""
    items = paging.items(
        table,
        "query",
        KeyConditionExpression="pk = :pk AND sk >= :since",
        FilterExpression="message_uuid = :wanted",
        ExpressionAttributeValues={
            ":pk": {"S": keys.message_pk(message_group_uuid)},
            ":since": {"S": since},
            ":wanted": {"S": message_uuid},
        },
        ConsistentRead=True,
    )
    return next(map(message_from, items), None)


def latest_message_of(table: Table, message_group_uuid: str, user_uuid: str) -> Message | None:
    """The newest message of one sender in a conversation. Reads backwards until there is one."""
    items = paging.items(
        table,
        "query",
        KeyConditionExpression="pk = :pk",
        FilterExpression="user_uuid = :sender",
        ExpressionAttributeValues={
            ":pk": {"S": keys.message_pk(message_group_uuid)},
            ":sender": {"S": user_uuid},
        },
        ScanIndexForward=False,
    )
    return next(map(message_from, items), None)


def messages_of(
    table: Table, message_group_uuid: str, user_uuids: tuple[str, str]
) -> Iterator[Message]:
    """Two users' messages in a conversation, oldest first, read consistently. Reads all of it."""
    items = paging.items(
        table,
        "query",
        KeyConditionExpression="pk = :pk",
        FilterExpression="user_uuid = :one OR user_uuid = :other",
        ExpressionAttributeValues={
            ":pk": {"S": keys.message_pk(message_group_uuid)},
            ":one": {"S": user_uuids[0]},
            ":other": {"S": user_uuids[1]},
        },
        ConsistentRead=True,
    )
    return map(message_from, items)


def newest_message(
    table: Table,
    message_group_uuid: str,
    *,
    senders: Collection[str] = (),
    consistent: bool = False,
    beside: str = "",
) -> Message | None:
    """The newest message of a conversation with a valid time, sent by one of ``senders``.

    ``senders`` are user uuids; without them, any sender counts. The message at the sort key
    ``beside`` does not count. One request, 0.5 RCU, or 1 if
    consistent, while messages are under 1 KB; one more request for each four that do not count.
    """
    items = paging.items(
        table,
        "query",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": keys.message_pk(message_group_uuid)}},
        ScanIndexForward=False,
        Limit=4,
        ConsistentRead=consistent,
    )
    messages = (message for message in map(message_from, items) if message.created_at)
    counted = (message for message in messages if message.sort_key != beside)
    return next(
        (message for message in counted if not senders or message.sender.uuid in senders), None
    )


def senders_of(table: Table, message_group_uuid: str, *, most: int) -> list[Person]:
    """Up to ``most`` senders of a conversation. Reads it backwards from its newest message."""
    senders: dict[str, Person] = {}
    for item in query(table, keys.message_pk(message_group_uuid), True, None, None, 1000):
        sender = message_from(item).sender
        if sender.uuid:
            senders.setdefault(sender.uuid, sender)
        if len(senders) == most:
            break
    return list(senders.values())
