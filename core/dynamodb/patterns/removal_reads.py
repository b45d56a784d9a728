"""Reads the removals, and shows each in the place of its message."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from typing import Any

from core.dynamodb import keys, paging
from core.dynamodb.items import message_from, removal_from
from core.dynamodb.patterns.reads import PASSED_OVER, bounds_from, first_page, query
from core.dynamodb.table import Table
from core.models import Message, Page, Removal
from core.timestamps import ANY_TIME, Instants, parse

_PAGE = 1000


def list_thread(
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
    """Up to ``limit`` messages of a conversation, and a line in the place of each removed one.

    Bounds and consistency are those of :func:`~core.dynamodb.patterns.reads.list_messages`. Two
    requests, 1 RCU, while the page is under 4 KB.
    """
    pk = keys.message_pk(message_group_uuid)
    after, before = bounds_from(cursor, pk, newest_first, *between.narrowed(after, before))
    # One more item shows whether there is a next page, another that it is at another place.
    page_size = limit + 2 + (PASSED_OVER if between != ANY_TIME else 0)
    bounds = (newest_first, after, before, page_size)
    messages = map(message_from, query(table, pk, *bounds))
    gone = filter(_is_removal, query(table, keys.removal_pk(message_group_uuid), *bounds))
    removals = (removal for removal in map(removal_from, gone) if removal.sort_key != after)
    places = map(_place_of, removals)
    merged = heapq.merge(
        messages, places, key=lambda message: message.sort_key, reverse=newest_first
    )
    return first_page(_one_a_place(merged), pk, newest_first, limit, between)


def thread_pages(table: Table, message_group_uuid: str) -> Iterator[Sequence[Message]]:
    """All messages of :func:`list_thread`, oldest first, a page of 1,000 at a time."""
    cursor = None
    while True:
        page = list_thread(
            table, message_group_uuid, limit=_PAGE, newest_first=False, cursor=cursor
        )
        yield page.entries
        if (cursor := page.cursor) is None:
            return


def _place_of(removal: Removal) -> Message:
    return removal.in_place_of(parse(removal.sort_key))


def _one_a_place(entries: Iterator[Message]) -> Iterator[Message]:
    """Each place once: a message with the key of a removed one is shown there."""
    held: Message | None = None
    for entry in entries:
        if held is None or held.sort_key != entry.sort_key:
            if held is not None:
                yield held
            held = entry
        elif held.removal:
            held = entry
    if held is not None:
        yield held


def removed_places(table: Table, message_group_uuid: str, since: str) -> list[Message]:
    """The lines in the places of removed messages, from sort key ``since`` on.

    Eventually consistent; 0.5 RCU for every 4 KB of them.
    """
    items = _removals(table, message_group_uuid, since, ConsistentRead=False)
    return [_place_of(removal_from(item)) for item in items if _is_removal(item)]


def list_removals(table: Table, message_group_uuid: str) -> Iterator[Removal]:
    """The removals of a conversation, oldest message first, read consistently."""
    return map(removal_from, filter(_is_removal, _removals(table, message_group_uuid, None)))


def find_removal(
    table: Table, message_group_uuid: str, message_uuid: str, *, since: str
) -> Removal | None:
    """The removal of a message that was at sort key ``since`` or later, read consistently."""
    items = _removals(table, message_group_uuid, since)
    removals = map(removal_from, filter(_is_removal, items))
    return next((removal for removal in removals if removal.message_uuid == message_uuid), None)


def has_removals(table: Table, message_group_uuid: str) -> bool:
    """Whether a message or a member of the conversation was removed, read consistently. 1 RCU."""
    return any(True for _ in _removals(table, message_group_uuid, None, Limit=1))


def was_removed_at(table: Table, message_group_uuid: str, sort_key: str) -> bool:
    """Whether a message with that sort key was removed, read consistently. 1 RCU."""
    first = next(_removals(table, message_group_uuid, sort_key, Limit=1), None)
    if first is None or not _is_removal(first):
        return False
    return removal_from(first).sort_key == sort_key


def _is_removal(item: keys.Item) -> bool:
    """Whether it is a message's removal, and not the erasure of a member."""
    return item["sk"] != {"S": keys.ERASURE_SK}


def _removals(
    table: Table, message_group_uuid: str, since: str | None, **more: Any
) -> Iterator[keys.Item]:
    values = {":pk": {"S": keys.removal_pk(message_group_uuid)}}
    return paging.items(
        table,
        "query",
        KeyConditionExpression="pk = :pk AND sk >= :since" if since else "pk = :pk",
        ExpressionAttributeValues=values | ({":since": {"S": since}} if since else {}),
        **{"ConsistentRead": True, **more},
    )
