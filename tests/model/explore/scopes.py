"""Scopes: the actors, the table, and the faults; and the list of all scopes."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from .. import memory
from ..memory import Item, Key
from . import actors, ours
from .actors import ANA, BEN, CLEO, GROUP, OTHER_GROUP, SAM, Actor

Items = dict[Key, Item]

REFUSED, CONFLICT, LOST, RESET = "refused", "conflict", "lost reply", "reset"
CRASH_BEFORE, CRASH_AFTER = "crash before", "crash after"
LATE, SECOND_TRY, TIRED = "late", "conflict at the second try", "gives up"
UNPROCESSED = "partly unprocessed"
ALL = frozenset({REFUSED, CONFLICT, LOST, RESET, CRASH_BEFORE, CRASH_AFTER, UNPROCESSED})
"""The faults of a request, by their names in a trace."""

MORE = ALL | {LATE, SECOND_TRY, TIRED}
"""Also: a request that is carried out long after its sender gave up; one that the SDK sent again;
an operation that has waited too long."""


@dataclass(frozen=True)
class Clock:
    """The clock. It stands still, except for ``steps``, at most ``most`` of them in a run.

    ``ahead`` says how far each actor's own clock is ahead. All in microseconds.
    """

    steps: tuple[int, ...] = ()
    most: int = 0
    ahead: tuple[int, ...] = ()


STILL = Clock()
SECOND = 1_000_000


NAME = "name differs"
ERASED = "erased user"


@dataclass(frozen=True)
class Scope:
    """What is explored completely.

    ``settles`` are the conditions under which the final table must be correct, each alone: as it is
    (then also at every moment before), after all have ended, after the rest of the stream, after
    our next send, after a repair.
    """

    name: str
    actors: tuple[Actor, ...]
    items: Items
    faults: int = 0
    kinds: frozenset[str] = ALL
    lag: int = 0
    clock: Clock = STILL
    settles: tuple[str, ...] = ("as it is",)
    may_be_several: bool = False
    strangers: tuple[str, ...] = ()
    orphans: tuple[str, ...] = ()
    in_bulk: bool = False
    """Whether an import inserts whole conversations: what others removed meanwhile it removes when
    it ends, so only the end counts."""
    undelivered: frozenset[str] = frozenset()
    """Messages of ``items`` that the stream has not delivered to us yet."""
    expected: frozenset[str] = frozenset()
    """The problems that a verification may still report in the end."""
    people: actors.FindPeople = actors.known_people
    """What Postgres says of people; ``NAME`` is then no fault until a repair."""

    def expected_after(self, end: str) -> frozenset[str]:
        """The problems that a verification may still report after ``end``."""
        mends = end in ("a repair", "the erasure again")
        return self.expected - {NAME, ERASED} if mends else self.expected

    @property
    def only_ours(self) -> bool:
        """Whether the table must be correct at every moment."""
        return "as it is" in self.settles

    @property
    def followers(self) -> tuple[str, ...]:
        return tuple(sorted({actor.follows for actor in self.actors if actor.follows}))


# What is there before.


def _message(group: str, sender: ours.Person, before_us: int, name: str) -> Item:
    instant = ours.EPOCH - before_us * ours.MICROSECOND
    uuid = f"message {name}"
    message = ours.Message(group, uuid, sender, f"text {name}", ours.sort_key(instant), instant)
    return ours.message_item(message)


def _row(group: str, owner: ours.Person, other: ours.Person, before_us: int, text: str) -> Item:
    instant = ours.EPOCH - before_us * ours.MICROSECOND
    return ours.inbox_row_item(
        ours.InboxRow(group, owner.uuid, other, text, ours.sort_key(instant), instant)
    )


def table_of(*items: Item) -> Items:
    return {memory.key_of(item): dict(item) for item in items}


def conversation(
    one: ours.Person,
    other: ours.Person,
    group: str = GROUP,
    *,
    before_us: int = 0,
    pair: bool = True,
) -> Items:
    """A conversation of one message, as our writers leave it."""
    name = f"before in {group}"
    message = _message(group, one, before_us, name)
    rows = [
        _row(group, owner, shown, before_us, f"text {name}")
        for owner, shown in ((one, other), (other, one))
    ]
    pairs = [dict(ours.pair_item(one, other, group))] if pair else []
    return table_of(message, *rows, *pairs)


NOTHING: Items = {}


@cache
def _talking() -> Items:
    """Ana and Ben have a message at exactly the current microsecond."""
    return conversation(ANA, BEN)


@cache
def _crowded() -> Items:
    """Ana has another conversation too, whose row has the next instant already."""
    return _talking() | conversation(ANA, CLEO, OTHER_GROUP, before_us=-1)


NOT_SHOWN = frozenset({"message not shown yet"})


@cache
def _not_projected() -> Items:
    """A message of Ben's that Cruddur put, and no inbox shows yet."""
    late = _message(GROUP, BEN, -5, "not shown yet")
    return _talking() | table_of(late)


