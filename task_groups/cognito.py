"""The Cognito user pool that people sign in with."""

from __future__ import annotations

from invoke.collection import Collection

from task_groups import terminal
from task_groups.running import opened, run, task
from task_groups.terminal import Context, help_for


@task(csv=True, help=help_for("prod", "json", "reason"), opens={"aws": "reading"})
def list_users(ctx: Context, prod: bool = False, json: bool = False, reason: str = "") -> None:
    """List the users of the Cognito user pool."""
    from dataclasses import asdict

    from core.aws import list_users

    pool_id = terminal.user_pool(run().target)
    run().tell_target()
    with opened(ctx) as stores:
        users = list(list_users(stores.aws, pool_id))
    if json:
        terminal.print_json([asdict(user) for user in users])
    else:
        columns = ("handle", "email", "status", "sub")
        rows = [(user.handle or "–", user.email or "–", user.status, user.sub) for user in users]
        terminal.print_table(columns, rows, f"pool {pool_id} has no users")
    without_handle = sum(user.handle is None for user in users)
    if without_handle:
        terminal.note(f"{without_handle} of {len(users)} users have no handle (preferred_username)")


ns = Collection(list_users)
