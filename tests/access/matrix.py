"""The cells of a row, their results, and the contradictions to the design."""

from __future__ import annotations

import itertools
import json
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .design import (
    ACTIONS,
    AWS,
    MARKED,
    POSTGRES,
    RULES,
    STATES,
    STORES,
    Cell,
    Expected,
    Row,
    State,
    expected,
    is_refused_at_once,
)
from .places import PRIVATE, Place, Places
from .running import REASON, Outcome, run_action, run_page, run_task, typed

NAMES = ("none", "wrong", "right")
REASONS = ("none", "option", "variable")


@dataclass(frozen=True)
class Shown:
    """The result of a cell."""

    cell: Cell
    expected: Expected
    outcome: Outcome
    changed: frozenset[str]
    lines: tuple[dict[str, Any], ...]
    problems: tuple[str, ...]

    @property
    def text(self) -> str:
        """The cell as a line of the printed matrix."""
        cell, outcome = self.cell, self.outcome
        audited = ", ".join(
            f"{line['purpose']}{' + reason' if line.get('why') else ''}" for line in self.lines
        )
        shown = (
            f"{cell.title:44} {cell.state.name:19} {cell.name:5} {cell.reason:8}"
            f" {'--dry' if cell.dry else '--write' if cell.in_browser and cell.may_write else '':7}"
            f" | {'refused' if outcome.refused else f'exit {outcome.code}':7}"
            f" | wrote {', '.join(sorted(self.changed)) or '–':18}"
            f" | read {', '.join(sorted(outcome.read)) or '–':18}"
            f" | audited {audited or '–'}"
        )
        return "\n".join(
            [shown.rstrip(), *(f"    CONTRADICTION: {problem}" for problem in self.problems)]
        )


HEADING = (
    f"{'task or action':44} {'counts':19} {'name':5} {'reason':8} {'':7}"
    " | result | what was written, read and audited"
)


# Which cells there are


def all_cells(row: Row, options: frozenset[str]) -> Iterator[Cell]:
    """Every combination of the row's conditions, without those that it has no option for."""
    in_browser = row in ACTIONS
    states = [s for s in STATES if in_browser or "prod" in options or not s.target]
    names = NAMES if in_browser or "confirm" in options else NAMES[:1]
    reasons = REASONS if "reason" in options else (REASONS[0], REASONS[2])
    if in_browser:
        reasons = REASONS[:2]
    dry = (False,) if in_browser else (False, True)
    writes = (False, True) if in_browser else (True,)
    for state, name, reason, is_dry, may_write in itertools.product(
        states, names, reasons, dry, writes
    ):
        yield Cell(row, state, name, reason, is_dry, in_browser, may_write)


def fewer_cells(row: Row, options: frozenset[str]) -> list[Cell]:
    """Every combination of the conditions that decide by the design; the others take turns.

    Each value of a condition that should not matter (a reason for a write, a name for a read) is
    still combined with each value of everything else.
    """
    return [*_turns(all_cells(row, options), _what_decides(row))]


def page_cells(row: Row, states: Iterable[State]) -> Iterator[Cell]:
    """A page that shows users' data, with and without a reason typed into its form."""
    for state, reason in itertools.product(states, REASONS[:2]):
        yield Cell(row, state, reason=reason, in_browser=True, may_write=False, page=True)


def _what_decides(row: Row) -> Callable[[Cell], tuple[Any, ...]]:
    asks = "name" if row.asks_everywhere else RULES[row.purpose].asks
    if row in ACTIONS and row.purpose == "writing":
        asks = "nothing"
    may_change = RULES[row.purpose].may_change

    def what_decides(cell: Cell) -> tuple[Any, ...]:
        start = _of_state(cell), cell.dry
        if is_refused_at_once(cell):
            return *start, cell.name == "wrong", may_change and cell.may_write
        reason = bool(_reason_of(cell)) if row.asks_reason or asks == "reason" else None
        name = cell.name if row.asks_reason or asks == "name" else None
        return *start, may_change and cell.may_write, name, reason

    return what_decides


def _of_state(cell: Cell) -> str:
    return cell.state.like or cell.state.name


