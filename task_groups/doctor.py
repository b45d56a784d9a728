"""The doctor: finds problems and says how to fix them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke.exceptions import Exit

from task_groups import terminal
from task_groups.running import run, task
from task_groups.terminal import Context, help_for

if TYPE_CHECKING:
    from core.doctor import Finding

_CHECK_WIDTH = 19


@task(help=help_for("prod", "json"), opens={"postgres": "looking", "dynamodb": "looking"})
def doctor(ctx: Context, prod: bool = False, json: bool = False) -> None:
    """Look for problems of this installation and its target, and say how to fix them."""
    from core.doctor import State, describe, examine

    target = run().target
    # Unlike other tasks: an unknown part of the target must not stop the doctor.
    terminal.note(describe(target))
    findings = []
    for finding in examine(target):
        findings.append(finding)
        if not json:
            if finding.state == State.BAD:
                terminal.print_styled(_line(finding), terminal.Style.RED, flush=True)
            else:
                terminal.print_line(_line(finding), flush=True)
    if json:
        terminal.print_json([_as_json(finding) for finding in findings])
    states = [finding.state for finding in findings]
    terminal.note(f"{states.count(State.BAD)} bad, {states.count(State.NOTE)} to note")
    if State.BAD in states:
        raise Exit(code=1)


def _as_json(finding: Finding) -> dict[str, object]:
    return {
        "check": finding.check,
        "state": finding.state,
        "finding": finding.finding,
        "mend": finding.next_step(run().target.options),
        "ms": finding.ms,
    }


def _line(finding: Finding) -> str:
    """``BAD   dynamodb table       there is no table … → Create it: invoke ddb.schema-load``"""
    mark = "BAD" if finding.state == "bad" else finding.state
    took = "" if finding.ms is None else f" ({finding.ms:g} ms)"
    step = finding.next_step(run().target.options)
    hint = f" → {step}" if step else ""
    return f"{mark:<5} {finding.check:<{_CHECK_WIDTH}} {finding.finding}{took}{hint}"
