"""The command line of an interactive SQL shell, with the password in no argument."""

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

_SECRETS = ("password", "sslpassword", "oauth_client_secret")


@dataclass(frozen=True, slots=True, repr=False)
class Shell:
    """What to run. ``password`` goes into its environment, other processes see ``argv`` only."""

    argv: tuple[str, ...]
    password: str | None

    def __str__(self) -> str:
        line = shlex.join(self.argv)
        return line if self.password is None else f"PGPASSWORD=*** {line}"

    def replace_this_process(self) -> NoReturn:
        """Hand the terminal over: no process of ours waits behind the shell."""
        if self.password is not None:
            os.putenv("PGPASSWORD", self.password)
        os.execv(self.argv[0], self.argv)  # noqa: S606 - no shell is wanted in between


def find_shell(address: PostgresAddress, bundled: Path | None, *, read_only: bool = False) -> Shell:
    """psql on the PATH, else the ``bundled`` one, else pgcli.

    ``read_only`` has its transactions begin so: a guard against mistakes, not against its user.

    Raises:
        SettingsError: there is none of them.
    """
    program = shutil.which("psql") or (bundled and str(bundled)) or shutil.which("pgcli")
    if not program:
        raise SettingsError(
            "neither psql nor pgcli is installed",
            "Install one: apt install postgresql-client, brew install libpq, or pip install pgcli",
        )
    given = conninfo_to_dict(address.conninfo)
    shown = {key: value for key, value in given.items() if key not in _SECRETS}
    password = given.get("password")
    if read_only:
        options = f"{given.get('options', '')} -c default_transaction_read_only=on"
        shown["options"] = options.strip()
    return Shell((program, make_conninfo("", **shown)), None if password is None else str(password))
