"""The project's own checks: tests, linters, benchmarks."""

from __future__ import annotations

import shlex
import sys

from task_groups.edge import Context, task


def _python(*args: str) -> str:
    return shlex.join([sys.executable, "-m", *args])


@task(
    help={
        "deep": "Run the long tests too.",
        "only": "Run only the tests whose names match this pytest -k expression.",
    }
)
def test(ctx: Context, deep: bool = False, only: str = "") -> None:
    """Run the whole test suite, on engines of its own."""
    from invoke.exceptions import Exit

    command = ["pytest"]
    if deep:
        command.append("--deep")
    if only:
        command += ["-k", only]
    result = ctx.run(_python(*command), pty=sys.stdout.isatty(), warn=True)
    if result is not None and result.exited:
        raise Exit(code=result.exited)


@task
def lint(ctx: Context) -> None:
    """Check style and types: ruff and mypy."""
    for command in (("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",)):
        ctx.run(_python(*command), pty=sys.stdout.isatty())


@task(help={"aws": "The aws command of awscli 1 to measure beside; the one on PATH unless given."})
def bench(ctx: Context, aws: str = "") -> None:
    """Measure the tasks and the store against their peers, as ratios in one run."""
    from core.settings import PROJECT_ROOT

    command = [sys.executable, str(PROJECT_ROOT / "benchmarks")]
    if aws:
        command += ["--aws", aws]
    ctx.run(shlex.join(command), pty=sys.stdout.isatty())
