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

Run = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Medians:
    """The median of each side: elapsed, and of this process's processor, in milliseconds."""

    elapsed_ms: list[float]
    processor_ms: list[float]


def medians(runs: int, *sides: Run) -> Medians:
    """The medians of several sides, in turn, after one run of each that does not count."""
    for side in sides:
        side()
    elapsed: list[list[float]] = [[] for _ in sides]
    processor: list[list[float]] = [[] for _ in sides]
    for _ in range(runs):
        for place, side in enumerate(sides):
            gc.collect()  # a collection belongs to neither side
            began, began_processor = time.perf_counter(), time.process_time()
            side()
            elapsed[place].append((time.perf_counter() - began) * 1000)
            processor[place].append((time.process_time() - began_processor) * 1000)
    return Medians(
        [statistics.median(times_ms) for times_ms in elapsed],
        [statistics.median(times_ms) for times_ms in processor],
    )


def medians_ms(runs: int, *sides: Run) -> list[float]:
    """The median milliseconds of each side, after one run of each that does not count."""
    return medians(runs, *sides).elapsed_ms


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison. ``target`` is the greatest ratio that is good enough."""

    measured: str
    unit: str
    here: float
    peer: float
    target: float | None = None

    @property
    def ratio(self) -> float:
        return self.here / self.peer

    @property
    def is_missed(self) -> bool:
        return self.target is not None and self.ratio > self.target

    def cells(self) -> list[str]:
        target = "" if self.target is None else f"≤ {self.target:.2g}"
        if self.is_missed:
            target += ", missed"
        values = (f"{value:,.1f} {self.unit}" for value in (self.here, self.peer))
        return [self.measured, *values, f"{self.ratio:.2f}", target]


@dataclass(slots=True)
class Report:
    """The tables of a run, printed as they are measured, or together as JSON."""

    as_json: bool = False
    rows: list[tuple[str, Row]] = field(default_factory=list)

    def add(self, title: str, rows: Sequence[Row], note: str) -> None:
        self.rows += [(title, row) for row in rows]
        console = Console(highlight=False, width=100, stderr=self.as_json)
        grid = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        grid.add_column("")
        for column in ("here", "peer", "ratio"):
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
