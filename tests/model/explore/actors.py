"""The actors that use the table at once: our operations, and Cruddur's code as it is.

To add one: write what it does with its :class:`~.runs.Hand`, and which partitions it may write.
The search checks that it writes no others.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from . import ours
from .ours import (
    Draft,
    MemberErasedError,
    Message,
    MessageRemovedError,
    MessageUnconfirmedError,
    Person,
    StoreError,
    sort_key,
)
from .runs import Act, Hand
from .store import EVERYTHING

NAMES = ("ana", "ben", "cleo", "sam")
ANA, BEN, CLEO, SAM = PEOPLE = [Person(name, name, name.title()) for name in NAMES]
"""Sam is not a member of any conversation."""

GROUP = "g"
"""The existing conversation of Ana and Ben."""

OTHER_GROUP = "h"
"""Ana's and Cleo's."""

THEIRS = "cruddur"
"""A conversation of Ana and Ben that Cruddur's code starts."""

OURS, FUNCTION = "our host", "function"
"""Who follows the stream: each host of our projection, by its number, and Cruddur's function."""

INBOXES = frozenset({"GRP#"})

FindPeople = Callable[[Iterable[str]], Mapping[str, Person]]


RENAMED = Person(ANA.uuid, "ana.maria", "Ana Maria")
"""Ana's names after a rename; an operation that began before it still uses the old ones."""


def known_people(uuids: Iterable[str]) -> dict[str, Person]:
    known = set(uuids)
    return {person.uuid: person for person in PEOPLE if person.uuid in known}


def people_with_ana_renamed(uuids: Iterable[str]) -> dict[str, Person]:
    known = known_people(uuids)
    return known | {uuid: RENAMED for uuid in known if uuid == RENAMED.uuid}


@dataclass(frozen=True)
class Actor:
    """One operation. ``writes`` and ``reads`` are the partitions that it may ever touch."""

    name: str
    act: Act
    writes: frozenset[str]
    reads: frozenset[str] = frozenset({EVERYTHING})
    sends: tuple[str, ...] = ()
    """The uuids of the messages that it may store."""
    is_ours: bool = True
    follows: str = ""
    lagging: int = 1_000
    """How many of its reads may lag, at most."""


def _message_uuid(name: str) -> str:
    return f"message of {name}"


def _draft(name: str, sender: Person, recipient: Person) -> Draft:
    return Draft(sender, recipient, f"text of {name}", _message_uuid(name))


def _told(hand: Hand, message: Message) -> None:
    hand.acknowledge(message.message_uuid, message.text, message.sort_key)


def _until_told(hand: Hand, draft: Draft, tries: int, group: str | None) -> str:
    """Send, and try again as a person does after an unconfirmed send."""
    began = hand.place
    for number in range(tries):
        if number:
            hand.forget((began, "again"), partial(tuple, (number, draft)))
        try:
            if group is None:
                _told(hand, ours.start(hand.table, draft)[0])
            else:
                _told(hand, ours.send(hand.table, group, draft))
        except MessageUnconfirmedError as error:
            again = (error.message_uuid, error.created_at)
            draft = Draft(draft.sender, draft.recipient, draft.text, *again)
        except MessageRemovedError:
            return f"removed {draft.message_uuid}"
        except MemberErasedError:
            return "erased" if draft.tried_from else f"turned away {draft.message_uuid}"
        except StoreError:
            return "unconfirmed" if draft.tried_from else f"refused {draft.message_uuid}"
        else:
            return "acknowledged"
    return "unconfirmed"


def _named(name: str, number: int) -> str:
    return f"{name} {number + 1}" if number else name


def send(
    sender: Person, recipient: Person, *, group: str = GROUP, tries: int = 2, number: int = 0
) -> Actor:
    name = _named(f"{sender.handle}'s send", number)
    return Actor(
        name,
        lambda hand: _until_told(hand, _draft(name, sender, recipient), tries, group),
        writes=frozenset({f"MSG#{group}", f"GRP#{sender.uuid}", f"GRP#{recipient.uuid}"}),
        reads=frozenset({f"MSG#{group}", f"GRP#{sender.uuid}", f"GRP#{recipient.uuid}", "GRP#"}),
        sends=(_message_uuid(name),),
        lagging=tries,
    )


def send_twice(sender: Person, recipient: Person) -> Actor:
    """One after the other, as one person sends them."""
    names = [f"{sender.handle}'s {which} send" for which in ("first", "second")]

    def act(hand: Hand) -> str:
        outcomes = [_until_told(hand, _draft(name, sender, recipient), 1, GROUP) for name in names]
        return ", ".join(outcomes)

    partitions = frozenset({f"MSG#{GROUP}", f"GRP#{sender.uuid}", f"GRP#{recipient.uuid}"})
    uuids = tuple(map(_message_uuid, names))
    return Actor(f"{sender.handle}'s sends", act, partitions, partitions | INBOXES, uuids)


