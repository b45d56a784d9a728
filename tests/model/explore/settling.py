"""The checks of a final state, after every operation has ended."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from .. import memory
from ..invariants import EVERY, View, broken, inserts, wrong_in_the_end
from ..memory import Item
from . import actors, ours
from .runs import Node
from .scopes import Scope
from .store import Store

NEXT = "message of the next send"


class Calm:
    """Surroundings without faults, a second later."""

    elapsed_s = 0.0
    place = None  # it never stops, so nothing of it is forgotten

    def __init__(self) -> None:
        self.within: list[object] = []
        self._uuids = itertools.count()

    def now(self) -> datetime:
        return ours.EPOCH + timedelta(seconds=1)

    def waited(self) -> float:
        return 1.0  # no fault lasts for ever

    def uuid4(self) -> UUID:
        return ours.uuid_of(f"calm {next(self._uuids)}")


class Settling:
    """The ends of one scope."""

    def __init__(self, scope: Scope, store: Store) -> None:
        self.scope, self.store = scope, store
        messages = [item for (pk, _), item in scope.items.items() if pk[:4] == "MSG#"]
        unseen = [m for m in messages if m["message_uuid"]["S"] in scope.undelivered]
        self.undelivered_before = tuple(map(store.item, unseen))
        self.attempted = {item["message_uuid"]["S"] for item in messages}
        self.attempted |= {uuid for actor in scope.actors for uuid in actor.sends}
        self.attempted |= {NEXT, *(f"{NEXT} {number}" for number in range(4))}
        self.before = {item["message_uuid"]["S"]: item["sk"]["S"] for item in messages}
        self.messages = messages
        self._in_the_end: dict[Hashable, list[str]] = {}
        self.texts = {item["message_uuid"]["S"]: item["message"]["S"] for item in messages}

    def view(self, table: int, nodes: Sequence[Node], **more: str) -> View:
        acknowledged = dict(self.before)
        texts = dict(self.texts)
        refused, removed, erased = [], [], []
        for node in nodes:
            acknowledged |= {ack.message_uuid: ack.sort_key for ack in node.acks}
            texts |= {ack.message_uuid: ack.text for ack in node.acks}
            outcomes = str(node.ask.value).split(", ") if node.is_done else []
            refused += [o.removeprefix("refused ") for o in outcomes if o[:8] == "refused "]
            refused += [o.removeprefix("turned away ") for o in outcomes if o[:7] == "turned "]
            removed += [o.removeprefix("removed ") for o in outcomes if o[:8] == "removed "]
            erased += [o.removeprefix("erased ") for o in outcomes if o[:7] == "erased "]
        several = [frozenset({"ana", "ben"})] if self.scope.may_be_several else []
        return View(
            self.store.tables[table],
            acknowledged | more,
            self.attempted,
            refused,
            [tuple(ack.message_uuid for ack in node.acks) for node in nodes],
            several,
            self.scope.strangers,
            self.scope.orphans,
            removed,
            erased,
            texts,
        )

    def wrong(self, table: int, stream: Sequence[int], reached: int, nodes: Sequence[Node]) -> str:
        """The problem after one of the ends of the scope."""
        rest = self._rest(table, stream, reached)
        delivered = [*self.messages, *(self.store.items[number] for number in stream)]
        for name in self.scope.settles:
            if wrong := self._wrong_after(name, table, rest, delivered, nodes):
                return f"in the end, after {name}: {'; '.join(wrong)}"
        return ""

    def _wrong_after(
        self,
        name: str,
        table: int,
        rest: Sequence[Item],
        delivered: Sequence[Item],
        nodes: Sequence[Node],
    ) -> list[str]:
        settled = memory.Table()
        settled.items = dict(self.store.tables[table])
        handle = ours.open_table(memory.Client(settled))
        more: dict[str, str] = {}
        try:
            _ENDS[name](handle, rest, more, self.scope)
        except Exception as error:  # noqa: BLE001 - every error is a finding
            return [f"it broke: {type(error).__name__}: {error}"]
        end = self.store.table(settled.items)
        wrong = broken(self.view(end, nodes, **more), *EVERY)
        expected = self.scope.expected_after(name)
        # Many orders end in the same table.
        place = (end, frozenset(map(self.store.item, delivered)), expected)
        if place not in self._in_the_end:
            self._in_the_end[place] = wrong_in_the_end(
                handle, self.scope.people, lambda: settled.items, expected, delivered
            )
        return wrong + self._in_the_end[place]

    def _rest(self, table: int, stream: Sequence[int], reached: int) -> list[Item]:
        """The records that our projection has not got yet."""
        if reached >= 0:
            return [self.store.items[number] for number in stream[reached:]]
        undelivered = set(self.undelivered_before)
        return [
            item
            for (pk, _), item in self.store.tables[table].items()
            if pk[:4] == "MSG#"
            and (
                item["message_uuid"]["S"] not in self.before or self.store.item(item) in undelivered
            )
        ]


End = Callable[[ours.Table, Sequence[Item], dict[str, str], Scope], None]


def _as_it_is(_: ours.Table, __: Sequence[Item], ___: dict[str, str], ____: Scope) -> None: ...


def _stream(handle: ours.Table, rest: Sequence[Item], _: dict[str, str], __: Scope) -> None:
    assert ours.project(handle, inserts(rest)) == {"batchItemFailures": []}


def _next_projection(
    handle: ours.Table, rest: Sequence[Item], more: dict[str, str], _: Scope
) -> None:
    """Cruddur's app puts one more message, and the stream brings us all that is left."""
    # A plain put would replace a message of the same microsecond.
    instant = ours.EPOCH + timedelta(seconds=2.5)
    group = actors.GROUP
    key = ours.sort_key(instant)
    message = ours.Message(group, NEXT, actors.BEN, "text of the next plain put", key, instant)
    item = ours.message_item(message)
    handle.client.put_item(Item=item)
    more[NEXT] = key
    assert ours.project(handle, inserts([*rest, item])) == {"batchItemFailures": []}


def _next_send(handle: ours.Table, _: Sequence[Item], more: dict[str, str], __: Scope) -> None:
    """Ana sends to Ben once more; where others made several conversations, into each of them."""
    messages = handle.client.table.items
    groups = sorted({pk[4:] for pk, _ in messages if pk[:4] == "MSG#"} - {actors.OTHER_GROUP})
    for number, group in enumerate(groups):
        draft = ours.Draft(actors.ANA, actors.BEN, f"text of next send {number}", NEXT)
        if len(groups) == 1:
            more[NEXT] = ours.start(handle, draft)[0].sort_key
        else:
            ours.send(handle, group, replace(draft, message_uuid=f"{NEXT} {number}"))


def _repair(handle: ours.Table, _: Sequence[Item], __: dict[str, str], scope: Scope) -> None:
    for _pass in range(3):
        if not ours.repair(ours.Verification(handle, scope.people)):
            return
    raise AssertionError("a repair never comes to its end")


def _erasure_again(handle: ours.Table, _: Sequence[Item], __: dict[str, str], ___: Scope) -> None:
    """The erasure of Ana is run again, as after any failure; nothing of her may be left."""
    ours.erase_user(handle, actors.ANA.uuid)
    left = [place for place in handle.client.table.items if actors.ANA.uuid in place[0].split("#")]
    assert not left, f"the erasure leaves {left}"


_ENDS: dict[str, End] = {
    "the erasure again": _erasure_again,
    "as it is": _as_it_is,
    "all have ended": _as_it_is,
    "the stream": _stream,
    "the next projection": _next_projection,
    "the next send": _next_send,
    "a repair": _repair,
}
