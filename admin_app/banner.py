"""The target, at the head of each page."""

from __future__ import annotations

from collections.abc import Callable

from admin_app.conversations import elements
from core.errors import CoreError
from core.targets import Target


def show(target: Target, why_production: str, may_write: bool) -> None:
    """Show the target in one line that opens its details: red if it counts as production."""
    details = {
        "Postgres": _described(target.describe_postgres),
        "DynamoDB": _described(target.describe_dynamodb),
    }
    words = ["local", target.table_name]
    if why_production:
        mode = "you may write" if may_write else "read-only"
        how = mode if may_write else "read-only: start with --write to change it"
        # A target of another name counts as production too.
        name = target.name.upper() if target.is_production else "PRODUCTION"
        words = [name, mode, target.table_name]
        details = {"Production": why_production, "Mode": how, **details}
    elements.draw(
        "banner",
        {
            "isProduction": bool(why_production),
            "words": words,
            "details": list(details.items()),
        },
    )


def _described(describe: Callable[[], str]) -> str:
    """Where a store is, or why that is unknown."""
    try:
        return describe()
    except CoreError as error:
        return error.problem
