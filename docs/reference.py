"""Write docs/settings.md and docs/tasks.md from the code: `python docs/reference.py`."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from invoke import Argument, Collection, Task

import tasks
from core.settings import Settings

DOCS = Path(__file__).resolve().parent

SETTINGS_HEAD = """\
# Settings

All of them are environment variables, and a `.env` file in the checkout fills in what the
environment leaves unset. Nothing is required: with nothing set, everything runs locally, on the
embedded engines. An empty variable counts as unset. Where two names are given, the first wins.

| variable | unset | what it does |
|---|---|---|
"""
SETTINGS_TAIL = """
Values that are secret are never printed: not in the target line, in errors, or in a log.
"""
TASKS_HEAD = """\
# Tasks

`invoke --list` prints the table of contents, `invoke --help TASK` the options of one task. Every
task that touches a store says on stderr which one. The answer goes to stdout. The exit code is 0,
1 with one line that says what to do next, or 2 for options that are missing or do not parse.
`invoke --dry TASK` changes nothing, and prints the SQL and the requests that it would send.
"""


def settings_page() -> str:
    rows = []
    for setting in fields(Settings):
        names = " or ".join(f"`{name}`" for name in setting.metadata["names"])
        default = f"`{setting.default}`" if setting.default else "–"
        rows.append(f"| {names} | {default} | {setting.metadata['help']} |\n")
    return SETTINGS_HEAD + "".join(rows) + SETTINGS_TAIL


def tasks_page() -> str:
    return TASKS_HEAD + "".join(_task_section(name, task) for name, task in all_tasks(tasks.ns))


def all_tasks(collection: Collection, prefix: str = "") -> Iterator[tuple[str, Task]]:
    """Every task with the name a person types, in the order of `invoke --list`."""
    for name in sorted(collection.tasks):
        yield prefix + _dashed(name), collection.tasks[name]
    for name in sorted(collection.collections):
        yield from all_tasks(collection.collections[name], f"{prefix}{_dashed(name)}.")


@functools.cache
def arguments(task: Task) -> list[Argument]:
    """A task's options. Asked a second time, Invoke would leave out their help."""
    return list(task.get_arguments())


def _dashed(name: str) -> str:
    return name.replace("_", "-")


def _task_section(name: str, task: Task) -> str:
    section = f"\n## {name}\n\n{' '.join((task.__doc__ or '').split())}\n"
    options = [
        f"| `--{_dashed(argument.name.rstrip('_'))}`{'' if argument.kind is bool else ' VALUE'} |"
        f" {argument.help} |\n"
        for argument in arguments(task)
    ]
    if options:
        section += "\n| option | |\n|---|---|\n" + "".join(options)
    return section


if __name__ == "__main__":
    (DOCS / "settings.md").write_text(settings_page())
    (DOCS / "tasks.md").write_text(tasks_page())