@cache
def _row_lost() -> Items:
    """Ben's row is missing: Cruddur's function was killed between its delete and its put."""
    return {place: item for place, item in _talking().items() if place[0] != "GRP#ben"}


@cache
def _rows_lost() -> Items:
    """Both rows are missing: no inbox lists the conversation, but the pair still names it."""
    return {place: item for place, item in _talking().items() if place[0][:4] != "GRP#"}


@cache
def _doubled() -> Items:
    """Ana has two rows of the conversation, as two writers of Cruddur's leave it."""
    return _talking() | table_of(_row(GROUP, ANA, BEN, 7, "text before in g"))


@cache
def _in_doubt(stored: bool) -> Items:
    """A send of Ana's is unconfirmed: its reply was lost, and it may be stored or not."""
    before = conversation(ANA, BEN, before_us=2)
    if not stored:
        return before
    draft = actors.IN_DOUBT
    rows = [_row(GROUP, ANA, BEN, 1, draft.text), _row(GROUP, BEN, ANA, 1, draft.text)]
    kept = {place: item for place, item in before.items() if place[0][:4] != "GRP#"}
    return kept | table_of(message_at(draft, 1), *rows)


@cache
def _stored_later() -> Items:
    """A send of Ana's is unconfirmed: a message of Ben's had its key, so it took the next one."""
    taken = _message(GROUP, BEN, 1, "at the key")
    stored = message_at(actors.IN_DOUBT, 0)
    rows = [
        _row(GROUP, ANA, BEN, 0, actors.IN_DOUBT.text),
        _row(GROUP, BEN, ANA, 0, actors.IN_DOUBT.text),
    ]
    before = conversation(ANA, BEN, before_us=2)
    kept = {place: item for place, item in before.items() if place[0][:4] != "GRP#"}
    return kept | table_of(taken, stored, *rows)


def message_at(draft: ours.Draft, before_us: int) -> Item:
    instant = ours.EPOCH - before_us * ours.MICROSECOND
    return ours.message_item(draft.message(GROUP, ours.sort_key(instant)))


def _exported(items: Mapping[Key, Item]) -> list[Item]:
    return list(items.values())


@cache
def _since_then() -> tuple[Items, list[Item]]:
    """A table, and an export of it from before its last message."""
    older = conversation(ANA, BEN, before_us=9)
    newer = _message(GROUP, BEN, 4, "since then")
    rows = [
        _row(GROUP, ANA, BEN, 4, "text since then"),
        _row(GROUP, BEN, ANA, 4, "text since then"),
    ]
    kept = {place: item for place, item in older.items() if place[0][:4] != "GRP#"}
    return kept | table_of(newer, *rows), _exported(older)


@cache
def _worn() -> tuple[Items, list[Item]]:
    """A table that Cruddur's code has used too, and an export of it from before its last message.

    It made the conversation, so no pair is stored; a message that it put is in no inbox yet.
    """
    items, export = _since_then()
    kept = {place: item for place, item in items.items() if place[0][:5] != "PAIR#"}
    return kept | table_of(_message(GROUP, BEN, -5, "not shown yet")), export


# The scopes.

_ENDS = ("the stream", "the next send", "a repair")
_STEPS = Clock(steps=(-SECOND, SECOND), most=1)
_BACK_AND_FORTH = Clock(steps=(-SECOND, SECOND), most=2)
_APART = Clock(ahead=(0, -SECOND, SECOND))

