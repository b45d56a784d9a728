"""The senders of last messages: an inbox row names the other member, not the sender.

A row's sort key is that of its newest message, so the messages are read by their keys, many in one
request.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.dynamodb import keys
from core.dynamodb.items import message_from
from core.dynamodb.table import Table
from core.models import InboxRow

MOST_ROWS = 100
"""Of one call:
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html"""


def last_senders(table: Table, rows: Sequence[InboxRow]) -> dict[tuple[str, str], str]:
    """The sender's user_uuid of each row's newest message, by conversation and sort key.

    Rows without such a message are left out: a seed may write them, and a row may be a microsecond
    later than its message. One request and 0.5 RCU a row, eventually consistent. Rows that
    DynamoDB leaves unprocessed are left out too.
    """
    wanted = {
        (keys.message_pk(row.message_group_uuid), row.sort_key)
        for row in rows[:MOST_ROWS]
        if keys.can_be_id(row.message_group_uuid)
    }
    if not wanted:
        return {}
    messages = map(message_from, _get(table, [keys.key(pk, sk) for pk, sk in wanted]))
    return {
        (message.message_group_uuid, message.sort_key): message.sender.uuid for message in messages
    }


def _get(table: Table, wanted: list[keys.Key]) -> list[keys.Item]:
    asked = {"Keys": wanted, "ProjectionExpression": "pk, sk, user_uuid"}
    response = table.send("batch_get_item", RequestItems={table.name: asked})
    items: list[keys.Item] = response["Responses"].get(table.name, [])
    return items
