"""Makes others' text safe for a terminal: control and invisible characters are spelled out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

# Not compiled: every command loads this module, and few need it.
_UNSEEN = (
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef]"
)
"""Characters that count as printable but are invisible: fillers and variation selectors.

https://www.unicode.org/reports/tr44/#Default_Ignorable_Code_Point
"""

_JOINER = "\u200d"
_STYLES = "\ufe0e\ufe0f"
_KEYCAP = "\u20e3"
_JOINABLE = {"So", "Sk", "Sm", "Mn", "Mc"}


def visible(text: str) -> str:
    """``text`` with every invisible character spelled out, except line breaks and tabs.

    Controls (C0, DEL, C1), format characters (bidi controls, zero-width ones) and other invisible
    characters become ``\\x1b``, ``\\u202e``. They stay only within an emoji.
    """
    return _replaced(text, _spelled_out, "\n\t")


def one_line(text: str) -> str:
    """:func:`visible` text on one line."""
    if _is_plain(text):
        return text
    return visible(text.replace("\n", " ").replace("\t", " "))


def visible_json(text: str) -> str:
    """JSON with every invisible character as a JSON escape: its value stays the same."""
    return _replaced(text, _json_escape, "\n")


def shows(text: str) -> bool:
    """Whether every character of ``text`` is visible."""
    return visible(text) == text and "\n" not in text and "\t" not in text


def _replaced(text: str, escape: Callable[[str], str], kept: str) -> str:
    if _is_plain(text):
        return text
    # A text has few different characters: look at each of them once, not at each place.
    hidden = "".join(
        character for character in sorted(set(text)) if character not in kept and _hides(character)
    )
    if not hidden:
        return text

    def replace(match: re.Match[str]) -> str:
        return match[0] if _belongs_to_an_emoji(text, match.start()) else escape(match[0])

    return re.sub(f"[{re.escape(hidden)}]", replace, text)


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable()


@lru_cache(maxsize=10_000)
def _hides(character: str) -> bool:
    return not character.isprintable() or re.match(_UNSEEN, character) is not None


def _spelled_out(character: str) -> str:
    number = ord(character)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[n : n + 2].hex()}" for n in range(0, len(units), 2))


def _belongs_to_an_emoji(text: str, place: int) -> bool:
    before = unicodedata.category(text[place - 1]) if place else ""
    if text[place] == _JOINER:
        return before in _JOINABLE
    is_keycap = text[place + 1 : place + 2] == _KEYCAP
    return text[place] in _STYLES and (before in ("So", "Sk", "Sm") or is_keycap)
