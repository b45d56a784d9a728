"""One statement on the database, read-only, and its rows."""

from __future__ import annotations

import json as json_module
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from core.wording import counted
from task_groups import terminal
from task_groups.running import opened, run, task
from task_groups.terminal import Context, help_for

if TYPE_CHECKING:
    from core.postgres import Answer

_POSTGRES = "postgres"
DEFAULT_LIMIT = 1000
"""Rows of a table; JSON and CSV have no limit of their own."""


@task(
    help=help_for(
        "prod",
        "json",
        "csv",
        "reason",
        limit=f"How many to print at most. {DEFAULT_LIMIT} in a table unless given, else all.",
        sql="The statement: SELECT, WITH, VALUES, TABLE, EXPLAIN or SHOW.",
        timeout="How many seconds Postgres may work at a time. 30 unless given.",
    ),
    opens={_POSTGRES: "reading"},
    confirmed_by=_POSTGRES,
)
def query(
    ctx: Context,
    sql: str = "",
    limit: str = "",
    timeout: str = "",
    prod: bool = False,
    json: bool = False,
    csv: bool = False,
    reason: str = "",
) -> None:
    """Run one statement that only reads, and print its rows."""
    from core.postgres import DEFAULT_TIMEOUT_S, run_typed

    terminal.required(sql, "--sql TEXT")
    most = terminal.whole_number(limit, "--limit")
    seconds = terminal.whole_number(timeout, "--timeout") or DEFAULT_TIMEOUT_S
    run().tell_target()
    with (
        opened(ctx) as stores,
        run_typed(stores.db, sql, timeout_s=min(seconds, 86_400)) as answer,
    ):
        if json:
            names = answer.columns
            terminal.print_json_array(
                {name: _plain(value) for name, value in zip(names, row, strict=True)}
                for row in _limited(answer, most)
            )
        elif csv:
            terminal.print_csv(answer.columns, _cells(_limited(answer, most)))
        elif not answer.columns:  # Postgres allows a SELECT of nothing
            rows = sum(1 for _ in _limited(answer, most or DEFAULT_LIMIT))
            terminal.print_line(f"{counted(rows, 'row')} without columns")
        else:
            cells = list(_cells(_limited(answer, most or DEFAULT_LIMIT)))
            terminal.print_table(answer.columns, cells, "There are no rows")
        _tell_rest(answer)


def _limited(answer: Answer, most: int | None) -> Iterator[tuple[Any, ...]]:
    count = 0
    while most is None or count < most:
        row = next(answer.rows, None)
        if row is None:
            return
        count += 1
        yield row


def _tell_rest(answer: Answer) -> None:
    if next(answer.rows, None) is not None:
        terminal.note("There are more rows: raise --limit, or print all of them with --csv")


def _cells(rows: Iterator[tuple[Any, ...]]) -> Iterator[list[object]]:
    for row in rows:
        yield [_cell(value) for value in row]


def _cell(value: Any) -> object:
    """``value`` as a table and CSV show it. A number stays one: CSV marks text like a formula."""
    if value is None:
        return ""
    if isinstance(value, bool | dict | list):
        return json_module.dumps(value, ensure_ascii=False)
    return value


def _plain(value: Any) -> Any:
    """``value`` as JSON has it. A number that JSON's readers would round is its text."""
    from decimal import Decimal

    if isinstance(value, Decimal):
        if not value.is_finite():
            return str(value)
        number = int(value) if value == value.to_integral_value() else float(value)
        return number if Decimal(str(number)) == value else str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
