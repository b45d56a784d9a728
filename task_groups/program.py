"""The program ``cruddur``: Invoke with this project's tasks built in.

Invoke finds the tasks in the folder where it is started. This program has them wherever it is
started, and is otherwise the same.
"""

from __future__ import annotations

import sys

from invoke.collection import Collection
from invoke.exceptions import Exit, ParseError
from invoke.program import Program

from core import commands
from core.places import NAME, PROJECT_ROOT
from task_groups import completion, typed_line
from task_groups.running import OneTargetExecutor


class Cruddur(Program):
    """The program ``cruddur``."""

    def __init__(self, namespace: Collection) -> None:
        super().__init__(
            name="Cruddur Ops",
            namespace=namespace,
            binary=commands.CRUDDUR,
            binary_names=[commands.CRUDDUR],
            executor_class=OneTargetExecutor,
        )
        commands.call_program(commands.CRUDDUR)

    def create_config(self) -> None:
        super().create_config()
        self.config.set_project_location(str(PROJECT_ROOT))  # of invoke.yaml
        self.config.load_project()

    def parse_core(self, argv: list[str] | None) -> None:
        try:
            super().parse_core(argv)
        except (ParseError, ValueError) as error:
            fault = typed_line.fault_of(error, self.argv[1:], self.initial_context)
            raise typed_line.printed(fault) from error
        if not sys.flags.dont_write_bytecode:
            sys.dont_write_bytecode = False  # as in tasks.py

    def parse_core_args(self) -> None:
        super().parse_core_args()
        if shell := self.args["print-completion-script"].value:
            completion.print_script(shell)
            raise Exit

    def parse_tasks(self) -> None:
        typed_line.prepare(self, self.collection)
        super().parse_tasks()

    def print_version(self) -> None:
        self.version = _version()
        super().print_version()

    def task_list_opener(self, extra: str = "") -> str:
        return "Tasks"


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(NAME)
    except PackageNotFoundError:
        return "of a checkout that is not installed"
