"""All conversations of the store, whoever's they are, and how many messages one has."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.dynamodb import keys
from core.dynamodb.client import Table
from core.dynamodb.items import group_from
from core.errors import InputError
from core.models import Conversation, Page, Person

_MOST_ROWS = 1000


@dataclass(frozen=True, slots=True)
class MessageGroup:
    """A conversation as its inbox rows tell it.

    ``members`` are as the rows name them, in the order of their uuids; of somebody whose name only
    a missing row would tell, the uuid. The last message is the newest row's; ``last_message_at``
    is None where that names no instant.
    """

    message_group_uuid: str
    members: tuple[Person, ...]
    last_message: str
    sort_key: str
    last_message_at: datetime | None


def list_group_rows(table: Table, *, cursor: str | None = None) -> Page[Conversation]:
    """Inbox rows of the whole store, a conversation's beside each other, in no other order.

    One request: a page of the sparse index, which holds nothing else, of up to 1,000 rows or 1 MB.
    Eventually consistent: 0.5 RCU per 4 KB. A page may end between a conversation's
    two rows, and may be empty before the last.

    Raises:
        InputError: ``cursor`` is not one of ours.
    """
    start = {"ExclusiveStartKey": _start_key(cursor)} if cursor else {}
    reply = table.request("scan", IndexName=keys.INDEX, Limit=_MOST_ROWS, **start)
    last = reply.get("LastEvaluatedKey")
    following = base64.urlsafe_b64encode(json.dumps(last).encode()).decode() if last else None
    rows = (group_from(item) for item in reply["Items"])
    # Others may have put more into the index: an item without an owner is no inbox row.
    return Page([row for row in rows if row.owner_uuid], following)


def _start_key(cursor: str) -> dict[str, dict[str, str]]:
    try:
        key = json.loads(base64.urlsafe_b64decode(cursor))
        if isinstance(key, dict):
            return key
    except ValueError:
        pass
    raise InputError("the cursor is not one of ours", "Start from the first page.")


def message_groups(rows: Iterable[Conversation]) -> list[MessageGroup]:
    """The conversations that these rows are of, the one with the newest message first."""
    by_group: dict[str, list[Conversation]] = {}
    for row in rows:
        by_group.setdefault(row.message_group_uuid, []).append(row)
    found = [_group(its_rows) for its_rows in by_group.values()]
    return sorted(found, key=lambda group: group.sort_key, reverse=True)


def _group(rows: list[Conversation]) -> MessageGroup:
    newest = max(rows, key=lambda row: row.sort_key)
    members = {row.owner_uuid: Person(row.owner_uuid, "", "") for row in rows}
    members |= {row.other.uuid: row.other for row in rows}
    return MessageGroup(
        newest.message_group_uuid,
        tuple(members[uuid] for uuid in sorted(members) if uuid),
        newest.last_message,
        newest.sort_key,
        newest.last_message_at,
    )


def count_messages(table: Table, message_group_uuid: str) -> int:
    """How many messages a conversation has.

    DynamoDB counts by reading: 0.5 RCU per 4 KB of them, a request per 1 MB.
    """
    return _count(table, keys.message_pk(message_group_uuid))


def count_conversations(table: Table, user_uuid: str) -> int:
    """How many inbox rows a user has. Costs what :func:`count_messages` does."""
    return _count(table, keys.group_pk(user_uuid))


def _count(table: Table, pk: str) -> int:
    params: dict[str, Any] = {
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": pk}},
        "Select": "COUNT",
    }
    counted = 0
    while True:
        reply = table.request("query", **params)
        counted += int(reply["Count"])
        if not (last := reply.get("LastEvaluatedKey")):
            return counted
        params["ExclusiveStartKey"] = last
