"""Use cases of conversations: list, read, send, start, load."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from core.commands import Command, option
from core.dynamodb import (
    Draft,
    LoadedTranscript,
    Table,
    TranscriptMessage,
    conversations_with,
    inbox_row,
    inbox_row_at,
    known_conversation,
    list_inbox as list_inbox_rows,
    list_rows_of,
    list_thread,
    load_transcript,
    message_at,
    require_members,
    send,
    start,
    was_removed_at,
)
from core.errors import InputError, NotAMemberError, NotFoundError, UsageError
from core.models import InboxRow, Message, Page, Person, SentMessage
from core.postgres import Database, find_people_by_uuid, find_person, find_users_by_uuid
from core.texts import message_text
from core.timestamps import Instants, now, sorts_as_time
from core.transcripts import TranscriptLine


@dataclass(frozen=True, slots=True)
class Retry:
    """What a retry of an unconfirmed send needs: its ``message_uuid`` and first ``created_at``."""

    message_uuid: str
    created_at: str | None = None


def list_inbox(
    db: Database,
    table: Table,
    handle: str,
    *,
    limit: int,
    after: datetime | None = None,
    before: datetime | None = None,
    below: str | None = None,
    cursor: str | None = None,
) -> Page[InboxRow]:
    """A user's conversations, newest first, with the names in Postgres. Cost: pattern B.

    ``below`` is a sort key: the page begins with the next smaller one.

    Raises:
        NotFoundError: nobody has that handle.
        UsageError: ``below`` is neither a time nor a stored sort key.
    """
    user = find_person(db, handle)
    if below is not None and not sorts_as_time(below) and not inbox_row_at(table, user.uuid, below):
        raise _not_a_cursor(below)
    between = Instants(after, before)
    page = list_inbox_rows(
        table, user.uuid, limit=limit, before=below, between=between, cursor=cursor
    )
    return Page(rows_with_current_names(db, page.entries), page.cursor)


def rows_with_current_names(db: Database, rows: Sequence[InboxRow]) -> list[InboxRow]:
    """The rows with the others' names as Postgres has them now. One query.

    Opening Postgres for looking is enough. People missing in Postgres keep the stored names.
    """
    known = find_people_by_uuid(db, {row.other.uuid for row in rows})
    return [replace(row, other=known.get(row.other.uuid, row.other)) for row in rows]


def messages_with_current_names(db: Database, messages: Sequence[Message]) -> list[Message]:
    """The messages with their senders' names as Postgres has them now. One query.

    Opening Postgres for looking is enough. Senders missing in Postgres keep the stored names.
    """
    known = find_people_by_uuid(db, {message.sender.uuid for message in messages})
    return [
        replace(message, sender=known.get(message.sender.uuid, message.sender))
        for message in messages
    ]


def list_messages(
    table: Table,
    message_group_uuid: str,
    *,
    limit: int,
    after: datetime | None = None,
    before: datetime | None = None,
    below: str | None = None,
    cursor: str | None = None,
) -> Page[Message]:
    """A conversation's messages, newest first, and a line in the place of each removed one.

    ``below`` is a sort key: the page begins with the next smaller one. Cost: pattern A, twice.

    Raises:
        NotFoundError: there is no such conversation. Only an empty page asks for its rows.
        UsageError: ``below`` is neither a time nor the sort key of a message, removed or not.
    """
    group = message_group_uuid
    if below is not None and not (
        sorts_as_time(below)
        or message_at(table, group, below)
        or was_removed_at(table, group, below)
    ):
        raise _not_a_cursor(below)
    between = Instants(after, before)
    page = list_thread(table, group, limit=limit, before=below, between=between, cursor=cursor)
    if not (
        page.entries or list_rows_of(table, group) or list_thread(table, group, limit=1).entries
    ):
        raise NotFoundError(
            f"There is no conversation {group}",
            "Use the message_group_uuid that ddb.patterns.list-conversations prints.",
        )
    return page


def _not_a_cursor(text: str) -> UsageError:
    """The error for a text that may be larger than all sort keys: its page would be the newest."""
    return UsageError(
        f"--cursor needs the value that a page printed, not {text!r}",
        "Start from the first page.",
    )


def find_conversations(db: Database, table: Table, handle: str, other_handle: str) -> list[str]:
    """The message_group_uuids of two users' conversations, the newest first; at least one.

    There should be one; Cruddur may have created several. Reads the first one's inbox from its
    newest row, consistently; then the other's.

    Raises:
        NotFoundError: there is no such user, or they have no conversation.
    """
    user, other = _two_people(db, handle, other_handle)
    groups = conversations_with(table, user.uuid, other.uuid)
    if not groups:
        start = Command(
            "ddb.patterns.create-conversation",
            (option("--user", user.handle), option("--with", other.handle), "--message TEXT"),
        )
        raise NotFoundError(
            f"{user.handle} has no conversation with {other.handle}",
            "Start one",
            start,
        )
    return groups


def find_existing(table: Table, user: Person, other: Person) -> str | None:
    """The message_group_uuid of the conversation that two people have; None if they have none."""
    return known_conversation(table, user.uuid, other.uuid)


@dataclass(frozen=True, slots=True)
class Membership:
    """A member's place in a conversation, with the rows it was read from.

    ``other_is_known`` tells whether Postgres still has the other member.
    """

    user: Person
    other: Person
    rows: list[InboxRow]
    other_is_known: bool


def membership(db: Database, table: Table, handle: str, message_group_uuid: str) -> Membership:
    """A user's membership of a conversation, with the other member.

    A row's owner and other person are the members; senders do not count. One index query, 0.5
    RCU; if the index has no row yet, the user's inbox is read.

    Raises:
        NotFoundError: there is no such conversation or user.
        NotAMemberError: the user is not a member of it.
    """
    return membership_of(db, table, find_person(db, handle), message_group_uuid)


def membership_of(db: Database, table: Table, user: Person, message_group_uuid: str) -> Membership:
    """:func:`membership` of a user that was read before.

    Raises:
        NotFoundError: there is no such conversation.
        NotAMemberError: the user is not a member of it.
    """
    rows = list_rows_of(table, message_group_uuid)
    if not rows and (row := inbox_row(table, user.uuid, message_group_uuid)) is not None:
        rows = [row]
    if not rows:
        raise NotFoundError(
            f"There is no conversation {message_group_uuid}",
            "List their conversations",
            _listing(user),
        )
    other = _other_member(rows, user)
    if other is None:
        raise NotAMemberError(
            f"{user.handle} is not a member of conversation {message_group_uuid}",
            "List their conversations",
            _listing(user),
        )
    known = find_users_by_uuid(db, [other.uuid])
    return Membership(user, known[other.uuid].person if known else other, rows, bool(known))


def _listing(user: Person) -> Command:
    return Command("ddb.patterns.list-conversations", (option("--user", user.handle),))


def _other_member(rows: Sequence[InboxRow], user: Person) -> Person | None:
    for row in rows:
        if row.owner_uuid == user.uuid:
            return row.other
    for row in rows:
        if row.other.uuid == user.uuid:  # the user's own row is missing
            return Person(row.owner_uuid, "", "")
    return None


def send_message(
    db: Database,
    table: Table,
    handle: str,
    message_group_uuid: str,
    text: str,
    *,
    retry: Retry | None = None,
) -> SentMessage:
    """Add a message to a conversation, as one of its members. Cost: pattern D.

    Raises:
        InputError: the text is empty, too long or invalid.
        NotFoundError, NotAMemberError: see :func:`membership`.
        MemberErasedError: the other member was erased.
        MessageUnconfirmedError: no answer came; ``retry`` makes the next try safe.
    """
    text = message_text(text)
    place = membership(db, table, handle, message_group_uuid)
    if not place.other_is_known and retry is None:
        require_members(table, message_group_uuid)
    draft = _draft(place.user, place.other, text, retry)
    message = send(table, message_group_uuid, draft, place.rows)
    return SentMessage(message, place.other, False, recipient_is_known=place.other_is_known)


def start_conversation(
    db: Database,
    table: Table,
    handle: str,
    other_handle: str,
    text: str,
    *,
    retry: Retry | None = None,
) -> SentMessage:
    """Send a user a message, in the existing conversation of the two or a new one. Cost: C.

    Raises:
        InputError: the text is invalid, or both are the same user.
        NotFoundError: one of the handles is unknown.
        MemberErasedError: one of the two was erased.
        MessageUnconfirmedError: no answer came; ``retry`` makes the next try safe.
    """
    text = message_text(text)
    user, other = _two_people(db, handle, other_handle)
    return start_between(table, user, other, text, retry=retry)


def start_between(
    table: Table, user: Person, other: Person, text: str, *, retry: Retry | None = None
) -> SentMessage:
    """:func:`start_conversation` of two people that were read before.

    Raises:
        InputError: the text is invalid, or both are the same user.
        MemberErasedError: one of the two was erased.
        MessageUnconfirmedError: no answer came; ``retry`` makes the next try safe.
    """
    text = message_text(text)
    _require_two(user, other)
    message, started = start(table, _draft(user, other, text, retry))
    return SentMessage(message, other, started)


def _draft(sender: Person, recipient: Person, text: str, retry: Retry | None) -> Draft:
    draft = Draft(sender, recipient, text)
    if retry is None:
        return draft
    return replace(draft, message_uuid=retry.message_uuid, tried_from=retry.created_at)


def _two_people(db: Database, handle: str, other_handle: str) -> tuple[Person, Person]:
    user = find_person(db, handle)
    other = find_person(db, other_handle)
    _require_two(user, other)
    return user, other


def _require_two(user: Person, other: Person) -> None:
    if user.uuid == other.uuid:
        raise InputError(
            f"{user.handle} cannot have a conversation with themselves",
            "Name two different users.",
        )


def load_conversation(
    db: Database, table: Table, handle: str, other_handle: str, lines: Sequence[TranscriptLine]
) -> LoadedTranscript:
    """Load a transcript into the conversation of two users. Loading it twice changes nothing.

    ``Person 1`` is ``handle``, ``Person 2`` is ``other_handle``.

    Raises:
        InputError: a line is from another person or in the future; nothing was loaded.
        NotFoundError: one of the handles is unknown.
    """
    user, other = _two_people(db, handle, other_handle)
    people = {user.handle: user, other.handle: other}
    latest = now()
    messages = []
    for line in lines:
        sender = {1: user, 2: other}.get(line.person or 0) or people.get(line.handle or "")
        if sender is None:
            raise InputError(
                f"Line {line.line_number} is from {line.handle}",
                f"Only {user.handle} and {other.handle} take part: see --me and --other.",
            )
        if line.created_at is not None and line.created_at > latest:
            raise InputError(f"Line {line.line_number} is in the future", "Fix its created_at.")
        messages.append(TranscriptMessage(sender, line.message, line.created_at))
    return load_transcript(table, (user, other), messages)


def current_names(db: Database, user_uuids: Iterable[str]) -> dict[str, Person]:
    """The users with these uuids, as Postgres has them now. Unknown ones are left out."""
    users = find_users_by_uuid(db, list(user_uuids))
    return {user_uuid: user.person for user_uuid, user in users.items()}
