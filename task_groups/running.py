"""One command line: its tasks, their one target, and the door through which they open stores.

Imports nothing heavy: every ``invoke`` call, ``--list`` included, loads this module.
"""

from __future__ import annotations

import functools
import inspect
import logging
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import invoke.tasks
from invoke.context import Context
from invoke.exceptions import Exit
from invoke.executor import Executor
from invoke.parser.argument import Argument

from task_groups import standard_streams, terminal
from task_groups.examples import PLAN_WHEN_DRY, WRITE_FILES
from task_groups.recording import Form, answering
from task_groups.shared_options import (
    LOCAL,
    Selected,
    added_options,
    defaults_of,
    form_of,
    one_target,
    option_of,
    selected_by,
)
from task_groups.visitor import AtTheTerminal

if TYPE_CHECKING:
    from core.access import Action, Actor, Door, Store, Stores
    from core.errors import CoreError
    from core.settings import Settings
    from core.targets import Target

Opens = Mapping[str, str]
"""What a task opens at most: a purpose of :mod:`core.purposes` by a store of :mod:`core.access`."""


class Option(Argument):
    """An option of a task. Invoke copies all options of all tasks, several times, at each start."""

    @classmethod
    def like(cls, argument: Argument) -> Option:
        """The same option, with its value."""
        option = cls.__new__(cls)
        vars(option).update(vars(argument))
        return option

    def __deepcopy__(self, memo: dict[int, Any]) -> Option:
        """A copy: no value in an option can change."""
        return self.like(self)


class StoreTask(invoke.tasks.Task[Any]):
    """A task that declares which stores it opens, and for what.

    Without ``has_options`` it is not on the command line, which asks for the names of all tasks.
    """

    opens: Opens | Callable[[Mapping[str, Any]], Opens]
    confirmed_by: str
    asks_everywhere: bool
    asks_reason: bool
    full_name: str

    def __init__(
        self,
        *args: Any,
        opens: Opens | Callable[[Mapping[str, Any]], Opens] | None = None,
        confirmed_by: str = "dynamodb",
        asks_everywhere: bool = False,
        asks_reason: bool = False,
        csv: bool = False,
        hands_over: str = "",
        **kwargs: Any,
    ) -> None:
        self._csv, self.hands_over, self.has_options = csv, hands_over, True
        self._own: Mapping[str, inspect.Parameter] = {}
        self._signature: inspect.Signature | None = None
        super().__init__(*args, **kwargs)
        added = (name for name in self.argspec(self.body).parameters if name not in self._own)
        self.help = {name: help_of_added(name) for name in added} | self.help
        for name, default in defaults_of(self._own).items():
            self.help[name] = f"{self.help[name]} {default} unless given."
        self.opens = opens or {}
        self.confirmed_by = confirmed_by
        self.asks_everywhere = asks_everywhere
        self.asks_reason = asks_reason
        self.full_name = self.name

    def __deepcopy__(self, memo: dict[int, Any]) -> StoreTask:
        """A copy for another collection. What it shares with this one does not change."""
        copied = StoreTask.__new__(StoreTask)
        vars(copied).update(vars(self))
        copied.help = dict(self.help)
        return copied

    def argspec(self, body: Callable[..., Any]) -> inspect.Signature:
        """The options of the body, and those that every task like it has."""
        if self._signature is None:
            signature = super().argspec(body)
            self._own = own = signature.parameters
            added = added_options(own, csv=self._csv, hands_over=bool(self.hands_over))
            parameters = [*own.values(), *map(option_of, added)]
            self._signature = signature.replace(parameters=parameters)
        return self._signature

    def get_arguments(self, ignore_unknown_help: bool | None = None) -> list[Argument]:
        """The options. Invoke itself forgets their help once it was asked for them."""
        if not self.has_options:
            return []
        kept = dict(self.help)
        try:
            return [*map(Option.like, super().get_arguments(ignore_unknown_help))]
        finally:
            self.help = kept

    def opens_for(self, arguments: Mapping[str, Any]) -> Opens:
        """What the task opens at most when it is called with ``arguments``."""
        return self.opens(arguments) if callable(self.opens) else self.opens

    def changes_something(self, arguments: Mapping[str, Any]) -> bool:
        """Whether it changes a store or writes files when it is called with ``arguments``."""
        return self.full_name in WRITE_FILES or self._changes_a_store(arguments)

    def _changes_a_store(self, arguments: Mapping[str, Any]) -> bool:
        changes = {"making", "writing", "destroying"}
        return not changes.isdisjoint(self.opens_for(arguments).values())

    def _form_of(self, arguments: Mapping[str, Any]) -> Form:
        """The form of the answer. A dry run has nothing to answer but a record of its plan."""
        form = form_of(self._own, arguments)
        if form is not Form.JSON or not run().is_dry:
            return form
        plans = self.full_name in PLAN_WHEN_DRY or self._changes_a_store(arguments)
        return Form.RECORD if plans else form

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        passed = {name: value for name, value in kwargs.items() if name in self._own}
        if "prod" in passed:  # to a task, every target but the local one is production
            passed["prod"] = selected_by(kwargs).is_production
        form = self._form_of(kwargs)
        with run().performing(self, kwargs), answering(self.full_name, form) as answer:
            try:
                result = super().__call__(*args, **passed)
            except (Exception, KeyboardInterrupt) as error:
                if form is Form.RECORD:
                    answer.problems += problems_of(error, run().options)
                    terminal.print_rest()
                raise
            if form is not Form.PEOPLE:
                terminal.print_rest()
            return result


