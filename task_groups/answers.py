"""What a task prints: its answer on standard output, everything else on standard error.

Stored or typed text passes through here before a terminal shows it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any

from core.printable import one_line, visible_json
from task_groups import standard_streams

plain = one_line


def print_line(text: str, *, flush: bool = False) -> None:
    """Print a line of the answer; with ``flush`` at once, also into a pipe."""
    print(plain(text), flush=flush)


def print_lines(text: str) -> None:
    """Print what may have several lines: the statement or the request of a dry run."""
    for line in text.split("\n"):
        print_line(line)


def note(line: str) -> None:
    """Print something that is not the answer, on standard error."""
    print(plain(line), file=sys.stderr, flush=True)


def ask(question: str) -> str:
    """What the person types after ``question``, on standard error."""
    print(plain(question), end=" ", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()


def print_json(value: Any) -> None:
    """Print ``value`` as JSON of several lines."""
    print_json_text(json.dumps(value, indent=2, ensure_ascii=speaks_ascii(), default=str))


def print_json_line(value: Any) -> None:
    """Print ``value`` as JSON on a line."""
    print_json_text(json.dumps(value, ensure_ascii=speaks_ascii(), default=str))


def print_json_text(text: str) -> None:
    """Print JSON: as it is into a pipe; in a terminal, with what does not show escaped."""
    print(visible_json(text) if sys.stdout.isatty() else text)


def print_json_array(values: Iterable[Any]) -> None:
    """Print ``values`` as a JSON array, each on a line, as they come."""
    count = 0
    for count, value in enumerate(values, start=1):
        text = json.dumps(value, ensure_ascii=speaks_ascii(), default=str)
        print("[" if count == 1 else ",")
        print(f"  {visible_json(text) if sys.stdout.isatty() else text}", end="")
    print("\n]" if count else "[]")


def print_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print ``rows`` as CSV under ``columns``, as they come; nothing in it is a formula."""
    from core.spreadsheets import csv_line

    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    for values in chain([columns], rows):
        line = csv_line(values)
        if not sys.stdout.isatty():  # a program reads it, in the stream's encoding
            line = line.encode(encoding, "backslashreplace").decode(encoding)
        sys.stdout.write(line)


def speaks_ascii() -> bool:
    """Whether standard output takes less than Unicode; JSON can do with ASCII."""
    return "utf" not in (getattr(sys.stdout, "encoding", None) or "").lower()


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], empty: str) -> None:
    """Print ``rows`` under ``columns``; where there are none, say ``empty`` on stderr.

    In a terminal the columns fit its width and long cells wrap; in a pipe every row is one line.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for column in columns:
        grid.add_column(Text(plain(column)), overflow="fold")
    for row in rows:
        grid.add_row(*(Text(plain(str(cell))) for cell in row))
    if grid.row_count == 0:
        note(empty)
        return
    is_terminal = sys.stdout is not None and sys.stdout.isatty()
    console = Console(
        width=None if is_terminal else 100_000,
        # FORCE_COLOR and its like would put escape sequences into a pipe.
        force_terminal=None if is_terminal else False,
        highlight=False,
        markup=False,
        emoji=False,
    )
    with console.capture() as captured:
        console.print(grid, crop=False)
    formatted = standard_streams.unguarded(sys.stdout)  # the cells are plain, the bold type is ours
    for line in captured.get().splitlines():
        if shown := line.rstrip():
            print(shown, file=formatted)


@contextmanager
def progress(what: str, unit: str = "items") -> Iterator[Callable[[int, int | None], None]]:
    """A progress bar on stderr during the block, if that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.completed:,} " + unit),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    bar_stream = standard_streams.unguarded(sys.stderr)
    with Progress(
        *columns,
        console=Console(file=bar_stream),
        disable=not bar_stream.isatty(),
        # Text printed meanwhile must not go through the bar's console, past the guard.
        redirect_stdout=False,
        redirect_stderr=False,
    ) as bar:
        counter = bar.add_task(plain(what), total=None)

        def show(count: int, total: int | None) -> None:
            # DynamoDB's own count may be too low: the bar then shows no end.
            bar.update(counter, completed=count, total=total if total and total >= count else None)

        yield show
