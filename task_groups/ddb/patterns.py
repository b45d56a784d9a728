"""The access patterns of the message table, one task each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from core.wording import counted
from task_groups import terminal
from task_groups.running import opened, run, task
from task_groups.terminal import Context, help_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from core.access import Stores
    from core.models import InboxRow, Message, Page, Person, SentMessage
    from core.postgres import Database
    from core.usecases.removals import Removed

Named = TypeVar("Named")

DEFAULT_LIMIT = 20


def _reading(arguments: Mapping[str, Any]) -> dict[str, str]:
    """A conversation that is named by its id needs only the users' names."""
    return {"postgres": "reading" if arguments.get("user") else "looking", "dynamodb": "reading"}


_WRITING = {"postgres": "reading", "dynamodb": "writing"}


@task(
    csv=True,
    help=help_for(
        "prod",
        "json",
        "user",
        "with_",
        "conversation",
        "limit",
        "before",
        "after",
        "cursor",
        "reason",
    ),
    opens=_reading,
)
def get_conversation(
    ctx: Context,
    user: str = "",
    with_: str = "",
    conversation: str = "",
    limit: str = str(DEFAULT_LIMIT),
    before: str = "",
    after: str = "",
    cursor: str = "",
    prod: bool = False,
    json: bool = False,
    reason: str = "",
) -> None:
    """Print a conversation's newest messages, oldest first (pattern A)."""
    from core.usecases import conversations

    _one_of(user, with_, conversation)
    bounds = _bounds(limit, before, after, cursor)
    run().tell_target()
    about = user_uuids(user, with_)
    with opened(ctx, about=about, conversation=conversation) as stores:
        table = stores.table
        group = _conversation_of(stores, user, with_, conversation)
        page = conversations.list_messages(table, group, **bounds)
        _print_messages(list(reversed(named(page.entries))), json)
    _note_rest(page, "messages")
    terminal.tell_cost(table.capacity)


@task(
    help=help_for(
        "prod",
        "user",
        "with_",
        "conversation",
        "reason",
        file="Where to write. Standard output unless given; html needs a file.",
        format="text, jsonl or html; unless given, the ending of --file decides, else text.",
    ),
    opens=_reading,
)
def export_conversation(
    ctx: Context,
    user: str = "",
    with_: str = "",
    conversation: str = "",
    file: str = "",
    format: str = "",
    prod: bool = False,
    reason: str = "",
) -> None:
    """Write a whole conversation as text, JSON Lines or a web page that prints well."""
    from core.usecases import conversation_export

    _one_of(user, with_, conversation)
    form = conversation_export.format_of(format, file)
    if form is conversation_export.Format.HTML:
        terminal.required(file, "--file PATH")
    run().tell_target()
    about = user_uuids(user, with_)
    with opened(ctx, about=about, conversation=conversation) as stores:
        table = stores.table
        group = _conversation_of(stores, user, with_, conversation)
        source = stores.target.describe_dynamodb()
        parts = conversation_export.export_conversation(table, group, form, _names, source)
        if file:
            _write_export(ctx, parts, file)
        else:
            is_text = form is conversation_export.Format.TEXT
            for part in parts:
                print_part = terminal.print_lines if is_text else terminal.print_json_text
                print_part(part.removesuffix("\n"))
    terminal.tell_cost(table.capacity)


def _names(user_uuids: Iterable[str]) -> Mapping[str, Person]:
    """The names in Postgres; none if it does not answer."""
    from core.postgres import find_people_by_uuid

    return _or_stored_names(lambda db: find_people_by_uuid(db, user_uuids), {})


def _write_export(ctx: Context, parts: Iterator[str], file: str) -> None:
    from pathlib import Path

    from core.usecases.conversation_export import write_export

    if terminal.is_dry(ctx):
        terminal.print_line(f"would write the conversation to {file}")
        return
    with terminal.progress("exporting the conversation", "bytes") as progress:
        size = write_export(parts, Path(file), lambda count: progress(count, None))
    terminal.print_line(f"wrote {size:,} bytes to {file}", bytes=size, file=file)


