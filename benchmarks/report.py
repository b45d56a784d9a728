"""Medians over interleaved runs, and the tables that show them."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table

Run = Callable[[], object]


def medians_ms(runs: int, *sides: Run) -> list[float]:
    """The median milliseconds of each side, after one run of each that does not count."""
    for side in sides:
        side()
    took: list[list[float]] = [[] for _ in sides]
    for _ in range(runs):
        for times_ms, side in zip(took, sides, strict=True):
            gc.collect()  # a collection belongs to neither side
            began = time.perf_counter()
            side()
            times_ms.append((time.perf_counter() - began) * 1000)
    return [statistics.median(times_ms) for times_ms in took]


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison. ``target`` is the greatest ratio that is good enough."""

    measured: str
    unit: str
    here: float
    peer: float
    target: float | None = None

    def cells(self) -> list[str]:
        ratio = self.here / self.peer
        target = "" if self.target is None else f"≤ {self.target}"
        if self.target is not None and ratio > self.target:
            target += ", missed"
        values = (f"{value:,.1f} {self.unit}" for value in (self.here, self.peer))
        return [self.measured, *values, f"{ratio:.2f}", target]


def print_rows(title: str, *rows: Row, note: str = "") -> None:
    """Print comparisons as one table; ``note`` says what was not measured."""
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    grid.add_column("")
    for column in ("here", "peer", "ratio"):
        grid.add_column(column, justify="right")
    grid.add_column("target")
    for row in rows:
        grid.add_row(*row.cells())
    console = Console(highlight=False, width=100)
    console.print(f"\n{title}", style="bold")
    console.print(grid)
    if note:
        console.print(note, markup=False)
