"""Every guarantee names tests that check it, and they exist."""

from __future__ import annotations

import ast
import functools
import re

import pytest

from core.settings import PROJECT_ROOT

PAGE = (PROJECT_ROOT / "docs" / "guarantees.md").read_text()
SECTIONS = re.split(r"^## (?=\d)", PAGE, flags=re.M)[1:]
NAMED = sorted(set(re.findall(r"`(tests/[^`]+\.py)::([^`]+)`", PAGE)))


def test_they_are_numbered_and_each_names_a_test() -> None:
    assert [section[0] for section in SECTIONS] == list("123456789")
    for section in SECTIONS:
        assert "\n- `tests/" in section, section.splitlines()[0]


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_a_named_test_exists(file: str, name: str) -> None:
    assert name in named_in(file)


@functools.cache
def named_in(file: str) -> set[str]:
    """The tests of a file, by their names as pytest has them."""
    names = set()
    for node in ast.parse((PROJECT_ROOT / file).read_text()).body:
        if isinstance(node, ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.ClassDef):
            names |= {f"{node.name}::{f.name}" for f in node.body if isinstance(f, ast.FunctionDef)}
    return {name for name in names if name.split("::")[-1].startswith("test_")}
