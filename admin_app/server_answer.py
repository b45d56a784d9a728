"""The answer of ``admin --json`` and ``start --json``, which the server prints once it listens.

The task hands over what it has answered so far, in an open file that no other program can read.
"""

from __future__ import annotations

import json
import os
from typing import Any

_record: dict[str, Any] | None = None


def keep(descriptor: int | None) -> None:
    """Read the answer from the file that the task has left open; nothing without one."""
    global _record
    if descriptor is None:
        return
    with os.fdopen(descriptor, "rb") as file:
        _record = json.load(file)


def is_kept() -> bool:
    """Whether a program reads the answer."""
    return _record is not None


def print_serving(line: str, url: str, port: int) -> None:
    """Complete the answer with where the server listens, and print it."""
    if _record is not None:
        _record["result"].append({"text": line, "url": url, "port": port, "pid": os.getpid()})
        _print()


def print_failed(line: str) -> None:
    """Complete the answer with why the server did not start, and print it."""
    if _record is not None:
        _record["problems"].append(line)
        _print()


def _print() -> None:
    print(json.dumps([_record], indent=2), flush=True)  # noqa: T201
