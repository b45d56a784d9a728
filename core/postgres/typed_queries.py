"""One statement that a person typed: its rows, as they arrive, from a read-only transaction.

Postgres itself refuses what would change something. What a read-only transaction allows besides is
refused here: by the first word COPY to a file or a program of the server, DO, CALL; and by their
names the functions that act on the server, its sessions or its files at once. What EXPLAIN ANALYZE
makes is rolled back.
https://www.postgresql.org/docs/current/sql-set-transaction.html
https://www.postgresql.org/docs/current/functions-admin.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from core.errors import MissingSchemaError, PostgresError, UsageError
from core.postgres.database import Database

DEFAULT_TIMEOUT_S = 30

_WITH_A_CURSOR = ("select", "with", "values", "table")
_WITHOUT = ("explain", "show")
_BEFORE_THE_FIRST_WORD = re.compile(r"(?:\s|\(|--[^\n]*(?:\n|$)|/\*(?:[^*]|\*(?!/))*\*/)*")

_ACTS_AT_ONCE = re.compile(
    r"\b(pg_(terminate|cancel)_backend|pg_reload_conf|pg_rotate_logfile|pg_log_\w+|pg_promote"
    r"|pg_switch_wal|pg_create_restore_point|pg_backup_(start|stop)|pg_wal_replay_(pause|resume)"
    r"|pg_(create|copy)_\w+_slot|pg_drop_replication_slot|pg_replication_slot_advance"
    r"|pg_replication_origin_\w+|pg_logical_(emit_message|slot_get_\w+)|pg_stat_\w*reset\w*"
    r"|lo_(import|export)|dblink\w*)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """The names of the columns, and the rows: each is read from the server when it is asked for.

    Numbers and truth values have Python's types, JSON is a :class:`JsonText`; whatever else is the
    text that Postgres shows for it.
    """

    columns: Sequence[str]
    rows: Iterator[tuple[Any, ...]]


@contextmanager
def run_typed(db: Database, text: str, *, timeout_s: int = DEFAULT_TIMEOUT_S) -> Iterator[Answer]:
    """The answer to ``text``, one statement, for as long as the block lasts.

    ``timeout_s`` is how long the server may work at a time.

    Raises:
        UsageError: it does not begin like a statement that only reads, or names a function that
            acts at once.
        PostgresError: Postgres refused it, or it took too long.
    """
    word = _first_word(text)
    if word not in _WITH_A_CURSOR + _WITHOUT:
        kinds = ", ".join(kind.upper() for kind in (*_WITH_A_CURSOR, *_WITHOUT))
        raise UsageError(f"--sql begins with {word!r}", f"It may begin with {kinds}.")
    if acting := _ACTS_AT_ONCE.search(text):
        raise UsageError(
            f"--sql names {acting[0]}, which acts on the server at once",
            "A read-only transaction does not prevent that: leave it out.",
        )
    try:
        with db.typed(text, timeout_s, has_cursor=word in _WITH_A_CURSOR) as (names, rows):
            yield Answer(_distinct(names), rows)
    except MissingSchemaError as error:
        if error.command is None or error.command.task != "db.schema-load":
            raise
        hint = "Check the name. Into a new database, load the schema"
        raise MissingSchemaError(error.problem, hint, error.command) from error
    except PostgresError as error:
        if error.sqlstate == "42601":
            hint = "Give one statement that only reads, in Postgres's SQL."
            raise PostgresError(error.problem, hint, sqlstate="42601") from error
        if error.sqlstate != "57014":
            raise
        raise PostgresError(
            f"The statement took longer than {timeout_s} s", "Raise --timeout.", sqlstate="57014"
        ) from error


def _first_word(text: str) -> str:
    blank = _BEFORE_THE_FIRST_WORD.match(text)
    rest = text[blank.end() :] if blank else text
    word = re.match(r"[A-Za-z]+", rest)
    return word[0].lower() if word else rest[:10]


def _distinct(names: Sequence[str]) -> list[str]:
    """``names`` with a number after each that occurs again: a JSON object has a name once."""
    distinct: list[str] = []
    for name in names:
        candidate, number = name, 1
        while candidate in distinct:
            number += 1
            candidate = f"{name}_{number}"
        distinct.append(candidate)
    return distinct