def task(
    *,
    help: Mapping[str, str] | None = None,
    opens: Opens | Callable[[Mapping[str, Any]], Opens] | None = None,
    confirmed_by: str = "dynamodb",
    asks_everywhere: bool = False,
    asks_reason: bool = False,
    csv: bool = False,
    hands_over: str = "",
    **options: Any,
) -> Callable[[Callable[..., None]], StoreTask]:
    """Make a function a task.

    ``opens`` says what it opens at most; ``confirmed_by`` is the store whose name is typed, on
    production or with ``asks_everywhere`` on every target. With ``asks_reason`` a reason is given
    on every target. With ``csv`` it prints one table, also as CSV. ``hands_over``: a person
    takes the terminal, so there is no answer to print as JSON, and what to do instead.
    """

    def make(body: Callable[..., None]) -> StoreTask:
        return StoreTask(
            body,
            help=dict(help or {}),
            csv=csv,
            hands_over=hands_over,
            opens=opens,
            confirmed_by=confirmed_by,
            asks_everywhere=asks_everywhere,
            asks_reason=asks_reason,
            auto_shortflags=False,
            **options,
        )

    return make


class Run:
    """What the tasks of one command line share: the settings, the target, the door."""

    def __init__(self, selected: Selected = LOCAL, *, dry: bool = False) -> None:
        self._selected = selected
        self.is_dry = dry
        self._performing: list[tuple[StoreTask, Mapping[str, Any]]] = []
        self._checked: set[Store] = set()
        self._opened: set[str] = set()

    @property
    def settings(self) -> Settings:
        """The settings, with the values of the target that is selected."""
        return self.target.settings if self._selected.is_production else self._variables

    @functools.cached_property
    def _variables(self) -> Settings:
        from core.settings import Settings

        return Settings.from_env()

    @functools.cached_property
    def target(self) -> Target:
        from core.targets import resolve

        name, profile, region = self._selected
        return resolve(self._variables, name=name, profile=profile, region=region)

    @functools.cached_property
    def door(self) -> Door:
        from core.access import AuditLog, Door

        return Door(
            self.target,
            AuditLog(self.settings.audit_path),
            dry=terminal.print_lines if self.is_dry else None,
            checks=self._checked,
        )

    @property
    def known_reason(self) -> str:
        """The reason that was typed or set before anything asks for it; "" if there is none."""
        return str(self.arguments.get("reason") or "") or self.settings.reason or ""

    @property
    def options(self) -> str:
        """The options that select the target on a command line."""
        from core.targets import options_of

        return options_of(*self._selected)

    def close(self) -> None:
        if "door" in self.__dict__:
            self.door.close()

    # Which task this is

    @contextmanager
    def performing(self, task: StoreTask, arguments: Mapping[str, Any]) -> Iterator[None]:
        self._performing.append((task, arguments))
        try:
            yield
        finally:
            self._performing.pop()

    @property
    def task_name(self) -> str:
        """The name of the running task, as it is typed."""
        return self._performing[-1][0].full_name

    @property
    def arguments(self) -> Mapping[str, Any]:
        return self._performing[-1][1] if self._performing else {}

    @property
    def action(self) -> Action:
        """What the running task does with the stores, at most."""
        task, arguments = self._performing[-1]
        return declared_action(task, arguments)

    # Before the first task

    def prepare(self, calls: Iterable[tuple[StoreTask, Mapping[str, Any]]]) -> None:
        """Refuse a wrong ``--confirm``, and note which stores' markers count for this run."""
        for task, arguments in calls:
            if not task.opens:
                continue
            action = declared_action(task, arguments)
            self._opened |= set(action.opens)
            self._checked |= action.checked_stores
            if arguments.get("confirm") is not None:
                self.door.refuse_another_name(action, str(arguments["confirm"]))
        if "door" in self.__dict__:
            self.door.also_check(self._checked)

    # What a task asks for

    @functools.cached_property
    def actor(self) -> Actor:
        """Who types: the system's user, and on production the AWS caller."""
        import os
        import socket

        from core.access import Actor

        return Actor(
            uid=os.getuid(),
            user=_user_name(),
            host=socket.gethostname(),
            arn=self._caller[1] if self._caller else "",
        )

    @functools.cached_property
    def _caller(self) -> tuple[str, str] | None:
        """The AWS account and the caller's ARN; None on a local target.

        Also None if it is unknown and no task needs AWS: the database is reached without it.
        """
        if not self.target.is_production:
            return None
        from core.aws import caller
        from core.errors import CoreError, StoreError

        takes_aws = bool(self._opened - {"postgres"})
        try:
            identity = caller(self.target.aws, quick=not takes_aws)
        except CoreError as error:
            # A VPC endpoint answers for one service only.
            elsewhere = self.target.aws.endpoint_url is not None and isinstance(error, StoreError)
            if takes_aws and not elsewhere:
                raise
            return None
        return identity.account, identity.arn

    def tell_target(self) -> None:
        """Say on stderr where the running task reads and writes."""
        for name in self.target.ignored_variables():
            terminal.note(f"{self.target.options}: {name} is ignored")
        tell = terminal.alarm if self.target.is_production else terminal.note
        tell(self.target_line())

    def target_line(self) -> str:
        """The target, and each store that the running task opens."""
        target, stores = self.target, self.action.opens
        account = None
        if set(stores) - {"postgres"} and self._caller:
            account = self._caller[0]
        lines = []
        if "postgres" in stores:
            lines.append(target.describe_postgres())
        if "dynamodb" in stores:
            lines.append(target.describe_dynamodb(account))
        if "aws" in stores:
            place = target.aws.endpoint_url or f"account {account}"
            lines.append(f"AWS at {place}, region {target.aws.region or 'of the profile'}")
        return f"target: {target.name} · " + " · ".join(lines)


