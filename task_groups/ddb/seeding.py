"""Loading a conversation between two users."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from task_groups import terminal
from task_groups.running import opened, run, task
from task_groups.terminal import Context, help_for

if TYPE_CHECKING:
    from core.settings import Settings

_POSTGRES, _DYNAMODB = "postgres", "dynamodb"


@task(
    help=help_for(
        "prod",
        "confirm",
        file="A conversation to load: lines of `Person 1: ...` and `Person 2: ...`, or JSON Lines.",
        me="Handle of Person 1. The first demo user unless given.",
        other="Handle of Person 2. The second demo user unless given.",
    ),
    opens={_POSTGRES: "reading", _DYNAMODB: "writing"},
)
def seed(
    ctx: Context,
    prod: bool = False,
    file: str = "",
    me: str = "",
    other: str = "",
    confirm: str = "",
) -> None:
    """Load a conversation between two users; loading it again changes nothing."""
    from core import transcripts
    from core.usecases import setup

    lines = transcripts.read(file) if file else transcripts.read_demo()
    run().tell_target()
    first, second = _demo_handles(run().settings)
    with opened(ctx) as stores:
        table = stores.table
        loaded = setup.seed_conversation(stores, me or first, other or second, lines)
    place = f"conversation {loaded.message_group_uuid}"
    facts: dict[str, Any] = {
        "message_group_uuid": loaded.message_group_uuid,
        "added": loaded.added,
        "present": loaded.present,
    }
    if loaded.added == 0:
        terminal.print_line(f"All {loaded.present} messages already exist in {place}", **facts)
    elif not terminal.is_dry(ctx):
        before = f" ({loaded.present} already existed)" if loaded.present else ""
        terminal.print_line(f"loaded {loaded.added} messages into {place}{before}", **facts)
    terminal.tell_cost(table.capacity)


def _demo_handles(settings: Settings) -> tuple[str, str]:
    from core.postgres import demo_people

    people = demo_people(settings)
    return people[0].handle, people[1].handle
