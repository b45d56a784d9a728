"""The doctor: what is wrong here, and what mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke.exceptions import Exit

from task_groups import edge
from task_groups.edge import Context, help_for, task

if TYPE_CHECKING:
    from core.doctor import Finding

_CHECK_WIDTH = 19


@task(help=help_for("prod", "json"))
def doctor(ctx: Context, prod: bool = False, json: bool = False) -> None:
    """Look for what is wrong with this installation and its target, and say what mends it."""
    from dataclasses import asdict

    from core.doctor import State, describe, examine
    from core.targets import resolve

    target = resolve(edge.settings(), prod=prod)
    # Told in another way than for other tasks: what of it cannot be found out stops nothing.
    edge.note(describe(target))
    found = []
    for finding in examine(target):
        found.append(finding)
        if not json:
            edge.print_line(_line(finding))
    if json:
        edge.print_json([asdict(finding) for finding in found])
    states = [finding.state for finding in found]
    edge.note(f"{states.count(State.BAD)} bad, {states.count(State.NOTE)} to note")
    if State.BAD in states:
        raise Exit(code=1)


def _line(finding: Finding) -> str:
    """``BAD   dynamodb table       there is no table … → Create it: invoke ddb.schema-load``"""
    mark = "BAD" if finding.state == "bad" else finding.state
    took = "" if finding.ms is None else f" ({finding.ms:g} ms)"
    mend = f" → {finding.mend}" if finding.mend else ""
    return f"{mark:<5} {finding.check:<{_CHECK_WIDTH}} {finding.finding}{took}{mend}"
