"""Cruddur Ops: every task of the command line. `invoke --list` prints this table of contents."""

import sys
from pathlib import Path

from invoke import Collection

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
    people,
    quality,
    rds,
    task_help,
)

ns = Collection(
    engines.start,
    engines.up,
    engines.down,
    engines.status,
    admin.admin,
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

task_help.show_for_invoke(ns)
