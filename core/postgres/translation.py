"""Translates the driver's errors into :mod:`core.errors`: each once, with its cause.

SQLSTATE codes: https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from core.commands import Command
from core.errors import (
    CoreError,
    CredentialsError,
    InputError,
    MissingSchemaError,
    PostgresError,
    SettingsError,
    UnreachableError,
)
from core.postgres.connection_faults import (
    WITHOUT_POOLER,
    connection_fault,
    place_variables,
    source_of,
)
from core.targets.postgres import PostgresAddress

# libpq does not report the SQLSTATE of a refused connection, only the server's message.
_MISSING_DATABASE = re.compile(r'FATAL: +database ".*" does not exist')
_REFUSED_USER = re.compile(
    r"authentication failed|no password supplied|pg_hba\.conf|FATAL: +role \""
)
_BAD_OPTION = re.compile(
    r'connection is bad: (?P<text>invalid "?(?P<option>\w+)"? value.*'
    r"|definition of (?P<service>service).*)"
)
_REFUSED = re.compile(r"FATAL: +(?! |the database system is )")

_SHUTTING_DOWN = {"57P01", "57P02", "57P03"}

_TIMEOUTS = {
    "25P03": "idle_in_transaction_session_timeout",
    "25P04": "transaction_timeout",
    "57014": "statement_timeout",
    "57P05": "idle_session_timeout",
}
_SESSIONS = Command("db.sessions")
_NEXT_STEPS = {
    "2BP01": ("Drop what depends on it first, or drop the database", Command("db.drop")),
    "42501": ("Connect as the owner, or ask the owner to grant it.", None),
    "53100": ("Free some space on the server.", None),
    "53300": ("See who is connected", _SESSIONS),
    "55006": ("See who is connected", _SESSIONS),
    "55P03": ("Another session holds a lock on it. See who is connected", _SESSIONS),
}


@contextmanager
def translating(address: PostgresAddress) -> Iterator[None]:
    """Raise psycopg's errors as errors that say what to do next."""
    try:
        yield
    except psycopg.Error as error:
        raise translated(address, error) from error
    except UnicodeEncodeError as error:
        raise InputError("A value is not valid Unicode text", "Type it again.") from error


def translated(address: PostgresAddress, error: psycopg.Error) -> CoreError:
    """The error of :mod:`core.errors` for ``error``."""
    state = error.sqlstate
    if state is None:
        if isinstance(error, psycopg.DataError):
            return InputError(f"A value cannot be stored: {error}")
        if isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)):
            return _not_connected(address, str(error))
    if state == "42P01":
        return MissingSchemaError(
            f"{address.dbname}: {error.diag.message_primary}",
            "Load the schema",
            Command("db.schema-load"),
        )
    if state in _SHUTTING_DOWN:
        return _unreachable(address, error.diag.message_primary or "")
    text = ": ".join(filter(None, [error.diag.message_primary, error.diag.message_detail]))
    if state == "0A000" and "during recovery" in (text or str(error)):
        return PostgresError(
            f"The server at {address.place} is a standby, which takes no writes",
            f"Name the primary in {address.variable or 'the URL'}.",
            sqlstate=state,
        )
    if "statement pooling mode" in text:
        return PostgresError(
            f"The connection pooler at {address.place} is in statement mode, which allows no"
            " transactions",
            f"{WITHOUT_POOLER} Or set its pool_mode to transaction.",
            sqlstate=state,
        )
    if "timeout" in text and (setting := _TIMEOUTS.get(state or "")):
        return PostgresError(
            f"Postgres ended the statement: {text}",
            f"{setting} is set too low for it: for the server, the database, the role, or in"
            f" {address.variable or 'the URL'}.",
            sqlstate=state,
        )
    return PostgresError(
        f"Postgres refused the statement ({state or type(error).__name__}): {text or error}",
        *_NEXT_STEPS.get(state or "", ("", None)),
        sqlstate=state,
    )


def _not_connected(address: PostgresAddress, text: str) -> CoreError:
    """The error for a failed connection. ``text`` has a line for every server that was tried."""
    if _MISSING_DATABASE.search(text):
        return MissingSchemaError(
            f"There is no database {address.dbname!r} at {address.place}",
            "Create it",
            Command("db.create"),
        )
    if (fault := connection_fault(address, text)) is not None:
        return fault
    if bad := _BAD_OPTION.match(text):
        option = bad["option"] or bad["service"]
        return SettingsError(f"Could not connect: {bad['text']}", source_of(address, option))
    lines = [_reason(line) for line in text.splitlines()]
    for line in lines:
        if _REFUSED_USER.search(line):
            return CredentialsError(
                f"Postgres at {address.place} refused the user {address.user!r}: {line}",
                _check_user(address, line),
            )
    for line in lines:
        if _REFUSED.match(line):
            return PostgresError(f"Postgres at {address.place} refused the connection: {line}")
    return _unreachable(address, lines[0] if lines else "")


def _check_user(address: PostgresAddress, line: str) -> str:
    if not address.variable:
        return ""
    if "pg_hba.conf" in line:
        return (
            f"Check the user and the database in {address.variable}, or ask the server's owner to"
            " let this machine in."
        )
    if address.password is not None:
        return f"Check the user in {address.variable}, and where its password is from."
    return f"Check the user and the password in {address.variable}."


def _reason(line: str) -> str:
    """``line`` without its beginning, which repeats the name of the server."""
    return line.rpartition(" failed: ")[2].strip() or line.strip()


def _unreachable(address: PostgresAddress, reason: str) -> UnreachableError:
    problem = f"Postgres does not answer at {address.place} ({reason})"
    if variables := place_variables(address):
        return UnreachableError(
            problem,
            f"Check {' and '.join(variables)}, or name the server in"
            f" {address.variable or 'the URL'}.",
        )
    if address.is_local:
        return UnreachableError(
            problem, "Is it running? For the embedded engines run", Command("up")
        )
    return UnreachableError(
        problem, "Check the network, and whether the server accepts this machine."
    )