_TWO_CONVERSATIONS = frozenset({"two conversations"})
"""While Cruddur's function moves rows, a start or a load may miss both, and begin another."""

Maker = Callable[[int], Actor]
"""Makes an actor, the first or a later one of its kind."""

_OURS: dict[str, Maker] = {
    "send": lambda n: actors.send(*((ANA, BEN), (BEN, ANA))[n % 2], number=n),
    "start": lambda n: actors.start(*((BEN, ANA), (ANA, BEN))[n % 2], number=n),
    "retry": lambda n: actors.retry(number=n),
    "projection": lambda n: actors.projection(batches=2 if n == 0 else 1, number=n + 1),
    "repair": lambda n: actors.repair(number=n),
    "verify": lambda n: actors.verify(number=n),
    "transcript": lambda n: actors.transcript(number=n),
    "removal": lambda n: actors.remove(number=n),
}
_ALL: dict[str, Maker] = _OURS | {
    "import": lambda n: actors.import_older(_worn()[1], number=n),
    "plain put": lambda n: actors.plain_put((BEN, ANA)[n % 2], later_us=10 - 12 * n, number=n),
    "function": lambda n: actors.cruddur_function(number=n),
}


def _every(makers: Mapping[str, Maker], count: int) -> Iterator[tuple[str, tuple[Actor, ...]]]:
    """Each choice of ``count`` actors, some of them of one kind, with its name.

    Of Cruddur's function there is one: AWS runs one at a time for a conversation, whose messages
    are in one shard.
    """
    for kinds in itertools.combinations_with_replacement(makers, count):
        if kinds.count("function") > 1:
            continue
        number = Counter[str]()
        chosen = []
        for kind in kinds:
            chosen.append(makers[kind](number[kind]))
            number[kind] += 1
        yield ", ".join(kinds), tuple(chosen)


def _promised(ends: tuple[str, ...], kinds: str) -> tuple[str, ...]:
    """The next operation corrects what Cruddur's function or an import leaves.

    It also corrects a message that Cruddur puts while a removal reads the newest one.
    """
    later = any(kind in kinds for kind in ("function", "import", "removal"))
    return tuple("the next projection" if later and e == "the stream" else e for e in ends)


@dataclass(frozen=True)
class Family:
    """Scopes that are reported in one line."""

    name: str
    scopes: tuple[Scope, ...]
    is_large: bool = True


def _family(
    name: str,
    makers: Mapping[str, Maker],
    count: int,
    items: Items,
    *,
    ends: tuple[str, ...],
    without: Collection[str] = (),
    **more: Any,
) -> Family:
    scopes = [
        Scope(
            f"{name}: {kinds}",
            chosen,
            items,
            settles=_promised(ends, kinds),
            may_be_several="function" in kinds,
            expected=_TWO_CONVERSATIONS if "function" in kinds else frozenset(),
            **more,
        )
        for kinds, chosen in _every(makers, count)
        if kinds not in without
    ]
    return Family(name, tuple(scopes))


def _single(name: str, *chosen: Actor, items: Items, **more: Any) -> Family:
    is_large = more.pop("is_large", False)
    return Family(name, (Scope(name, chosen, items, **more),), is_large)


