"""Where the terminal meets :mod:`core`: options, answers, notes.

Imports nothing heavy: every ``invoke`` call, ``--list`` included, loads this module.
"""

from __future__ import annotations

import atexit
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from invoke.context import Context as Context

from core.commands import program
from task_groups import standard_streams
from task_groups.answers import (
    Style as Style,
    alarm as alarm,
    ask as ask,
    note as note,
    plain as plain,
    print_all as print_all,
    print_csv as print_csv,
    print_json as print_json,
    print_json_array as print_json_array,
    print_json_lines as print_json_lines,
    print_json_text as print_json_text,
    print_line as print_line,
    print_lines as print_lines,
    print_rest as print_rest,
    print_styled as print_styled,
    print_table as print_table,
    problem as problem,
    progress as progress,
    speaks_ascii as speaks_ascii,
    tell_cost as tell_cost,
    tell_cursor as tell_cursor,
)

if TYPE_CHECKING:
    from datetime import datetime

    from core.errors import UsageError
    from core.targets import Target


# A command loads many objects, most of them from the AWS SDK, and then ends. Python's usual garbage
# collection, and the last one at the end, would take a quarter of its time.
gc.set_threshold(100_000)
atexit.register(gc.freeze)
standard_streams.install()

HELP = {
    "prod": "Act on production: AWS and PROD_CONNECTION_URL. The same as --target production.",
    "target": "Act on this target of targets.toml; like production, it is never local.",
    "profile": "The AWS profile to use, with --prod or --target.",
    "region": "The AWS region to use, with --prod or --target.",
    "json": "Print JSON for a program instead of a table for a person.",
    "record": "Print what was done, its cost and its problems as JSON for a program.",
    "csv": "Print CSV for a spreadsheet instead of a table for a person.",
    "confirm": "The name of the database or table, typed out where asked for, as on production.",
    "reason": "Why you read or remove users' data; the audit keeps it. Or set CRUDDUR_REASON.",
    "limit": "How many to print at most.",
    "user": "Handle of the user; for a conversation, the member whose inbox it is in.",
    "with_": "Handle of the other person.",
    "conversation": "The conversation's message group uuid, instead of --with.",
    "before": "Only items before this time (ISO 8601; UTC if it has no offset).",
    "after": "Only items after this time (ISO 8601; UTC if it has no offset).",
    "cursor": "Continue where a page ended: the value that the page printed.",
    "message": "The text of the message, 1 to 1,024 characters.",
}
"""The help of the options that mean the same in every task."""


def help_for(*names: str, **extra: str) -> dict[str, str]:
    """The help of the shared options ``names``, and of a task's ``own``."""
    return {**{name: HELP[name] for name in names}, **extra}


def required(value: str, option: str) -> None:
    """Refuse an option that must be given: ``option`` with what its value is."""
    if not value:
        raise missing(option)


def missing(option: str) -> UsageError:
    """The error for an option that must be given."""
    from core.errors import UsageError
    from task_groups.running import run

    return UsageError(f"{option} is missing", f"See: {program()} --help {run().task_name}")


def user_pool(target: Target) -> str:
    """The id of the Cognito user pool, which must be set."""
    from core.errors import SettingsError

    if target.settings.user_pool_id is None:
        raise SettingsError("No Cognito user pool is set", f"Set {target.source_of_user_pool}.")
    return target.settings.user_pool_id


def is_dry(ctx: Context) -> bool:
    """Whether ``invoke --dry`` was asked for: nothing may change anywhere."""
    return bool(ctx.config.run.dry)


@contextmanager
def telling(what: str) -> Iterator[None]:
    """Print the answer to something that is done: where that fails, it must not be done again."""
    from core.errors import StoreError

    try:
        yield
        print(end="", flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        standard_streams.drop_unwritten()
        problem = f"{what}, which could not be printed: {standard_streams.reason_of(error)}"
        raise StoreError(problem, "Do not send it again.") from error


def whole_number(value: str | int | None, option: str, *, smallest: int = 1) -> int | None:
    """The number given to ``option``, or None. Invoke itself shows a traceback on a bad one."""
    from core.errors import UsageError

    if value is None or value == "":
        return None
    try:
        number = int(str(value))
    except ValueError:
        number = smallest - 1
    if number < smallest:
        raise UsageError(f"{option} needs a whole number from {smallest} up, not {value!r}")
    return min(number, sys.maxsize)  # what counts and slices take at most


def instant(value: str, option: str) -> datetime | None:
    """The time given to ``option``, aware and in UTC, or None."""
    from core.errors import UsageError
    from core.timestamps import parse

    if not value:
        return None
    parsed = parse(value)
    if parsed is None:
        raise UsageError(
            f"{option} needs an ISO 8601 time, not {value!r}", "Write it like 2026-01-31T18:00"
        )
    return parsed
