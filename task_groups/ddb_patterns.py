"""The access patterns of the message table, one task each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from task_groups import edge
from task_groups.edge import Context, help_for, task

if TYPE_CHECKING:
    from datetime import datetime

    from core.models import Conversation, Message, Page, SentMessage

DEFAULT_LIMIT = 20


@task(help=help_for("prod", "json", "user", "with_", "conversation", "limit", "before", "after"))
def get_conversation(
    ctx: Context,
    user: str = "",
    with_: str = "",
    conversation: str = "",
    limit: str = "",
    before: str = "",
    after: str = "",
    prod: bool = False,
    json: bool = False,
) -> None:
    """Print a conversation's newest messages, oldest first (pattern A)."""
    from core import messaging

    _one_of(user, with_, conversation)
    bounds = _bounds(limit, before, after)
    stores = ["dynamodb"] if not user else ["postgres", "dynamodb"]
    target = edge.open_target(prod, *stores)
    table = edge.table(ctx, target)
    group = conversation
    if user:
        with edge.database(ctx, target) as db:
            if conversation:
                messaging.membership(db, table, user, conversation)
            else:
                group = messaging.find_conversation(db, table, user, with_).message_group_uuid
    page = messaging.list_messages(table, group, **bounds)
    _print_messages(list(reversed(page.entries)), json)
    _note_rest(page, "messages")
    edge.note(str(table.capacity))


@task(help=help_for("prod", "json", "user", "limit", "before", "after"))
def list_conversations(
    ctx: Context,
    user: str = "",
    limit: str = "",
    before: str = "",
    after: str = "",
    prod: bool = False,
    json: bool = False,
) -> None:
    """Print a user's conversations, newest first (pattern B)."""
    from core import messaging

    _required(user, "--user HANDLE")
    bounds = _bounds(limit, before, after)
    target = edge.open_target(prod, "postgres", "dynamodb")
    table = edge.table(ctx, target)
    with edge.database(ctx, target) as db:
        page = messaging.list_conversations(db, table, user, **bounds)
    print_conversations(page.entries, json)
    _note_rest(page, "conversations")
    edge.note(str(table.capacity))


@task(help=help_for("prod", "json", "user", "with_", "message"))
def create_conversation(
    ctx: Context,
    user: str = "",
    with_: str = "",
    message: str = "",
    prod: bool = False,
    json: bool = False,
) -> None:
    """Send somebody a first message, or one more if the two talk already (pattern C)."""
    from core import messaging

    _required(user, "--user HANDLE")
    _required(with_, "--with HANDLE")
    _required(message, "--message TEXT")
    target = edge.open_target(prod, "postgres", "dynamodb")
    table = edge.table(ctx, target)
    with edge.database(ctx, target) as db:
        sent = messaging.start_conversation(db, table, user, with_, message)
    _print_sent(ctx, sent, json)
    edge.note(str(table.capacity))


@task(help=help_for("prod", "json", "user", "with_", "conversation", "message"))
def create_message(
    ctx: Context,
    user: str = "",
    with_: str = "",
    conversation: str = "",
    message: str = "",
    prod: bool = False,
    json: bool = False,
) -> None:
    """Add a message to a conversation, as one of its members (pattern D)."""
    from core import messaging

    _required(user, "--user HANDLE")
    _one_of(user, with_, conversation)
    _required(message, "--message TEXT")
    target = edge.open_target(prod, "postgres", "dynamodb")
    table = edge.table(ctx, target)
    with edge.database(ctx, target) as db:
        group = conversation
        if not group:
            group = messaging.find_conversation(db, table, user, with_).message_group_uuid
        sent = messaging.send_message(db, table, user, group, message)
    _print_sent(ctx, sent, json)
    edge.note(str(table.capacity))


def _required(value: str, option: str) -> None:
    from core.errors import UsageError

    if not value:
        raise UsageError(f"{option} is missing", "See: invoke --help TASK")


def _one_of(user: str, with_: str, conversation: str) -> None:
    from core.errors import UsageError

    if bool(with_) == bool(conversation):
        raise UsageError(
            "which conversation?",
            "Give --user HANDLE and --with HANDLE, or --conversation UUID.",
        )
    if with_:
        _required(user, "--user HANDLE")


def _bounds(limit: str, before: str, after: str) -> dict[str, Any]:
    return {
        "limit": edge.whole_number(limit, "--limit") or DEFAULT_LIMIT,
        "before": edge.instant(before, "--before"),
        "after": edge.instant(after, "--after"),
    }


def _note_rest(page: Page[Any], what: str) -> None:
    from core.commands import option
    from core.timestamps import bound_below

    if page.cursor is not None:
        bound = option("--before", bound_below(page.entries[-1].sort_key))
        edge.note(f"there are older {what}: {bound}")


def _when(instant: datetime | None, sort_key: str) -> str:
    return instant.strftime("%Y-%m-%d %H:%M:%S") if instant else sort_key


def _print_messages(messages: list[Message], json: bool) -> None:
    if json:
        edge.print_json([message_json(message) for message in messages])
        return
    rows = [
        (_when(entry.created_at, entry.sort_key), entry.sender.handle, entry.text)
        for entry in messages
    ]
    edge.print_table(("UTC", "from", "message"), rows, "there are no messages")


def print_conversations(conversations: Any, json: bool) -> None:
    """Print conversations as a table for a person, or as one JSON array."""
    if json:
        edge.print_json([conversation_json(conversation) for conversation in conversations])
        return
    rows = [
        (
            _when(entry.last_message_at, entry.sort_key),
            entry.other.handle,
            entry.other.display_name,
            entry.last_message,
            entry.message_group_uuid,
        )
        for entry in conversations
    ]
    columns = ("UTC", "with", "name", "last message", "conversation")
    edge.print_table(columns, rows, "there are no conversations")


def _print_sent(ctx: Context, sent: SentMessage, json: bool) -> None:
    if edge.is_dry(ctx):
        return
    message = sent.message
    done = "started" if sent.started else "continued"
    with edge.telling(f"message {message.message_uuid} is stored"):
        if json:
            edge.print_json([message_json(message)])
        else:
            edge.print_line(
                f"{done} conversation {message.message_group_uuid} with {sent.recipient.handle}:"
                f" message {message.message_uuid} at {message.sort_key}"
            )


def message_json(message: Message) -> dict[str, str]:
    from core.timestamps import sort_key

    return {
        "message_uuid": message.message_uuid,
        "message_group_uuid": message.message_group_uuid,
        "user_uuid": message.sender.uuid,
        "user_handle": message.sender.handle,
        "user_display_name": message.sender.display_name,
        "message": message.text,
        "created_at": sort_key(message.created_at) if message.created_at else message.sort_key,
    }


def conversation_json(conversation: Conversation) -> dict[str, str]:
    from core.timestamps import sort_key

    at = conversation.last_message_at
    return {
        "message_group_uuid": conversation.message_group_uuid,
        "user_uuid": conversation.other.uuid,
        "user_handle": conversation.other.handle,
        "user_display_name": conversation.other.display_name,
        "message": conversation.last_message,
        "last_message_at": sort_key(at) if at else conversation.sort_key,
    }
