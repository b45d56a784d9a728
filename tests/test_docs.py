"""The documentation agrees with the code."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from core import doctor
from core.doctor import machine
from core.postgres import statements
from core.settings import PROJECT_ROOT, Settings
from core.targets import Environment, Target

DOCS = PROJECT_ROOT / "docs"
PAGES = sorted([*PROJECT_ROOT.glob("*.md"), *DOCS.rglob("*.md")])

_spec = importlib.util.spec_from_file_location("reference", DOCS / "reference.py")
reference = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(reference)
TASKS = dict(reference.all_tasks(reference.tasks.ns))


@pytest.mark.parametrize("page", ["settings", "tasks", "architecture"])
def test_the_reference_agrees_with_the_code(page: str) -> None:
    written = (DOCS / f"{page}.md").read_text()
    assert written == getattr(reference, f"{page}_page")(), "run: python docs/reference.py"


@pytest.mark.parametrize("name", TASKS)
def test_every_task_says_what_it_does_in_one_sentence(name: str) -> None:
    doc = TASKS[name].__doc__
    assert doc
    assert doc.strip().endswith(".")
    assert len(doc.strip().splitlines()) == 1


@pytest.mark.parametrize("name", TASKS)
def test_every_option_has_help(name: str) -> None:
    for argument in reference.arguments(TASKS[name]):
        assert argument.help, f"{name} --{argument.name}"
        assert not argument.positional


def test_an_option_means_the_same_everywhere() -> None:
    shared = {"prod", "confirm", "with_", "limit", "before", "after", "user"}
    for name in shared:
        helps = {
            re.sub(r" [^.]* unless given.*", "", argument.help or "")
            for task in TASKS.values()
            for argument in reference.arguments(task)
            if argument.name == name
        }
        assert len(helps) <= (2 if name == "confirm" else 1), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT_ROOT)))
def test_every_task_that_is_shown_exists(page: Path) -> None:
    shown = re.findall(r"\binvoke (?!--)((?:db|ddb|rds|cognito)\.[a-z.-]+[a-z])", page.read_text())
    aliases = {"db.session"}
    assert set(shown) <= set(TASKS) | aliases


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT_ROOT)))
def test_every_link_inside_the_project_has_a_target(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT_ROOT)))
def test_every_source_file_that_is_named_exists(page: Path) -> None:
    folders = "admin_app|aws|benchmarks|core|docs|sql|task_groups|tests"
    named = re.findall(rf"`((?:{folders})/[^`\s]+\.[a-z]+)(?:::[^`]+)?`", page.read_text())
    real = [name for name in named if "NAME" not in name]
    assert [name for name in real if not (PROJECT_ROOT / name).exists()] == []


def test_every_check_of_the_doctor_is_explained() -> None:
    target = Target(Environment.PRODUCTION, Settings())
    checks = [check for probe in doctor.probes(target) for check in probe.checks]
    page = (DOCS / "doctor.md").read_text()
    assert re.findall(r"^\| `([A-Za-z ]+)` \|", page, flags=re.MULTILINE) == checks


def test_every_sql_file_is_used() -> None:
    sources = "".join(path.read_text() for path in (PROJECT_ROOT / "core").rglob("*.py"))
    unused = [name for name in statements.names() if f'"{name}"' not in sources]
    assert unused == []


def test_the_docs_say_why_each_dependency_is_needed() -> None:
    declared = machine.declared_packages()
    names = [re.match(r"[\w-]+", line)[0] for lines in declared.values() for line in lines]
    page = (DOCS / "dependencies.md").read_text()
    assert [name for name in names if f"| {name} |" not in page] == []
