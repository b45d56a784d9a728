"""A configuration file of Invoke's that cannot be read: which one, and why, in one line.

Invoke reads the project's file and the one of ``--config`` after it has loaded the tasks. It reads
``/etc/invoke.*`` and ``~/.invoke.*`` before, where nothing of ours runs yet.
"""

from __future__ import annotations

import json
import traceback
from types import TracebackType

from invoke.exceptions import UnknownFileType

_PREFIXES = ("system", "user", "project", "runtime")


def unreadable_file(error: BaseException, trace: TracebackType | None) -> str | None:
    """The line for ``error`` if Invoke raised it while it read a file; else None."""
    frames = [frame for frame, _ in traceback.walk_tb(trace)]
    frames = [frame for frame in frames if frame.f_globals.get("__name__") == "invoke.config"]
    path = None
    for frame in frames:
        known = frame.f_locals
        if frame.f_code.co_name == "_load_file":
            path = known.get("filepath", path)
        elif frame.f_code.co_name == "_merge_file" and known.get("name") in _PREFIXES:
            path = known.get("path", path)
    if path is None:
        return None
    return f"Could not read {path}: {_reason(error)}. Fix the file or remove it."


def _reason(error: BaseException) -> str:
    """What is wrong with the file, with the line where that is known."""
    mark = getattr(error, "problem_mark", None)  # YAML
    if mark is not None:
        return f"line {mark.line + 1}: {getattr(error, 'problem', None) or 'invalid YAML'}"
    if isinstance(error, json.JSONDecodeError):
        return f"line {error.lineno}: {error.msg}"
    if isinstance(error, SyntaxError):
        return f"line {error.lineno}: {error.msg}"
    if isinstance(error, AttributeError):  # Invoke takes every file for a mapping
        return "it is not a mapping of names to settings"
    if isinstance(error, UnknownFileType):
        return "its name must end with .yaml, .yml, .json or .py"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    words = " ".join(str(error).split())
    return f"{type(error).__name__}: {words[:200]}"
