"""Cruddur Ops: every task of the command line. `invoke --list` prints this table of contents."""

from invoke import Collection

from task_groups import (
    admin,
    cognito,
    db,
    ddb,
    doctor,
    engines,
    environment,
    lambda_function,
    people,
    quality,
    rds,
)

ns = Collection(
    engines.start,
    engines.up,
    engines.down,
    engines.status,
    admin.admin,
    doctor.doctor,
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