def _small() -> list[Family]:
    """What `invoke test` explores each time."""
    sends = (actors.send(ANA, BEN), actors.send(BEN, ANA))
    well, late = _talking(), _not_projected()
    since_then, export = _since_then()
    theirs: dict[str, Any] = {"settles": _ENDS, "undelivered": NOT_SHOWN}
    later = ("the next projection", "the next send", "a repair")
    return [
        _single("2 sends", *sends, items=well, faults=2),
        _single("2 sends, reads lag", *sends, items=well, faults=2, lag=3, kinds=MORE),
        _single("2 sends, clocks step", *sends, items=well, faults=1, clock=_STEPS),
        _single("2 sends, clocks differ", *sends, items=well, faults=1, clock=_APART),
        _single(
            "2 starts", actors.start(ANA, BEN), actors.start(BEN, ANA), items=NOTHING, faults=2
        ),
        _single("a start, by itself", actors.start(ANA, BEN), items=NOTHING, faults=3, kinds=MORE),
        _single(
            "a start at an instant that another conversation has",
            actors.start(ANA, BEN),
            items=conversation(ANA, CLEO, OTHER_GROUP),
            faults=1,
        ),
        _single("a send, by itself", sends[0], items=well, faults=3, kinds=MORE),
        _single(
            "2 starts, reads lag, clocks differ",
            *(actors.start(ANA, BEN), actors.start(BEN, ANA)),
            items=NOTHING,
            faults=1,
            lag=3,
            clock=_APART,
        ),
        _single(
            "2 sends of one person into 2 conversations, at one instant",
            actors.send(ANA, BEN),
            actors.send(CLEO, ANA, group=OTHER_GROUP),
            items=_crowded(),
            faults=2,
        ),
        _single(
            "2 sends in a row beside another",
            *(actors.send_twice(ANA, BEN), actors.send(BEN, ANA)),
            items=well,
            lag=1,
            clock=_BACK_AND_FORTH,
        ),
        _single(
            "a retry of what was stored, and a send",
            *(actors.retry(), actors.send(BEN, ANA)),
            items=_in_doubt(True),
            faults=2,
            lag=1,
        ),
        _single(
            "a retry of what was stored at a later key, and a send",
            *(actors.retry(), actors.send(BEN, ANA)),
            items=_stored_later(),
            faults=1,
        ),
        _single(
            "a retry of what was not stored, and a send",
            *(actors.retry(), actors.send(BEN, ANA)),
            items=_in_doubt(False),
            faults=2,
            lag=1,
        ),
        _single(
            "a send and a projection of 2 batches",
            *(actors.send(ANA, BEN), actors.projection(batches=2)),
            items=late,
            faults=1,
            lag=1,
            **theirs,
        ),
        _single(
            "a plain put and 2 projections",
            *(actors.plain_put(), actors.projection(), actors.projection(number=2)),
            items=late,
            faults=1,
            **theirs,
        ),
        _single(
            "a send and Cruddur's function",
            *(actors.send(ANA, BEN), actors.cruddur_function()),
            items=late,
            faults=1,
            settles=later,
            undelivered=NOT_SHOWN,
        ),
        _single(
            "a stranger's put, a projection and a send",
            *(actors.plain_put(SAM), actors.projection(), actors.send(ANA, BEN)),
            items=late,
            strangers=("sam",),
            expected=frozenset({"stranger's message"}),
            **theirs,
        ),
        _single(
            "a send and a repair of a lost row",
            *(actors.send(ANA, BEN), actors.repair()),
            items=_row_lost(),
            faults=2,
            settles=later,
        ),
        _single(
            "2 sends where a row is lost",
            *sends,
            items=_row_lost(),
            clock=_APART,
            settles=("all have ended",),
        ),
        _single(
            "2 sends where both rows are lost",
            *sends,
            items=_rows_lost(),
            clock=_APART,
            settles=("all have ended",),
        ),
        _single(
            "a send and a load where both rows are lost",
            *(actors.send(ANA, BEN), actors.transcript()),
            items=_rows_lost(),
            settles=("all have ended",),
        ),
        _single(
            "2 loads where a row is lost",
            *(actors.transcript(), actors.transcript(number=1)),
            items=_row_lost(),
            clock=_APART,
            settles=("all have ended",),
        ),
        _single(
            "2 loads where both rows are lost",
            *(actors.transcript(), actors.transcript(number=1)),
            items=_rows_lost(),
            clock=_APART,
            settles=("all have ended",),
        ),
        _single(
            "a send and a repair of a row that is there twice",
            *(actors.send(ANA, BEN), actors.repair()),
            items=_doubled(),
            faults=1,
            settles=("the next send", "a repair"),
        ),
        _single(
            "a repair and a verification",
            *(actors.repair(), actors.verify()),
            items=late,
            faults=1,
            **theirs,
        ),
        _single(
            "an import of an older export, and a send",
            *(actors.import_older(export), actors.send(ANA, BEN)),
            items=since_then,
            faults=1,
            lag=2,
            settles=("the next send", "a repair"),
        ),
        _single(
            "2 loads of one transcript",
            *(actors.transcript(), actors.transcript(number=1)),
            items=well,
            faults=1,
        ),
        _single(
            "Cruddur's start, and ours",
            *(actors.cruddur_start(), actors.start(ANA, BEN)),
            items=NOTHING,
            faults=1,
            settles=("a repair",),
            may_be_several=True,
            orphans=(actors.THEIRS,),
            expected=frozenset(
                {"orphan messages", "missing row", "no messages", "two conversations"}
            ),
        ),
    ]


