"""Plain words: names say what they hold, and no page or message uses the worst words."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.settings import PROJECT_ROOT

PACKAGES = ("core", "task_groups", "admin_app")
VAGUE_NAMES = {"found", "told"}
WORST_WORDS = re.compile(
    r"\b(mend(s|ed|ing)?|beli(e|es|ed)|gone on with|somebody)\b", re.IGNORECASE
)
JSON_KEYS = {"mend"}
"""Keys of the JSON output, which programs read."""

MODULES = [path for package in PACKAGES for path in sorted((PROJECT_ROOT / package).rglob("*.py"))]
PAGES = [
    *sorted((PROJECT_ROOT / "docs").rglob("*.md")),
    PROJECT_ROOT / "README.md",
    PROJECT_ROOT / "CONTRIBUTING.md",
]


def relative(path: Path) -> str:
    return path.relative_to(PROJECT_ROOT).as_posix()


def bound_names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every name that a module binds, with its line."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()):
                yield node.lineno, name
            case ast.arg(arg=name) | ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield node.lineno, name
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield node.lineno, name
            case ast.ExceptHandler(name=str(name)) | ast.alias(asname=str(name)):
                yield node.lineno, name


def shown_strings(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every string literal that is not a docstring, with its line."""
    docstrings = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if id(node) not in docstrings:
                if text not in JSON_KEYS:
                    yield node.lineno, text


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_a_name_says_what_it_holds(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    assert [(line, name) for line, name in bound_names(tree) if name in VAGUE_NAMES] == []


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_a_string_has_no_banned_word(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    assert [(line, s) for line, s in shown_strings(tree) if WORST_WORDS.search(s)] == []


@pytest.mark.parametrize("path", PAGES, ids=relative)
def test_a_page_has_no_banned_word(path: Path) -> None:
    text = re.sub(r"`[^`]*`", "", path.read_text("utf-8"))
    assert [line for line in text.splitlines() if WORST_WORDS.search(line)] == []


@pytest.mark.parametrize(
    "source",
    ["found = 1", "def f(told): ...", "for found in x: ...", "import x as told", "found: int"],
)
def test_a_vague_name_is_found_wherever_it_is_bound(source: str) -> None:
    names = {name for _, name in bound_names(ast.parse(source))}
    assert names & VAGUE_NAMES


def test_a_banned_word_is_found_in_a_string_and_not_in_a_docstring() -> None:
    tree = ast.parse('"""Mend it."""\nraise ValueError(f"Mend {x}")')
    assert [s for _, s in shown_strings(tree) if WORST_WORDS.search(s)] == ["Mend "]
