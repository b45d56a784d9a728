"""Conversations in files, as ``ddb.seed --file`` loads them.

There are two forms; the first line that is not blank decides:

- plain text, a message a line, each beginning with ``Person 1:`` or ``Person 2:``;
- JSON Lines, a message a line: ``message``, and ``person`` (1 or 2) or ``user_handle`` (or
  ``handle``), and perhaps ``created_at`` (ISO 8601) on every line, never decreasing. Other keys
  are ignored, so a message as ``ddb.patterns.get-conversation --json`` prints it is such a line.
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
        raise InputError(f"Could not read {path}: {error.strerror}", "Check --file.") from error
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
    """The messages of a transcript, in order; errors call it ``name``.

    A byte order mark, CRLF line ends and blank lines are ignored.

    Raises:
        InputError: a line is malformed, or there is none; it names the line.
    """
    numbered = list(_numbered_lines(text))
    if not numbered:
        raise InputError(f"{name} has no messages", "Write lines like: Person 1: Hello!")
    read_line: Callable[[str, int], TranscriptLine] = _from_text
    if numbered[0][1].startswith("{"):
        read_line = _from_json
    entries: list[TranscriptLine] = []
    for line_number, line in numbered:
        try:
            entry = read_line(line, line_number)
            _check_time(entry, entries[-1] if entries else None)
        except InputError as error:
            raise InputError(f"{name}, line {line_number}: {error.problem}", error.hint) from error
        entries.append(entry)
    return entries


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
            "The line begins with neither Person 1 nor Person 2",
            "Write each message on one line. Begin JSON Lines with {, not with [.",
        )
    return TranscriptLine(int(match[1]), None, message_text(match[2]), None, line_number)


def _from_json(line: str, line_number: int) -> TranscriptLine:
    entry = _json_object(line)
    person = entry.get("person")
    handle = None
    if person is None:
        handle = _handle(entry)
    elif type(person) is not int or person not in (1, 2):
        raise InputError("The value of person is neither 1 nor 2", "Set it to 1 or 2.")
    message = entry.get("message")
    if not isinstance(message, str):
        raise InputError("The line has no message", 'Add "message": "…".')
    return TranscriptLine(person, handle, message_text(message), _created_at(entry), line_number)


def _json_object(line: str) -> dict[str, Any]:
    try:
        entry = json_objects.parse(line)
    except json_objects.RepeatedNameError as error:
        raise InputError(str(error), "Keep one of them.") from error
    # The second: nested too deeply for the parser.
    except (ValueError, RecursionError) as error:
        raise InputError("The line is not JSON", "Write one JSON object on each line.") from error
    if not isinstance(entry, dict):
        raise InputError("The line is not a JSON object", "Write one JSON object on each line.")
    return entry


def _handle(entry: dict[str, Any]) -> str:
    handle = entry.get("user_handle")
    if handle is None:
        handle = entry.get("handle")
    if not isinstance(handle, str) or not handle.strip() or not handle.isprintable():
        raise InputError("The line does not name the sender", "Add person or user_handle.")
    return handle.strip()


def _created_at(entry: dict[str, Any]) -> datetime | None:
    written = entry.get("created_at")
    if written is None:
        return None
    instant = timestamps.parse(written) if isinstance(written, str) else None
    if instant is None:
        raise InputError(
            "The value of created_at is not an ISO 8601 time",
            "Write it like 2026-01-31T18:00:00+00:00",
        )
    return instant


def _check_time(entry: TranscriptLine, before: TranscriptLine | None) -> None:
    if before is None:
        return
    if (entry.created_at is None) != (before.created_at is None):
        dated, undated = entry.line_number, before.line_number
        if entry.created_at is None:
            dated, undated = undated, dated
        raise InputError(
            f"Line {dated} has a created_at, but line {undated} has none",
            "Add one to every line, or remove them all.",
        )
    if entry.created_at and before.created_at and entry.created_at < before.created_at:
        raise InputError(
            f"The created_at is earlier than that of line {before.line_number}",
            "Sort the lines by created_at.",
        )