def _removing() -> list[Family]:
    """A removal beside everybody else; `invoke test` explores these too."""
    gone, send = actors.remove(), actors.send(ANA, BEN)
    well, late, two = _talking(), _not_projected(), _since_then()[0]
    theirs: dict[str, Any] = {"settles": _ENDS, "undelivered": NOT_SHOWN}
    later = ("the next projection", "the next send", "a repair")
    earlier = actors.remove(at=ours.sort_key(ours.EPOCH - 9 * ours.MICROSECOND))
    return [
        _single("a removal, by itself", gone, items=well, faults=3, kinds=MORE),
        _single("a removal and a send", gone, send, items=well, faults=1, lag=2, kinds=MORE),
        _single(
            "a removal and a send, clocks step", gone, send, items=well, faults=1, clock=_STEPS
        ),
        _single("a removal and 2 sends", gone, send, actors.send(BEN, ANA), items=two),
        _single("2 removals", gone, actors.remove(number=1), items=two, faults=1, kinds=MORE),
        _single("2 removals and a send", gone, actors.remove(number=1), send, items=two),
        _single("a removal, one of an earlier message and a send", gone, earlier, send, items=two),
        _single(
            "a removal and a start",
            *(gone, actors.start(ANA, BEN)),
            items=well,
            faults=1,
            kinds=MORE,
        ),
        _single(
            "a removal and a retry of what was stored",
            *(gone, actors.retry()),
            items=_in_doubt(True),
            faults=2,
            kinds=MORE,
        ),
        _single(
            "a removal and a retry of what was not stored",
            *(gone, actors.retry()),
            items=_in_doubt(False),
            faults=1,
            kinds=MORE,
        ),
        _single(
            "a removal and a retry of what was not stored and is earlier than the row",
            *(gone, actors.retry()),
            items=_talking(),
            faults=1,
        ),
        _single(
            "a removal and a send into another conversation at that instant",
            *(gone, actors.send(CLEO, ANA, group=OTHER_GROUP)),
            items=_crowded(),
            faults=1,
        ),
        _single(
            "a removal and a projection",
            *(gone, actors.projection()),
            items=late,
            faults=1,
            kinds=frozenset({LOST, CONFLICT}),
            **theirs,
        ),
        _single(
            "a removal, a plain put and a projection",
            *(gone, actors.plain_put(), actors.projection()),
            items=late,
            settles=later,
            undelivered=NOT_SHOWN,
        ),
        _single("a removal and a repair", gone, actors.repair(), items=late, **theirs),
        _single("a removal and a verification", gone, actors.verify(), items=late, **theirs),
        _single("a removal and a load", gone, actors.transcript(), items=well),
        _single(
            "a removal and an import of what is removed",
            *(gone, actors.import_older(_exported(two))),
            items=two,
            faults=1,
            settles=("the next send", "a repair"),
        ),
        _single(
            "a removal and Cruddur's function",
            *(gone, actors.cruddur_function()),
            items=late,
            settles=later,
            undelivered=NOT_SHOWN,
        ),
    ]