@task(
    csv=True,
    help=help_for("prod", "json", "user", "limit", "before", "after", "cursor", "reason"),
    opens={"postgres": "reading", "dynamodb": "reading"},
)
def list_conversations(
    ctx: Context,
    user: str = "",
    limit: str = str(DEFAULT_LIMIT),
    before: str = "",
    after: str = "",
    cursor: str = "",
    prod: bool = False,
    json: bool = False,
    reason: str = "",
) -> None:
    """Print a user's conversations, newest first (pattern B)."""
    from core.usecases import conversations

    terminal.required(user, "--user HANDLE")
    bounds = _bounds(limit, before, after, cursor)
    run().tell_target()
    with opened(ctx, about=user_uuids(user)) as stores:
        table = stores.table
        page = conversations.list_inbox(stores.db, table, user, **bounds)
        print_conversations(page.entries, json)
    _note_rest(page, "conversations")
    terminal.tell_cost(table.capacity)


@task(help=help_for("prod", "json", "user", "with_", "message", "confirm"), opens=_WRITING)
def create_conversation(
    ctx: Context,
    user: str = "",
    with_: str = "",
    message: str = "",
    prod: bool = False,
    json: bool = False,
    confirm: str = "",
) -> None:
    """Send a user a first message, or one more in an existing conversation (pattern C)."""
    from core.usecases import conversations

    terminal.required(user, "--user HANDLE")
    terminal.required(with_, "--with HANDLE")
    terminal.required(message, "--message TEXT")
    run().tell_target()
    with opened(ctx, about=user_uuids(user, with_)) as stores:
        table = stores.table
        sent = conversations.start_conversation(stores.db, table, user, with_, message)
    _print_sent(ctx, sent, json)
    terminal.tell_cost(table.capacity)


@task(
    help=help_for("prod", "json", "user", "with_", "conversation", "message", "confirm"),
    opens=_WRITING,
)
def create_message(
    ctx: Context,
    user: str = "",
    with_: str = "",
    conversation: str = "",
    message: str = "",
    prod: bool = False,
    json: bool = False,
    confirm: str = "",
) -> None:
    """Add a message to a conversation, as one of its members (pattern D)."""
    from core.usecases import conversations

    terminal.required(user, "--user HANDLE")
    _one_of(user, with_, conversation)
    terminal.required(message, "--message TEXT")
    run().tell_target()
    with opened(ctx, about=user_uuids(user, with_), conversation=conversation) as stores:
        table = stores.table
        group = conversation or _newest_conversation(stores, user, with_)
        sent = conversations.send_message(stores.db, table, user, group, message)
    _print_sent(ctx, sent, json)
    terminal.tell_cost(table.capacity)


@task(
    help=help_for(
        "prod",
        "json",
        "confirm",
        "reason",
        conversation="The conversation's message group uuid.",
        message_uuid="The message's message_uuid, as get-conversation --json prints it.",
        at="The message's created_at, instead of --message-uuid.",
    ),
    opens={"dynamodb": "destroying"},
    asks_everywhere=True,
    asks_reason=True,
)
def remove_message(
    ctx: Context,
    conversation: str = "",
    message_uuid: str = "",
    at: str = "",
    prod: bool = False,
    json: bool = False,
    confirm: str = "",
    reason: str = "",
) -> None:
    """Remove a message; both inboxes then show the newest one that remains."""
    from core.errors import UsageError
    from core.purposes import Purpose
    from core.usecases import removals

    terminal.required(conversation, "--conversation UUID")
    if bool(message_uuid) == bool(at):
        raise UsageError("The message is not clear", "Give --message-uuid UUID or --at TIME.")
    run().tell_target()
    action = run().action
    if terminal.is_dry(ctx):  # it shows requests, and with them texts
        action = action.narrowed(Purpose.WRITING)
    with opened(ctx, action, conversation=conversation, message=message_uuid) as stores:
        table = stores.table
        done = removals.remove_message(table, conversation, message_uuid=message_uuid, at=at)
    if not terminal.is_dry(ctx):
        _print_removed(done, json)
    terminal.tell_cost(table.capacity)


