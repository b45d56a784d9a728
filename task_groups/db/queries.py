"""One statement on the database, read-only, and its rows."""

from __future__ import annotations

import json as json_module
import math
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from core.wording import counted
from task_groups import terminal
from task_groups.running import opened, run, task
from task_groups.terminal import Context, help_for

if TYPE_CHECKING:
    from decimal import Decimal

    from core.postgres import Answer, JsonText

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
            terminal.print_json_array(_objects(answer.columns, _limited(answer, most)))
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
    from core.postgres import JsonText

    for row in rows:
        yield [_cell(_read(value) if isinstance(value, JsonText) else value) for value in row]


def _cell(value: Any) -> object:
    """``value`` as a table and CSV show it. A number stays one: CSV marks text like a formula."""
    if value is None:
        return ""
    return json_module.dumps(value) if isinstance(value, bool) else value


def _read(text: JsonText) -> Any:
    """The JSON string, number, truth value or null in ``text``; an object or array as it is."""
    from decimal import Decimal

    if text.lstrip().startswith(("{", "[")):
        return text
    try:
        return json_module.loads(text, parse_int=Decimal, parse_float=Decimal)
    except ArithmeticError:  # an exponent that Python cannot hold
        return text


def _objects(columns: Sequence[str], rows: Iterator[tuple[Any, ...]]) -> Iterator[str]:
    """Each row as a JSON object, in one line."""
    from core.postgres import JsonText

    names = [_dumped(column) for column in columns]
    for row in rows:
        values = [
            value.translate(_BLANKS) if isinstance(value, JsonText) else _json(value)
            for value in row
        ]
        fields = zip(names, values, strict=True)
        yield f"{{{', '.join(f'{name}: {value}' for name, value in fields)}}}"


_BLANKS = str.maketrans("\t\r\n", "   ")
"""What JSON may have between its parts, and nowhere else."""


def _json(value: Any) -> str:
    """``value`` as JSON has it. A number that JSON's readers would round is its text."""
    from decimal import Decimal

    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, float) and not math.isfinite(value):
        value = str(value)
    return _dumped(value)


def _dumped(value: Any) -> str:
    return json_module.dumps(value, ensure_ascii=False, default=str)


def _number(value: Decimal) -> str:
    from decimal import Decimal

    text = str(value)
    if not value.is_finite():
        return _dumped(text)
    if value == value.to_integral_value():
        is_readable = value.adjusted() < sys.int_info.default_max_str_digits
        return str(int(value)) if is_readable else _dumped(text)
    number = str(float(value))
    return number if Decimal(number) == value else _dumped(text)