def _user_name() -> str:
    import os
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user may have no name
        return ""


def declared_action(task: StoreTask, arguments: Mapping[str, Any]) -> Action:
    """What ``task`` opens at most, as the door takes it."""
    from core.access import Action, Store
    from core.purposes import Purpose

    opens = {Store(store): Purpose(purpose) for store, purpose in task.opens_for(arguments).items()}
    return Action(
        task.full_name, opens, Store(task.confirmed_by), task.asks_everywhere, task.asks_reason
    )


_UNNEEDED = (
    *("pty", "warn-only", "echo", "hide", "command-timeout", "prompt-for-sudo-password"),
    *("list-depth", "list-format", "debug", "no-dedupe", "write-pyc"),
)
"""Invoke's options for running other programs, for its list, and for Invoke's own developers."""

_current = Run()


def run() -> Run:
    """The command line that is being run."""
    return _current


@contextmanager
def opened(
    ctx: Context,
    action: Action | None = None,
    *,
    about: Iterable[str] = (),
    conversation: str = "",
    message: str = "",
) -> Iterator[Stores]:
    """The stores that the running task declares, after asking for all that is needed.

    ``action`` is a narrower one if the task turns out to need less.
    """
    current = run()
    action = action or current.action
    if not current.action.covers(action):
        raise AssertionError(f"{action.name} opens more than its task declares")
    door = current.door
    grant = door.admit(
        action,
        AtTheTerminal(current),
        about=about,
        conversation=conversation,
        message=message,
    )
    if ctx.config.run.dry and grant.is_production and action.purpose.needs_name:
        terminal.note(f"would ask for the name {door.name_of(action)!r}")
    with door.open(grant) as stores:
        yield stores


