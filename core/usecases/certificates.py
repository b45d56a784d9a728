"""The certificate of an erasure: what was removed, and what remains, without anything personal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from core.access import read_audit
from core.commands import Command
from core.timestamps import parse, sort_key
from core.wording import counted

KINDS = {
    "profiles": ("profile in Postgres", "profiles in Postgres"),
    "activities": ("activity in Postgres", "activities in Postgres"),
    "messages": ("message", "messages"),
    "inbox_rows": ("inbox row", "inbox rows"),
    "pairs": ("pair", "pairs"),
    "conversations": (
        "conversation is without the user now",
        "conversations are without the user now",
    ),
    "changed_rows": (
        'inbox row of another user shows "Deleted user" now',
        'inbox rows of other users show "Deleted user" now',
    ),
}
"""Every kind that is counted, with the words for one and for several."""

POSTGRES_CLEARING = "VACUUM (FULL, ANALYZE); CHECKPOINT;"
"""Clears what Postgres keeps of deleted rows, except in backups and in its log of errors."""

COPIES = (
    "db.dump",
    "ddb.export",
    "ddb.patterns.export-conversation",
    "ddb.scan",
    "people.export",
    "conversation exported",
    "message groups downloaded",
    "user exported",
)
"""The tasks and the admin UI's actions that copy users' data, by their names in the audit."""

_STREAM = timedelta(hours=24)
_RECOVERY = timedelta(days=35)


@dataclass(frozen=True, slots=True)
class Remainder:
    """A place where something of the user may still be: until when, and how to see to it."""

    where: str
    until: str
    how: str


@dataclass(frozen=True, slots=True)
class Certificate:
    """What an erasure removed, when, by whom and why, and what remains.

    ``reference`` is a random number of the erasure: it does not come from the user.
    """

    reference: str
    begun_at: str
    erased_at: str
    by: Mapping[str, Any]
    why: str
    stores: tuple[str, ...]
    removed: Mapping[str, int]
    remains: tuple[Remainder, ...]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def as_text(self) -> str:
        """The certificate for a person, in lines."""
        return "".join(f"{line}\n" for line in self._lines())

    def _lines(self) -> Iterator[str]:
        yield "Certificate of erasure"
        yield ""
        yield f"Reference: {self.reference}"
        yield f"Begun: {self.begun_at}"
        yield f"Finished: {self.erased_at}"
        yield f"By: {', '.join(f'{name} {value}' for name, value in self.by.items())}"
        yield f"Reason: {self.why}"
        yield from (f"Store: {store}" for store in self.stores)
        yield ""
        yield "Removed:"
        for kind, words in KINDS.items():
            yield f"  {counted(self.removed.get(kind, 0), *words)}"
        yield ""
        yield "What may remain, and until when:"
        for remainder in self.remains:
            yield f"- {remainder.where}: {remainder.until}"
            yield f"  {remainder.how}"


def remainders(
    table: str, erased_at: str, pool_id: str | None, copies: list[tuple[str, str]]
) -> tuple[Remainder, ...]:
    """What an erasure of ``table`` does not reach. ``copies`` are exports: when, by which task."""
    stream, recovery = (_after(erased_at, period) for period in (_STREAM, _RECOVERY))
    pool = pool_id or "POOL"
    made = [f"{task} at {at}" for at, task in copies]
    known = (
        f"Delete: {'; '.join(made)}."
        if made
        else "The audit names none. It has no line about a local store."
    )
    return (
        Remainder("the table's stream", f"24 hours, {stream}", "Nothing to do."),
        Remainder(
            "point-in-time recovery, if it is on",
            f"up to 35 days, {recovery}",
            f"aws dynamodb describe-continuous-backups --table-name {table}",
        ),
        Remainder(
            "backups of the table",
            "until they are deleted",
            f"aws dynamodb list-backups --table-name {table}",
        ),
        Remainder(
            "backups and dumps of Postgres",
            f"RDS keeps automated backups for up to 35 days, {recovery}; dumps until deleted",
            "aws rds describe-db-snapshots",
        ),
        Remainder(
            "free space, statistics and logs in the files of Postgres",
            "until it uses the space again, analyses the tables and deletes its logs",
            f"In invoke db.connect --write: {POSTGRES_CLEARING}",
        ),
        Remainder(
            "free space in the file of a DynamoDB engine of your own",
            "until the engine uses it again or compacts the file",
            "docs/engines.md says how to compact it. AWS has no such file.",
        ),
        Remainder(
            "exports that this installation knows of", "until they are deleted", known
        ),
        Remainder(
            "CloudWatch logs of Cruddur's function, which prints whole events",
            "as long as the log group keeps them",
            "aws logs describe-log-groups --log-group-name-prefix /aws/lambda/",
        ),
        Remainder(
            "the avatar in S3", "until it is deleted", "aws s3 rm s3://BUCKET/avatars/COGNITO_ID.jpg"
        ),
        Remainder(
            "the user in Cognito",
            "until it is deleted",
            f"aws cognito-idp admin-delete-user --user-pool-id {pool} --username USERNAME",
        ),
        Remainder(
            "the audit, which has the user's uuid and no name", "as long as you keep it",
            str(Command("audit").line()),
        ),
        Remainder(
            "the record of the erasure, which has a digest of the uuid", "for good",
            "It keeps the user from coming back through an import or a late message.",
        ),
        Remainder(
            "what others wrote about the user", "for good",
            f"It is theirs. Remove a message with {Command('ddb.patterns.remove-message').line()}.",
        ),
    )  # fmt: skip


def _after(instant: str, period: timedelta) -> str:
    parsed = parse(instant)
    return f"until {sort_key(parsed + period)}" if parsed else "from the end of the erasure"


def known_copies(audit_path: Path) -> list[tuple[str, str]]:
    """When which task copied users' data, as the audit of this installation tells. No names."""
    entries = read_audit(audit_path)
    return [(entry.at, entry.what) for entry in entries if entry.what in COPIES]
