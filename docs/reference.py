"""Write docs/settings.md, docs/tasks.md and the arrows of docs/architecture.md from the code.

Run it with `python docs/reference.py`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from invoke import Argument, Collection, Task

import tasks
from core.settings import Settings
from task_groups.examples import EXAMPLES
from task_groups.task_help import value_of

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent

SETTINGS_HEAD = """\
# Settings

All of them are environment variables, and a `.env` file in the checkout fills in what the
environment leaves unset. Nothing is required: with nothing set, everything runs locally, on the
embedded engines. An empty variable counts as unset, and `.env` does not set it either. Where two
names are given, the first wins; if the environment has AWS's keys, profile or region by one name,
`.env` adds no other. A line of `.env` that is not `NAME=value`, for example with a quote that is
not closed, or that refers to a variable that is not set, stops the run.

A local run needs no AWS files and reads none, nor the AWS SDK's own variables. Libpq's variables
(`PGSSLMODE`, `PGOPTIONS`, …) fill in what a URL leaves out; they do not change the connection to
the embedded Postgres.

Invoke's own configuration files change nothing that the project relies on. Invoke reads
`~/.invoke.yaml` and `/etc/invoke.yaml` before the project: if one of them is invalid, Invoke ends
with a traceback, whose last line names the file.

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
`invoke --dry TASK` changes nothing, and prints the SQL and the requests that it would send; `--dry`
may also stand after the task's name.

With `--json`, a task that reads prints an array of what it read (`ddb.scan` and `ddb.export`: JSON
Lines), and one line of JSON on stderr with its `cost` and, where there is another page, its
`cursor`. A task that does something prints an array of one object with `task`, `result`, `cost` and
`problems`; with `--dry`, `result` is what it would do. `admin` and `start` print it once the admin
UI listens, with its `url`, `port` and `pid`, and go on. `lint` and `test` run whatever they can,
and list each problem. `console` and `db.connect` have no `--json`, because a person types in them:
use `db.query --json`.

Without `--dry`, these tasks print an array of their own instead: `up` and `down` the engines,
`ddb.patterns.create-message` and `create-conversation` the message, `remove-message` what it
removed, `people.rename` the user, `people.erase` the certificate, `ddb.verify --repair` the
problems that remain, `rds.update-sg-rule` the change, `db.rehearse` and `bench` their results.

Where a task prints one table, `--csv` prints its rows. There, an apostrophe precedes text that a
spreadsheet would run as a formula, such as `=A1` or `-x`. A number has none.
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


PARTS = (
    "tasks",
    "task_groups",
    "admin_app",
    "core.usecases",
    "core.doctor",
    "core.access",
    "core.dynamodb",
    "core.postgres",
    "core.aws",
    "core.targets",
    "core.engines",
)
"""The parts of the project, from the top to the ground."""

_ARROWS = re.compile(r"(?<=<!-- arrows: begin -->\n).*?(?=<!-- arrows: end -->)", re.DOTALL)


def architecture_page() -> str:
    """The page as it is, with the arrows as the imports have them now."""
    page = (DOCS / "architecture.md").read_text()
    return _ARROWS.sub(lambda _: _arrows(), page)


def _arrows() -> str:
    width = max(map(len, PARTS))
    lines = []
    for part in PARTS:
        targets = sorted(imports_of(part), key=[*PARTS, "ground"].index)
        lines.append(f"{part:<{width}} → {', '.join(targets) or 'nothing of the project'}\n")
    return "```text\n" + "".join(lines) + "```\n"


def imports_of(part: str) -> set[str]:
    """The other parts that ``part`` imports; what belongs to none of them is the ground."""
    place = ROOT / part.replace(".", "/")
    files = place.rglob("*.py") if place.is_dir() else [place.with_suffix(".py")]
    names = {
        name
        for file in files
        for node in ast.walk(ast.parse(file.read_text()))
        for name in _names(node)
        if name.split(".")[0] in ("tasks", "task_groups", "admin_app", "core")
    }
    return {_part_of(name) for name in names} - {part}


def _names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _part_of(name: str) -> str:
    return next((part for part in PARTS if name == part or name.startswith(f"{part}.")), "ground")


def arguments(task: Task) -> list[Argument]:
    """A task's options."""
    return list(task.get_arguments())


def _dashed(name: str) -> str:
    return name.replace("_", "-")


def _task_section(name: str, task: Task) -> str:
    section = f"\n## {name}\n\n{' '.join((task.__doc__ or '').split())}\n"
    options = [
        f"| `--{_dashed(argument.name.rstrip('_'))}`{_value(argument)} | {argument.help} |\n"
        for argument in arguments(task)
    ]
    if example := EXAMPLES.get(name):
        section += f"\nExample: `invoke {example}`\n"
    if options:
        section += "\n| option | |\n|---|---|\n" + "".join(options)
    return section


def _value(argument: Argument) -> str:
    value = value_of(argument)
    return f" {value}" if value else ""


if __name__ == "__main__":
    (DOCS / "settings.md").write_text(settings_page())
    (DOCS / "tasks.md").write_text(tasks_page())
    (DOCS / "architecture.md").write_text(architecture_page())
