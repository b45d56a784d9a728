"""Stored text in places where Streamlit reads Markdown, and times in words."""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import streamlit

from admin_app import tables
from admin_app.layout import ago, escaped
from core.dynamodb import IndexDescription
from core.timestamps import now


@pytest.mark.parametrize("character", list("\\`*_{}[]()<>#+-.!|~$:&\"'/@^=%;,?"))
def test_punctuation_has_no_markdown_meaning(character: str) -> None:
    assert escaped(character) == f"\\{character}"


def test_a_copy_contains_no_invisible_characters() -> None:
    line = escaped("@bayko a@example.com http://127.0.0.1:80/ :smile: www.example.com")
    assert line.isascii()


def test_only_invisible_characters_are_removed() -> None:
    text = "<b>hi</b> :smile: www.example.com a@example.com 🙂"
    assert escaped(text).replace("\\", "").replace(":gray[]", "") == text


@pytest.mark.parametrize("text", [":smile:", "http://evil.example", "www.evil.example", "a@b.c"])
def test_links_and_shortcodes_are_broken_up(text: str) -> None:
    assert ":gray[]" in escaped(text)


def test_no_sign_that_streamlit_replaces_is_in_one_piece() -> None:
    scripts = Path(streamlit.__file__).parent / "static" / "static" / "js"
    (script,) = scripts.glob("StreamlitMarkdown.*.js")
    signs = re.findall(r"/\(\^\|\\s\)([^/]+)\(\\s\|\$\)/g", script.read_text())
    assert "->" in signs
    replaced = re.compile(rf"(^|\s)({'|'.join(signs)})(\s|$)")
    for sign in signs:
        alone = (sign, f"a {sign} b", f"{sign} {sign}")
        at_breaks = (f"a@{sign}", f"a@{sign} b", f"a@{sign}@b", f"{sign}@b", f"www{sign}.b",
                     f":{sign}:a:", f"{sign}:a:", f"a:{sign}", f"a@{sign}{sign} b")  # fmt: skip
        for text in (*alone, *at_breaks):
            pieces = escaped(text).replace("\\", "").split(":gray[]")
            assert "".join(pieces) == text
            assert not any(map(replaced.search, pieces))


def test_a_name_stays_on_one_line_without_control_characters() -> None:
    assert escaped("a\n\n# b\x1b[31m\u202ec") == r"a \# b \[31m c"


@pytest.mark.parametrize(
    ("age", "shown"),
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(minutes=3), "3 min ago"),
        (timedelta(hours=5), "5 h ago"),
        (timedelta(days=2), "2 d ago"),
    ],
)
def test_times_are_shown_in_words(age: timedelta, shown: str) -> None:
    assert ago(now() - age) == shown


def test_an_old_time_is_shown_as_a_date_and_an_unreadable_one_as_such() -> None:
    assert ago(now() - timedelta(days=400))[-4:].isdigit()
    assert ago(None) == "at an unknown time"


def test_a_size_that_an_engine_does_not_report_is_not_shown_as_zero() -> None:
    index = IndexDescription("index", "active", "key", "all", 7, 0)
    assert tables.size_of(index) == "not reported by this engine"
    assert tables.size_of(replace(index, size_bytes=2048)) == "2.0 KB"
    assert tables.size_of(replace(index, items=0)) == "0 B"