@task(
    help=help_for("prod", "confirm", "reason", "before"),
    opens={"dynamodb": "destroying"},
    asks_everywhere=True,
    asks_reason=True,
)
def expire(
    ctx: Context, before: str = "", prod: bool = False, confirm: str = "", reason: str = ""
) -> None:
    """Remove every message before a time; with --dry, only count them."""
    from core.purposes import Purpose
    from core.usecases import removals

    instant = terminal.instant(before, "--before")
    if instant is None:
        raise terminal.missing("--before TIME")
    run().tell_target()
    action = run().action
    if terminal.is_dry(ctx):
        action = action.narrowed(Purpose.WRITING)
    with opened(ctx, action) as stores:
        table = stores.table
        with terminal.progress(f"removing from {table.name}") as progress:
            done = removals.expire(table, instant, lambda count: progress(count, None))
    removed_counts = (
        f"{counted(done.messages, 'message')} in {counted(done.conversations, 'conversation')}"
    )
    facts: dict[str, Any] = {
        "messages": done.messages,
        "conversations": done.conversations,
        "held": done.held,
    }
    if terminal.is_dry(ctx):
        terminal.print_line(
            f"would remove {removed_counts}, for at most {done.most_write_units:,} WCU", **facts
        )
    else:
        terminal.print_line(f"removed {removed_counts}", **facts)
    if done.held:
        terminal.problem(f"{counted(done.held, 'message')} stay: there is a hold on their senders")
    terminal.tell_cost(table.capacity)


def _print_removed(done: Removed, json: bool) -> None:
    if json:
        terminal.print_json(
            [
                {
                    "message_group_uuid": done.message_group_uuid,
                    "message_uuid": done.message_uuid,
                    "created_at": done.sort_key,
                    "was_removed_before": done.was_removed_before,
                }
            ]
        )
        return
    before = " was removed before" if done.was_removed_before else " is removed"
    terminal.print_line(
        f"message {done.message_uuid} of conversation {done.message_group_uuid}{before}"
    )


def named(messages: Sequence[Message]) -> Sequence[Message]:
    """The messages with the names in Postgres, or the stored names if it does not answer."""
    from core.usecases import conversations

    if not messages:
        return messages
    return _or_stored_names(
        lambda db: conversations.messages_with_current_names(db, messages), messages
    )


def _or_stored_names(read: Callable[[Database], Named], stored: Named) -> Named:
    """What ``read`` returns with the names in Postgres; ``stored`` if it does not answer."""
    from core.errors import StoreError

    try:
        return read(run().door.look().db)
    except StoreError as error:
        terminal.note(f"The names are those of the time of each message: {error}")
        return stored


def _conversation_of(stores: Stores, user: str, with_: str, conversation: str) -> str:
    """The conversation that the options mean, in which ``user``, if given, is a member."""
    from core.usecases import conversations

    if user and conversation:
        conversations.membership(stores.db, stores.table, user, conversation)
    return conversation or _newest_conversation(stores, user, with_)


def _newest_conversation(stores: Stores, user: str, with_: str) -> str:
    """The conversation that ``--with`` means; the others are named on standard error."""
    from core.usecases import conversations

    newest, *others = conversations.find_conversations(stores.db, stores.table, user, with_)
    for group in others:
        terminal.note(f"They have another conversation: --conversation {group}")
    return newest


def user_uuids(*handles: str) -> list[str]:
    """The uuids of the users whose data a task is about, for the audit. Looks up nothing else."""
    from core.postgres import find_person

    db = run().door.look().db
    return [find_person(db, handle).uuid for handle in handles if handle]


