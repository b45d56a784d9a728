"""What both stores say they are, and what was done to them: adopt, audit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from task_groups import terminal
from task_groups.running import opened, run, task
from task_groups.terminal import Context, help_for

if TYPE_CHECKING:
    from datetime import date

    from core.access import AuditEntry


@task(
    help=help_for(
        "prod",
        "confirm",
        environment="How to mark both: local, production, or an environment of targets.toml.",
    ),
    opens={"postgres": "making", "dynamodb": "making"},
    asks_everywhere=True,
)
def adopt(ctx: Context, environment: str = "", prod: bool = False, confirm: str = "") -> None:
    """Mark both stores as local, production or another environment, if they have no marker yet."""
    from core.errors import UsageError
    from core.targets import known_environments
    from core.usecases import setup

    terminal.required(environment, "--environment NAME")
    target, names = run().target, known_environments(run().settings)
    if environment not in names:
        raise UsageError(f"--environment needs {' or '.join(names)}, not {environment!r}")
    if prod and environment != target.environment:
        raise UsageError(
            f"{target.options} is {target.environment}",
            f"Give --environment {target.environment}.",
        )
    run().tell_target()
    with opened(ctx) as stores:
        before = setup.adopt(stores, environment)
    for store, marker in before.items():
        if marker is not None:
            terminal.print_line(f"The {store.kind} is already marked {marker}, which stays")
        elif not terminal.is_dry(ctx):
            terminal.print_line(f"marked the {store.kind} as {environment}")


@task(
    csv=True,
    help=help_for(
        "json",
        actor="Only what this person did: a part of an email, a user name or an ARN.",
        about="Only what is about this user: a user uuid.",
        target="Only what was done there: local, production, or a part of a store's place.",
        day="Only what was done on this day, in UTC: 2026-01-31.",
    ),
)
def audit(
    ctx: Context,
    actor: str = "",
    about: str = "",
    target: str = "",
    day: str = "",
    json: bool = False,
) -> None:
    """Print the audit file: who did what on production, and why."""
    from dataclasses import asdict

    from core.access import read_audit

    path = run().settings.audit_path
    entries = list(read_audit(path, actor=actor, about=about, target=target, day=_day(day)))
    if json:
        terminal.print_json([asdict(entry) for entry in entries])
        return
    rows = [_row(entry) for entry in entries]
    columns = ("UTC", "who", "what", "where", "about", "why", "outcome")
    terminal.print_table(columns, rows, f"There are no matching lines in {path}")


def _day(value: str) -> date | None:
    from datetime import date

    from core.errors import UsageError

    if not value:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise UsageError(f"--day needs a day, not {value!r}", "Write it like 2026-01-31") from None


def _row(entry: AuditEntry) -> tuple[str, ...]:
    about = [*entry.about, *filter(None, (entry.conversation, entry.message))]
    return (
        entry.at[:19].replace("T", " "),
        entry.who,
        entry.what,
        "; ".join(entry.stores.values()),
        " ".join(about),
        entry.why,
        entry.outcome,
    )