def _turns(cells: Iterable[Cell], what_decides: Callable[[Cell], Any]) -> Iterator[Cell]:
    """One cell of each group that ``what_decides`` makes, each time at another position in it."""
    groups: dict[Any, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(what_decides(cell), []).append(cell)
    for turn, group in enumerate(groups.values()):
        yield group[turn % len(group)]


# What a cell shows


class Bench:
    """Runs cells on places that stay as they are until one of them changes something."""

    def __init__(self, places: Places, folder: Path) -> None:
        self._places = places
        self._folder = folder
        self._numbers = itertools.count()

    def try_cells(self, cells: Iterable[Cell], options: frozenset[str]) -> Iterator[Shown]:
        """The result of each cell.

        Neighbours in one place that by the design change nothing are compared together: if all
        is as it was, none of them changed it. AWS's services are compared after the last cell of
        a row that opens none of them.
        """
        cells = list(cells)
        for _, neighbours in itertools.groupby(cells, self._compared_together()):
            group = list(neighbours)
            stores = STORES if AWS in group[0].row.opens or group[-1] is cells[-1] else MARKED
            yield from self._try(group, options, stores)

    def _compared_together(self) -> Callable[[Cell], Any]:
        numbers = itertools.count()

        def key(cell: Cell) -> Any:
            alone = next(numbers) if expected(cell, _reason_of(cell)).changed else None
            return cell.state.postgres, cell.state.dynamodb, alone

        return key

    def _try(
        self, cells: list[Cell], options: frozenset[str], stores: Iterable[str]
    ) -> Iterator[Shown]:
        place = self._places.get(cells[0].row.world, cells[0].state)
        done = [(cell, *self._run(cell, options, place)) for cell in cells]
        now = self._places.look(place, stores)
        changed = frozenset(store for store in now if now[store] != place.pristine[store])
        self._places.renew(place, changed)
        if changed and len(cells) > 1:
            for cell in cells:
                yield from self._try([cell], options, stores)
            return
        for cell, outcome, audit in done:
            lines = tuple(map(json.loads, audit.read_text().splitlines())) if audit.exists() else ()
            design = expected(cell, _reason_of(cell))
            shown = Shown(cell, design, outcome, changed, lines, ())
            yield replace(shown, problems=tuple(_problems(shown, audit)))

    def _run(self, cell: Cell, options: frozenset[str], place: Place) -> tuple[Outcome, Path]:
        """What the cell's command did, and the file of its audit lines."""
        audit = self._folder / f"audit-{next(self._numbers)}.jsonl"
        environment = self._places.environment(place, cell.state, cell.row.settings)
        environment["CRUDDUR_AUDIT_LOG"] = str(audit)
        by_database = cell.row.confirmed_by == POSTGRES
        name = place.dbname if by_database else place.table.name
        if cell.page:
            return run_page(cell, environment, self._folder), audit
        if cell.in_browser:
            return run_action(cell, environment, self._folder, place, name), audit
        words = self._places.words(place, cell.state)
        line = typed(cell, options, words, name)
        stdin = cell.row.stdin.format_map(words)
        return run_task(cell, line, environment, self._folder, stdin), audit


def _reason_of(cell: Cell) -> str:
    return "" if cell.reason == "none" else REASON


def _problems(shown: Shown, audit: Path) -> Iterator[str]:
    """The differences between the result and the design."""
    cell, design, outcome = shown.cell, shown.expected, shown.outcome
    if outcome.refused is not design.refused:
        last_line = (outcome.err.splitlines() or [""])[-1]
        yield f"{'refused' if outcome.refused else 'not refused'}, against the design: {last_line}"
    code = cell.row.exit_code_dry if cell.dry else cell.row.exit_code
    code = 1 if design.refused else code
    if outcome.code != code and outcome.refused is design.refused:
        yield f"exit code {outcome.code}, not {code}: {outcome.err}"
    if shown.changed != design.changed:
        yield f"changed {sorted(shown.changed)}, not {sorted(design.changed)}"
    if outcome.read != design.read and not (cell.dry and outcome.read < design.read):
        yield f"read {sorted(outcome.read)}, not {sorted(design.read)}"
    shows_people = not design.refused and RULES[cell.row.purpose].asks != "nothing"
    if private := [] if shows_people else [secret for secret in PRIVATE if secret in outcome.out]:
        yield f"showed {private}"
    yield from _problems_of_audit(shown, audit)


def _problems_of_audit(shown: Shown, audit: Path) -> Iterator[str]:
    cell, design, lines = shown.cell, shown.expected, shown.lines
    count = 1 + (cell.row.fails and not cell.dry) if design.audited else 0
    if [line["purpose"] for line in lines] != [design.audited] * count:
        yield f"audited {[line['purpose'] for line in lines]}, not {design.audited or 'nothing'}"
        return
    for line in lines:
        if line["what"] != cell.row.name or line.get("why", "") != design.why:
            yield f"the audit says {line['what']!r} for {line.get('why', '')!r}"
        if not (line["actor"] and line["at"] and set(line["stores"]) == set(cell.row.opens)):
            yield f"the audit does not say who, when or where: {line}"
        if f"audit {json.dumps(line)}\n" not in shown.outcome.err and not cell.in_browser:
            yield "the audit's line is not on standard error"
    text = audit.read_text() if lines else ""
    if private := [secret for secret in PRIVATE if secret in text]:
        yield f"the audit tells {private}"
    if lines and stat.S_IMODE(audit.stat().st_mode) != 0o600:
        yield f"the audit's file has mode {audit.stat().st_mode:o}"
