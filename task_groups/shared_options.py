"""The options that many tasks have: one definition each, added to every task that they are for.

Imports nothing heavy: every ``invoke`` call, ``--list`` included, loads this module.
"""

from __future__ import annotations

import inspect
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from task_groups.recording import Form

VALUES = {
    "about": "UUID",
    "actor": "TEXT",
    "address": "ADDRESS",
    "after": "TIME",
    "at": "TIME",
    "aws": "PATH",
    "before": "TIME",
    "confirm": "NAME",
    "conversation": "UUID",
    "cursor": "KEY",
    "day": "DAY",
    "display_name": "TEXT",
    "email": "ADDRESS",
    "engine": "NAME",
    "environment": "NAME",
    "file": "PATH",
    "format": "FORMAT",
    "from_": "PATH",
    "handle": "HANDLE",
    "ip": "ADDRESS",
    "limit": "N",
    "me": "HANDLE",
    "message": "TEXT",
    "message_uuid": "UUID",
    "messages": "N",
    "name": "TEXT",
    "only": "NAME",
    "other": "HANDLE",
    "port": "N",
    "profile": "NAME",
    "reason": "TEXT",
    "region": "NAME",
    "rows": "N",
    "sender": "HANDLE",
    "sql": "TEXT",
    "target": "NAME",
    "timeout": "SECONDS",
    "to": "STAMP",
    "url": "URL",
    "user": "HANDLE",
    "user_uuid": "UUID",
    "with_": "HANDLE",
    "words": "TEXT",
}
"""What the value of each option is, as its help and the reference show it."""

MAY_BE_EMPTY = ("confirm", "cursor", "message", "reason")
"""The options that may be given without a value: the tasks know what that means.

The first page has an empty cursor. An empty name is a wrong one, an empty reason is none.
"""

WITH_A_TARGET = ("target", "profile", "region")
"""The options of every task that has ``--prod``."""


def added_options(own: Container[str], *, csv: bool, hands_over: bool) -> Iterator[str]:
    """The options that a task with its ``own`` ones gets besides.

    ``csv``: it prints one table. ``hands_over``: another program takes the terminal, and answers.
    """
    if "prod" in own:
        yield from WITH_A_TARGET
    if "json" not in own and not hands_over:
        yield "json"
    if csv:
        yield "csv"


def option_of(name: str) -> inspect.Parameter:
    """An added option as a parameter of a task."""
    default = False if name in ("json", "csv") else ""
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default)


def defaults_of(own: Mapping[str, inspect.Parameter]) -> dict[str, str]:
    """The value of each option that has one when it is not given, for its help."""
    defaults = {name: parameter.default for name, parameter in own.items()}
    return {name: value for name, value in defaults.items() if isinstance(value, str) and value}


def form_of(own: Container[str], arguments: Mapping[str, Any]) -> Form:
    """The form that a task with its ``own`` options answers in, when called with ``arguments``.

    Raises:
        UsageError: two forms are asked for.
    """
    from core.errors import UsageError

    json, csv = (bool(arguments.get(name)) for name in ("json", "csv"))
    if json and csv:
        raise UsageError("--json and --csv contradict each other", "Give one of them.")
    if csv and "csv" not in own:  # a task with an option of its own prints its rows as they come
        return Form.CSV
    if not json:
        return Form.PEOPLE
    return Form.JSON if "json" in own else Form.RECORD


class Selected(NamedTuple):
    """The target that a command line selects, by name, and the AWS profile and region for it."""

    name: str = "local"
    profile: str = ""
    region: str = ""

    @property
    def is_production(self) -> bool:
        """Whether it counts as production: whatever is not local does."""
        return self.name != "local"


LOCAL = Selected()


def selected_by(arguments: Mapping[str, Any]) -> Selected:
    """What the options of a task select.

    Raises:
        UsageError: they contradict each other.
    """
    from core.errors import UsageError

    if "prod" not in arguments:
        return LOCAL
    name, profile, region = (str(arguments.get(option) or "") for option in WITH_A_TARGET)
    if arguments.get("prod") and name not in ("", "production"):
        raise UsageError(f"--prod and --target {name} contradict each other", "Give one of them.")
    default = "production" if arguments.get("prod") else "local"
    return Selected(name or default, profile, region)


def one_target(calls: Iterable[tuple[Mapping[str, Any], bool]]) -> Selected:
    """The target of all tasks of a command line: their arguments, and whether they open a store.

    A task that opens stores and takes no ``--prod`` (``start``) is for the local ones.

    Raises:
        UsageError: they have several, like ``invoke db.drop db.seed --prod``. None has run yet.
    """
    from core.errors import UsageError

    selected = set()
    for arguments, opens_stores in calls:
        _refuse_empty(arguments)
        if "prod" in arguments or opens_stores:
            selected.add(selected_by(arguments))
    if len(selected) > 1:
        problem = "These tasks have different targets"
        if {choice.name for choice in selected} == {"local", "production"}:
            problem += ": some have --prod, some do not"
        raise UsageError(problem, "Give all of them the same --prod or --target, or none of them.")
    return selected.pop() if selected else LOCAL


def _refuse_empty(arguments: Mapping[str, Any]) -> None:
    """Refuse ``--limit "$LIMIT"`` where the variable is not set: it is not the same as no limit."""
    from core.errors import UsageError

    for name, value in arguments.items():
        if isinstance(value, str) and not value.strip() and name not in MAY_BE_EMPTY:
            option = name.strip("_").replace("_", "-")
            raise UsageError(f"--{option} is empty", "Give its value, or leave it out.")