def _renaming() -> list[Family]:
    """A rename beside each writer of rows: one that began before it may leave the old name."""
    rename, send = actors.rename(), actors.send(ANA, BEN)
    ours: dict[str, Any] = {
        "expected": frozenset({NAME}),
        "people": actors.people_with_ana_renamed,
        "settles": ("as it is", "a repair"),
    }
    theirs = ours | {"settles": _ENDS, "undelivered": NOT_SHOWN}
    late = _not_projected()
    mending = actors.repair(people=actors.people_with_ana_renamed)
    return [
        _single("a rename, by itself", rename, items=_talking(), faults=2, kinds=MORE, **ours),
        _single("a rename and a send", rename, send, items=_talking(), faults=1, lag=2, **ours),
        _single("a rename and a start", rename, actors.start(BEN, ANA), items=NOTHING, **ours),
        _single("a rename and a removal", rename, actors.remove(), items=_since_then()[0], **ours),
        _single("a rename and a projection", rename, actors.projection(), items=late, **theirs),
        _single("a rename and a repair", rename, mending, items=late, **theirs),
        _single(
            "a rename and Cruddur's function",
            *(rename, actors.cruddur_function()),
            items=late,
            **theirs | {"settles": ("the next projection", "the next send", "a repair")},
        ),
    ]


def _erasing() -> list[Family]:
    """An erasure of Ana beside everybody else."""
    erase, well, two, late = actors.erase(), _talking(), _since_then()[0], _not_projected()
    ours: dict[str, Any] = {
        "expected": frozenset({ERASED}),
        "settles": ("as it is", "the erasure again", "a repair"),
    }
    theirs = ours | {"settles": ("the erasure again", "a repair"), "undelivered": NOT_SHOWN}
    return [
        _single("an erasure, by itself", erase, items=two, faults=2, kinds=MORE, **ours),
        _single("an erasure and a send", erase, actors.send(ANA, BEN), items=two, faults=1, **ours),
        _single(
            "an erasure and a send of the other, reads lag",
            *(erase, actors.send(BEN, ANA)),
            items=well,
            lag=2,
            **ours,
        ),
        _single(
            "an erasure and a start", erase, actors.start(BEN, ANA), items=NOTHING, faults=1, **ours
        ),
        _single(
            "an erasure and a retry of what was stored",
            *(erase, actors.retry()),
            items=_in_doubt(True),
            faults=1,
            **ours,
        ),
        _single("an erasure and a removal", erase, actors.remove(), items=two, faults=1, **ours),
        _single("an erasure and a load", erase, actors.transcript(), items=well, faults=1, **ours),
        _single("2 erasures", erase, actors.erase(number=1), items=two, **ours),
        _single(
            "an erasure and an import of what it removes",
            *(erase, actors.import_older(_exported(two), erases=True)),
            items=two,
            **ours,
        ),
        _single(
            "an erasure and an import of its user into an empty table",
            *(erase, actors.import_older(_exported(two), erases=True)),
            items=NOTHING,
            orphans=(GROUP,),
            in_bulk=True,
            **theirs | {"expected": frozenset({ERASED, "orphan messages"})},
        ),
        _single(
            "an erasure and a projection",
            erase,
            actors.projection(),
            items=late,
            faults=1,
            **theirs,
        ),
        _single(
            "an erasure and a repair",
            erase,
            actors.repair(erases=True),
            items=late,
            **theirs,
        ),
        _single("an erasure and a verification", erase, actors.verify(), items=two, **ours),
        _single(
            "an erasure and Cruddur's function",
            *(erase, actors.cruddur_function()),
            items=late,
            **theirs | {"settles": ("a repair",)},
        ),
    ]


def _erasure_beside_each() -> tuple[Scope, ...]:
    """An erasure beside one of each kind, on a table that Cruddur's code has used too."""
    beside = _beside_an_erasure()
    return tuple(
        Scope(
            f"an erasure and: {kind}",
            (actors.erase(), make(0)),
            _worn()[0],
            faults=1 if kind == "import" else 2,
            kinds=MORE,
            settles=("a repair",),
            may_be_several=True,
            undelivered=NOT_SHOWN,
            expected=frozenset({ERASED}),
        )
        for kind, make in beside.items()
    )


