"""A Python console with the stores at hand, opened as the door allows."""

from __future__ import annotations

import code
import sys
import traceback
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from invoke.exceptions import Exit

from task_groups import terminal
from task_groups.running import opened, run, task
from task_groups.terminal import Context, help_for

if TYPE_CHECKING:
    from core.access import Stores

_AT_HAND = """\
stores.db and stores.table are the two stores, opened for {purpose}.
stores.table.request("get_item", Key=...) sends one request of the SDK.
Use cases: {usecases}. Data: models. Names of the stores: postgres, dynamodb.
Ctrl-D ends it."""


@task(
    hands_over="It prints what you type. For JSON, type print(json.dumps(…)) in it",
    help=help_for(
        "prod", "reason", "confirm", write="Allow what changes something where it is production."
    ),
    opens={"postgres": "writing", "dynamodb": "writing"},
)
def console(
    ctx: Context, prod: bool = False, write: bool = False, reason: str = "", confirm: str = ""
) -> None:
    """Open a Python console on both stores; read-only on production unless --write is given."""
    from core.purposes import Purpose

    run().tell_target()
    action = run().action
    if not write and run().door.why_production(action.checked_stores):
        action = action.narrowed(Purpose.READING)
    with opened(ctx, action) as stores:
        if terminal.is_dry(ctx):
            terminal.print_line(f"would open a Python console, for {action.purpose}")
            return
        names = names_at_hand(stores)
        if sys.stdin is not None and sys.stdin.isatty():
            _talk(names, str(action.purpose))
        elif sys.stdin is not None:
            _run_script(sys.stdin.read(), names)


def names_at_hand(stores: Stores) -> dict[str, Any]:
    """What the console's user finds under which name."""
    from core import dynamodb, models, postgres

    return {
        "__name__": "__console__",
        "stores": stores,
        "target": stores.target,
        "models": models,
        "postgres": postgres,
        "dynamodb": dynamodb,
        **_usecases(),
    }


def _usecases() -> dict[str, Any]:
    from core.usecases import (
        conversation_export,
        conversations,
        erasure,
        integrity,
        people,
        removals,
        search,
    )

    modules = (conversations, people, search, integrity, removals, erasure, conversation_export)
    return {module.__name__.rpartition(".")[2]: module for module in modules}


class _Console(code.InteractiveConsole):
    """Python's own console. An error of the project is one line, as in every task."""

    def showtraceback(self) -> None:
        from core.errors import CoreError

        error = sys.exc_info()[1]
        if isinstance(error, CoreError):
            terminal.alarm(error.line(run().target.options))
        else:
            super().showtraceback()


def _talk(names: dict[str, Any], purpose: str) -> None:
    _complete(names)
    usecases = ", ".join(_usecases())
    try:
        _Console(names).interact(_AT_HAND.format(purpose=purpose, usecases=usecases), exitmsg="")
    except SystemExit:  # exit() or quit()
        return


def _complete(names: Mapping[str, Any]) -> None:
    """Complete names with the tab key, where this Python can. No history is kept in a file."""
    try:
        import readline
        import rlcompleter
    except ImportError:
        return
    readline.set_completer(rlcompleter.Completer(dict(names)).complete)
    readline.parse_and_bind("tab: complete")


def _run_script(text: str, names: dict[str, Any]) -> None:
    """Run what standard input holds, as ``python -`` would.

    Raises:
        Exit: it failed; the traceback is of the text that was typed.
    """
    from core.errors import CoreError

    try:
        exec(compile(text, "<standard input>", "exec"), names)  # noqa: S102 - it is a console
    except (CoreError, OSError, KeyboardInterrupt):
        raise
    except Exception as error:  # noqa: BLE001 - whatever the text raises
        for line in "".join(traceback.format_exception(error)).splitlines():
            terminal.note(line)
        raise Exit(code=1) from None
