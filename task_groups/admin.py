"""The admin UI."""

from __future__ import annotations

from task_groups.edge import Context, task


@task
def admin(ctx: Context) -> None:
    """Open the admin UI."""


def run(ctx: Context, target: object, write: bool, port: str) -> None:
    """Placeholder."""
