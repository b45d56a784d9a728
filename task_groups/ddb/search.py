"""Search the messages of one user's conversations, or of the whole store."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from task_groups import terminal
from task_groups.ddb.patterns import message_json, named, user_uuids
from task_groups.running import opened, run, task
from task_groups.terminal import Context, help_for

if TYPE_CHECKING:
    from collections.abc import Generator

    from core.dynamodb import Found, Table
    from core.models import Message

DEFAULT_LIMIT = 100


@task(
    help=help_for(
        "prod",
        "json",
        "limit",
        "before",
        "after",
        "reason",
        "user",
        sender="Handle of the user who wrote the message.",
        words="What the message contains, in upper or lower case.",
    ),
    opens={"postgres": "reading", "dynamodb": "reading"},
)
def search(
    ctx: Context,
    words: str = "",
    user: str = "",
    sender: str = "",
    before: str = "",
    after: str = "",
    limit: str = str(DEFAULT_LIMIT),
    prod: bool = False,
    json: bool = False,
    reason: str = "",
) -> None:
    """Print the messages that contain some words, as they are found; reads every message."""
    from core.commands import program
    from core.errors import UsageError
    from core.usecases.search import search as search_messages

    if not words.strip():
        raise UsageError("--words TEXT is missing", f"See: {program()} --help ddb.search")
    most = terminal.whole_number(limit, "--limit") or DEFAULT_LIMIT
    bounds = {
        "before": terminal.instant(before, "--before"),
        "after": terminal.instant(after, "--after"),
    }
    run().tell_target()
    with opened(ctx, about=user_uuids(user, sender)) as stores:
        table = stores.table
        if not user:
            _tell_cost(table)
        pages = search_messages(stores.db, table, words, user=user, sender=sender, **bounds)
        count, is_complete = _print_messages(pages, most, json=json)
    _tell_end(table, count, is_complete=is_complete)


def _tell_cost(table: Table) -> None:
    from core.dynamodb import describe_table, price

    description = describe_table(table)
    units = description.scan_read_units if description else None
    if units:
        terminal.note(
            f"Reads the whole table: about {max(units, 0.5):,.1f} RCU ({price(units)} on demand)"
        )


def _print_messages(
    pages: Generator[Found, None, None], most: int, *, json: bool
) -> tuple[int, bool]:
    """How many messages were printed, and whether there are no more."""
    messages: list[Message] = []
    is_complete = True
    with closing(pages):  # which ends its requests
        for message in (message for page in pages for message in named(page.messages)):
            if len(messages) == most:
                is_complete = False
                break
            messages.append(message)
            if not json:
                _print_message(message)
    if json:
        messages.sort(key=lambda message: message.sort_key.encode())
        terminal.print_json([message_json(message) for message in messages])
    return len(messages), is_complete


def _print_message(message: Message) -> None:
    when = message.created_at.strftime("%Y-%m-%d %H:%M:%S") if message.created_at else "unknown"
    text = " ".join(message.text.split())
    terminal.print_line(
        f"{when}  {message.message_group_uuid}  {message.sender.handle}: {text}", flush=True
    )


def _tell_end(table: Table, count: int, *, is_complete: bool) -> None:
    from core.dynamodb import price
    from core.wording import agreeing

    extent = "" if is_complete else "; there may be more: raise --limit"
    terminal.note(f"{agreeing(count, 'messages')} found{extent}")
    terminal.tell_cost(table.capacity, after=f" ({price(table.capacity.read_units)} on demand)")
