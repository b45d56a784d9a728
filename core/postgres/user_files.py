"""Loads users from a CSV file with COPY: all of them, or none.

The first line names the columns: ``handle``, ``display_name`` and ``email``, and perhaps ``uuid``
and ``cognito_user_id``. The lines are checked while they are sent. Postgres stops at the first
duplicate; only then is the file read again, to name every line with a problem. A dry run sends
nothing, so it reads the file for its problems first.
"""

from __future__ import annotations

import csv
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from psycopg import sql

from core.errors import InputError, PostgresError
from core.postgres.database import Database, Queries
from core.postgres.handles import bare_handle
from core.postgres.statements import load
from core.postgres.users import check_user
from core.wording import counted

Progress = Callable[[int, int | None], None]
IsErased = Callable[[str], bool]
"""Whether a user_uuid is an erased user's."""

_REQUIRED = ("handle", "display_name", "email")
_COLUMNS = (*_REQUIRED, "uuid", "cognito_user_id")
_BLOCK = 1_000
_MOST_SHOWN = 5
_UNIQUE_VIOLATION = "23505"

_PLAIN = re.compile(r"[^\s@\\\0]+\t[^\s\\\0][^\t\n\r\\\0]*\t[^\s\\\0]+@[^\s@\\\0]+", re.DOTALL)
"""A handle, a name and an email that are valid and need no escape."""

_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def import_users(
    db: Database, path: Path, progress: Progress, who_is_erased: Callable[[], IsErased]
) -> int:
    """The number of users added: all those of the file.

    ``who_is_erased`` is called if the file has uuids: none may be an erased user's.

    Raises:
        InputError: lines are invalid, or their handle, email or uuid is in the file or the database
            twice, or the uuid is an erased user's. It names up to five of them. Nothing was added.
    """
    file = _File(path)
    file.read_first_line()
    if "uuid" in file.names:
        file.is_erased = who_is_erased()
    try:
        with db.transaction() as transaction:
            # Without unique indexes, only the lock keeps another writer from adding the same user.
            transaction.query_commit(load("users/lock"))
            if db.is_dry or transaction.query_value(load("users/unique_columns")) != 2:
                file.refuse_problems(transaction)
            transaction.copy_in(
                load("users/copy").format(columns=file.columns()), file.blocks(progress)
            )
    except InputError:
        file.refuse_problems(db)
        raise
    except PostgresError as error:
        if error.sqlstate == _UNIQUE_VIOLATION:
            file.refuse_problems(db)
        raise
    return file.count


