"""Cruddur Ops: every task of the command line. `invoke --list` prints this table of contents."""

import sys
from pathlib import Path

from invoke import Collection, Exit

if sys.version_info < (3, 11):  # noqa: UP036 - an Invoke of another Python finds this file, too
    version = ".".join(map(str, sys.version_info[:2]))
    raise Exit(
        f"Cruddur Ops needs Python 3.11 or newer, and this is {version}. With a newer one, run:"
        " python3 -m venv .venv && .venv/bin/pip install -r requirements.txt"
    )

if not sys.flags.dont_write_bytecode:
    # Invoke turns this on for everyone: each command in a checkout would compile our modules again.
    sys.dont_write_bytecode = False

# Other packages called ``core`` or ``task_groups`` may be on PYTHONPATH, before an installation.
sys.path.insert(0, str(Path(__file__).resolve().parent))

from task_groups import (
    admin,
    cognito,
    console,
    db,
    ddb,
    doctor,
    engines,
    environment,
    lambda_function,
    login,
    people,
    quality,
    rds,
    typed_line,
)

ns = Collection(
    engines.start,
    engines.up,
    engines.down,
    engines.status,
    admin.admin,
    login.configure_login,
    doctor.doctor,
    console.console,
    environment.adopt,
    environment.audit,
    quality.test,
    quality.lint,
    quality.bench,
    cognito,
    db,
    ddb,
    lambda_function.ns,
    people,
    rds,
)
typed_line.check_for_invoke(ns)