def _erasure_and_import_beside_each() -> tuple[Scope, ...]:
    """An erasure and an import of an older export, beside one more of each kind.

    A repair and a second import beside them have too many states on the table that Cruddur's code
    has used too; so they are on one that it has not. Cruddur's function has too many on both.
    """
    beside = _beside_an_erasure()
    del beside["function"]
    since_then, export = _since_then()
    makers = beside | {"import": lambda n: actors.import_older(export, number=n, erases=True)}
    on_ours = ("import", "repair")
    return tuple(
        Scope(
            f"an erasure, an import and: {kind}",
            (
                actors.erase(),
                (makers if kind in on_ours else beside)["import"](0),
                makers[kind](int(kind == "import")),
            ),
            since_then if kind in on_ours else _worn()[0],
            settles=("a repair",),
            may_be_several=True,
            undelivered=frozenset() if kind in on_ours else NOT_SHOWN,
            expected=frozenset({ERASED}),
        )
        for kind in beside
    )


def _beside_an_erasure() -> dict[str, Maker]:
    """The actors of ``_ALL``, which also finish an erasure where they do."""
    return _ALL | {
        "repair": lambda n: actors.repair(number=n, erases=True),
        "import": lambda n: actors.import_older(_worn()[1], number=n, erases=True),
    }


def _large() -> list[Family]:
    """What `invoke test --explore` explores in addition."""
    well, worn = _talking(), _worn()[0]
    shown: dict[str, Any] = {"ends": _ENDS, "undelivered": NOT_SHOWN}
    ours: dict[str, Any] = {"ends": ("as it is",)}
    three = (actors.send(ANA, BEN), actors.send(BEN, ANA), actors.send(ANA, BEN, number=2))
    lagging: dict[str, Any] = {"lag": 3, "without": ("repair, repair",)}
    removal_and_projection = (actors.remove(), actors.projection(batches=2))
    late: dict[str, Any] = {"items": _not_projected(), "settles": _ENDS, "undelivered": NOT_SHOWN}
    return [
        _single(
            "a removal, a send and a projection",
            *(actors.remove(), actors.send(ANA, BEN), actors.projection()),
            is_large=True,
            **late,
        ),
        _single(
            "a removal and a projection of 2 batches",
            *removal_and_projection,
            faults=2,
            kinds=MORE,
            is_large=True,
            **late,
        ),
        Family("an erasure and each other, with faults", _erasure_beside_each()),
        Family("an erasure, an import and each other", _erasure_and_import_beside_each()),
        _single(
            "an erasure and an import of its user into an empty table, with a fault",
            *(actors.erase(), actors.import_older(_exported(_since_then()[0]), erases=True)),
            items=NOTHING,
            faults=1,
            orphans=(GROUP,),
            in_bulk=True,
            settles=("the erasure again", "a repair"),
            expected=frozenset({ERASED, "orphan messages"}),
            is_large=True,
        ),
        _single(
            "2 erasures, with a fault",
            *(actors.erase(), actors.erase(number=1)),
            items=_since_then()[0],
            faults=1,
            expected=frozenset({ERASED}),
            settles=("as it is", "the erasure again", "a repair"),
            is_large=True,
        ),
        _single(
            "an erasure, a send and a projection",
            *(actors.erase(), actors.send(BEN, ANA), actors.projection()),
            is_large=True,
            **late | {"settles": ("the erasure again", "a repair")},
        ),
        _single("3 sends", *three, items=well, faults=2, is_large=True),
        _single("3 sends, reads lag", *three, items=well, faults=1, lag=3, is_large=True),
        _single("3 sends, clocks differ", *three, items=well, clock=_APART, is_large=True),
        _family("pairs of ours", _OURS, 2, well, faults=2, lag=3, kinds=MORE, **ours),
        _family("pairs of all", _ALL, 2, worn, faults=2, kinds=MORE, **shown),
        _family("pairs of all, reads lag", _ALL, 2, worn, faults=1, **lagging, **shown),
        _family("pairs of all, clocks step", _ALL, 2, worn, faults=1, clock=_STEPS, **shown),
        _family("threes of all", _ALL, 3, worn, **shown),
    ]


@cache
def families() -> dict[str, Family]:
    """Every family by its name."""
    made = [*_small(), *_removing(), *_renaming(), *_erasing(), *_large()]
    names = {family.name: family for family in made}
    assert len(names) == len(made), "two families have one name"
    return names


@cache
def scopes() -> dict[str, Scope]:
    """Every scope by its name."""
    return {scope.name: scope for family in families().values() for scope in family.scopes}
