"""Plain words: names say what they are for, and no text has a banned word."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.settings import PROJECT_ROOT

PACKAGES = ("core", "task_groups", "admin_app")
VAGUE_NAME = re.compile(r"\b(found|told|mend(ed)?|each|of)\b")
VAGUE_TEST_NAME = re.compile(
    r"\btest_\w*?_(told|tells?|mend(s|ed)?|anew|somebody|everybody|nobody_s|whoever|will_not_have|to_note"
    r"|no_trouble|gone_on_with|steers?)(_|\b)"
)
BANNED_WORD = re.compile(
    r"\b(mend(s|ed|ing)?|beli(e|es|ed)|gone on with|somebody|who(m)?ever|holds nothing|no trouble"
    r"|what became|(made|makes) good|all the same|in doubt|hence)\b",
    re.IGNORECASE,
)
JSON_KEYS = {"mend"}
"""Keys of the JSON output, which programs read."""

Texts = Callable[[str], Iterator[tuple[int, str]]]


def python_files(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((PROJECT_ROOT / folder).rglob("*.py"))]


def relative(path: Path) -> str:
    return path.relative_to(PROJECT_ROOT).as_posix()


MODULES = python_files(*PACKAGES)
TESTS = python_files("tests")
PLAIN_MODULES = [*MODULES, *python_files("benchmarks"), *TESTS]
PAGES = [*sorted((PROJECT_ROOT / "docs").rglob("*.md")), *sorted(PROJECT_ROOT.glob("*.md"))]


def faults(paths: list[Path], pattern: re.Pattern[str], texts_of: Texts) -> list[str]:
    """The file, the line and the text of each match; most files are read and not parsed."""
    sources = ((path, path.read_text("utf-8")) for path in paths)
    return [
        f"{relative(path)}:{line}: {text}"
        for path, source in sources
        if pattern.search(source)
        for line, text in texts_of(source)
        if pattern.search(text)
    ]


def bound_names(source: str) -> Iterator[tuple[int, str]]:
    """Every name that a module binds, with its line."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Name(id=name, ctx=ast.Store()):
                yield node.lineno, name
            case ast.arg(arg=name) | ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield node.lineno, name
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield node.lineno, name
            case ast.ExceptHandler(name=str(name)) | ast.alias(asname=str(name)):
                yield node.lineno, name


def docstrings(tree: ast.AST) -> Iterator[ast.Constant]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value


def shown_strings(source: str) -> Iterator[tuple[int, str]]:
    """Every string literal that is not a docstring, with its line."""
    tree = ast.parse(source)
    hidden = {id(docstring) for docstring in docstrings(tree)}
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if id(node) not in hidden and text not in JSON_KEYS:
                yield node.lineno, text


def prose(source: str) -> Iterator[tuple[int, str]]:
    """Every docstring and comment, with its line, without what is quoted as code."""
    for docstring in docstrings(ast.parse(source)):
        yield docstring.lineno, re.sub(r"``[^`]*``", "", str(docstring.value))
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def assert_none(places: list[str]) -> None:
    assert not places, "\n" + "\n".join(places)


def test_a_name_says_what_it_holds() -> None:
    assert_none(faults([*MODULES, *python_files("benchmarks"), *TESTS], VAGUE_NAME, bound_names))


def test_a_test_has_a_plain_name() -> None:
    assert_none(faults(TESTS, VAGUE_TEST_NAME, bound_names))


def test_a_string_has_no_banned_word() -> None:
    assert_none(faults(MODULES, BANNED_WORD, shown_strings))


def test_a_docstring_or_comment_has_no_banned_word() -> None:
    assert_none(faults(PLAIN_MODULES, BANNED_WORD, prose))


@pytest.mark.parametrize("path", PAGES, ids=relative)
def test_a_page_has_no_banned_word(path: Path) -> None:
    text = re.sub(r"`[^`]*`", "", path.read_text("utf-8"))
    assert [line for line in text.splitlines() if BANNED_WORD.search(line)] == []


@pytest.mark.parametrize(
    "source",
    ["found = 1", "def f(told): ...", "for found in x: ...", "import x as told", "found: int"],
)
def test_a_vague_name_is_found_wherever_it_is_bound(source: str) -> None:
    assert any(VAGUE_NAME.fullmatch(name) for _, name in bound_names(source))


def test_a_banned_word_is_found_in_a_string_and_not_in_a_docstring() -> None:
    source = '"""Mend it."""\nraise ValueError(f"Mend {x}")'
    assert [s for _, s in shown_strings(source) if BANNED_WORD.search(s)] == ["Mend "]


def test_a_banned_word_is_found_in_a_docstring_and_in_a_comment() -> None:
    texts = [text for _, text in prose('"""Mend ``mend``."""\nx = "mend"  # mend\n')]
    assert [len(BANNED_WORD.findall(text)) for text in texts] == [1, 1]
