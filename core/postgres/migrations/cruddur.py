"""Cruddur's own migrations, read from their Python files without running them.

Each file has a class whose functions ``migrate_sql`` and ``rollback_sql`` return a literal
string, as its generator writes them. Anything else is refused with its line, because its value is
unknown without running it.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import NoReturn

from core.errors import InputError
from core.postgres.migrations.files import (
    Migration,
    Script,
    Source,
    checksum_of,
    in_order,
    read_statements,
)
from core.postgres.migrations.splitting import SqlStatement

_FILE_NAME = re.compile(r"([0-9]+)_?(.*)\.py")
_FOLDER = Path("backend-flask/db/migrations")
_UP, _DOWN = "migrate_sql", "rollback_sql"


def read_checkout(checkout: Path) -> list[Migration]:
    """Cruddur's migrations in a checkout of the app, in the order of their creation.

    Raises:
        InputError: there is no such folder, or a file is not what Cruddur's generator writes.
    """
    folder = checkout / _FOLDER
    if not folder.is_dir():
        raise InputError(
            f"There is no folder {folder}", "Name the folder of a checkout of Cruddur's app."
        )
    try:
        paths = sorted(path for path in folder.iterdir() if _FILE_NAME.fullmatch(path.name))
    except OSError as error:
        raise InputError(f"Could not read {folder}: {error.strerror}") from error
    return in_order(read_file(path) for path in paths)


def read_file(path: Path) -> Migration:
    """The migration in one file of Cruddur's.

    Raises:
        InputError: it cannot be read without running it. Says in which line.
    """
    match = _FILE_NAME.fullmatch(path.name)
    if match is None:
        raise InputError(f"{path.name} is not the name of a migration of Cruddur's")
    functions = _functions(path)
    up, down = (_sql(path, functions, name) for name in (_UP, _DOWN))
    return Migration(
        source=Source.CRUDDUR,
        stamp=match[1],
        name=match[2],
        path=path,
        up=Script(tuple(_statements(path, up))),
        down=Script(tuple(_statements(path, down))),
        checksum=checksum_of(up[0]),
    )


def _functions(path: Path) -> dict[str, ast.FunctionDef]:
    """The functions of the file's migration class, by their names."""
    try:
        # The bytes, because the file may declare an encoding.
        tree = ast.parse(path.read_bytes(), path.name)
    except OSError as error:
        raise InputError(f"Could not read {path}: {error.strerror}") from error
    except SyntaxError as error:
        raise InputError(
            f"{path.name}, line {error.lineno}: Python does not read it: {error.msg}",
            "Fix the line.",
        ) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise InputError(f"{path.name} is not a Python file: {error}") from error
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    chosen = _chosen_class(tree) or next(iter(classes), None)
    if chosen not in classes or (len(classes) > 1 and _chosen_class(tree) is None):
        raise InputError(
            f"{path.name} has no class that its name migration stands for",
            "It ends with a line like migration = AddBioColumnMigration",
        )
    return {node.name: node for node in classes[chosen].body if isinstance(node, ast.FunctionDef)}


def _chosen_class(tree: ast.Module) -> str | None:
    """The name of the class in ``migration = Class`` or ``migration = Class()``."""
    for node in reversed(tree.body):
        match node:
            case ast.Assign(targets=[ast.Name(id="migration")], value=value):
                if isinstance(value, ast.Call):
                    value = value.func
                return value.id if isinstance(value, ast.Name) else None
    return None


def _sql(path: Path, functions: dict[str, ast.FunctionDef], name: str) -> tuple[str, int]:
    """The text that the function ``name`` returns, and the number of its first line."""
    function = functions.get(name)
    if function is None:
        raise InputError(f"{path.name} has no function {name}", "Write it as Cruddur's others.")
    values: dict[str, tuple[str, int]] = {}
    for position, node in enumerate(function.body):
        match node:
            case ast.Expr(value=ast.Constant(value=str())) if position == 0:
                continue  # its docstring
            case ast.Assign(targets=[ast.Name(id=target)], value=value):
                values[target] = _literal(path, value)
            case ast.AnnAssign(target=ast.Name(id=target), value=ast.expr() as value):
                values[target] = _literal(path, value)
            case ast.Return(value=ast.Name(id=target)) if target in values:
                return values[target]
            case ast.Return(value=ast.expr() as value):
                return _literal(path, value)
            case _:
                _refuse(path, node)
    return _refuse(path, function)


def _literal(path: Path, value: ast.expr) -> tuple[str, int]:
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        # Cruddur's driver gets values for placeholders, and so writes a percent sign twice.
        return value.value.replace("%%", "%"), value.lineno
    return _refuse(path, value)


def _refuse(path: Path, node: ast.stmt | ast.expr) -> NoReturn:
    raise InputError(
        f"{path.name}, line {node.lineno}: the SQL is not a literal text, and nothing of the file"
        " is run",
        "Write the text itself, in quotes.",
    )


def _statements(path: Path, text_and_line: tuple[str, int]) -> list[SqlStatement]:
    text, line = text_and_line
    return read_statements(path, text, line)
