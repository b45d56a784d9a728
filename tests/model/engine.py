"""The table on a real engine, used by the state machine like the one in :mod:`.memory`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from unguarded import make_table

from core.dynamodb import table
from core.dynamodb.patterns import reads
from core.dynamodb.schema import drop_table
from core.dynamodb.stream.shards import Follower, open_follower

from .memory import Item, Key, key_of

_WRITES = {"put_item", "delete_item", "update_item", "transact_write_items"}


class Table:
    """The stored items and the stream of a new table, read again whenever something was written."""

    def __init__(self, handle: table.Table, folder: Path) -> None:
        self.handle = handle
        make_table(handle)
        self._follower: Follower = open_follower(handle, folder)
        self._records: list[Any] = []
        self.forget()

    def forget(self) -> None:
        """Forget what was read from the table: it has changed."""
        self._items: dict[Key, Item] | None = None
        self._follows = False

    def drop(self) -> None:
        self._follower.client.close()
        drop_table(self.handle)

    @property
    def items(self) -> dict[Key, Item]:
        if self._items is None:
            self._items = {key_of(item): item for item in reads.scan(self.handle)}
        return self._items

    @property
    def stream(self) -> list[Any]:
        """The records so far, of all kinds, as the engine returns them."""
        if not self._follows:
            for batch in self._follower.poll():
                self._records += batch.records
                self._follower.done(batch)
            self._follows = True
        return self._records

    def write(self, changes: dict[Key, Item]) -> None:
        for item in changes.values():
            self.handle.request("put_item", Item=item)
        self.forget()


class Client:
    """The engine's client. ``before`` runs before every request, ``after`` after it."""

    def __init__(
        self, table: Table, *, before: Callable[[], None], after: Callable[[], None]
    ) -> None:
        self.table, self.before, self.after = table, before, after

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]:
        def request(**params: Any) -> dict[str, Any]:
            self.before()
            if operation in _WRITES:
                self.table.forget()
            reply: dict[str, Any] = getattr(self.table.handle.client, operation)(**params)
            self.after()
            return reply

        return request
