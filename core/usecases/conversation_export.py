"""Exports one conversation: as text, as JSON Lines, or as a web page that prints well."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from core.dynamodb import Table, list_rows_of, list_thread, thread_pages
from core.errors import InputError, NotFoundError, UsageError
from core.models import Conversation, Message, Person
from core.printable import one_line, visible
from core.private_files import new_private_file
from core.timestamps import now
from core.usecases import readable

_MOST_NAMES = 1000

Names = Callable[[Iterable[str]], Mapping[str, Person]]
"""The users with these uuids, as Postgres has them now; unknown ones are left out."""


class Format(StrEnum):
    """The forms of an export; the values are the endings of their files."""

    TEXT = "txt"
    JSON_LINES = "jsonl"
    HTML = "html"

    @property
    def media_type(self) -> str:
        return {"txt": "text/plain", "jsonl": "application/jsonl", "html": "text/html"}[self.value]


FORMATS = {"text": Format.TEXT, "jsonl": Format.JSON_LINES, "html": Format.HTML}


def format_of(name: str, path: str) -> Format:
    """The format called ``name``, or the one that the ending of ``path`` means; else text.

    Raises:
        UsageError: there is no such format.
    """
    if name:
        if name not in FORMATS:
            raise UsageError(
                f"There is no format {one_line(name)}", f"Give one of {', '.join(FORMATS)}."
            )
        return FORMATS[name]
    ending = Path(path).suffix.lower().removeprefix(".")
    return Format(ending) if ending in set(Format) else Format.TEXT


@dataclass(frozen=True, slots=True)
class _Heading:
    """What an export says before the messages."""

    title: str
    group: str
    source: str
    exported_at: datetime

    @property
    def lines(self) -> tuple[str, ...]:
        return (
            f"Conversation {self.group}",
            f"Exported at {self.exported_at:%Y-%m-%d %H:%M:%S} UTC from {self.source}",
        )


def export_conversation(
    table: Table, message_group_uuid: str, form: Format, names: Names, source: str
) -> Iterator[str]:
    """The parts of the export, oldest message first; removed messages are lines that say so.

    Constant memory: a page of 1,000 messages. It costs 0.5 RCU per 4 KB. Senders have their current
    names. The first part is read at once.

    Raises:
        NotFoundError: there is no such conversation.
    """
    conversation = Conversation(message_group_uuid, list_rows_of(table, message_group_uuid))
    first = list_thread(table, message_group_uuid, limit=1)
    if not conversation.rows and not first.entries:
        raise NotFoundError(f"There is no conversation {message_group_uuid}")
    known = names(person.uuid for person in conversation.members)
    members = [known.get(person.uuid, person) for person in conversation.members]
    heading = _Heading(
        " and ".join(person.full_name for person in members) or "A conversation without inbox rows",
        message_group_uuid,
        source,
        now(),
    )
    return _WRITERS[form](heading, _messages(table, message_group_uuid, names))


def _messages(table: Table, message_group_uuid: str, names: Names) -> Iterator[Message]:
    """Every message, oldest first, with the current names of its sender; one page in memory."""
    known: dict[str, Person] = {}
    asked: set[str] = set()
    for page in thread_pages(table, message_group_uuid):
        senders = {message.sender.uuid for message in page if message.sender.uuid}
        if new := senders - asked:
            if len(asked) > _MOST_NAMES:  # two, unless others wrote into the conversation
                known.clear()
                asked.clear()
            known |= names(new)
            asked |= new
        for message in page:
            yield replace(message, sender=known.get(message.sender.uuid, message.sender))


def message_fields(message: Message) -> dict[str, str | None]:
    """The message for a program, exactly as it is stored."""
    return {
        "message_group_uuid": message.message_group_uuid,
        "message_uuid": message.message_uuid,
        "user_uuid": message.sender.uuid,
        "user_handle": message.sender.handle,
        "user_display_name": message.sender.display_name,
        "message": message.text,
        "created_at": message.sort_key,
        "removed": message.removal or None,
    }


def message_line(message: Message) -> str:
    """:func:`message_fields` as a JSON object on one line."""
    return json.dumps(message_fields(message), ensure_ascii=False)


def _as_json_lines(_: _Heading, messages: Iterator[Message]) -> Iterator[str]:
    for message in messages:
        yield message_line(message) + "\n"


def _as_text(heading: _Heading, messages: Iterator[Message]) -> Iterator[str]:
    """For a person; invisible characters are spelled out, so that a terminal can show it."""
    yield "\n".join(map(one_line, (heading.title, *heading.lines, "All times are UTC."))) + "\n"
    for message in messages:
        when = f"{message.created_at:%Y-%m-%d %H:%M:%S}" if message.created_at else message.sort_key
        if message.removal:
            yield f"\n{one_line(when)}  {message.text}\n"
            continue
        text = "".join(f"    {line}\n" for line in visible(message.text).split("\n"))
        yield f"\n{one_line(when)}  {one_line(message.sender.full_name)}\n{text}"


def _as_html(heading: _Heading, messages: Iterator[Message]) -> Iterator[str]:
    def body() -> Iterator[str]:
        for line in heading.lines:
            yield f'<p class="about">{readable.text(line)}</p>\n'
        yield from readable.thread(messages)

    yield from readable.document(heading.title, body())


_WRITERS: Mapping[Format, Callable[[_Heading, Iterator[Message]], Iterator[str]]] = {
    Format.TEXT: _as_text,
    Format.JSON_LINES: _as_json_lines,
    Format.HTML: _as_html,
}


def write_export(parts: Iterator[str], path: Path, progress: Callable[[int], None]) -> int:
    """Write an export to ``path``, mode 0600; returns its size in bytes.

    ``path`` appears only when it is complete. ``progress`` receives the bytes written so far.

    Raises:
        InputError: ``path`` exists, or cannot be written.
    """
    size = 0
    try:
        if path.exists():
            raise InputError(f"{path} exists", "Name another file with --file.")
        with new_private_file(path) as file:
            for part in parts:
                size += file.write(part.encode(errors="surrogatepass"))
                progress(size)
    except OSError as error:
        raise InputError(
            f"Could not write {path}: {error.strerror}", "Name another file with --file."
        ) from error
    return size
