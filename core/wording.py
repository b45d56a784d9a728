"""Words that depend on a number."""

from __future__ import annotations


def counted(number: int, noun: str, plural: str = "") -> str:
    """``1 session``, ``2 sessions``, ``1,000 sessions``; ``plural`` for nouns without an s."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def agreeing(number: int, plural: str) -> str:
    """``1 pair``, ``2 pairs``: a plural in s, made singular for one."""
    return counted(number, plural.removesuffix("s"), plural)
