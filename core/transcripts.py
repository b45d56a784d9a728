"""Conversations in files, as ``ddb.seed --file`` loads them.

Two forms, told apart by the first line that is not blank:

- plain text, a message a line, each beginning with ``Person 1:`` or ``Person 2:``;
- JSON Lines, a message a line: ``message``, and ``person`` (1 or 2) or ``user_handle`` (or
  ``handle``), and perhaps ``created_at`` (ISO 8601) on every line, never falling. Other keys are
  passed over, so a message as ``ddb.patterns.get-conversation --json`` prints it is such a line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from core import json_objects, timestamps
from core.errors import InputError
from core.texts import message_text

DEMO_FILE = Path(__file__).with_name("seed_conversation.txt")

_PERSON_LINE = re.compile(r"Person ([12]):(.*)")


@dataclass(frozen=True, slots=True)
class TranscriptLine:
    """One message: who said it, as ``person`` (1 or 2) or else as ``handle``, and what, and when.

    ``created_at`` is aware and in UTC; either all lines of a transcript carry one, or none.
    """

    person: int | None
    handle: str | None
    message: str
    created_at: datetime | None
    line_number: int


def read_demo() -> list[TranscriptLine]:
    """The conversation that comes with the project."""
    return read(DEMO_FILE)


def read(path: str | Path) -> list[TranscriptLine]:
    """The conversation in the file at ``path``.

    Raises:
        InputError: the file cannot be read, is not UTF-8, or has a malformed line.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", "Check --file.") from error
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line_number = content.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{path}, line {line_number}: byte {error.start + 1:,} of the file is not UTF-8",
            "Save the file as UTF-8.",
        ) from error
    return parse(text, name=str(path))


def parse(text: str, *, name: str) -> list[TranscriptLine]:
    """The messages of a transcript, in its order; ``name`` is what errors call it.

    A byte order mark, CRLF line ends and blank lines are passed over.

    Raises:
        InputError: a line is malformed, or there is none; it names the line.
    """
    numbered = list(_numbered_lines(text))
    if not numbered:
        raise InputError(f"{name} holds no message", "Write lines like: Person 1: Hello!")
    read_line: Callable[[str, int], TranscriptLine] = _from_text
    if numbered[0][1].startswith("{"):
        read_line = _from_json
    found: list[TranscriptLine] = []
    for line_number, line in numbered:
        try:
            entry = read_line(line, line_number)
            _check_time(entry, found[-1] if found else None)
        except InputError as error:
            raise InputError(f"{name}, line {line_number}: {error.problem}", error.hint) from error
        found.append(entry)
    return found


def _numbered_lines(text: str) -> Iterator[tuple[int, str]]:
    # Not str.splitlines: it also cuts at characters such as U+2028, which a message may hold.
    lines = re.split("\r\n|\r|\n", text.removeprefix("\ufeff"))
    for line_number, line in enumerate(lines, start=1):
        if stripped := line.strip():
            yield line_number, stripped


def _from_text(line: str, line_number: int) -> TranscriptLine:
    match = _PERSON_LINE.fullmatch(line)
    if match is None:
        raise InputError(
            "it does not begin with Person 1: or Person 2:",
            "A message takes one line. JSON Lines begin with {, not with [.",
        )
    return TranscriptLine(int(match[1]), None, message_text(match[2]), None, line_number)


def _from_json(line: str, line_number: int) -> TranscriptLine:
    entry = _json_object(line)
    person = entry.get("person")
    handle = None
    if person is None:
        handle = _handle(entry)
    elif type(person) is not int or person not in (1, 2):
        raise InputError("person is neither 1 nor 2")
    message = entry.get("message")
    if not isinstance(message, str):
        raise InputError("it has no message", 'It needs "message": "…".')
    return TranscriptLine(person, handle, message_text(message), _created_at(entry), line_number)


def _json_object(line: str) -> dict[str, Any]:
    try:
        entry = json_objects.parse(line)
    except json_objects.RepeatedNameError as error:
        raise InputError(str(error), "Keep one of them.") from error
    # The second: nested too deeply for the parser.
    except (ValueError, RecursionError) as error:
        raise InputError("it is not JSON", "Each line is one JSON object.") from error
    if not isinstance(entry, dict):
        raise InputError("it is not a JSON object", "Each line is one JSON object.")
    return entry


def _handle(entry: dict[str, Any]) -> str:
    handle = entry.get("user_handle")
    if handle is None:
        handle = entry.get("handle")
    if not isinstance(handle, str) or not handle.strip() or not handle.isprintable():
        raise InputError("it does not say whose message it is", "It needs person or user_handle.")
    return handle.strip()


def _created_at(entry: dict[str, Any]) -> datetime | None:
    written = entry.get("created_at")
    if written is None:
        return None
    instant = timestamps.parse(written) if isinstance(written, str) else None
    if instant is None:
        raise InputError("created_at is not an ISO 8601 time", "Like 2026-01-31T18:00:00+00:00")
    return instant


def _check_time(entry: TranscriptLine, before: TranscriptLine | None) -> None:
    if before is None:
        return
    if (entry.created_at is None) != (before.created_at is None):
        there, missing = entry.line_number, before.line_number
        if entry.created_at is None:
            there, missing = missing, there
        raise InputError(
            f"line {there} has a created_at and line {missing} has none",
            "Give all lines one, or none.",
        )
    if entry.created_at and before.created_at and entry.created_at < before.created_at:
        raise InputError(
            f"its created_at is before that of line {before.line_number}",
            "Sort the lines by created_at.",
        )
