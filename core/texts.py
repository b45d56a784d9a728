"""A message's text: the rule for it, the same wherever it comes from, and excerpts of it."""

from __future__ import annotations

from core.errors import InputError

MAX_CODE_POINTS = 1024
"""Cruddur's own limit for a message."""


def message_text(text: str) -> str:
    """``text`` without the blanks around it: 1 to 1,024 code points that every store can hold.

    Raises:
        InputError: it is empty, too long, or holds a NUL or half a surrogate pair.
    """
    trimmed = text.strip()
    if not trimmed:
        raise InputError("The message is empty", "Enter some text.")
    if len(trimmed) > MAX_CODE_POINTS:
        raise InputError(
            f"The message has {len(trimmed):,} characters, but the limit is {MAX_CODE_POINTS:,}",
            "Shorten it.",
        )
    if "\0" in trimmed or any("\ud800" <= character <= "\udfff" for character in trimmed):
        raise InputError("The message contains a NUL or a lone surrogate", "Remove that character.")
    return trimmed


def excerpt(text: str, words: str, around: int) -> str:
    """The part of ``text`` with ``words``, and up to ``around`` characters on either side."""
    start = max(0, text.casefold().find(words.casefold()) - around)
    end = start + 2 * around + len(words)
    return ("…" if start else "") + text[start:end] + ("…" if end < len(text) else "")
