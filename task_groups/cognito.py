"""The Cognito user pool that people sign in with."""

from __future__ import annotations

from invoke.collection import Collection

from task_groups import edge
from task_groups.edge import Context, help_for, task


@task(help=help_for("prod", "json"))
def list_users(ctx: Context, prod: bool = False, json: bool = False) -> None:
    """List the users of the Cognito user pool."""
    from dataclasses import asdict

    from core.aws import cognito
    from core.errors import SettingsError

    pool_id = edge.settings().user_pool_id
    if pool_id is None:
        raise SettingsError("no Cognito user pool is set", "Set AWS_COGNITO_USER_POOL_ID.")
    users = list(cognito.list_users(edge.open_target(prod, "aws").aws, pool_id))
    if json:
        edge.print_json([asdict(user) for user in users])
    else:
        columns = ("handle", "email", "status", "sub")
        rows = [(user.handle or "–", user.email or "–", user.status, user.sub) for user in users]
        edge.print_table(columns, rows, f"pool {pool_id} has no users")
    nameless = sum(user.handle is None for user in users)
    if nameless:
        edge.note(f"{nameless} of {len(users)} users have no handle (preferred_username)")


ns = Collection(list_users)
