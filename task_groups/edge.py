"""Where the terminal meets :mod:`core`: targets, answers, errors, confirmation.

Imports nothing heavy: every ``invoke`` call, ``--list`` included, loads this module.
"""

from __future__ import annotations

import atexit
import functools
import gc
import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import invoke.tasks
from invoke.context import Context as Context
from invoke.exceptions import Exit
from invoke.executor import Executor

from task_groups import streams
from task_groups.answers import ask, plain, print_lines
from task_groups.answers import note as note
from task_groups.answers import print_json as print_json
from task_groups.answers import print_json_line as print_json_line
from task_groups.answers import print_json_text as print_json_text
from task_groups.answers import print_line as print_line
from task_groups.answers import print_table as print_table
from task_groups.answers import progress as progress
from task_groups.answers import speaks_ascii as speaks_ascii

if TYPE_CHECKING:
    from datetime import datetime

    from core.dynamodb.client import Table
    from core.errors import CoreError
    from core.postgres.database import Database
    from core.settings import Settings
    from core.targets import StoreState, Target

# A command loads a lot, the AWS SDK above all, and ends. Looking for garbage as often as Python
# does, and through everything once more at the end, would be a quarter of its time.
gc.set_threshold(100_000)
atexit.register(gc.freeze)
streams.install()

task = functools.partial(invoke.tasks.task, auto_shortflags=False)

HELP = {
    "prod": "Act on production: AWS and PROD_CONNECTION_URL.",
    "json": "Print JSON for a program instead of a table for a person.",
    "confirm": "The name of the production database or table, typed out to allow the change.",
    "limit": "How many to print at most.",
    "user": "Handle of the person whose side of the conversation it is.",
    "with_": "Handle of the other person.",
    "conversation": "The conversation's message group uuid, instead of --with.",
    "before": "Only what is older than this time (ISO 8601; UTC unless it says otherwise).",
    "after": "Only what is newer than this time (ISO 8601; UTC unless it says otherwise).",
    "message": "The text of the message, 1 to 1,024 characters.",
}
"""The help of the options that mean the same in every task."""


def help_for(*names: str, **own: str) -> dict[str, str]:
    """The help of the shared options ``names``, and of a task's ``own``."""
    return {**{name: HELP[name] for name in names}, **own}


class OneTargetExecutor(Executor):
    """Runs the tasks of one command line: one target for all, one line for every error."""

    def execute(self, *tasks: Any) -> Any:
        from core.errors import CoreError

        streams.spell_out()
        # With --debug, Invoke has everybody log everything, and the SDK logs keys.
        logging.getLogger("botocore").setLevel(logging.INFO)
        try:
            self._refuse_mixed_targets(tasks)
            results = super().execute(*tasks)
            print(end="", flush=True)
        except CoreError as error:
            raise Exit(self._line(error, tasks), error.exit_code) from error
        except BrokenPipeError:  # the reader (head, less) has seen enough
            streams.drop_unwritten()
            raise Exit(code=0) from None
        except OSError as error:  # a full disk, as a rule
            streams.drop_unwritten()
            raise Exit(streams.told(error), 1) from error
        except KeyboardInterrupt:
            raise Exit("interrupted", 130) from None
        else:
            return results

    def _line(self, error: CoreError, tasks: Iterable[Any]) -> str:
        """The error in one line; what it says to type next is for the target that was meant."""
        from core.targets import aimed

        return aimed(plain(str(error)), prod=True in self._targets(tasks))

    def _targets(self, tasks: Iterable[Any]) -> set[bool]:
        return {
            bool(task.args["prod"].value) for task in tasks if "prod" in getattr(task, "args", ())
        }

    def _refuse_mixed_targets(self, tasks: Iterable[Any]) -> None:
        """Refuse ``invoke db.drop db.seed --prod`` before anything of it has run."""
        from core.errors import UsageError

        if len(self._targets(tasks)) > 1:
            raise UsageError(
                "these tasks have different targets: some carry --prod, some do not",
                "Give --prod to all of them or to none.",
            )


def is_dry(ctx: Context) -> bool:
    """Whether ``invoke --dry`` was asked for: nothing may change anywhere."""
    return bool(ctx.config.run.dry)


def dry_sink(ctx: Context) -> Callable[[str], None] | None:
    """What prints the statements and requests that a dry run does not send; None in any other."""
    return print_lines if is_dry(ctx) else None


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
        streams.drop_unwritten()
        problem = f"{what}, which could not be printed: {streams.told(error)}"
        raise StoreError(problem, "Do not send it again.") from error


def settings() -> Settings:
    from core.settings import Settings

    return Settings.from_env()


def open_target(prod: bool, *stores: str) -> Target:
    """The run's target, told on stderr with the ``stores`` that the task touches."""
    from core.targets import resolve

    target = resolve(settings(), prod=prod)
    for name in target.ignored_variables():
        note(f"--prod: {name} is ignored")
    lines = []
    if "postgres" in stores:
        lines.append(target.describe_postgres())
    if "dynamodb" in stores:
        lines.append(target.describe_dynamodb(_account(target)))
    if "aws" in stores:
        place = target.aws.endpoint_url or f"account {_account(target)}"
        lines.append(f"AWS at {place}, region {target.aws.region or 'of the profile'}")
    note(f"target: {target.environment} · " + " · ".join(lines))
    return target


def _account(target: Target) -> str | None:
    if not target.is_production:
        return None
    from core.aws.identity import account_id
    from core.errors import StoreError

    try:
        return account_id(target.aws)
    except StoreError:
        if target.aws.endpoint_url is None:
            raise
        return None  # the VPC endpoint of one service does not answer for another


@contextmanager
def database(ctx: Context, target: Target) -> Iterator[Database]:
    """The target's Postgres, for as long as the block lasts."""
    from core.postgres.database import Database

    with Database(target.postgres, dry=dry_sink(ctx)) as db:
        yield db


def table(ctx: Context, target: Target) -> Table:
    """The target's message table."""
    from core.dynamodb.client import open_table

    return open_table(target, dry=dry_sink(ctx))


def guard(ctx: Context, target: Target, state: StoreState, action: str, confirm: str) -> None:
    """Ask for the name of a store that counts as production before ``action`` changes it."""
    from core.targets import guard, why_production

    if is_dry(ctx):
        if reason := why_production(target, state):
            note(f"would ask for the name {state.name!r}: {reason}")
        return
    guard(target, state, action, functools.partial(_typed_name, confirm))


def _typed_name(confirm: str, question: str, name: str) -> str | None:
    if confirm:
        return confirm
    if sys.stdin is None or not sys.stdin.isatty():
        return None
    note(question)
    return ask(f"Type {name} to go on:")


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
        raise UsageError(f"{option} takes a whole number from {smallest} up, not {value!r}")
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
            f"{option} takes an ISO 8601 time, not {value!r}", "For example: 2026-01-31T18:00"
        )
    return parsed
