"""Holds, for the tasks that drop or replace a whole store: a held user's data would go with it."""

from __future__ import annotations

from itertools import islice

from core.wording import counted
from task_groups.running import run

_MOST = 1000


def refuse_while_held() -> None:
    """Refuse to go on while there is a hold on a user.

    A local table that is missing or does not answer has no hold.

    Raises:
        HeldError: there is one.
        StoreError: production's table does not answer.
    """
    from core.commands import Command
    from core.dynamodb import held_users
    from core.errors import EngineError, HeldError, MissingSchemaError, StoreError

    try:
        count = len(list(islice(held_users(run().door.look_quickly().table), _MOST)))
    except MissingSchemaError:
        return
    except (StoreError, EngineError):
        if run().target.is_production:
            raise
        return
    if count:
        raise HeldError(
            f"There is a hold on {counted(count, 'user')}: their data must stay",
            "Nothing was dropped. Release them first",
            Command("people.release", ("--user HANDLE",)),
        )
