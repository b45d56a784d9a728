"""Who may do what: every task and every action of the admin UI, in every state of the stores.

Each cell runs on real stores and is compared with the design in ``design.py``, which is written by
hand and takes nothing from the product. A cell is a row and

==========  ======================================================================================
the state   local; Postgres marked production; DynamoDB marked so; both; data without a marker;
            ``--prod`` on stores that are marked local
the name    none typed, a wrong one, the right one
the reason  none, ``--reason``, ``CRUDDUR_REASON``
the rest    ``--dry`` or not in a terminal; ``--write`` or not in the admin UI
==========  ======================================================================================

It shows whether it was refused; what was written: both stores and AWS's services compared before
and after; what was read: every request and statement that needs to read, noted where the store
checks it; and what was audited. The printed matrix has a line a cell::

    ddb.scan    postgres production none  option   | exit 0 | wrote – | read dynamodb | audited –

and ``CONTRADICTION:`` below one that is not as the design has it. The figures of a run name the
file that holds it: ``python -m pytest tests/access``. A normal run tries every combination of what
decides by the design, while the rest takes turns; with ``--deep`` every cell there is.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

import tasks
from admin_app import access, actions
from core.access import Door
from core.access.audit import AuditLog
from core.settings import PROJECT_ROOT

from .design import ACTIONS, RULES, STATES, TASKS, Cell, Row
from .matrix import HEADING, Bench, Shown, all_cells, fewer_cells, page_cells
from .places import PRIVATE
from .running import PAGES

ROWS = (*TASKS, *ACTIONS)
BY_TITLE = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.title.replace(" ", "-"))


def options_of(row: Row) -> frozenset[str]:
    """The options of the task that matter here."""
    if row in ACTIONS:
        return frozenset()
    names = {argument.name for argument in tasks.ns[row.name].get_arguments()}
    return frozenset(names & {"prod", "confirm", "reason"})


# Every row


@BY_TITLE
def test_no_cell_contradicts_the_design(bench: Bench, row: Row, matrix_path: Path) -> None:
    shown = tried(bench, row, fewer_cells(row, options_of(row)))
    print_matrix(shown, matrix_path)
    assert_none_contradicts(shown)
    # A row in which everything is refused, or nothing is ever done, would show nothing.
    done = [cell_shown for cell_shown in shown if not cell_shown.outcome.refused]
    assert done
    assert any(cell_shown.changed for cell_shown in done) is row.changes_something


@pytest.mark.deep
@BY_TITLE
def test_no_cell_of_the_whole_matrix_contradicts_the_design(
    bench: Bench, row: Row, matrix_path: Path
) -> None:
    shown = tried(bench, row, all_cells(row, options_of(row)))
    print_matrix(shown, matrix_path.with_stem("whole-access-matrix"))
    assert_none_contradicts(shown)


PAGE_ROWS = [row for row in ACTIONS if row.name in PAGES]


@pytest.mark.parametrize("row", PAGE_ROWS, ids=lambda row: row.title.replace(" ", "-"))
def test_no_page_contradicts_the_design(bench: Bench, row: Row, matrix_path: Path) -> None:
    shown = tried(bench, row, page_cells(row, STATES[:3]))
    print_matrix(shown, matrix_path)
    assert_none_contradicts(shown)


@pytest.mark.deep
@pytest.mark.parametrize("row", PAGE_ROWS, ids=lambda row: row.title.replace(" ", "-"))
def test_no_page_in_any_state_contradicts_the_design(
    bench: Bench, row: Row, matrix_path: Path
) -> None:
    shown = tried(bench, row, page_cells(row, STATES))
    print_matrix(shown, matrix_path.with_stem("whole-access-matrix"))
    assert_none_contradicts(shown)


def tried(bench: Bench, row: Row, cells: Iterable[Cell]) -> list[Shown]:
    return list(bench.try_cells(cells, options_of(row)))


def print_matrix(shown: Iterable[Shown], path: Path) -> None:
    lines = "\n".join(cell_shown.text for cell_shown in shown)
    with path.open("a") as file:
        file.write(f"{HEADING}\n{lines}\n\n")


def assert_none_contradicts(shown: Iterable[Shown]) -> None:
    wrong = [cell_shown.text for cell_shown in shown if cell_shown.problems]
    assert not wrong, "\n" + "\n".join(wrong)


@pytest.mark.parametrize(
    "title", ["ddb.patterns.create-message", "db.update-cognito-user-ids", "ddb.verify (--repair)"]
)
def test_a_dry_run_of_a_change_gives_a_reason_for_what_it_reads(bench: Bench, title: str) -> None:
    (row,) = (row for row in TASKS if row.title == title)
    (shown,) = tried(bench, row, [Cell(row, PRODUCTION, dry=True)])
    assert shown.outcome.refused or shown.outcome.read <= row.reads_first
    assert [text for text in PRIVATE if text in shown.outcome.out] == []


# Without the door


REMOVED: dict[str, tuple[type, str, Any]] = {
    "the name": (Door, "_require_name", lambda *_: None),
    "a wrong name": (Door, "refuse_another_name", lambda *_: None),
    "the reason": (Door, "_reason", lambda *_: "none was asked"),
    "the audit": (AuditLog, "write", lambda *_: None),
    "the markers": (Door, "why_production", lambda *_, **__: ""),
    "the admin UI's switch": (access.InTheBrowser, "require_permission", lambda *_, **__: None),
}
"""The checks of the door, and the code that replaces each when it is removed."""

SECOND_LOOK = (Door, "_refuse_another_marker", lambda *_: None)
"""The door reads Postgres' marker again when it acts, so no cell needs this check alone."""

