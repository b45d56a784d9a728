"""Try pending migrations on a copy of the schema in the embedded Postgres."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from invoke.exceptions import Exit

from task_groups import terminal
from task_groups.db.migrations import FROM, read_files
from task_groups.running import opened, run, task
from task_groups.terminal import Context, help_for

if TYPE_CHECKING:
    from core.access import Stores
    from core.postgres import Files, Rehearsal

_POSTGRES = "postgres"


def _opens(arguments: Mapping[str, Any]) -> dict[str, str]:
    return {_POSTGRES: "reading" if arguments.get("rows") else "looking"}


@task(
    csv=True,
    help=help_for(
        "prod",
        "json",
        "reason",
        rows="Also copy so many users; names and texts are replaced. None unless given.",
        from_=FROM,
    ),
    opens=_opens,
    confirmed_by=_POSTGRES,
)
def rehearse(
    ctx: Context,
    prod: bool = False,
    rows: str = "",
    from_: str = "",
    json: bool = False,
    reason: str = "",
) -> None:
    """Try the pending migrations on a copy of the schema in the embedded Postgres, both ways."""
    count = terminal.whole_number(rows, "--rows") or 0
    files = read_files(from_)
    run().tell_target()
    with opened(ctx) as stores:
        if terminal.is_dry(ctx):
            terminal.print_line("would copy the schema into the embedded Postgres and try there")
            return
        rehearsal = _rehearsed(stores, files, count)
    if json:
        terminal.print_json(_as_json(rehearsal))
    else:
        _print(rehearsal)
    if not rehearsal.is_well:
        raise Exit(code=1)


def rehearse_first(stores: Stores, files: Files) -> None:
    """Rehearse before production is changed, and stop if there is a problem."""
    from core.errors import TargetRefusedError

    rehearsal = _rehearsed(stores, files, 0)
    for line in _lines(rehearsal):
        terminal.note(line)
    if not rehearsal.is_well:
        raise TargetRefusedError(
            "Refused db.migrate: the rehearsal found a problem, and nothing was changed",
            "Fix the migration, or add --no-rehearsal.",
        )


def _rehearsed(stores: Stores, files: Files, rows: int) -> Rehearsal:
    from core import engines
    from core.postgres import find_programs, rehearse
    from core.targets.postgres import parse_embedded_url

    folder = run().settings.engines_path
    engines.start_postgres(folder)
    server = parse_embedded_url(engines.endpoints(folder).postgres_url)
    programs = find_programs(stores.db, engines.program_folders())
    return rehearse(stores.db, server, programs, files, rows=rows)


def _print(rehearsal: Rehearsal) -> None:
    columns = ("migration", "line", "ms", "lock", "on", "waits behind it", "rewrites")
    terminal.print_table(columns, _rows(rehearsal), empty="There is nothing to rehearse")
    for line in _lines(rehearsal):
        terminal.print_line(line)


def _rows(rehearsal: Rehearsal) -> Iterator[tuple[object, ...]]:
    for seen in rehearsal.observed:
        first = (seen.migration.title, seen.statement.line, seen.duration_ms)
        rewrites = ", ".join(seen.rewritten)
        if not seen.locks:
            yield (*first, "", "", "", rewrites)
        for lock in seen.locks:
            yield (*first, lock.mode, lock.relation, lock.blocks, rewrites)


def _lines(rehearsal: Rehearsal) -> Iterator[str]:
    """The results of the rehearsal, besides the statements: a line for each."""
    from core.postgres import squawk_path

    for tried in rehearsal.tried:
        title = tried.migration.title
        if tried.is_recorded_only and tried.is_well:
            yield f"{title}: all that it does is there already; it would be recorded"
        elif tried.is_well:
            yield f"{title}: applied and undone; the schema was the same again"
        if tried.problem:
            yield f"{title}: {tried.problem}"
        yield from (f"{title}: undoing it {line}" for line in tried.left_over)
        yield from (
            f"{title}, line {warning.line}: squawk: {warning.rule}: {warning.text}"
            for warning in tried.advice
        )
    for name, reason in rehearsal.broken.items():
        yield f"Cruddur's statement for {name} no longer runs: {reason}"
    if rehearsal.tried and not rehearsal.broken:
        yield "Cruddur's own statements run after it as they did before"
    if squawk_path() is None and rehearsal.tried:
        yield "squawk is not installed: pip install squawk-cli"


def _as_json(rehearsal: Rehearsal) -> list[dict[str, Any]]:
    """One object for each migration, with one for each of its statements."""
    return [
        {
            "stamp": tried.migration.stamp,
            "name": tried.migration.name,
            "is_well": tried.is_well and not rehearsal.broken,
            "recorded_only": tried.is_recorded_only,
            "problem": tried.problem or None,
            "left_over": list(tried.left_over),
            "broken": dict(rehearsal.broken),
            "squawk": [
                {"line": warning.line, "rule": warning.rule, "text": warning.text}
                for warning in tried.advice
            ],
            "statements": [
                {
                    "line": seen.statement.line,
                    "ms": seen.duration_ms,
                    "locks": [{"mode": lock.mode, "on": lock.relation} for lock in seen.locks],
                    "rewrites": list(seen.rewritten),
                }
                for seen in rehearsal.observed
                if seen.migration.key == tried.migration.key
            ],
        }
        for tried in rehearsal.tried
    ]
