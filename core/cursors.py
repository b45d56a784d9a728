"""Cursors: the end of a page, as a string that callers pass back unchanged."""

from __future__ import annotations

import base64
import json
from typing import Any

from core.errors import InputError


def encode(question: object, place: object) -> str:
    """The cursor that continues ``question`` after ``place``; both are JSON values."""
    content = json.dumps([question, place]).encode()
    return base64.urlsafe_b64encode(content).decode("ascii")


def decode(cursor: str, question: object) -> Any:
    """The place at which the page before ``cursor`` ended.

    Raises:
        InputError: it is not a cursor, or it belongs to another question.
    """
    try:
        asked, place = json.loads(base64.urlsafe_b64decode(cursor))
    except (ValueError, TypeError, RecursionError) as error:
        raise invalid() from error
    if asked != question:
        raise InputError("The cursor belongs to another list", "Start from its first page.")
    return place


def invalid() -> InputError:
    """The error for a cursor that was not made here."""
    return InputError("The cursor is invalid", "Start from the first page.")
