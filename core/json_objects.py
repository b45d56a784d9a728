"""JSON from a file that a person may have edited: an object with a repeated name is refused.

Python's parser keeps the last value of a repeated name and silently drops the others:
https://docs.python.org/3/library/json.html#repeated-names-within-an-object
"""

from __future__ import annotations

import json
from typing import Any

_LONGEST_SHOWN = 60


class RepeatedNameError(ValueError):
    """An object, at any depth, has ``name`` more than once."""

    def __init__(self, name: str) -> None:
        shown = name if len(name) <= _LONGEST_SHOWN else f"{name[:_LONGEST_SHOWN]}…"
        super().__init__(f"{json.dumps(shown, ensure_ascii=False)} occurs more than once")
        self.name = name


def parse(text: str | bytes) -> Any:
    """The value that ``text`` holds.

    Raises:
        RepeatedNameError: an object has one name more than once.
        ValueError: it is not JSON.
        RecursionError: it is nested too deeply for the parser.
    """
    return json.loads(text, object_pairs_hook=_object)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise RepeatedNameError(name)
            seen.add(name)
    return members
