"""Exports all data about one user in both stores, for a request for access."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import shutil
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from core.access import Stores
from core.dynamodb import find_hold, thread_pages, walk_inbox
from core.errors import InputError
from core.models import InboxRow, Message, User
from core.postgres import find_user_by_uuid, list_activities
from core.private_files import open_private
from core.timestamps import now, sort_key
from core.usecases import readable
from core.usecases.conversation_export import message_fields, message_line
from core.usecases.readable import text

_PAGE = 1000

Progress = Callable[[int], None]
"""Receives the number of conversations written."""


@dataclass(frozen=True, slots=True)
class PersonExport:
    """The counts of an export."""

    path: Path
    user_uuid: str
    activities: int
    conversations: int
    messages: int


def export_person(
    stores: Stores,
    user_uuid: str,
    path: Path,
    *,
    own_only: bool = False,
    progress: Progress = lambda _: None,
) -> PersonExport:
    """Write all data about a user to the folder ``path``, or to a zip if the name ends in .zip.

    It contains JSON Lines for a program, HTML for a person, and a manifest with counts and
    checksums. With ``own_only`` only the user's own messages are written: no answers, no previews.
    Each file has mode 0600; ``path`` appears only when it is complete. Constant memory.

    Raises:
        NotFoundError: there is no such user.
        InputError: ``path`` exists, or cannot be written.
    """
    user = find_user_by_uuid(stores.db, user_uuid)
    try:
        if path.exists():
            raise InputError(f"{path} exists", "Name another place with --file.")
        draft = path.with_name(path.name + ".part")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700, parents=True)
        done = _Export(stores, user, draft, own_only, progress).write()
        if path.suffix == ".zip":
            _zip(draft, path)
            shutil.rmtree(draft)
        else:
            draft.replace(path)
    except OSError as error:
        raise InputError(
            f"Could not write {path}: {error.strerror}", "Name another place with --file."
        ) from error
    return PersonExport(path, user.uuid, **done)


def export_as_text(stores: Stores, user_uuid: str) -> Iterator[str]:
    """Everything that both stores have about a user, as JSON Lines in one text; constant memory.

    Each line has a ``kind``: profile, activity, inbox row or message.

    Raises:
        NotFoundError: there is no such user.
    """
    user = find_user_by_uuid(stores.db, user_uuid)
    export = _Export(stores, user, Path(), own_only=False, progress=lambda _: None)
    yield _kind_line("profile", export.profile())
    yield from (_kind_line("activity", activity) for activity in export.activities())
    for row in walk_inbox(stores.table, user.uuid):
        yield _kind_line("inbox row", asdict(row))
        for message in export.thread(row.message_group_uuid):
            yield _kind_line("message", message_fields(message))


def _kind_line(kind: str, fields: dict[str, Any]) -> str:
    return f"{_line({'kind': kind} | fields)}\n"


@dataclass
class _Export:
    """One export into a folder."""

    stores: Stores
    user: User
    folder: Path
    own_only: bool
    progress: Progress
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    messages: int = 0

    def write(self) -> dict[str, int]:
        """Write every file; returns the counts."""
        self._write("profile.json", [json.dumps(self.profile(), indent=2, default=str)])
        activities = self._write("activities.jsonl", map(_line, self.activities()))
        conversations = self._conversations()
        counts = {
            "activities": activities,
            "conversations": conversations,
            "messages": self.messages,
        }
        self._write("index.html", self._index(counts))
        manifest = {
            "user_uuid": self.user.uuid,
            "exported_at": sort_key(now()),
            "source": [
                self.stores.target.describe_postgres(),
                self.stores.target.describe_dynamodb(),
            ],
            "own_messages_only": self.own_only,
            "counts": counts,
            "files": dict(self.files),
        }
        self._write("manifest.json", [json.dumps(manifest, indent=2, ensure_ascii=False)])
        return counts

    def _write(self, name: str, lines: Iterable[str]) -> int:
        """The number of lines written to the file ``name``."""
        path, digest, count = self.folder / name, hashlib.sha256(), 0
        path.parent.mkdir(mode=0o700, exist_ok=True)
        with open_private(path) as file:
            for line in lines:
                data = f"{line}\n".encode(errors="surrogatepass")
                file.write(data)
                digest.update(data)
                count += 1
        self.files[name] = {"lines": count, "sha256": digest.hexdigest()}
        return count

    def profile(self) -> dict[str, Any]:
        hold = find_hold(self.stores.table, self.user.uuid)
        return asdict(self.user) | {"held": asdict(hold) if hold else None}

    def activities(self) -> Iterator[dict[str, Any]]:
        cursor = None
        while True:
            page = list_activities(self.stores.db, self.user.uuid, limit=_PAGE, after=cursor)
            yield from map(asdict, page.entries)
            if (cursor := page.cursor) is None:
                return

    def _conversations(self) -> int:
        """Write the inbox, and each conversation once; returns how many there are."""
        seen = 0

        def rows() -> Iterator[str]:
            nonlocal seen
            for row in walk_inbox(self.stores.table, self.user.uuid):
                seen += 1
                self._conversation(row)
                self.progress(seen)
                yield _line(self._inbox_row(row))

        self._write("inbox.jsonl", rows())
        return seen

    def _inbox_row(self, row: InboxRow) -> dict[str, Any]:
        fields = asdict(row)
        if self.own_only:
            del fields["preview"]  # It may be another member's; the user's own are in the threads.
        return fields

    def _conversation(self, row: InboxRow) -> None:
        name = f"conversations/{hashlib.sha256(row.message_group_uuid.encode()).hexdigest()[:16]}"
        if f"{name}.jsonl" in self.files:
            return  # an inbox may show a conversation twice
        title = f"With {row.other.display_name or row.other.handle or row.other.uuid}"
        group = row.message_group_uuid
        self.messages += self._write(f"{name}.jsonl", map(message_line, self.thread(group)))
        body = readable.thread(self.thread(group))
        self._write(f"{name}.html", readable.document(title, body))

    def thread(self, group: str) -> Iterator[Message]:
        for message in itertools.chain.from_iterable(thread_pages(self.stores.table, group)):
            if not self.own_only or message.sender.uuid == self.user.uuid:
                yield message

    def _index(self, counts: dict[str, int]) -> Iterator[str]:
        facts = asdict(self.user) | counts
        rows = [f"<dt>{text(name)}</dt><dd>{text(fact)}</dd>" for name, fact in facts.items()]
        pages = [name for name in self.files if name.endswith(".html")]
        links = [f'<li><a href="{text(name)}">Conversation {n}</a></li>'
                 for n, name in enumerate(pages, start=1)]  # fmt: skip
        body = ["<dl>", *rows, "</dl>", "<ul>", *links, "</ul>"]
        yield from readable.document(f"What Cruddur holds of {self.user.handle}", body)


def _line(fields: dict[str, Any]) -> str:
    return json.dumps(fields, ensure_ascii=False, default=str)


def _zip(folder: Path, path: Path) -> None:
    """Pack ``folder`` into the file ``path``, mode 0600."""
    draft = path.with_name(path.name + ".packing")
    draft.unlink(missing_ok=True)
    with open_private(draft):
        pass
    with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
        for root, _, names in os.walk(folder):
            for name in sorted(names):
                file = Path(root) / name
                archive.write(file, file.relative_to(folder))
    draft.replace(path)