LOCAL = next(state for state in STATES if state.name == "local")
PRODUCTION = next(state for state in STATES if state.name == "both production")
DECISIVE: dict[str, tuple[dict[str, Any], ...]] = {
    "ddb.patterns.create-message": (
        {"name": "none"},
        {"name": "right"},
        {"name": "wrong", "state": LOCAL},
    ),
    "ddb.scan": ({"reason": "none"}, {"reason": "option"}),
    "db.drop": ({"name": "none"},),
    "message sent": ({"may_write": False, "in_browser": True},),
}
"""The conditions of the cells that show each check, by row."""


def contradictions(bench: Bench) -> list[Shown]:
    """The contradictions of a few cells; each check is needed by one of them."""
    rows = {row.name: row for row in ROWS if row.name in DECISIVE}
    return [
        shown
        for name, options in DECISIVE.items()
        for shown in tried(
            bench,
            rows[name],
            [Cell(**{"row": rows[name], "state": PRODUCTION} | g) for g in options],
        )
        if shown.problems
    ]


def test_with_every_check_in_place_those_cells_are_as_designed(bench: Bench) -> None:
    assert contradictions(bench) == []


@pytest.mark.parametrize("check", REMOVED)
def test_the_matrix_is_red_once_a_check_is_removed(bench: Bench, check: str) -> None:
    with mock.patch.object(*REMOVED[check]):
        assert contradictions(bench)


@pytest.mark.parametrize("part", range(4))
def test_there_is_no_other_check_to_remove(bench: Bench, part: int) -> None:
    """Without the door's checks, everything is done on production, without reason or audit."""
    rows = [row for row in ROWS if row.opens][part::4]
    with contextlib.ExitStack() as removed:
        for check in (*REMOVED.values(), SECOND_LOOK):
            removed.enter_context(mock.patch.object(*check))
        for row in rows:
            cell = Cell(row, PRODUCTION, in_browser=row in ACTIONS, may_write=False)
            (shown,) = tried(bench, row, [cell])
            assert not shown.outcome.refused, shown.text
            assert shown.changed == row.changed_in(PRODUCTION, is_production=False), shown.text
            assert shown.outcome.read == row.reads, shown.text
            assert shown.lines == (), shown.text


# Every task and action has a row, and no row is of something else


def test_every_task_has_a_row_and_every_row_a_task(figures, matrix_path: Path) -> None:
    assert {row.name for row in TASKS} == set(tasks.ns.task_names)
    figures(f"the matrix is printed to {matrix_path}")


def test_every_action_of_the_admin_ui_has_a_row_and_every_row_an_action() -> None:
    assert [row.name for row in ACTIONS] == [action.name for action in actions.ALL]


def test_every_action_that_the_admin_ui_has_is_one_of_them() -> None:
    defined = [value for value in vars(actions).values() if isinstance(value, actions.Action)]
    assert len(defined) == len(actions.ALL)


def test_nothing_else_of_the_admin_ui_makes_an_action() -> None:
    makers = {
        path.name
        for path in (PROJECT_ROOT / "admin_app").rglob("*.py")
        if re.search(r"\bAction\(|\bActions?\.|\.narrowed\(", path.read_text())
    }
    assert makers == {"actions.py"}


@pytest.mark.parametrize("row", TASKS, ids=lambda row: row.title.replace(" ", "-"))
def test_a_task_has_the_option_that_the_design_asks_for(row: Row) -> None:
    option = {"reason": "reason", "name": "confirm", "nothing": None}[RULES[row.purpose].asks]
    if option is not None and not row.is_for_local_stores:
        assert option in options_of(row)
