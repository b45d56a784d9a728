"""The rule for a message's text, the same wherever a message comes from."""

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
        raise InputError("the message is empty", "Give it a text.")
    if len(trimmed) > MAX_CODE_POINTS:
        raise InputError(
            f"the message has {len(trimmed):,} characters, {MAX_CODE_POINTS:,} are allowed",
            "Shorten it.",
        )
    if "\0" in trimmed or any("\ud800" <= character <= "\udfff" for character in trimmed):
        raise InputError("the message holds a NUL or a lone surrogate", "Remove it: it is no text.")
    return trimmed
