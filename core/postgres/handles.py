"""Handles that may have been meant when a handle is unknown."""

from __future__ import annotations

import string
from collections.abc import Iterator
from difflib import SequenceMatcher

from core.commands import Command
from core.errors import NotFoundError
from core.postgres.admin import read_marker
from core.postgres.database import Queries
from core.postgres.statements import load
from core.targets import Environment

_MAX_LENGTH = 64
"""Longer handles get no suggestions: the variants and comparisons grow with the length."""

_BESIDE = 20
_MAX_CANDIDATES = 200
_LEAST_ALIKE = 0.7
_ALPHABET = string.ascii_lowercase + string.digits + "_.-"


def bare_handle(handle: str) -> str:
    """``handle`` without blanks around it and without a leading ``@``."""
    return handle.strip().removeprefix("@")


def similar_handles(db: Queries, handle: str, *, limit: int = 3) -> list[str]:
    """Up to ``limit`` users' handles that resemble ``handle``, the most similar first.

    They differ from it in case, in a leading ``@`` or blanks, or in a letter or two. This is one
    statement that looks up a bounded number of places in the index on handles: as fast for a
    million users as for three. Cruddur's own table may have no such index; it is then scanned.
    """
    bare = bare_handle(handle)
    if not bare or len(bare) > _MAX_LENGTH or not is_text(handle):
        return []
    rows = db.query_rows(
        load("users/similar_handles"),
        {
            "variants": sorted(set(_variants(handle))),
            "places": sorted({bare, bare.lower(), bare.lower()[:3]}),
            "beside": _BESIDE,
            "limit": _MAX_CANDIDATES,
        },
    )
    alike = {row["handle"]: _likeness(bare, row["handle"]) for row in rows}
    ranked = sorted(alike, key=lambda stored: (-alike[stored], stored))
    return [stored for stored in ranked if alike[stored] >= _LEAST_ALIKE][:limit]


def _variants(handle: str) -> Iterator[str]:
    bare = bare_handle(handle)
    for text in (bare, bare.lower(), bare.upper(), bare.capitalize(), bare.title()):
        yield from (text, f"@{text}", f"{text} ", f" {text}")
    yield from _one_letter_off(bare.lower())


def _one_letter_off(text: str) -> Iterator[str]:
    """Every text that one typing mistake makes of ``text``: about 80 for each letter."""
    for place in range(len(text) + 1):
        before, after = text[:place], text[place:]
        yield from (before + letter + after for letter in _ALPHABET)
        if after:
            yield before + after[1:]
            yield from (before + letter + after[1:] for letter in _ALPHABET)
        if len(after) > 1:
            yield before + after[1] + after[0] + after[2:]


def _likeness(typed: str, stored: str) -> float:
    """How alike two handles are: 1 if they differ only in case, ``@`` and blanks; 0 if entirely."""
    return SequenceMatcher(
        None, typed.lower(), bare_handle(stored).lower()[: 2 * _MAX_LENGTH], autojunk=False
    ).ratio()


def no_such_user(db: Queries, handle: str) -> NotFoundError:
    """The error for an unknown ``handle``, with similar handles as a hint.

    It suggests the demo users only for an empty local database.
    """
    problem = f"There is no user with the handle {bare_handle(handle)!r}"
    if similar := similar_handles(db, handle):
        return NotFoundError(problem, f"Did you mean {' or '.join(similar)}?")
    if lacks_demo_users(db):
        return NotFoundError(
            problem, "There are no users yet. For the demo users run", Command("db.seed")
        )
    return NotFoundError(problem, "Check how it is spelled.")


def lacks_demo_users(db: Queries) -> bool:
    """Whether the database is local and has no users: demo users belong nowhere else."""
    if db.address.is_production or read_marker(db) != Environment.LOCAL:
        return False
    return bool(db.query_value(load("users/none")))


def is_text(text: str) -> bool:
    """Whether Postgres can store ``text``: it has no NUL and no lone surrogate."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
