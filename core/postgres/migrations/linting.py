"""Squawk's warnings about a migration: https://squawkhq.com. It runs offline, as a program."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from core.postgres.migrations.files import Migration

_NOT_HERE = (
    "require-lock-timeout",
    "require-statement-timeout",
    "prefer-robust-stmts",
    "require-timeout-settings",
)
"""Rules that do not apply here: every wait is limited, and no migration is run twice."""
_TIMEOUT_S = 20


@dataclass(frozen=True, slots=True)
class Advice:
    """A warning about one line of a migration's file."""

    line: int
    rule: str
    text: str


@cache
def squawk_path() -> str | None:
    """The program's path, beside this Python or on the PATH; None if it is not installed."""
    beside = Path(sys.executable).with_name("squawk")
    return str(beside) if beside.exists() else shutil.which("squawk")


def advice_on(migration: Migration) -> tuple[Advice, ...]:
    """Squawk's warnings for the part that applies ``migration``; none if it is not installed."""
    program = squawk_path()
    if program is None or not migration.up.statements:
        return ()
    text = ""
    for statement in migration.up.statements:  # each at its line in the file
        text += "\n" * (statement.line - 1 - text.count("\n")) + f"{statement.text}; "
    options = ["--reporter=json", f"--exclude={','.join(_NOT_HERE)}", "--stdin-filepath=up.sql"]
    if migration.up.in_transaction:
        options.append("--assume-in-transaction")
    try:
        reply = subprocess.run(
            [program, *options],
            input=text,
            capture_output=True,
            check=False,
            encoding="utf-8",
            timeout=_TIMEOUT_S,
        )
        warnings = json.loads(reply.stdout or "[]")
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return ()
    return tuple(
        Advice(
            1 + int(warning["line"]),
            str(warning["rule_name"]),
            " ".join(filter(None, (warning["message"], warning.get("help")))),
        )
        for warning in warnings
    )
