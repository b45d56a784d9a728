"""Cursors: where a page ended, as a string that callers hand back unread."""

from __future__ import annotations

import base64
import json

from core.errors import InputError


def behind(pk: str, newest_first: bool, sort_key: str) -> str:
    """The cursor that goes on behind ``sort_key``, in the partition and direction of the page."""
    content = json.dumps([pk, newest_first, sort_key]).encode()
    return base64.urlsafe_b64encode(content).decode("ascii")


def reached(cursor: str, pk: str, newest_first: bool) -> str:
    """The sort key that the page before ``cursor`` ended at.

    Raises:
        InputError: it is no cursor, or one of another partition or direction.
    """
    try:
        asked, direction, sort_key = json.loads(base64.urlsafe_b64decode(cursor))
    except (ValueError, TypeError, RecursionError) as error:
        raise InputError("the cursor is not one of ours", "Start from the first page.") from error
    if [asked, direction] != [pk, newest_first] or not isinstance(sort_key, str):
        raise InputError("the cursor belongs to another question", "Start from the first page.")
    return sort_key
