"""What needs a session of its own, and does not get one through a connection pooler.

A pooler shares the server's sessions between its clients. What a client sets for its session, the
next one finds; PgBouncer also refuses a client's start-up options, or is told to ignore them.
"""

from __future__ import annotations

from psycopg.conninfo import make_conninfo

from core.errors import InputError, PostgresError
from core.postgres.connection_faults import WITHOUT_POOLER
from core.postgres.database import Database
from core.postgres.shell import READ_ONLY, with_option
from core.postgres.statements import load


def refuse_pooler(db: Database, reason: str) -> None:
    """Raise an error if a pooler is in between; ``reason`` goes on from its name.

    Raises:
        InputError: there is one.
    """
    if db.is_pooled():
        raise InputError(
            f"{db.address.variable or 'The URL'} leads through a connection pooler, {reason}",
            WITHOUT_POOLER,
        )


def check_read_only(db: Database) -> None:
    """Check that a session can be made read-only with a start-up option.

    Raises:
        InputError: a pooler is in between that refuses the option or ignores it.
    """
    if db.is_pooled() and not _becomes_read_only(db):
        raise InputError(
            f"{db.address.variable or 'The URL'} leads through a connection pooler, which does not"
            " keep a session read-only",
            f"{WITHOUT_POOLER} Or add --write, and begin with: BEGIN READ ONLY;",
        )


def _becomes_read_only(db: Database) -> bool:
    address = db.reached
    conninfo = make_conninfo(address.conninfo, options=with_option(address, READ_ONLY))
    probed = address.narrowed(conninfo, address.host, address.port)
    try:
        with Database(probed, db.purpose) as probe:
            return bool(probe.query_value(load("admin/session_is_read_only")))
    except PostgresError:
        return False
