"""The help of one task: what it does, an example, and what each option's value is.

Invoke's own help calls every value STRING and shows no example.
:func:`task_groups.typed_line.check` prints this one before Invoke would print its own.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from task_groups.examples import EXAMPLES, MAY_CHANGE, WRITE_FILES
from task_groups.shared_options import VALUES

if TYPE_CHECKING:
    from invoke.collection import Collection
    from invoke.parser.argument import Argument

    from task_groups.running import StoreTask

_LEAST_WIDTH, _MOST_WIDTH = 40, 100
_DRY = ("--dry", "Print what would be done, and change nothing.")


def asked_task(words: Sequence[str], namespace: Collection) -> str | None:
    """The task whose help ``words`` ask for: ``--help TASK``, ``TASK --help``; None for no task."""
    for number, word in enumerate(words):
        flag, _, value = word.partition("=")
        if flag not in ("--help", "-h"):
            continue
        around = [value, *words[number + 1 : number + 2], *words[max(number - 1, 0) : number]]
        names = namespace.task_names
        names_and_aliases = {*names, *(alias for aliases in names.values() for alias in aliases)}
        return next((word for word in around if word in names_and_aliases), None)
    return None


def print_help(name: str, namespace: Collection) -> None:
    """Print the help of the task ``name`` as wide as the terminal is."""
    from core.commands import program
    from task_groups import terminal

    columns = shutil.get_terminal_size().columns
    width = max(_LEAST_WIDTH, min(columns, _MOST_WIDTH))
    for line in help_lines(name, namespace[name], program(), width):
        terminal.print_line(line)


def help_lines(name: str, task: StoreTask, program: str, width: int) -> Iterator[str]:
    """The lines of a task's help."""
    import textwrap

    yield f"Usage: {program} {name} [--options]"
    yield ""
    yield from textwrap.wrap(" ".join((task.__doc__ or "").split()), width)
    if example := EXAMPLES.get(name):
        yield ""
        yield "Example:"
        yield f"  {program} {example}"
    rows = [(_flag(argument), argument.help or "") for argument in task.get_arguments()]
    if changes_something(name, task):
        rows.append(_DRY)
    if not rows:
        return
    yield ""
    yield "Options:"
    yield from _two_columns(sorted(rows), width)


def _flag(argument: Argument) -> str:
    name = (argument.name or "").strip("_").replace("_", "-")
    value = value_of(argument)
    return f"--{name}={value}" if value else f"--{name}"


def value_of(argument: Argument) -> str:
    """What the option's value is, in capitals; empty if it takes none."""
    return VALUES.get(argument.name or "", "VALUE") if argument.takes_value else ""


def changes_something(name: str, task: StoreTask) -> bool:
    """Whether the task changes a store or writes a file, so that ``--dry`` means something."""
    if name in WRITE_FILES | MAY_CHANGE:
        return True
    return not callable(task.opens) and task.changes_something({})


def _two_columns(rows: Sequence[tuple[str, str]], width: int) -> Iterator[str]:
    """The options, each with its help beside it, or below it where there is no room."""
    import textwrap

    longest = max(len(flag) for flag, _ in rows)
    beside = longest + 5
    if width - beside < 30:
        for flag, text in rows:
            yield f"  {flag}"
            yield from textwrap.wrap(text, width, initial_indent=" " * 6, subsequent_indent=" " * 6)
        return
    for flag, text in rows:
        first, *rest = textwrap.wrap(text, width - beside) or [""]
        yield f"  {flag:<{longest}}   {first}"
        yield from (f"{'':{beside}}{line}" for line in rest)
