"""The imports between the parts that are allowed."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

from core.settings import PROJECT_ROOT

PARTS = ("core", "task_groups", "admin_app")
FILES = sorted(path for part in PARTS for path in (PROJECT_ROOT / part).rglob("*.py"))
DRIVERS = {"boto3", "botocore", "psycopg", "psycopg_pool"}

BOTH_STORES = {"core.access", "core.usecases", "core.doctor"}
"""The only parts of core that see both stores."""

ABOVE = {"core.access", "core.usecases", "core.doctor"}
STORES = {"core.dynamodb", "core.postgres", "core.aws"}
INTERFACES = {"task_groups", "admin_app", "tasks", "invoke", "streamlit", "rich"}

FORBIDDEN = {
    "core": INTERFACES,
    "core/dynamodb": {"core.postgres", *ABOVE, "psycopg", "psycopg_pool"},
    "core/postgres": {"core.dynamodb", "core.aws", *ABOVE, "boto3", "botocore"},
    "core/aws": {"core.dynamodb", "core.postgres", *ABOVE},
    "core/engines": {*STORES, *ABOVE, "boto3", "botocore"},
    "core/targets": {*STORES, *ABOVE, "boto3", "botocore"},
    "core/access": {"core.usecases", "core.doctor"} | DRIVERS,
    "core/usecases": {"core.doctor"} | DRIVERS,
    "core/doctor": {"core.access", "core.usecases"} | DRIVERS,
    "task_groups": {"admin_app", "tasks", "streamlit"} | DRIVERS,
    "admin_app": {"task_groups", "tasks", "invoke"} | DRIVERS,
}

GROUND = {
    "commands",
    "cursors",
    "errors",
    "interrupts",
    "json_lines",
    "json_objects",
    "lazy",
    "models",
    "origins",
    "parts",
    "places",
    "printable",
    "private_files",
    "purposes",
    "settings",
    "spreadsheets",
    "texts",
    "timestamps",
    "transcripts",
    "wording",
}
"""The modules of core that know no store and no target."""

ORDER = ("", "patterns", "stream", "integrity", "transfer")
"""The parts of core/dynamodb: each imports those before it, never those after it."""


def where(path: Path) -> str:
    return path.relative_to(PROJECT_ROOT).as_posix()


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(ast.parse(path.read_text())))


def imported(path: Path) -> Iterator[str]:
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_no_part_imports_a_part_above_or_next_to_it() -> None:
    assert [
        f"{where(path)} imports {name}"
        for path in FILES
        for part, forbidden in FORBIDDEN.items()
        if where(path).startswith(f"{part}/")
        for name in imported(path)
        if with_parents(name) & forbidden
    ] == []


def with_parents(module: str) -> set[str]:
    steps = module.split(".")
    return {".".join(steps[:n]) for n in range(1, len(steps) + 1)}


def store_modules(path: Path) -> Iterator[str]:
    """The imports of ``path`` from inside a store package that are not public names."""
    importer = ".".join(path.relative_to(PROJECT_ROOT).with_suffix("").parts)
    for node in nodes(path):
        if not isinstance(node, ast.ImportFrom) or not node.module:
            continue
        for store in STORES:
            if node.module.startswith(f"{store}.") and not importer.startswith(store):
                yield node.module


def test_no_part_imports_a_module_of_a_store_package() -> None:
    """Except core/dynamodb, which makes its clients with a module of core/aws."""
    assert [
        f"{where(path)} imports {name}"
        for path in FILES
        if not where(path).startswith("core/dynamodb/")
        for name in store_modules(path)
    ] == []


@pytest.mark.parametrize("package", sorted(STORES))
def test_the_public_names_are_the_same_for_a_program_and_for_a_type_checker(package: str) -> None:
    module = import_module(package)
    source = ast.parse(Path(module.__file__).read_text())
    typed = {
        alias.asname: f"{node.module}"
        for node in ast.walk(source)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith(f"{package}.")
        for alias in node.names
    }
    lazy = {name: f"{package}.{home}" for home, names in module.NAMES.items() for name in names}
    assert lazy == typed
    for name in lazy:
        assert getattr(module, name) is not None


OPENERS = {"open_table", "open_client", "make_client", "Database", "AwsServices"}


def test_no_interface_opens_a_store_without_the_door() -> None:
    assert [
        f"{where(path)}:{node.lineno} calls {node.func.id}"
        for path in FILES
        if not where(path).startswith("core/") or where(path).startswith("core/usecases/")
        for node in nodes(path)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in OPENERS
    ] == []


def widens(node: ast.AST) -> bool:
    """Whether ``node`` makes a handle for another purpose of a handle, or of its client."""
    if isinstance(node, ast.Attribute):
        return node.attr == "opened_for"
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return name == "Table" or (name == "replace" and "purpose" in [k.arg for k in node.keywords])


def test_only_the_door_opens_a_handle_for_another_purpose() -> None:
    """A handle can do no more than what it was opened for."""
    widening = {where(path) for path in FILES if any(map(widens, nodes(path)))}
    assert widening - {"core/dynamodb/table.py", "core/postgres/database.py"} == {
        "core/access/door.py"
    }


def test_the_ground_imports_no_store_and_no_target() -> None:
    modules = {path.stem for path in (PROJECT_ROOT / "core").glob("*.py")} - {"__init__"}
    assert modules == GROUND
    for name in GROUND:
        path = PROJECT_ROOT / "core" / f"{name}.py"
        parts = {".".join(module.split(".")[:2]) for module in imported(path)}
        assert parts <= {"core", *(f"core.{module}" for module in GROUND)} | {
            module for module in parts if not module.startswith("core")
        }, path


@pytest.mark.parametrize("part", ORDER)
def test_the_parts_of_the_message_table_import_each_other_in_one_order(part: str) -> None:
    behind = {f"core.dynamodb.{module}" for module in ORDER[ORDER.index(part) + 1 :]}
    for path in (PROJECT_ROOT / "core/dynamodb" / part).glob("*.py"):
        if path.name == "__init__.py":
            continue
        for name in imported(path):
            assert ".".join(name.split(".")[:3]) not in behind, f"{path} imports {name}"


def test_only_the_door_the_use_cases_and_the_doctor_see_both_stores() -> None:
    seeing: dict[str, set[str]] = {}
    for path in FILES:
        # A module of core itself, or a package of it, is one part.
        part = ".".join(path.relative_to(PROJECT_ROOT).with_suffix("").parts[:2])
        stores = {".".join(name.split(".")[:2]) for name in imported(path)}
        seeing.setdefault(part, set()).update(stores & {"core.dynamodb", "core.postgres"})
    both = {part for part, stores in seeing.items() if len(stores) == 2}
    assert {part for part in both if part.startswith("core.")} == BOTH_STORES


HANDING_ON = {
    "admin_app/server_settings.py",  # takes Streamlit's variables away
    "core/engines/postgres.py",
    "core/engines/dynamodb.py",
    "core/postgres/programs.py",
    "core/postgres/shell.py",
}


def test_only_the_settings_read_the_environment() -> None:
    # What is handed on to a child process is no setting.
    assert [
        f"{where(path)}:{node.lineno}"
        for path in FILES
        if where(path) != "core/settings.py" and where(path) not in HANDING_ON
        for node in nodes(path)
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
    ] == []


def test_every_module_opens_with_a_docstring() -> None:
    assert [
        where(path) for path in FILES if path.read_text() and not ast.get_docstring(nodes(path)[0])
    ] == []


NESTED = (ast.For, ast.If, ast.Match, ast.Try, ast.While, ast.With)
MOST_LEVELS = 4


def test_no_function_is_nested_deeply() -> None:
    """Statements and branches are counted by ruff: see pyproject.toml."""
    assert [
        f"{where(path)}:{node.lineno} {node.name}"
        for path in FILES
        for node in nodes(path)
        if isinstance(node, ast.FunctionDef) and levels(node) > MOST_LEVELS
    ] == []


def levels(node: ast.AST) -> int:
    """How deeply blocks are nested below ``node``; an ``elif`` is not a further level."""
    deepest = 0
    for child in ast.iter_child_nodes(node):
        is_elif = isinstance(node, ast.If) and [child] == node.orelse
        counts = isinstance(child, NESTED) and not is_elif
        deepest = max(deepest, counts + levels(child))
    return deepest


def test_listing_the_tasks_loads_no_driver_and_no_page() -> None:
    code = "import sys, tasks; print(sorted(set(sys.modules) & set(sys.argv[1:])))"
    heavy = [
        *DRIVERS,
        "streamlit",
        "rich",
        "psutil",
        "core.usecases.conversations",
        "core.doctor",
        "dotenv",
    ]
    loaded = subprocess.run(
        [sys.executable, "-c", code, *heavy], cwd=PROJECT_ROOT, capture_output=True, text=True
    )
    assert loaded.stdout.strip() == "[]", loaded.stderr


def test_importing_core_connects_to_nothing_and_starts_nothing() -> None:
    code = (
        "import sys\n"
        "def forbid(event, args):\n"
        "    if event in ('socket.connect', 'subprocess.Popen'):\n"
        "        raise SystemExit(event)\n"
        "sys.addaudithook(forbid)\n"
        "import core.usecases.conversations, core.usecases.setup, core.engines.control\n"
        "import core.transcripts, core.dynamodb.stream.handler, core.access\n"
        "import core.doctor.aws, core.doctor.dynamodb, core.doctor.postgres, core.doctor.machine\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT_ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
