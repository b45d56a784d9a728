"""The project's migrations: one SQL file each, with its two parts, as dbmate writes them.

::

    -- migrate:up
    ALTER TABLE public.users ADD COLUMN bio text;

    -- migrate:down
    ALTER TABLE public.users DROP COLUMN bio;

``transaction:false`` may follow either marker, for statements that Postgres refuses in a
transaction. Lines above the first marker may contain a query after ``-- present:``. If it is true,
the migration's whole effect is present, and it is recorded but not run.
https://github.com/amacneil/dbmate#migration-options
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from core.errors import InputError, UsageError
from core.postgres.migrations.splitting import SqlStatement, split_statements
from core.postgres.migrations.stamps import (
    Instant,
    cruddur_instant,
    project_instant,
    stamp_after,
)

_FILE_NAME = re.compile(r"([0-9]+)_(\w+)\.sql", re.ASCII)
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}", re.IGNORECASE | re.ASCII)
_MARKER = re.compile(r"^--[ \t]*migrate:(\w+)[ \t]*(.*?)[ \t]*$", re.MULTILINE)
_PRESENT = re.compile(r"^--[ \t]*present:[ \t]*(.*)$", re.MULTILINE)
_OPTIONS = {"transaction:true", "transaction:false"}
_TEMPLATE = """\
-- needs: destroy
-- migrate:up


-- migrate:down

"""
_NO_PLACE_HERE = {"begin", "start", "commit", "end", "abort", "prepare"}


class Source(StrEnum):
    """Who wrote a migration."""

    PROJECT = "project"
    CRUDDUR = "cruddur"


@dataclass(frozen=True, slots=True)
class Script:
    """One direction of a migration. ``in_transaction``: completely or not at all."""

    statements: tuple[SqlStatement, ...] = ()
    in_transaction: bool = True


@dataclass(frozen=True, slots=True)
class Migration:
    """A migration in its file. ``down`` is empty if it cannot be undone.

    ``present_if`` is the query that says whether its whole effect is present, if its file has one.
    ``checksum`` covers the statements of ``up``.
    """

    source: Source
    stamp: str
    name: str
    path: Path
    up: Script
    down: Script
    checksum: str
    present_if: str = ""

    @property
    def key(self) -> tuple[Source, str]:
        return self.source, self.stamp

    @property
    def title(self) -> str:
        return f"{self.stamp}_{self.name}"

    @property
    def instant(self) -> Instant:
        return place_of(*self.key)[0]

    @property
    def place(self) -> tuple[Instant, Source, str]:
        """The position among all migrations: they sort by the time of creation."""
        return place_of(*self.key)


def read_folder(folder: Path) -> list[Migration]:
    """The migrations of ``folder`` in their order; none if there is no such folder.

    Raises:
        InputError: a file is not a migration, or two have one stamp. Nothing was run.
    """
    migrations = [_read_file(path) for path in _sql_files(folder)]
    return in_order(migrations)


def place_of(source: Source, stamp: str) -> tuple[Instant, Source, str]:
    """The position of this stamp's migration among all migrations."""
    project = project_instant(stamp) if source is Source.PROJECT else None
    return project or cruddur_instant(stamp), source, stamp


def in_order(migrations: Iterable[Migration]) -> list[Migration]:
    """``migrations`` in the order of their creation.

    Raises:
        InputError: two of them have one stamp.
    """
    ordered = sorted(migrations, key=lambda migration: migration.place)
    by_key: dict[tuple[Source, str], Migration] = {}
    for migration in ordered:
        other = by_key.setdefault(migration.key, migration)
        if other is not migration:
            raise InputError(
                f"{other.path.name} and {migration.path.name} have the same stamp",
                "Rename one of them.",
            )
    return ordered


