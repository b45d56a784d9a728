"""Medians over interleaved runs, and the tables that show them."""

from __future__ import annotations

import gc
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rich import box
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Took:
    """The milliseconds that one run took, and those of the processor."""

    elapsed: float
    processor: float


Run = Callable[[], object]
"""One run of a side. It is timed from outside, unless it returns what it :class:`Took` itself."""


@dataclass(frozen=True, slots=True)
class Side:
    """The runs of one side, in milliseconds, in the order in which they ran."""

    elapsed: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    def add(self, took: Took) -> None:
        self.elapsed.append(took.elapsed)
        self.processor.append(took.processor)


def in_turn(runs: int, *sides: Run) -> list[Side]:
    """Run several sides in turn, after one run of each that does not count."""
    for side in sides:
        side()
    measured = [Side() for _ in sides]
    for _ in range(runs):
        for place, side in enumerate(sides):
            measured[place].add(_took(side))
    return measured


def _took(run: Run) -> Took:
    gc.collect()  # a collection belongs to neither side
    began, began_processor = time.perf_counter(), time.process_time()
    result = run()
    if isinstance(result, Took):
        return result
    processor = time.process_time() - began_processor
    return Took((time.perf_counter() - began) * 1000, processor * 1000)


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison. ``target`` is the greatest ratio that is good enough.

    ``quartiles`` are those of the ratios of runs that followed each other. The middle one is the
    ratio: a machine that is slow for a while slows both runs of a pair.
    """

    measured: str
    unit: str
    here: float
    peer: float
    target: float | None = None
    quartiles: tuple[float, float, float] | None = None

    @property
    def ratio(self) -> float:
        return self.here / self.peer if self.quartiles is None else self.quartiles[1]

    @property
    def spread(self) -> tuple[float, float] | None:
        """The lower and the upper quartile."""
        return None if self.quartiles is None else (self.quartiles[0], self.quartiles[2])

    @property
    def is_missed(self) -> bool:
        return self.target is not None and self.ratio > self.target

    def cells(self) -> list[str]:
        target = "" if self.target is None else f"≤ {self.target:.3g}"
        if self.is_missed:
            target += ", missed"
        values = (f"{value:,.1f} {self.unit}" for value in (self.here, self.peer))
        spread = "" if self.spread is None else "{:.2f} to {:.2f}".format(*self.spread)
        return [self.measured, *values, f"{self.ratio:.2f}", spread, target]


def compared(
    measured: str,
    unit: str,
    here: Sequence[float],
    peer: Sequence[float],
    target: float | None = None,
) -> Row:
    """The medians of two sides that ran in turn, and the quartiles of their ratios."""
    ratios = [one / other for one, other in zip(here, peer, strict=True)]
    lower, middle, upper = statistics.quantiles(ratios, n=4, method="inclusive")
    medians = statistics.median(here), statistics.median(peer)
    return Row(measured, unit, *medians, target, (lower, middle, upper))


@dataclass(slots=True)
class Report:
    """The tables of a run, printed as they are measured, or together as JSON."""

    as_json: bool = False
    rows: list[tuple[str, Row]] = field(default_factory=list)

    def add(self, title: str, rows: Sequence[Row], note: str) -> None:
        self.rows += [(title, row) for row in rows]
        console = Console(highlight=False, width=110, stderr=self.as_json)
        grid = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        grid.add_column("")
        for column in ("here", "peer", "ratio", "its quartiles"):
            grid.add_column(column, justify="right")
        grid.add_column("target")
        for row in rows:
            grid.add_row(*row.cells())
        console.print(f"\n{title}", style="bold")
        console.print(grid)
        if note:
            console.print(note, markup=False)

    def end(self) -> None:
        """Print the JSON, if it was asked for; exit 1 if a target was missed."""
        if self.as_json:
            rows = [
                {
                    "section": title,
                    "measured": row.measured,
                    "unit": row.unit,
                    "here": row.here,
                    "peer": row.peer,
                    "ratio": row.ratio,
                    "spread": row.spread,
                    "target": row.target,
                    "missed": row.is_missed,
                }
                for title, row in self.rows
            ]
            print(json.dumps(rows, indent=2, ensure_ascii=False))
        if missed := sum(row.is_missed for _, row in self.rows):
            sys.exit(f"{missed} of {len(self.rows)} targets were missed")


REPORT = Report()


def print_rows(title: str, *rows: Row, note: str = "") -> None:
    """Print comparisons as one table; ``note`` says what was not measured."""
    REPORT.add(title, rows, note)
