"""Text of others is shown and cannot act; a shell reads a value in a hint as one word."""

from __future__ import annotations

import json
import subprocess
import unicodedata

import pytest
from hypothesis import given, strategies as st

from core import printable
from core.commands import option, shell_word
from core.printable import one_line, shows, visible, visible_json

STEERING = [
    *(chr(n) for n in (0x00, 0x07, 0x08, 0x0D, 0x1B, 0x7F, 0x85, 0x90, 0x9B, 0x9D)),
    *(chr(n) for n in range(0x202A, 0x202F)),
    *(chr(n) for n in range(0x2066, 0x206A)),
    *"\u200b\u200c\u200e\u200f\u061c\u00ad\u2028\u2029\u2060\ufeff\u180e\u3164\u115f\uffa0\u034f",
    "\U000e0001",
    "\ud800",
]


@pytest.mark.parametrize("character", STEERING, ids=ascii)
def test_control_and_invisible_characters_are_escaped(character: str) -> None:
    for text in (character, f"a{character}b", f"👩{character}b"):
        assert character not in visible(text)
        assert visible(text).isprintable()


@pytest.mark.parametrize(
    "text", ["👩‍👩‍👧", "👩🏽‍💻", "❤️", "1️⃣", "🏳️‍🌈", "नमस्‍ते", "élodie", "日本", "e\u0301"]
)
def test_ordinary_text_is_unchanged(text: str) -> None:
    assert visible(text) == one_line(text) == text


@pytest.mark.parametrize("text", ["ba\u200dyko", "\u200dbayko", "bayko\u200d", "ba\ufe0fyko"])
def test_a_joiner_outside_an_emoji_is_escaped(text: str) -> None:
    assert visible(text).isascii()


@given(st.text())
def test_no_invisible_character_is_left(text: str) -> None:
    shown = one_line(text)
    assert "\n" not in shown
    for character in shown:
        assert unicodedata.category(character) not in ("Cc", "Cs", "Zl", "Zp")
        assert character in "\u200d" or unicodedata.category(character) != "Cf"


@given(st.recursive(st.text(), lambda inner: st.dictionaries(st.text(), inner)))
def test_visible_json_means_the_same(value: object) -> None:
    for indent in (None, 2):
        shown = visible_json(json.dumps(value, ensure_ascii=False, indent=indent))
        assert json.loads(shown) == value
        assert shows(shown.replace("\n", "")), ascii(shown)


NASTY = [
    "bayko",
    ";touch $(id)",
    "`id`",
    "$(id)",
    "a b",
    "a  b",
    " a ",
    "o'brien",
    'a"b',
    "-rf",
    "--json",
    "\x1b[2J",
    "\u009b2J",
    "\u202eokyab",
    "a\nb",
    "\\",
    "$'x'",
    "*",
    "~",
    "#",
    "!!",
    "",
    "👩‍💻",
    "日本",
]


@pytest.mark.parametrize("value", NASTY, ids=ascii)
def test_a_shell_reads_a_quoted_word_as_its_value(value: str) -> None:
    word = shell_word(value)
    assert shows(word)
    assert " ".join(f"x {word} x".split()) == f"x {word} x", "an error is one line of single blanks"
    script = f"printf '%s\\0' x {word} x"
    done = subprocess.run(["/bin/bash", "-c", script], capture_output=True, check=True)
    assert done.stdout.decode() == f"x\0{value}\0x\0"


def test_a_value_that_looks_like_an_option_is_joined_with_an_equals_sign() -> None:
    assert option("--user", "bayko") == "--user bayko"
    assert option("--user", "--json") == "--user=--json"
    assert option("--user", "a b") == "--user 'a b'"
    assert option("--before", "2026-01-31T18:00:00+00:00") == "--before 2026-01-31T18:00:00+00:00"


def test_a_character_is_looked_at_once_however_often_it_occurs(monkeypatch) -> None:
    """A long text with one emoji is no slower than a plain one: nothing is done at each place."""
    looked_at = []
    real = printable._hides
    monkeypatch.setattr(printable, "_hides", lambda c: looked_at.append(c) or real(c))
    text = "❤️ and more, " * 1_000
    assert visible(text) == text
    assert len(looked_at) <= len(set(text))
