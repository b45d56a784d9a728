"""The doctor: finds problems of this installation and its target, and says how to fix them.

It changes nothing. No check depends on the result of another, and each loads what it needs (a
driver, a server, credentials) when it runs: so the doctor works even where little else does.
"""

from __future__ import annotations

from collections.abc import Iterator

from core.doctor.findings import Finding, State
from core.doctor.probes import PATIENCE_S, Probe, run
from core.errors import CoreError
from core.targets import Target

__all__ = ["Finding", "State", "describe", "examine", "probes"]


def examine(target: Target, *, patience_s: float = PATIENCE_S) -> Iterator[Finding]:
    """Every finding, always in the same order, each as soon as it is known.

    The checks run side by side. A check that has not finished after ``patience_s`` is abandoned,
    which is a finding as well. Raises nothing.
    """
    return run(probes(target), target, patience_s)


def probes(target: Target) -> list[Probe]:
    """The probes that ``target`` needs, with the names of their checks."""
    from core.doctor import aws, dynamodb, machine, postgres, variables

    of_postgres = ["postgres", "postgres schema", "migrations", "postgres clock", "postgres rows"]
    if target.is_production:
        of_postgres.insert(1, "postgres TLS")
    probes_of_target = [
        Probe(("python",), machine.python),
        Probe(("packages",), machine.packages),
        Probe(("virtual environment",), machine.virtual_environment),
        Probe(("disk",), machine.disk),
        Probe(("engines",), machine.engines),
        Probe(("variables",), variables.variables),
        Probe(("credentials",), aws.credentials),
        Probe(tuple(of_postgres), postgres.postgres),
        Probe(
            ("dynamodb", "dynamodb clock", "dynamodb table", "stream", "projection"),
            dynamodb.dynamodb,
        ),
    ]
    if target.is_production:
        probes_of_target.append(Probe(("security group rule",), aws.security_group_rule))
    return probes_of_target


def describe(target: Target) -> str:
    """The target in one line, with the reason for each part that is unknown. Does not connect."""
    descriptions = []
    for store in ("postgres", "dynamodb"):
        try:
            descriptions.append(getattr(target, f"describe_{store}")())
        except CoreError as error:
            descriptions.append(f"no {store}: {error.problem}")
        except ImportError as error:
            descriptions.append(f"no {store}: {error}")
    return " · ".join([f"target: {target.name}", *descriptions])
