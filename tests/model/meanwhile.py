"""A table in memory, and what others do between the requests of one operation."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import botocore.exceptions

from core.dynamodb.integrity.faults import Fault
from core.dynamodb.integrity.repairs import repair_fault

from . import memory
from .explore import ours
from .explore.actors import ANA, BEN, GROUP, known_people
from .explore.ours import (
    FaultKind,
    InboxRow,
    Message,
    Person,
    Table,
    inbox_row_item,
    message_item,
    project,
)
from .explore.scopes import conversation, table_of
from .invariants import inserts

Items = Mapping[memory.Key, memory.Item]

NO_ANSWER = botocore.exceptions.ReadTimeoutError(endpoint_url="http://model")


def at(microseconds: int) -> str:
    return ours.sort_key(ours.EPOCH + microseconds * ours.MICROSECOND)


def message(sender: Person, microseconds: int, text: str = "", group: str = GROUP) -> Message:
    key = at(microseconds)
    text = text or f"text at {microseconds}"
    return Message(group, f"message {text}", sender, text, key, ours.EPOCH)


def row(owner: Person, other: Person, key: str, text: str, group: str = GROUP) -> memory.Item:
    return dict(inbox_row_item(InboxRow(group, owner.uuid, other, text, key, None)))


FIRST = replace(message(ANA, 0, "text before in g"), message_uuid="message before in g")
"""The message that Ana and Ben have from the start."""


class Client(memory.Client):
    """Counts its requests; ``meanwhile`` says what others do ahead of one, by its number."""

    def __init__(self, table: memory.Table, **more: Any) -> None:
        super().__init__(table, before=self._before, **more)
        self.meanwhile: dict[int, Callable[[], object]] = {}
        self.ahead_of_transaction: Callable[[], object] | None = None
        self.requests = 0

    def _before(self) -> None:
        self.requests += 1
        if (act := self.meanwhile.get(self.requests)) is not None:
            act()

    def transact_write_items(self, **params: Any) -> dict[str, Any]:
        act, self.ahead_of_transaction = self.ahead_of_transaction, None
        if act is not None:
            act()
        return super().transact_write_items(**params)


class Model:
    """A table in memory: ``handle`` is the observed operation's, ``others`` everyone else's."""

    def __init__(self, items: Items) -> None:
        self.table = memory.Table()
        self.table.items = dict(items)
        self.client = Client(self.table)
        self.handle = ours.open_table(self.client)
        self.others = ours.open_table(memory.Client(self.table))

    @property
    def meanwhile(self) -> dict[int, Callable[[], object]]:
        return self.client.meanwhile

    def lag_behind(self, items: Items) -> None:
        """Let reads that are not consistent show ``items`` from now on."""
        self.table.past = [dict(items)]
        self.client.lag = lambda most: min(1, most)

    def lose_answer(self, then: Callable[[], object] = lambda: None) -> None:
        """Let the next transaction be committed, ``then`` others act, and no answer come."""

        def lose() -> None:
            self.client.after = lambda: None
            then()
            raise NO_ANSWER

        def ahead() -> None:
            self.client.after = lose

        self.client.ahead_of_transaction = ahead

    def put(self, *items: memory.Item) -> None:
        self.table.items |= table_of(*items)

    def put_messages(self, *messages: Message) -> None:
        self.put(*(dict(message_item(message)) for message in messages))

    def drop_rows(self, owner: Person) -> None:
        """Delete an inbox, as Cruddur's function leaves it if it is killed."""
        kept = {key: item for key, item in self.table.items.items() if key[0] != pk_of(owner)}
        self.table.items = kept

    def rows(self, owner: Person, group: str = GROUP) -> list[InboxRow]:
        rows = [
            ours.inbox_row_from(item)
            for (pk, _), item in self.table.items.items()
            if pk == pk_of(owner)
        ]
        return [row for row in rows if row.message_group_uuid == group]

    def previews(self, owner: Person, group: str = GROUP) -> list[str]:
        return [row.preview for row in self.rows(owner, group)]

    def texts(self, group: str = GROUP) -> dict[str, str]:
        """The conversation's messages by their keys."""
        return {
            sk: item["message"]["S"]
            for (pk, sk), item in self.table.items.items()
            if pk == f"MSG#{group}"
        }

    def deliver(self, *messages: Message, by: Table | None = None) -> None:
        """Put the messages, and project them as one batch."""
        self.put_messages(*messages)
        records = inserts([dict(message_item(message)) for message in messages])
        assert project(by or self.handle, records) == {"batchItemFailures": []}

    def remove(self, removed: Message, *, by: Table | None = None) -> bool:
        return ours.remove_message(by or self.handle, removed)

    def repair(
        self,
        fault: FaultKind,
        pk: str,
        sk: str,
        group: str = GROUP,
        *,
        by: Table | None = None,
    ) -> bool:
        return repair_fault(by or self.handle, known_people, Fault(fault, pk, sk, group))


def talking() -> Model:
    """Ana and Ben have one message, :data:`FIRST`, at ``at(0)``."""
    return Model(conversation(ANA, BEN))


def pk_of(owner: Person) -> str:
    return f"GRP#{owner.uuid}"


def after_each_interruption(
    make: Callable[[], Model],
    operate: Callable[[Model], object],
    others_act: Callable[[Model], object],
) -> Iterator[Model]:
    """The model after ``operate``, once for each of its requests that others act ahead of."""
    for number in itertools.count(1):
        model = make()
        model.meanwhile[number] = lambda model=model: others_act(model)
        operate(model)
        if model.client.requests < number:
            return
        yield model