class OneTargetExecutor(Executor):
    """Runs the tasks of one command line: one target for all, one line for every error."""

    def execute(self, *tasks: Any) -> Any:
        from core.errors import CoreError
        from core.parts import naming_missing_packages

        standard_streams.spell_out()
        # With --debug, Invoke makes all libraries log everything, and the SDK logs keys.
        logging.getLogger("botocore").setLevel(logging.INFO)
        calls = [self._called(call) for call in tasks if getattr(call, "name", None)]
        selected, current = LOCAL, _begin(LOCAL, dry=self._is_dry())
        try:
            selected = one_target((arguments, bool(task.opens)) for task, arguments in calls)
            current = _begin(selected, dry=self._is_dry())
            with naming_missing_packages():
                results = self._perform(calls, *tasks)
        except CoreError as error:
            raise _failed(error, selected) from error
        except BrokenPipeError:  # the reader (head, less) has seen enough
            standard_streams.drop_unwritten()
            raise Exit(code=0) from None
        except OSError as error:  # a full disk, as a rule
            standard_streams.drop_unwritten()
            raise Exit(standard_streams.reason_of(error), 1) from error
        except KeyboardInterrupt:
            raise _interrupted() from None
        else:
            return results
        finally:
            current.close()

    def _perform(
        self, calls: Sequence[tuple[StoreTask, Mapping[str, Any]]], *tasks: Any
    ) -> dict[Any, Any]:
        self._refuse_core_flags(calls)
        run().prepare(calls)
        results = super().execute(*tasks)
        sys.stdout.flush()
        return results

    def _is_dry(self) -> bool:
        """Whether --dry or INVOKE_RUN_DRY was given: the same for the stores and the answers."""
        self.config.load_shell_env()
        return bool(self.config.run.dry)

    def _refuse_core_flags(self, calls: Iterable[tuple[StoreTask, Mapping[str, Any]]]) -> None:
        """Refuse a change with an option of Invoke's that it does not need: ``-p``, ``-D 1``.

        A person who types it means something else, like a preview. (``INVOKE_DEBUG`` debugs, too.)
        """
        from core.errors import UsageError

        options = self.core[0].args if self.core else {}
        given = [flag for flag in _UNNEEDED if flag in options and options[flag].got_value]
        changing = [task.full_name for task, typed in calls if task.changes_something(typed)]
        if given and changing:
            short = options[given[0]].nicknames
            flag = " or ".join([*(f"-{name}" for name in short), f"--{given[0]}"])
            raise UsageError(
                f"{flag} is an option of Invoke that {changing[0]} does not need",
                "Nothing was done. For a preview add --dry, for production --prod.",
            )

    def _called(self, context: Any) -> tuple[StoreTask, dict[str, Any]]:
        """The task that a part of the command line names, and what it is given."""
        arguments = {
            # A name that is given and empty is a wrong one: ``--confirm "$NAME"``.
            argument.name: argument.value if argument.got_value else None
            for argument in context.args.values()
        }
        task = self.collection[context.name]
        task.full_name = context.name
        return task, arguments


def _begin(selected: Selected, *, dry: bool) -> Run:
    global _current
    _current = Run(selected, dry=dry)
    return _current


def help_of_added(name: str) -> str:
    return terminal.HELP["record" if name == "json" else name]


def problems_of(error: BaseException, options: str) -> list[str]:
    """The problem that ended a task, in a line; none if it has told it already."""
    from core.errors import CoreError

    if isinstance(error, CoreError):
        return [error.line(options)]
    if isinstance(error, Exit):
        return [error.message] if error.message else []
    return [f"{type(error).__name__}: {error}".removesuffix(": ")]


def _interrupted() -> Exit:
    from core.interrupts import end_at_the_next

    end_at_the_next()
    return Exit("interrupted", 130)


def _failed(error: CoreError, selected: Selected) -> Exit:
    """Print the error in one line; what it says to type next is for the target that was meant."""
    from core.targets import options_of

    terminal.alarm(error.line(options_of(*selected)))
    return Exit(code=error.exit_code)
