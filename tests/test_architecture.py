"""The arrows between the parts: who may import whom."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.settings import PROJECT_ROOT

PARTS = ("core", "task_groups", "admin_app")
FILES = sorted(path for part in PARTS for path in (PROJECT_ROOT / part).rglob("*.py"))
DRIVERS = {"boto3", "botocore", "psycopg", "psycopg_pool"}

BOTH_STORES = {"core.messaging", "core.doctor"}
"""The only parts of core that see both stores."""

FORBIDDEN = {
    "core": {"task_groups", "admin_app", "tasks", "invoke", "streamlit", "rich"},
    "core/dynamodb": {"core.postgres", *BOTH_STORES, "psycopg", "psycopg_pool"},
    "core/postgres": {"core.dynamodb", *BOTH_STORES, "boto3", "botocore"},
    "core/aws": {"core.dynamodb", "core.postgres", *BOTH_STORES},
    "core/engines": {"core.dynamodb", "core.postgres", *BOTH_STORES, "core.aws", "boto3"},
    "core/doctor": {"core.messaging"} | DRIVERS,
    "task_groups": {"admin_app", "tasks", "streamlit"} | DRIVERS,
    "admin_app": {"task_groups", "tasks", "invoke"} | DRIVERS,
}


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PROJECT_ROOT)))
def test_nobody_imports_what_is_above_or_beside_them(path: Path) -> None:
    where = path.relative_to(PROJECT_ROOT).as_posix()
    for part, forbidden in FORBIDDEN.items():
        if not where.startswith(f"{part}/"):
            continue
        for name in imported(path):
            steps = name.split(".")
            prefixes = {".".join(steps[:n]) for n in range(1, len(steps) + 1)}
            assert not prefixes & forbidden, f"{where} imports {name}"


def test_only_messaging_and_the_doctor_see_both_stores() -> None:
    seeing: dict[str, set[str]] = {}
    for path in FILES:
        where = path.relative_to(PROJECT_ROOT)
        # A module of core itself, or a package of it, is one part.
        part = ".".join(where.with_suffix("").parts[:2])
        stores = {".".join(name.split(".")[:2]) for name in imported(path)}
        seeing.setdefault(part, set()).update(stores & {"core.dynamodb", "core.postgres"})
    both = {part for part, stores in seeing.items() if len(stores) == 2}
    assert {part for part in both if part.startswith("core.")} == BOTH_STORES


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PROJECT_ROOT)))
def test_only_the_settings_read_the_environment(path: Path) -> None:
    where = path.relative_to(PROJECT_ROOT).as_posix()
    reads = [
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
    ]
    # What is handed on to a child process is no setting.
    allowed = where == "core/settings.py" or where in HANDING_ON
    assert allowed or not reads, f"{where}:{reads[0].lineno}"


HANDING_ON = {
    "admin_app/server_settings.py",  # takes Streamlit's variables away
    "core/engines/postgres.py",
    "core/engines/dynamodb.py",
    "core/postgres/shell.py",
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PROJECT_ROOT)))
def test_every_module_opens_with_a_docstring(path: Path) -> None:
    source = path.read_text()
    assert not source or ast.get_docstring(ast.parse(source))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PROJECT_ROOT)))
def test_a_module_stays_readable(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 300


def test_listing_the_tasks_loads_no_driver_and_no_page() -> None:
    code = "import sys, tasks; print(sorted(set(sys.modules) & set(sys.argv[1:])))"
    heavy = [*DRIVERS, "streamlit", "rich", "psutil", "core.messaging", "core.doctor", "dotenv"]
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
        "import core.messaging, core.engines.control, core.transcripts, core.dynamodb.stream\n"
        "import core.doctor.aws, core.doctor.dynamodb, core.doctor.postgres, core.doctor.machine\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT_ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
