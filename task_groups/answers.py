"""What a task prints: its answer on standard output, everything else on standard error.

Stored or typed text passes through here before a terminal shows it.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from itertools import chain
from typing import TYPE_CHECKING, Any, TextIO

from core.printable import one_line, visible_json
from task_groups import standard_streams
from task_groups.recording import Form, answer

if TYPE_CHECKING:
    from core.dynamodb import ConsumedCapacity

plain = one_line
_TOGETHER = 50


def print_line(text: str, *, flush: bool = False, **facts: Any) -> None:
    """Print a line of the answer; with ``flush`` at once, also into a pipe.

    A record keeps it, with the ``facts`` in it by name.
    """
    form = answer().form
    if form is Form.RECORD:
        answer().result.append({"text": plain(text), **facts})
    elif form is Form.CSV:
        note(text)
    else:
        print(plain(text), flush=flush)


def tell_cost(capacity: ConsumedCapacity, before: str = "", after: str = "") -> None:
    """Say what a task has consumed, on standard error; JSON has it in its own place."""
    current = answer()
    current.read_units += capacity.read_units
    current.write_units += capacity.write_units
    current.requests += capacity.requests
    if current.form in (Form.PEOPLE, Form.CSV):
        note(f"{before}{capacity}{after}")


def tell_cursor(cursor: str, sentence: str) -> None:
    """Say where the next page begins, on standard error."""
    answer().cursor = cursor
    if answer().form in (Form.PEOPLE, Form.CSV):
        note(sentence)


def problem(line: str) -> None:
    """Print a problem that did not stop the task, on standard error; a record keeps it."""
    answer().problems.append(plain(line))
    alarm(line)


def print_rest() -> None:
    """Print what the form of the running task's answer has kept, at its end."""
    current = answer()
    if current.form is Form.RECORD:
        current.form = Form.PEOPLE  # whatever comes next, like a server, prints for itself
        print_json([current.record])
    elif current.form is Form.JSON and current.rest:
        note(json.dumps(current.rest, default=str))


def print_lines(text: str) -> None:
    """Print what may have several lines: the statement or the request of a dry run."""
    for line in text.split("\n"):
        print_line(line)


def note(line: str) -> None:
    """Print something that is not the answer, on standard error, after the answer so far."""
    standard_streams.write_out()
    print(plain(line), file=sys.stderr, flush=True)


def ask(question: str) -> str:
    """What the person types after ``question``, on standard error."""
    print(plain(question), end=" ", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()


def print_all(lines: Iterable[str]) -> int:
    """Print each of ``lines`` as they come, some at a time; how many there were.

    This takes half the processor's time of :func:`print_line` for each.
    """
    count, some = 0, []
    try:
        for line in lines:
            some.append(line)
            if len(some) == _TOGETHER:
                count += _TOGETHER
                whole, some = some, []
                _print_together(whole)
    finally:  # also what came before a failure
        _print_together(some)
    return count + len(some)


def _print_together(lines: list[str]) -> None:
    if lines and answer().form is Form.PEOPLE:
        print("\n".join(map(plain, lines)))
    else:
        for line in lines:
            print_line(line)


def print_json(value: Any) -> None:
    """Print ``value`` as JSON of several lines. A record keeps the objects of an array."""
    if answer().form is Form.RECORD and isinstance(value, list):
        answer().result += value
        return
    print_json_text(json.dumps(value, indent=2, ensure_ascii=speaks_ascii(), default=str))


def print_json_lines(values: Iterable[Any]) -> int:
    """Print each of ``values`` as JSON on a line, as they come; how many there were."""
    from core.json_lines import json_line

    ascii_only, count = speaks_ascii(), 0
    for value in values:
        print_json_text(json_line(value, str, ascii_only=ascii_only))
        count += 1
    return count


def print_json_text(text: str) -> None:
    """Print JSON: as it is into a pipe; in a terminal, with what does not show escaped."""
    if answer().form is Form.RECORD:
        answer().result.append({"text": text})
        return
    print(_as_shown(text))


def _as_shown(text: str) -> str:
    return visible_json(text) if sys.stdout.isatty() else text


def print_json_array(texts: Iterable[str]) -> None:
    """Print ``texts``, each a JSON value without line breaks, as an array, as they come."""
    ascii_only, count = speaks_ascii(), 0
    for count, text in enumerate(texts, start=1):
        if ascii_only:  # what is not ASCII is in a string
            text = re.sub("[^\x00-\x7f]", lambda match: json.dumps(match[0])[1:-1], text)
        print("[" if count == 1 else ",")
        print(f"  {_as_shown(text)}", end="")
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

    In a terminal the columns fit its width; in a pipe every row is one line.
    """
    from task_groups.tables import lay_out

    if answer().form is Form.CSV:
        print_csv(columns, rows)
        return
    if answer().form is Form.RECORD:
        keys = [name.replace(" ", "_") or "note" for name in columns]
        answer().result += [dict(zip(keys, row, strict=True)) for row in rows]
        return
    cells = [[_cell(str(cell)) for cell in row] for row in rows]
    if not cells:
        note(empty)
        return
    is_terminal = sys.stdout is not None and sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if is_terminal else None
    rule = "─" if _spelled_out("─") == "─" else "-"
    table = lay_out([_cell(name) for name in columns], cells, width, rule=rule)
    for line in table.head:
        _print_in_style(line, Style.BOLD, sys.stdout, flush=False)
    for line in table.body:
        print(line)
    if table.left_out:
        names = ", ".join(table.left_out)
        note(f"Not shown, as the terminal is too narrow: {names}. --json prints all.")


def _cell(text: str) -> str:
    """A cell as standard output will show it, so that its width can be measured."""
    text = plain(text)
    return "-" if text == "–" != _spelled_out(text) else _spelled_out(text)


def _spelled_out(text: str) -> str:
    if text.isascii():
        return text
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


class Style(StrEnum):
    """A style of a terminal, by its number in an escape sequence."""

    BOLD = "1"
    RED = "31"


def print_styled(text: str, style: Style, *, flush: bool = False) -> None:
    """Print a line of the answer; in a terminal in a style, unless NO_COLOR is set."""
    if answer().form is not Form.PEOPLE:
        print_line(text)
        return
    _print_in_style(text, style, sys.stdout, flush=flush)


def alarm(line: str) -> None:
    """Like :func:`note`, for a problem or for production: red in a terminal."""
    standard_streams.write_out()
    _print_in_style(line, Style.RED, sys.stderr, flush=True)


def _print_in_style(text: str, style: Style, stream: TextIO, *, flush: bool) -> None:
    from core.settings import may_style

    text = plain(text)
    if stream is not None and stream.isatty() and may_style():
        # The text is plain and the sequences are ours, so the guard may not spell them out.
        text, stream = f"\x1b[{style}m{text}\x1b[0m", standard_streams.unguarded(stream)
    print(text, file=stream, flush=flush)


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
