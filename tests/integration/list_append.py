"""A history of many writers and readers, checked by Elle's rules for append-only lists.

A conversation is a list, a send appends to it, a read sees its end. The list as it is in the end
gives the order of all appends; every read, and the real time of every operation, must agree with
it. Each operation is checked a fixed number of times, so the check takes linear time.

The rules, and the names of what breaks them, are those of Kingsbury and Alvaro's Elle
(https://www.vldb.org/pvldb/vol14/p268-alvaro.pdf), where a read sees the whole list; here it sees
the newest of it, and each member's inbox row just before and after that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Append:
    """A send: when it began and ended, and whether it is certain that it was stored.

    An unconfirmed one never ends; one that was ``refused`` stored nothing.
    """

    conversation: str
    value: str
    start: float
    end: float
    is_acknowledged: bool = False
    is_refused: bool = False


@dataclass(frozen=True, slots=True)
class Read:
    """The newest values of a conversation, oldest first.

    ``before`` and ``after`` are what an inbox row showed before and after the list was read.
    """

    conversation: str
    values: tuple[str, ...]
    start: float
    end: float
    before: str = ""
    after: str = ""


@dataclass(slots=True)
class _List:
    """A conversation in the end: each value's position, and the earliest end after it."""

    values: Sequence[str]
    appends: Mapping[str, Append]
    places: dict[str, int] = field(default_factory=dict)
    earliest_end: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.places = {value: place for place, value in enumerate(self.values)}
        self.earliest_end = [NEVER] * (len(self.values) + 1)
        for place in range(len(self.values) - 1, -1, -1):
            self.earliest_end[place] = min(self._end(place), self.earliest_end[place + 1])

    def _end(self, place: int) -> float:
        append = self.appends.get(self.values[place])
        return append.end if append and append.is_acknowledged else NEVER

    def missing(self, read: Read) -> Iterator[str]:
        """Values that had been acknowledged before the read began, and are not in its middle."""
        places = [self.places[value] for value in read.values]
        for one, other in pairwise(places):
            for place in range(one + 1, other):
                if self._end(place) < read.start:
                    yield self.values[place]


def anomalies(
    appends: Iterable[Append], reads: Iterable[Read], final: Mapping[str, Sequence[str]]
) -> list[str]:
    """The anomalies of the history; ``final`` has the whole list of every conversation."""
    known = {append.value: append for append in appends}
    lists = {name: _List(values, known) for name, values in final.items()}
    return [
        *_lost(known, lists),
        *_doubled(lists),
        *(wrong for name, messages in lists.items() for wrong in _out_of_time(name, messages)),
        *(wrong for read in reads for wrong in _wrong_read(read, lists[read.conversation], known)),
    ]


def _lost(known: Mapping[str, Append], lists: Mapping[str, _List]) -> Iterator[str]:
    for append in known.values():
        is_there = append.value in lists[append.conversation].places
        if append.is_acknowledged and not is_there:
            yield f"lost: {append.value} was acknowledged and is in no list"
        if append.is_refused and is_there:
            yield f"aborted read: {append.value} was refused and is stored"


def _doubled(lists: Mapping[str, _List]) -> Iterator[str]:
    counts = Counter(value for messages in lists.values() for value in messages.values)
    yield from (f"doubled: {value} is there {n} times" for value, n in counts.items() if n > 1)


def _out_of_time(name: str, messages: _List) -> Iterator[str]:
    """Appends that ended before an earlier one in the list began."""
    latest, behind = -NEVER, ""
    for value in messages.values:
        append = messages.appends.get(value)
        if append is None:
            continue
        if append.is_acknowledged and append.end < latest:
            yield f"reordered: in {name}, {value} ended before {behind} began, and is behind it"
        if append.start > latest:
            latest, behind = append.start, value


def _wrong_read(read: Read, messages: _List, known: Mapping[str, Append]) -> Iterator[str]:
    the_read = f"the read of {read.conversation} at {read.start:.3f}"
    if unknown := [value for value in read.values if value not in messages.places]:
        word = "aborted" if unknown[0] in known else "phantom"
        yield f"{word} read: {the_read} has {unknown[0]}, which is in no list in the end"
        return
    places = [messages.places[value] for value in read.values]
    if any(one >= other for one, other in pairwise(places)):
        yield f"reordered: {the_read} has another order than the list in the end"
        return
    yield from (f"lost: {the_read} has not {value}" for value in messages.missing(read))
    last = places[-1] if places else -1
    if messages.earliest_end[last + 1] < read.start:
        yield f"stale: {the_read} ends before what had been acknowledged"
    if read.before and messages.places.get(read.before, last + 1) > last:
        yield f"fractured: {the_read} has not {read.before}, which an inbox showed before"
    if read.after and messages.places.get(read.after, -1) < last:
        yield f"fractured: {the_read} has what an inbox did not show after, but {read.after}"
