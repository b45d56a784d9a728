"""The command line of an interactive SQL shell. The password is never an argument."""

from __future__ import annotations

import os
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from core.errors import SettingsError
from core.targets.postgres import PostgresAddress

_ENCRYPTED = ("require", "verify-ca", "verify-full")
READ_ONLY = "-c default_transaction_read_only=on"
READ_WRITE = "-c default_transaction_read_only=off"
"""Options for the server: whether a session's transactions are read-only by default."""

_SECRETS = ("password", "sslpassword", "oauth_client_secret")


@dataclass(frozen=True, slots=True, repr=False)
class Shell:
    """The program to run. ``password`` goes into its environment, never into ``argv``."""

    argv: tuple[str, ...]
    password: str | None

    def __str__(self) -> str:
        line = shlex.join(self.argv)
        return line if self.password is None else f"PGPASSWORD=*** {line}"

    def replace_this_process(self) -> NoReturn:
        """Replace this process with the shell: nothing waits behind it."""
        if self.password is not None:
            os.putenv("PGPASSWORD", self.password)
        os.execv(self.argv[0], self.argv)  # noqa: S606 - no shell is wanted in between


def find_shell(
    address: PostgresAddress,
    bundled: Path | None,
    *,
    read_only: bool = False,
    stops_at_errors: bool = False,
) -> Shell:
    """The shell to run: psql on the PATH, else the ``bundled`` one, else pgcli.

    With ``read_only`` its transactions are read-only by default: this prevents mistakes, but its
    user can turn it off. With ``stops_at_errors`` psql stops at the first error and fails; it would
    continue, and succeed.

    Raises:
        SettingsError: none of them is installed, or only one without TLS, which the URL asks for.
    """
    program = _program(bundled, encrypted=asks_for_tls(address))
    conninfo, password = connection_arguments(address, READ_ONLY if read_only else "")
    is_psql = Path(program).name.startswith("psql")
    flags = ("--set=ON_ERROR_STOP=1",) if stops_at_errors and is_psql else ()
    return Shell((program, *flags, conninfo), password)


def asks_for_tls(address: PostgresAddress) -> bool:
    """Whether a program without TLS cannot connect: those of the embedded engine have none."""
    return conninfo_to_dict(address.conninfo).get("sslmode") in _ENCRYPTED


def connection_arguments(address: PostgresAddress, option: str = "") -> tuple[str, str | None]:
    """How a program of Postgres's connects: the connection string, which may be an argument, and
    the password, which may not.

    ``option`` is one more option for the server.
    """
    parameters = conninfo_to_dict(address.conninfo)
    shown = {key: value for key, value in parameters.items() if key not in _SECRETS}
    password = parameters.get("password")
    if password is None and address.password is not None:
        password = address.password(False)
    if option:
        shown["options"] = with_option(address, option)
    return make_conninfo("", **shown), None if password is None else str(password)


def with_option(address: PostgresAddress, option: str) -> str:
    """The options for the server that ``address`` has, and one more."""
    return f"{conninfo_to_dict(address.conninfo).get('options', '')} {option}".strip()


def _program(bundled: Path | None, *, encrypted: bool) -> str:
    without_tls = None if encrypted or bundled is None else str(bundled)
    program = shutil.which("psql") or without_tls or shutil.which("pgcli")
    if program:
        return program
    missing = "Neither psql nor pgcli is installed"
    if bundled is not None:
        missing = "The embedded engine's psql has no TLS, and no other is installed"
    raise SettingsError(
        missing,
        "Install one: apt install postgresql-client, brew install libpq, or pip install pgcli",
    )
