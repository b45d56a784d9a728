"""Inserts items in batches, none of which replaces another.

A PartiQL ``INSERT`` fails alone if its key is taken, so 25 of them fit into one request, where
conditional puts need 25 requests. Each costs what its put would: 1 WCU per KB.

- the statement, and that a key which exists is an error:
  https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.insert.html
- 25 statements in a batch:
  https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.multiplestatements.batching.html
- 8,192 characters in a statement; values are parameters, and do not count:
  https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchStatementRequest.html
- the permission, ``dynamodb:PartiQLInsert``:
  https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-iam.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from core.dynamodb.keys import Item
from core.dynamodb.table import Table
from core.errors import CredentialsError, DynamoDBError

MAX_STATEMENTS = 25
MAX_KEYS = 100
"""Keys in a BatchGetItem:
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html"""

_MAX_STATEMENT = 8192
_REMEMBERED = 1000
_MAX_TEXT = 64 * 1024
"""Longer items are put alone: a batch stays far below the limit of a request, 16 MB."""

_PLAIN_NAME = re.compile(r"[\w.:#/-]+", re.ASCII)
_INVALID = "ValidationException"

Place = tuple[str, str]


class Inserted(Enum):
    """The result for one item of a batch."""

    ADDED = auto()
    TAKEN = auto()
    """An item has its key."""
    FAILED = auto()
    """Put it alone: that retries, or says why it fails."""


@dataclass(slots=True)
class Inserter:
    """Inserts items into one table; safe to share between threads."""

    table: Table
    is_available: bool = True
    """False after an engine without PartiQL or an older policy refused a batch."""
    _statements: dict[tuple[str, ...], str] = field(default_factory=dict)
    """The statement of each set of attributes; empty if no statement can hold it."""

    def can_hold(self, item: Item) -> bool:
        """Whether a statement can hold the item: its names are plain, and it is not very long."""
        if not (self.is_available and self._statement(tuple(item))):
            return False
        return sum([len(value.get("S", "")) for value in item.values()]) <= _MAX_TEXT

    def insert(self, items: Sequence[Item]) -> list[Inserted]:
        """Insert up to 25 items with different keys; one result for each, in their order.

        Raises:
            StoreError: the request may be sent again.
        """
        statements = [
            {"Statement": self._statement(tuple(item)), "Parameters": list(item.values())}
            for item in items
        ]
        try:
            response = self.table.send("batch_execute_statement", Statements=statements)
        except (CredentialsError, DynamoDBError) as error:
            if error.is_transient:
                raise
            self.is_available = getattr(error, "code", None) == _INVALID
            return [Inserted.FAILED] * len(items)
        return [_outcome(entry.get("Error")) for entry in response["Responses"]]

    def _statement(self, names: tuple[str, ...]) -> str:
        statement = self._statements.get(names)
        if statement is None:
            values = ",".join([f"'{name}':?" for name in names])
            statement = f'INSERT INTO "{self.table.name}" VALUE {{{values}}}'
            if len(statement) > _MAX_STATEMENT or not all(map(_PLAIN_NAME.fullmatch, names)):
                statement = ""
            if len(self._statements) < _REMEMBERED:
                self._statements[names] = statement
        return statement


def _outcome(error: dict[str, Any] | None) -> Inserted:
    if not error:
        return Inserted.ADDED
    return Inserted.TAKEN if error.get("Code", "").startswith("Duplicate") else Inserted.FAILED


def place_of(item: Item) -> Place:
    return item["pk"]["S"], item["sk"]["S"]


def stored_items(table: Table, items: Iterable[Item]) -> dict[Place, Item]:
    """What the table has at the keys of ``items``, at most 100 different ones, consistently.

    1 RCU per 4 KB of each.
    """
    wanted = {place_of(item): {"pk": item["pk"], "sk": item["sk"]} for item in items}
    stored: dict[Place, Item] = {}
    requests = {table.name: {"Keys": list(wanted.values()), "ConsistentRead": True}}
    while requests:
        response = table.send("batch_get_item", RequestItems=requests)
        stored |= {place_of(item): item for item in response["Responses"].get(table.name, [])}
        requests = response.get("UnprocessedKeys") or {}
    return stored
