"""The audit: one line of JSON for each thing done to a store that counts as production.

A line has the ids of people and conversations. It never has a text, a handle or an email.
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from core.errors import AuditError, UsageError
from core.timestamps import now, parse, sort_key

_PRIVATE = 0o600


@dataclass(frozen=True, slots=True)
class Actor:
    """The person who acts: the login in the admin UI, or the system's user in a terminal."""

    email: str = ""
    subject: str = ""
    uid: int | None = None
    user: str = ""
    host: str = ""
    arn: str = ""

    def described(self) -> dict[str, Any]:
        """The known details of the actor."""
        return {name: value for name, value in asdict(self).items() if value not in ("", None)}


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """A line of the audit file. ``about`` are user uuids; ``outcome`` is empty for a beginning."""

    at: str
    actor: Mapping[str, Any]
    target: str
    stores: Mapping[str, str]
    what: str
    purpose: str
    about: tuple[str, ...] = ()
    conversation: str = ""
    message: str = ""
    why: str = ""
    outcome: str = ""

    @property
    def who(self) -> str:
        """The actor in one word: an email, a user's name, or the number of a user without one."""
        return str(self.actor.get("email") or self.actor.get("user") or self.actor.get("uid", ""))


class AuditLog:
    """Writes audit lines to standard error and to the file at ``path``, mode 0600."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, entry: AuditEntry) -> None:
        """Write one line to both places, and to the disk, before it returns.

        Raises:
            AuditError: one of them could not be written. The announced action must not happen.
        """
        kept = {name: value for name, value in asdict(entry).items() if value not in ("", ())}
        line = json.dumps(kept)
        try:
            _write_to_standard_error(f"audit {line}\n")
        except (OSError, ValueError) as error:
            raise _unwritten("standard error", error) from error
        try:
            self._append(f"{line}\n".encode())
        except OSError as error:
            raise _unwritten(str(self.path), error) from error

    def _append(self, line: bytes) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, _PRIVATE)
        try:
            # The size grows page by page while another process or thread writes its line.
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            status = os.fstat(descriptor)
            if status.st_mode & 0o077 and stat.S_ISREG(status.st_mode):  # not /dev/null's
                os.fchmod(descriptor, _PRIVATE)
            if status.st_size and os.pread(descriptor, 1, status.st_size - 1) != b"\n":
                line = b"\n" + line  # the line before was cut off: begin a new one
            if os.write(descriptor, line) != len(line):
                os.ftruncate(descriptor, status.st_size)
                raise OSError("only a part of the line was written")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _write_to_standard_error(text: str) -> None:
    stream = sys.stderr
    if stream is None or getattr(stream, "name", None) == os.devnull:
        raise OSError("it is closed")
    stream.flush()
    data = text.encode(errors="backslashreplace")
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError, AttributeError):  # a stream in memory
        stream.write(text)
        stream.flush()
        return
    while data:
        data = data[os.write(descriptor, data) :]


def _unwritten(place: str, error: Exception) -> AuditError:
    reason = getattr(error, "strerror", None) or str(error)
    return AuditError(
        f"Could not write the audit line to {place}: {reason}",
        "Nothing was read or changed. Make it writable, or name another file in CRUDDUR_AUDIT_LOG.",
    )


def read_audit(
    path: Path,
    *,
    actor: str = "",
    about: str = "",
    target: str = "",
    day: date | None = None,
) -> Iterator[AuditEntry]:
    """The lines of the audit file, oldest first; nothing where there is no file yet.

    ``actor`` is a part of an actor's email, subject, user name or ARN; ``about`` a user uuid;
    ``target`` a part of a store's place; ``day`` a day in UTC.

    Raises:
        UsageError: ``about`` is not a uuid.
        AuditError: the file cannot be read, or a line is damaged.
    """
    user_uuid = _user_uuid(about) if about else ""
    for entry in _entries(path):
        if actor and not any(actor in str(value) for value in entry.actor.values()):
            continue
        if user_uuid and user_uuid not in entry.about:
            continue
        if target and target != entry.target and not _is_in(target, entry.stores):
            continue
        instant = parse(entry.at)
        if day is not None and (instant is None or instant.date() != day):
            continue
        yield entry


def _user_uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise UsageError(
            f"{text!r} is not a user's uuid", "The audit names users by uuid, never by handle."
        ) from None


def _is_in(part: str, places: Mapping[str, str]) -> bool:
    return any(part in place for place in places.values())


def _entries(path: Path) -> Iterator[AuditEntry]:
    try:
        with path.open("rb") as file:  # a line that is not text is a damaged line
            for number, line in enumerate(file, start=1):
                yield _parsed(path, number, line)
    except FileNotFoundError:
        return
    except OSError as error:
        raise AuditError(f"Could not read {path}: {error}", "Check CRUDDUR_AUDIT_LOG.") from error


def _parsed(path: Path, number: int, line: bytes) -> AuditEntry:
    try:
        return _checked(json.loads(line))
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise AuditError(
            f"{path}, line {number}: This is not an audit line",
            "Correct or remove that line, or check CRUDDUR_AUDIT_LOG.",
        ) from error


def _checked(stored: Mapping[str, Any]) -> AuditEntry:
    entry = AuditEntry(**{**stored, "about": tuple(stored.get("about", ()))})
    for name, value in asdict(entry).items():
        wanted = dict if name in ("actor", "stores") else (str, tuple)
        if not isinstance(value, wanted):
            raise TypeError(f"{name} is {value!r}")
    return entry


def timestamp() -> str:
    """Now, as audit lines write it: UTC with microseconds."""
    return sort_key(now())