def start(sender: Person, recipient: Person, *, tries: int = 2, number: int = 0) -> Actor:
    name = _named(f"{sender.handle}'s start", number)
    pair = "#".join(sorted((sender.uuid, recipient.uuid)))
    return Actor(
        name,
        lambda hand: _until_told(hand, _draft(name, sender, recipient), tries, None),
        writes=frozenset({"MSG#", f"GRP#{sender.uuid}", f"GRP#{recipient.uuid}", f"PAIR#{pair}"}),
        sends=(_message_uuid(name),),
        lagging=tries,
    )


IN_DOUBT = Draft(ANA, BEN, "text in doubt", _message_uuid("one in doubt"))


def retry(*, by_start: bool = False, number: int = 0) -> Actor:
    """Ana retries a send that was unconfirmed before the scope begins."""
    draft = Draft(
        ANA, BEN, IN_DOUBT.text, IN_DOUBT.message_uuid, sort_key(ours.EPOCH - ours.MICROSECOND)
    )
    name = _named("ana's retry, as a start" if by_start else "ana's retry", number)
    group = None if by_start else GROUP
    return Actor(
        name,
        lambda hand: _until_told(hand, draft, 1, group),
        writes=frozenset({"MSG#", "GRP#ana", "GRP#ben", "PAIR#ana#ben"}),
        sends=(IN_DOUBT.message_uuid,),
        lagging=1,
    )


def remove(*, at: str = "", number: int = 0) -> Actor:
    """A support person removes the conversation's newest message, or the one that is ``at`` a key.

    Whether it was there or not, they look again where it failed.
    """

    def act(hand: Hand) -> str:
        message = (
            ours.message_at(hand.table, GROUP, at)
            if at
            else ours.newest_message(hand.table, GROUP, consistent=True)
        )
        if message is None:
            return "nothing to remove"
        ours.remove_message(hand.table, message)
        return f"removed {message.message_uuid}"

    name = _named("removal of an earlier message" if at else "removal", number)
    writes = frozenset({f"MSG#{GROUP}", f"GONE#{GROUP}", "GRP#ana", "GRP#ben"})
    return Actor(name, _forgiving(act), writes, lagging=1)


def erase(*, number: int = 0) -> Actor:
    """Ana is erased from the table."""

    def act(hand: Hand) -> str:
        ours.erase_user(hand.table, ANA.uuid)
        return f"erased {ANA.uuid}"

    writes = frozenset({"MSG#", "GONE#", "GRP#", "PAIR#", "ERASED#"})
    return Actor(_named("erasure", number), _forgiving(act), writes)


ODD_RECORDS: list[Mapping[str, Any]] = [
    {"eventName": "INSERT", "dynamodb": {"Keys": {"pk": {"S": "MSG#g"}, "sk": {"S": "9"}}}},
    {
        "eventName": "REMOVE",
        "dynamodb": {"Keys": {"pk": {"S": "MSG#g"}, "sk": {"S": "9"}}, "SequenceNumber": "9"},
    },
]
"""An invalid record and one that is not an insert, before every batch."""


def projection(*, batches: int = 1, number: int = 1) -> Actor:
    """One host of our projection, which handles the records that the stream has at that moment."""
    host = f"{OURS} {number}"

    def act(hand: Hand) -> str:
        for share in range(batches, 0, -1):
            records, reached = hand.poll(host, share)
            if not records:
                continue
            reply = ours.project(hand.table, [*ODD_RECORDS, *records])
            if reply["batchItemFailures"]:
                return "reported"
            hand.commit(host, reached)
        return "projected"

    name = f"projection {number}" if batches == 1 else f"projection {number} of {batches} batches"
    return Actor(name, act, writes=INBOXES, follows=host)


def rename(*, number: int = 0) -> Actor:
    """Ana has other names in Postgres, and the rows that show her get them."""

    def act(hand: Hand) -> str:
        ours.rename_in_inboxes(hand.table, RENAMED)
        return "renamed"

    return Actor(_named("rename", number), _forgiving(act), writes=INBOXES)


def repair(*, number: int = 0, people: FindPeople = known_people, erases: bool = False) -> Actor:
    def act(hand: Hand) -> str:
        ours.repair(ours.Verification(hand.table, people))
        return "repaired"

    more = {"MSG#", "GONE#", "ERASED#"} if erases else set()
    return Actor(_named("repair", number), _forgiving(act), writes=INBOXES | {"PAIR#"} | more)


NEVER_TRUE = ("double message", "members differ", "indexed message", "unreadable")
"""The problems that a verification must not report, whatever runs at the same time."""


def verify(*, number: int = 0) -> Actor:
    def act(hand: Hand) -> str:
        findings = list(ours.Verification(hand.table, known_people).findings())
        wrong = sorted({str(finding.kind) for finding in findings} & set(NEVER_TRUE))
        return f"broke: it reports {wrong}" if wrong else "verified"

    return Actor(_named("verify", number), _forgiving(act), writes=frozenset())


def _forgiving(act: Act) -> Act:
    """Errors that end with one line, after which the operation may be run again."""

    def forgiving(hand: Hand) -> str:
        try:
            return act(hand)
        except StoreError:
            return "failed"

    return forgiving


@cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="explored-"))


def import_older(
    items: Iterable[Mapping[str, Any]], *, number: int = 0, erases: bool = False
) -> Actor:
    """An import of an export from before the scope begins."""
    exported = list(items)

    def act(hand: Hand) -> str:
        ours.import_items(hand.table, exported, _folder())
        return "imported"

    writes = frozenset(item["pk"]["S"] for item in exported)
    if erases:  # what it has put of a user who was erased meanwhile
        writes |= INBOXES | {"MSG#", "GONE#", "PAIR#", "ERASED#"}
    name = _named("import of an older export", number)
    uuids = (item["message_uuid"]["S"] for item in exported if item["pk"]["S"][:4] == "MSG#")
    return Actor(name, _forgiving(act), writes=writes, sends=tuple(uuids))


LINES = [ours.TranscriptMessage(ANA, "line 1"), ours.TranscriptMessage(BEN, "line 2")]


def transcript(*, tries: int = 2, number: int = 0) -> Actor:
    """A transcript of two lines is loaded, and loaded again if that failed."""
    uuids = tuple(ours.transcript_uuids((ANA, BEN), LINES))

    def act(hand: Hand) -> str:
        for number in range(tries):
            if number:
                hand.forget("again", partial(int, number))
            try:
                ours.load_transcript(hand.table, (ANA, BEN), LINES)
            except StoreError:
                continue
            except MemberErasedError:
                return "erased before"
            for message_uuid, line in zip(uuids, LINES, strict=True):
                hand.acknowledge(message_uuid, line.text)
            return "loaded"
        return "failed"

    writes = frozenset({"MSG#", "GRP#ana", "GRP#ben", "PAIR#ana#ben"})
    return Actor(_named("transcript load", number), act, writes, sends=uuids, lagging=0)


def plain_put(
    sender: Person = BEN, *, later_us: int = 10, group: str = GROUP, number: int = 0
) -> Actor:
    """Cruddur's app adds a message: a put, and nothing else."""
    name = _named(f"{sender.handle}'s plain put", number)
    key = sort_key(ours.EPOCH + later_us * ours.MICROSECOND)
    message = Message(group, _message_uuid(name), sender, f"text of {name}", key, ours.EPOCH)

    def act(hand: Hand) -> str:
        try:
            hand.client.put_item(Item=ours.message_item(message))
        except ours.SDK_ERRORS:
            return "failed"
        _told(hand, message)
        return "put"

    writes = frozenset({f"MSG#{group}"})
    return Actor(name, act, writes, frozenset(), (message.message_uuid,), is_ours=False, lagging=0)


def cruddur_start() -> Actor:
    """Cruddur's app starts a conversation: both rows and the message, in one batch."""
    key = sort_key(ours.EPOCH + 10 * ours.MICROSECOND)
    message = Message(
        THEIRS,
        _message_uuid("cruddur's start"),
        BEN,
        "text of cruddur's start",
        key,
        ours.EPOCH,
    )
    rows = [
        ours.InboxRow(THEIRS, owner.uuid, other, message.text, key, ours.EPOCH)
        for owner, other in ((BEN, ANA), (ANA, BEN))
    ]
    items = [*map(ours.inbox_row_item, rows), ours.message_item(message)]

    def act(hand: Hand) -> str:
        puts = [{"PutRequest": {"Item": item}} for item in items]
        try:
            hand.client.batch_write_item(RequestItems={"messages": puts})
        except ours.SDK_ERRORS:
            return "failed"
        return "put"  # it looks at nothing that the answer says

    writes = frozenset(item["pk"]["S"] for item in items)
    return Actor(
        "cruddur's start",
        act,
        writes,
        frozenset(),
        (message.message_uuid,),
        is_ours=False,
        lagging=0,
    )


def cruddur_function(*, number: int = 0) -> Actor:
    """Cruddur's stream function, as it is: the first record of its batch, a delete and a put."""

    def act(hand: Hand) -> str:
        records, reached = hand.poll(FUNCTION, 1)
        if not records:
            return "nothing"
        change = records[0]["dynamodb"]
        group = change["Keys"]["pk"]["S"].removeprefix("MSG#")
        try:
            _cruddur_moves(hand, group, change)
        except ours.SDK_ERRORS:
            return "failed"
        hand.commit(FUNCTION, reached)
        return "moved"

    name = _named("cruddur's function", number)
    return Actor(name, act, INBOXES, INBOXES, follows=FUNCTION, is_ours=False)


def _cruddur_moves(hand: Hand, group: str, change: Mapping[str, Any]) -> None:
    rows = hand.client.query(
        IndexName=ours.INDEX,
        KeyConditionExpression="message_group_uuid = :group",
        ExpressionAttributeValues={":group": {"S": group}},
    )["Items"]
    for row in rows:
        moved = row | {"sk": change["Keys"]["sk"], "message": change["NewImage"]["message"]}
        hand.client.delete_item(Key={"pk": row["pk"], "sk": row["sk"]})
        hand.client.put_item(Item=moved)
