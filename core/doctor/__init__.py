"""The doctor: what is wrong with this installation and its target, and how to mend it.

It only looks. Its checks depend on nothing that another one found, and each takes what it needs
(a driver, a server, credentials) when it is run: so the doctor answers where little else does.
"""

from __future__ import annotations

from collections.abc import Iterator

from core.doctor.findings import Finding, State
from core.doctor.probes import PATIENCE_S, Probe, run
from core.errors import CoreError
from core.targets import Target

__all__ = ["Finding", "State", "describe", "examine", "probes"]


def examine(target: Target, *, patience_s: float = PATIENCE_S) -> Iterator[Finding]:
    """Every finding, in one order for every run, each as soon as it is there.

    The checks run side by side. Those that have not answered after ``patience_s`` are given up
    on, and are findings as well. Nothing is raised.
    """
    return run(probes(target), target, patience_s)


def probes(target: Target) -> list[Probe]:
    """What is looked at on ``target``, with the names of the checks."""
    from core.doctor import aws, dynamodb, machine, postgres, variables

    found = [
        Probe(("python",), machine.python),
        Probe(("packages",), machine.packages),
        Probe(("virtual environment",), machine.virtual_environment),
        Probe(("disk",), machine.disk),
        Probe(("engines",), machine.engines),
        Probe(("variables",), variables.variables),
        Probe(("credentials",), aws.credentials),
        Probe(("postgres", "postgres schema", "postgres clock"), postgres.postgres),
        Probe(
            ("dynamodb", "dynamodb clock", "dynamodb table", "stream", "projection"),
            dynamodb.dynamodb,
        ),
    ]
    if target.is_production:
        found.append(Probe(("security group rule",), aws.security_group_rule))
    return found


def describe(target: Target) -> str:
    """The target in one line, whatever of it cannot be told. Connects to nothing."""
    told = []
    for store in ("postgres", "dynamodb"):
        try:
            told.append(getattr(target, f"describe_{store}")())
        except CoreError as error:
            told.append(f"no {store}: {error.problem}")
        except ImportError as error:
            told.append(f"no {store}: {error}")
    return " · ".join([f"target: {target.environment}", *told])