def _one_of(user: str, with_: str, conversation: str) -> None:
    from core.errors import UsageError

    if bool(with_) == bool(conversation):
        raise UsageError(
            "The conversation is not clear",
            "Give --user HANDLE and --with HANDLE, or --conversation UUID.",
        )
    if with_:
        terminal.required(user, "--user HANDLE")


def _bounds(limit: str, before: str, after: str, cursor: str) -> dict[str, Any]:
    return {
        "limit": terminal.whole_number(limit, "--limit") or DEFAULT_LIMIT,
        "before": terminal.instant(before, "--before"),
        "after": terminal.instant(after, "--after"),
        "below": cursor or None,
    }


def _note_rest(page: Page[Any], what: str) -> None:
    """Say how to list what is older: below the last entry's sort key, not before its time.

    The two differ where stored sort keys carry several offsets from UTC.
    """
    from core.commands import option

    if page.cursor is not None:
        cursor = page.entries[-1].sort_key
        terminal.tell_cursor(cursor, f"There are older {what}: {option('--cursor', cursor)}")


def _when(instant: datetime | None, sort_key: str) -> str:
    return instant.strftime("%Y-%m-%d %H:%M:%S") if instant else sort_key


def _print_messages(messages: list[Message], json: bool) -> None:
    if json:
        terminal.print_json([message_json(message) for message in messages])
        return
    rows = [
        (_when(entry.created_at, entry.sort_key), entry.sender.handle, entry.text)
        for entry in messages
    ]
    terminal.print_table(("UTC", "from", "message"), rows, "There are no messages")


def print_conversations(conversations: Any, json: bool) -> None:
    """Print conversations as a table for a person, or as one JSON array."""
    if json:
        terminal.print_json([conversation_json(conversation) for conversation in conversations])
        return
    rows = [
        (
            _when(entry.last_message_at, entry.sort_key),
            entry.other.handle,
            entry.other.display_name,
            entry.preview,
            entry.message_group_uuid,
        )
        for entry in conversations
    ]
    columns = ("UTC", "with", "name", "last message", "conversation")
    terminal.print_table(columns, rows, "There are no conversations")


def _print_sent(ctx: Context, sent: SentMessage, json: bool) -> None:
    if terminal.is_dry(ctx):
        return
    message = sent.message
    done = "started" if sent.started else "continued"
    with terminal.telling(f"message {message.message_uuid} is stored"):
        if json:
            terminal.print_json([message_json(message)])
        else:
            gone = "" if sent.recipient_is_known else ", who is no longer in Postgres"
            recipient = sent.recipient.handle or sent.recipient.uuid
            terminal.print_line(
                f"{done} conversation {message.message_group_uuid} with {recipient}{gone}:"
                f" message {message.message_uuid} at {message.sort_key}"
            )


def message_json(message: Message) -> dict[str, str]:
    from core.timestamps import sort_key

    removed = {"removed": message.removal} if message.removal else {}
    return {
        "message_uuid": message.message_uuid,
        "message_group_uuid": message.message_group_uuid,
        "user_uuid": message.sender.uuid,
        "user_handle": message.sender.handle,
        "user_display_name": message.sender.display_name,
        "message": message.text,
        "created_at": sort_key(message.created_at) if message.created_at else message.sort_key,
        **removed,
    }


def conversation_json(conversation: InboxRow) -> dict[str, str]:
    from core.timestamps import sort_key

    last_message_at = conversation.last_message_at
    return {
        "message_group_uuid": conversation.message_group_uuid,
        "user_uuid": conversation.other.uuid,
        "user_handle": conversation.other.handle,
        "user_display_name": conversation.other.display_name,
        "message": conversation.preview,
        "last_message_at": sort_key(last_message_at) if last_message_at else conversation.sort_key,
    }
