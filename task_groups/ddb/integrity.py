"""Checks every guarantee for the stored items, and repairs problems."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from invoke.exceptions import Exit

from core.wording import agreeing
from task_groups import terminal
from task_groups.running import opened, run, task
from task_groups.terminal import Context, help_for

if TYPE_CHECKING:
    from core.access import Stores
    from core.dynamodb import FaultSummary

_POSTGRES, _DYNAMODB = "postgres", "dynamodb"


def _verify_opens(arguments: Mapping[str, Any]) -> dict[str, str]:
    repairs = bool(arguments.get("repair"))
    return {_POSTGRES: "verifying", _DYNAMODB: "destroying" if repairs else "verifying"}


@task(
    csv=True,
    help=help_for(
        "prod", "confirm", "json", repair="Repair what can be repaired, after showing what it is."
    ),
    opens=_verify_opens,
)
def verify(
    ctx: Context, prod: bool = False, repair: bool = False, json: bool = False, confirm: str = ""
) -> None:
    """Check every guarantee over the stored items; exit 1 if one is broken."""
    from core.purposes import Purpose

    run().tell_target()
    show = functools.partial(_print_faults, json=json)
    with opened(ctx, run().action.narrowed(Purpose.VERIFYING)) as stores:
        summary = _report(stores, _print_plan if repair and json else show)
        terminal.tell_cost(stores.table.capacity)
    if repair and summary.total:
        summary = _repair(ctx, summary, show)
    elif repair and json:
        show(summary)
    if summary.total:
        raise Exit(code=1)


def _repair(ctx: Context, plan: FaultSummary, show: Callable[[FaultSummary], None]) -> FaultSummary:
    """The problems that remain after repairing what can be repaired."""
    from core.dynamodb import repair
    from core.purposes import Purpose
    from core.usecases import integrity

    action = run().action
    if terminal.is_dry(ctx):  # it shows requests, and with them texts
        action = action.narrowed(Purpose.WRITING)
    with opened(ctx, action) as stores:
        repair(integrity.verification(stores.db, stores.table))
        if terminal.is_dry(ctx):
            return plan
        terminal.note("Repaired. Remaining problems:")
        summary = _report(stores, show)
        terminal.tell_cost(stores.table.capacity)
        return summary


def _report(stores: Stores, show: Callable[[FaultSummary], None]) -> FaultSummary:
    """The problems that a verification finds, by kind, after showing them."""
    from core.usecases import integrity

    checkup = integrity.check(stores.db, stores.table)
    show(checkup.summary)
    looked = ", ".join(agreeing(count, kind) for kind, count in checkup.looked_at.items())
    terminal.note(f"looked at {looked or 'nothing'}")
    return checkup.summary


def _print_plan(summary: FaultSummary) -> None:
    """Show what a repair would do on standard error: standard output is for a program."""
    from core.dynamodb import REPAIRABLE

    for fault, count in summary.counts.items():
        terminal.note(f"{count:,} {fault}: {'--repair' if fault in REPAIRABLE else 'by hand'}")


def _print_faults(summary: FaultSummary, *, json: bool) -> None:
    from core.dynamodb import EXPLANATIONS, REPAIRABLE

    if json:
        terminal.print_json(
            [
                {
                    "fault": fault,
                    "count": count,
                    "explanation": EXPLANATIONS[fault],
                    "mendable": fault in REPAIRABLE,
                    "samples": [{"pk": s.pk, "sk": s.sk} for s in summary.samples[fault]],
                }
                for fault, count in summary.counts.items()
            ]
        )
        return
    rows = [
        (
            count,
            fault,
            EXPLANATIONS[fault],
            "--repair" if fault in REPAIRABLE else "by hand",
            f"{summary.samples[fault][0].pk} {summary.samples[fault][0].sk}",
        )
        for fault, count in summary.counts.items()
    ]
    terminal.print_table(
        ("count", "problem", "explanation", "repair", "example"), rows, "No problems"
    )
