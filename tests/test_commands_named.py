"""The commands and documents that the product names exist."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import tasks
from core.settings import PROJECT_ROOT

PARTS = ("core", "task_groups", "admin_app")
FILES = sorted(path for part in PARTS for path in (PROJECT_ROOT / part).rglob("*.py"))
TASKS = set(tasks.ns.task_names)


def commands() -> Iterator[tuple[str, str, list[str]]]:
    """Every ``Command("task", ("--option …",))`` of the code: where, the task, its options."""
    for path in FILES:
        if "Command(" not in (source := path.read_text()):
            continue
        for node in ast.walk(ast.parse(source)):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            if node.func.id == "Command" and isinstance(node.args[0], ast.Constant):
                text = ast.unparse(node.args[1]) if len(node.args) > 1 else ""
                where = f"{path.relative_to(PROJECT_ROOT)}:{node.lineno}"
                yield where, str(node.args[0].value), re.findall(r"--[a-z-]+", text)


COMMANDS = list(commands())


def test_the_code_names_commands() -> None:
    assert len(COMMANDS) > 20


@pytest.mark.parametrize(
    ("where", "task", "options"), COMMANDS, ids=[command[0] for command in COMMANDS]
)
def test_every_command_that_is_named_exists(where: str, task: str, options: list[str]) -> None:
    assert task in TASKS, where
    parameters = inspect.signature(tasks.ns[task].body).parameters
    flags = {f"--{name.strip('_').replace('_', '-')}" for name in parameters}
    assert set(options) <= flags, where


def named_documents() -> Iterator[tuple[str, str]]:
    for path in FILES:
        for name in re.findall(r"\bdocs/[\w./-]+\.md\b", path.read_text()):
            yield str(path.relative_to(PROJECT_ROOT)), name


@pytest.mark.parametrize(("where", "document"), sorted(set(named_documents())))
def test_every_document_that_is_named_exists(where: str, document: str) -> None:
    assert (PROJECT_ROOT / Path(document)).is_file(), where


def test_no_command_is_hidden_in_a_hint() -> None:
    """A hint's command is data: a command in text could not be adapted to the target."""
    hidden = [
        f"{path.relative_to(PROJECT_ROOT)}: {node.value}"
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "").endswith("Error")
        for argument in node.args
        for node in ast.walk(argument)
        if isinstance(node, ast.Constant) and re.search(r"invoke (?!--)", str(node.value))
    ]
    assert hidden == []