def generate_migration(folder: Path, name: str, now: datetime, *, dry: bool = False) -> Path:
    """The path of a new, empty migration. With ``dry`` the file is not written.

    Raises:
        UsageError: the name is invalid.
        InputError: the folder cannot be written.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be the name of a migration",
            "Give --name up to 100 letters, digits and underscores, like add_bio_column",
        )
    stamps = [match[1] for path in _sql_files(folder) if (match := _FILE_NAME.match(path.name))]
    newest = max((stamp for stamp in stamps if project_instant(stamp)), default=None)
    stem = f"{stamp_after(newest, now)}_{name.replace('-', '_').lower()}"
    path = folder / f"{stem}.sql"
    if dry:
        return path
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(_TEMPLATE)
    except OSError as error:
        raise InputError(f"Could not write {path}: {error.strerror}") from error
    return path


def checksum_of(text: str) -> str:
    """The checksum of ``text``, ignoring line endings and blanks at the ends of lines."""
    lines = [line.rstrip() for line in text.strip().splitlines()]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _sql_files(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == ".sql")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise InputError(f"Could not read {folder}: {error.strerror}") from error


def read_text(path: Path) -> str:
    """The text of a migration's file.

    Raises:
        InputError: it cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text("utf-8-sig")
    except OSError as error:
        raise InputError(f"Could not read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name} is not UTF-8", "Save it as UTF-8.") from error


def _read_file(path: Path) -> Migration:
    match = _FILE_NAME.fullmatch(path.name)
    if match is None or project_instant(match[1]) is None:
        raise InputError(
            f"{path.name} is not the name of a migration",
            "It begins with a UTC time of 14 digits, like 20261127180000_add_bio_column.sql",
        )
    text = read_text(path)
    parts = _parts(path, text)
    up = parts["up"]
    down = parts.get("down", _Part("", 1, frozenset()))
    return Migration(
        source=Source.PROJECT,
        stamp=match[1],
        name=match[2],
        path=path,
        up=up.script(path),
        down=down.script(path),
        checksum=checksum_of(up.text),
        present_if=" ".join(_PRESENT.findall(text.partition("migrate:up")[0])),
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """The text below one marker. ``line`` is the number of its first line in the file."""

    text: str
    line: int
    options: frozenset[str]

    def script(self, path: Path) -> Script:
        statements = read_statements(path, self.text, self.line)
        return Script(tuple(statements), "transaction:false" not in self.options)


def read_statements(path: Path, text: str, line: int) -> list[SqlStatement]:
    """The statements of a part of ``path`` that begins at ``line``.

    Raises:
        InputError: a string does not end, or a statement is not allowed in a migration.
    """
    try:
        statements = split_statements(text, first_line=line)
    except InputError as error:
        raise InputError(f"{path.name}, {error.problem}", "Fix the line.") from error
    for statement in statements:
        _refuse_out_of_place(path, statement)
    return statements


def _refuse_out_of_place(path: Path, statement: SqlStatement) -> None:
    """Refuse statements that would end the transaction, or change the session after it."""
    first, second = (*statement.words, "", "")[:2]
    where = f"{path.name}, line {statement.line}"
    if first in _NO_PLACE_HERE or (first == "rollback" and second != "to"):
        raise InputError(
            f"{where}: {first.upper()} is refused, because a migration is one transaction",
            "Remove it.",
        )
    if first == "set" and second not in ("local", "constraints"):
        raise InputError(
            f"{where}: SET is refused, because it would outlast the migration",
            "Write SET LOCAL.",
        )


def _parts(path: Path, text: str) -> dict[str, _Part]:
    """The parts of a file, by their names. There is always an ``up``."""
    markers = list(_MARKER.finditer(text))
    ends = [marker.start() for marker in markers[1:]] + [len(text)]
    if [marker[1] for marker in markers] not in (["up"], ["up", "down"]):
        raise InputError(
            f"{path.name} needs one line -- migrate:up, then at most one -- migrate:down",
            "Add or remove them.",
        )
    if read_statements(path, text[: markers[0].start()], 1):
        raise InputError(f"{path.name} has a statement above -- migrate:up", "Move it below.")
    return dict(_marked_parts(path, text, markers, ends))


def _marked_parts(
    path: Path, text: str, markers: Sequence[re.Match[str]], ends: Sequence[int]
) -> Iterator[tuple[str, _Part]]:
    for marker, end in zip(markers, ends, strict=True):
        options = frozenset(marker[2].split())
        line = 1 + text.count("\n", 0, marker.end())
        if unknown := options - _OPTIONS:
            raise InputError(
                f"{path.name}, line {line}: unknown option {', '.join(sorted(unknown))}",
                f"There are {', '.join(sorted(_OPTIONS))}.",
            )
        yield marker[1], _Part(text[marker.end() : end], line, options)
