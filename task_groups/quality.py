"""The project's own checks: tests, linters, benchmarks."""

from __future__ import annotations

import shlex
import sys
from typing import Any

from task_groups.check_records import is_recorded, record_check, record_tests
from task_groups.running import task
from task_groups.standard_streams import unguarded
from task_groups.terminal import Context, is_dry, print_line, whole_number


def _python(*args: str) -> str:
    return shlex.join([sys.executable, "-m", *args])


def _on_the_terminal() -> dict[str, Any]:
    """The options to run one of our programs: with colours, if there is a terminal."""
    outputs = {"out_stream": unguarded(sys.stdout), "err_stream": unguarded(sys.stderr)}
    return {"pty": sys.stdout.isatty(), **outputs}


def _root() -> str:
    from core.settings import PROJECT_ROOT

    return str(PROJECT_ROOT)


def _require(*modules: str) -> None:
    """Refuse outside of a checkout, or without the packages that its checks need."""
    from core.errors import UsageError
    from core.parts import require
    from core.places import is_checkout

    if not is_checkout():
        raise UsageError("This task checks a checkout of the project", "Run it in one.")
    require(*modules)


WORKERS = 3
"""Processes that share the tests, each with its own engines: on two cores, four take as long."""


@task(
    help={
        "deep": "Run the long tests too, one after the other.",
        "explore": "Explore every interleaving of the large scopes too, and run nothing else.",
        "mutants": "Plant faults into the write path, report who notices, and run nothing else.",
        "quick": "Run for under a minute, at every change: unit tests, a model, a smoke test.",
        "only": "Run only the tests whose names match this pytest -k expression.",
    },
)
def test(
    ctx: Context,
    deep: bool = False,
    explore: bool = False,
    mutants: bool = False,
    quick: bool = False,
    only: str = "",
) -> None:
    """Run the whole test suite, on engines of its own."""
    from invoke.exceptions import Exit

    _require("pytest", "pytest_timeout", "xdist", "playwright")
    _refuse_several(deep=deep, explore=explore, mutants=mutants, quick=quick)
    command = ["pytest", *_scope(deep, explore, quick, only)]
    if mutants:
        command = ["model.mutation", *(["--only", only] if only else [])]
    folder = f"{_root()}/tests" if mutants else _root()
    if is_recorded():
        words = [sys.executable, "-m", *command]
        exit_code = record_tests(words, folder, counts=not mutants, dry=is_dry(ctx))
    else:
        with ctx.cd(folder):
            result = ctx.run(_python(*command), **_on_the_terminal(), warn=True)
        exit_code = result.exited if result is not None else 0
    if exit_code:
        raise Exit(code=exit_code)


def _refuse_several(**chosen: bool) -> None:
    """Refuse two options that each select the tests to run."""
    from core.errors import UsageError

    given = [f"--{name}" for name, is_given in chosen.items() if is_given]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} contradict each other", "Give one of them.")


def _scope(deep: bool, explore: bool, quick: bool, only: str) -> list[str]:
    """The options of pytest for what is to run, and in how many processes."""
    if explore:  # it divides its scopes between its own processes
        scope = ["--explore", "tests/model/test_explored.py"]
    elif deep:  # nothing else may run during its measurements
        scope = ["--deep"]
    elif quick:  # a second worker would take as long to get ready
        scope = ["--quick"]
    else:  # a worker that has done its half takes over from the other
        scope = ["--numprocesses", str(WORKERS), "--dist", "worksteal"]
    return [*scope, "-k", only] if only else scope


LINTERS = (("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",))


@task()
def lint(ctx: Context) -> None:
    """Check style and types: ruff and mypy."""
    _require("ruff", "mypy")
    if is_recorded():
        _record_lint(dry=is_dry(ctx))
        return
    with ctx.cd(_root()):
        for command in LINTERS:
            ctx.run(_python(*command), **_on_the_terminal())


def _record_lint(*, dry: bool) -> None:
    """Run all linters, also after one that has found something."""
    from invoke.exceptions import Exit

    passed = []
    for name, *words in LINTERS:
        in_a_line = ["--output-format=concise"] if words[:1] == ["check"] else []
        command = [sys.executable, "-m", name, *words, *in_a_line]
        label = " ".join([name, *(word for word in words if word.isalpha())])
        passed.append(record_check(label, command, _root(), dry=dry))
    if not all(passed):
        raise Exit(code=1)


@task(
    help={
        "aws": "The aws command of awscli 1 to measure beside; one from PyPI unless given.",
        "messages": "How many messages the one conversation of the large store has.",
        "only": "Measure one section: install, commands, store, bulk, users or browser.",
        "quick": "Smaller stores, and no browser: about two minutes.",
        "json": "Print one JSON array of all rows.",
    }
)
def bench(
    ctx: Context,
    aws: str = "",
    messages: str = "100000",
    only: str = "",
    quick: bool = False,
    json: bool = False,
) -> None:
    """Measure tasks, store and admin UI against their peers; exit 1 if a target is missed."""
    from invoke.exceptions import Exit

    _require()
    number = whole_number(messages, "--messages")
    command = [sys.executable, "benchmarks", "--messages", str(number)]
    command += ["--aws", aws] if aws else []
    command += ["--only", only] if only else []
    command += [option for option, on in (("--quick", quick), ("--json", json)) if on]
    if is_recorded():
        print_line(f"would run: {shlex.join(command)}")
        return
    with ctx.cd(_root()):
        result = ctx.run(shlex.join(command), **_on_the_terminal(), warn=True)
    if result is not None and result.exited:
        raise Exit(code=result.exited)