@dataclass(slots=True)
class _File:
    """A CSV file of users, read as often as it is needed."""

    path: Path
    names: tuple[str, ...] = ()
    count: int = 0
    is_erased: IsErased = field(default=lambda _: False)

    def read_first_line(self) -> None:
        """Refuse what is not a file of users, before anybody waits for it."""
        for _ in self._rows():
            break

    def columns(self) -> sql.Composable:
        return sql.SQL(", ").join(map(sql.Identifier, self._copied()))

    def _copied(self) -> tuple[str, ...]:
        return tuple(name for name in _COLUMNS if name in self.names)

    def blocks(self, progress: Progress) -> Iterator[bytes]:
        """The lines for COPY, some at a time."""
        self.count = 0
        lines = (line for _, line in self._lines())
        while block := list(islice(lines, _BLOCK)):
            yield ("\n".join(block) + "\n").encode()
            self.count += len(block)
            progress(self.count, None)
        if not self.count:
            raise InputError(f"{self.path} has no users", "Add a line for each below the first.")

    def _lines(self) -> Iterator[tuple[int, str]]:
        order = [self.names.index(name) for name in self._copied()]
        has_more = len(order) > len(_REQUIRED)
        for number, row in self._rows():
            try:
                cells = [row[place].strip() for place in order]
            except IndexError:
                raise self._at(number, "It has too few values", "Add the missing ones.") from None
            if len(row) != len(self.names):
                raise self._at(number, "It has too many values", "Put commas into quotes.")
            cells[0] = bare_handle(cells[0])
            line = "\t".join(cells[:3])
            if has_more or not _PLAIN.fullmatch(line):
                line = self._checked(number, cells)
            yield number, line

    def _checked(self, number: int, cells: list[str]) -> str:
        values = dict(zip(self._copied(), cells, strict=True))
        try:
            check_user(*(values[name] for name in _REQUIRED))
            self._check_more(values)
        except InputError as error:
            raise self._at(number, error.problem, error.hint) from error
        return "\t".join(cell.translate(_ESCAPES) for cell in cells)

    def _check_more(self, values: Mapping[str, str]) -> None:
        if not values.get("cognito_user_id", "MOCK"):
            raise InputError("The cognito_user_id is empty", "Write MOCK until it is known.")
        try:
            user_uuid = uuid.UUID(values.get("uuid", "0" * 32))
        except ValueError as error:
            raise InputError(f"{values['uuid']!r} is not a uuid", "Correct it.") from error
        if self.is_erased(str(user_uuid)):
            raise InputError("the user was erased", "Remove the line.")

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        """The rows below the first line, each with the number of its first line."""
        try:
            if self.path.exists() and not self.path.is_file():
                # A pipe would be empty when it is read again.
                raise InputError(f"{self.path} is not a regular file", "Name one with --file.")
            with self.path.open(encoding="utf-8-sig", newline="") as file:
                reader = csv.reader(file, strict=True)
                self._read_names(next(reader, []))
                number = reader.line_num + 1
                for row in reader:
                    if row:
                        yield number, row
                    number = reader.line_num + 1
        except OSError as error:
            raise InputError(
                f"Could not read {self.path}: {error.strerror}", "Check --file."
            ) from error
        except UnicodeDecodeError as error:
            raise InputError(f"{self.path} is not UTF-8", "Save the file as UTF-8.") from error
        except csv.Error as error:
            raise InputError(f"{self.path}, line {reader.line_num}: {error}", "Fix it.") from error

    def _read_names(self, names: list[str]) -> None:
        self.names = tuple(name.strip() for name in names)
        missing = [name for name in _REQUIRED if name not in self.names]
        unknown = [name for name in self.names if name not in _COLUMNS]
        if missing or unknown or len(set(self.names)) < len(self.names):
            raise InputError(
                f"The first line of {self.path} does not name the columns of users",
                f"Write {','.join(_REQUIRED)}, and perhaps uuid,cognito_user_id.",
            )

    def refuse_problems(self, db: Queries) -> None:
        """Raise what is wrong with the file's lines, all of it; nothing if nothing is."""
        problems = sorted(self._problems(db))
        if problems:
            shown = "; ".join(f"line {number}: {text}" for number, text in problems[:_MOST_SHOWN])
            more = "; …" if len(problems) > _MOST_SHOWN else ""
            raise InputError(
                f"{self.path} has {counted(len(problems), 'problem')}: {shown}{more}",
                "Fix the lines or remove them. No user was added.",
            )

    def _problems(self, db: Queries) -> Iterator[tuple[int, str]]:
        """The invalid lines, those that repeat another one, and those that the database has."""
        seen: dict[tuple[str, str], int] = {}
        for number, row in self._rows():
            values = dict(zip(self.names, (cell.strip() for cell in row), strict=False))
            values["handle"] = bare_handle(values.get("handle", ""))
            try:
                self._checked_row(number, row)
            except InputError as error:
                yield number, error.problem.removeprefix(f"{self.path}, line {number}: ")
                continue
            for name in ("handle", "email", "uuid"):
                if value := values.get(name):
                    first = seen.setdefault((name, value), number)
                    if first != number:
                        yield number, f"the {name} {value} is that of line {first}"
        yield from _taken(db, seen)

    def _checked_row(self, number: int, row: list[str]) -> None:
        if len(row) != len(self.names):
            raise InputError("It has too few or too many values", "")
        values = dict(zip(self.names, (cell.strip() for cell in row), strict=True))
        values["handle"] = bare_handle(values["handle"])
        self._checked(number, [values[name] for name in self._copied()])

    def _at(self, number: int, problem: str, hint: str) -> InputError:
        return InputError(f"{self.path}, line {number}: {problem}", hint)


def _taken(db: Queries, seen: Mapping[tuple[str, str], int]) -> Iterator[tuple[int, str]]:
    entries = iter(seen)
    while part := list(islice(entries, 3 * _BLOCK)):
        values = {
            f"{name}s": [value for column, value in part if column == name]
            for name in ("handle", "email", "uuid")
        }
        for row in db.query_rows(load("users/all_taken"), values):
            name, value = row["field"], row["value"]
            if number := seen.get((name, value)):
                yield number, f"a user has the {name} {value}"
