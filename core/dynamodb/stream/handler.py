"""The Lambda function that reads the table's stream: plans a batch, moves rows, reports failures.

Configure the event source mapping with ``ReportBatchItemFailures``: what is reported is delivered
again, from the earliest failed record on. Malformed records are logged and dropped.
https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
"""

from __future__ import annotations

import functools
import json
import logging
from collections.abc import Mapping
from typing import Any

from core.dynamodb.stream.projection import move, plan
from core.dynamodb.table import Table, open_table
from core.errors import DynamoDBError, StoreError
from core.purposes import Purpose

logger = logging.getLogger("cruddur.projection")


@functools.cache
def _table() -> Table:
    """The table of the function's own account and region; its name is in DDB_MESSAGE_TABLE."""
    from core.settings import Settings
    from core.targets import resolve

    return open_table(resolve(Settings.from_env(), prod=True), Purpose.WRITING)


def handler(event: Mapping[str, Any], context: object) -> dict[str, list[dict[str, str]]]:
    """Lambda's entry point: ``core.dynamodb.stream.handler.handler``."""
    logger.setLevel(logging.INFO)
    return project(_table(), event.get("Records", []))


def project(table: Table, records: list[Mapping[str, Any]]) -> dict[str, list[dict[str, str]]]:
    """The records to deliver again, after making the moves of a batch."""
    planned = plan(records)
    for sequence_number, reason in planned.dropped:
        _warn("record dropped", sequence_number=sequence_number, reason=reason)
    failures = []
    written = 0
    for planned_move in planned.moves:
        group = planned_move.message.message_group_uuid
        try:
            written += move(table, planned_move.message, since=planned_move.since)
        except StoreError as error:
            if _is_too_large(error):
                _warn("move dropped", message_group_uuid=group, reason=str(error))
                continue
            _warn("move failed", message_group_uuid=group, reason=str(error))
            failures.append({"itemIdentifier": planned_move.sequence_number})
    counts = {
        "records": len(records),
        "conversations": len(planned.moves),
        "written": written,
        "failed": len(failures),
        "dropped": len(planned.dropped),
    }
    logger.info(_line("batch projected", counts))
    return {"batchItemFailures": failures}


def _is_too_large(error: StoreError) -> bool:
    """Whether a row would be over 400 KB, which no later try makes smaller.

    A ValidationException may also be temporary: while an index is being built. A transaction says
    it in its reasons.
    """
    if not isinstance(error, DynamoDBError):
        return False
    if error.code == "TransactionCanceledException":
        return "ValidationError" in error.reasons
    return error.code == "ValidationException" and "item size" in str(error).casefold()


def _warn(event: str, **fields: object) -> None:
    logger.warning(_line(event, fields))


def _line(event: str, fields: Mapping[str, object]) -> str:
    """One line of JSON: what happened, with identifiers and counts, never a message's text."""
    return json.dumps({"event": event, **fields})
