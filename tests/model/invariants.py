"""The rules for the stored items, each named after its guarantee.

The state machine checks them after each of its steps, the exploration after each request. Some
rules are always true. Others are always true if only our code writes; otherwise they are true in
the end: after the stream is delivered, or after our next send or a repair. Two more rules check the
final table with our own operations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from .explore.ours import (
    REMOVED_TEXT,
    InboxRow,
    Message,
    Person,
    Table,
    Verification,
    inbox_row_from,
    message_from,
    project,
)
from .memory import Item, Key


class When(StrEnum):
    ALWAYS = "always"
    ROWS_STAY = "always, where nobody else deletes a row; else in the end"
    ONLY_OURS = "always, where only ours write; else in the end"


EVERY = tuple(When)
"""The rules for the end."""


@dataclass(frozen=True)
class View:
    """The items, and what the senders know about them.

    ``acknowledged`` has the sort key that was returned for each message_uuid, or nothing.
    ``in_order`` has each sender's messages in the order of their acknowledgement. Each of
    ``may_be_several`` is a pair of people for whom others may have made several conversations.
    """

    items: Mapping[Key, Item]
    acknowledged: Mapping[str, str]
    attempted: Collection[str]
    refused: Collection[str] = ()
    in_order: Iterable[tuple[str, ...]] = ()
    may_be_several: Collection[frozenset[str]] = ()
    strangers: Collection[str] = ()
    orphans: Collection[str] = ()
    """Conversations that others may have left in no inbox, so that their members are unknown."""
    removed: Collection[str] = ()
    """The messages that were reported as removed."""
    erased: Collection[str] = ()
    """The users who were reported as erased."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """The texts of messages by their message_uuid, also of those that are removed."""

    @cached_property
    def messages(self) -> list[Message]:
        return [message_from(item) for (pk, _), item in self.items.items() if pk[:4] == "MSG#"]

    @cached_property
    def rows(self) -> list[InboxRow]:
        return [inbox_row_from(item) for (pk, _), item in self.items.items() if pk[:4] == "GRP#"]

    @cached_property
    def removals(self) -> dict[str, set[str]]:
        """The message_uuids of the removals, by conversation."""
        removals: dict[str, set[str]] = {}
        for (pk, sk), item in self.items.items():
            if pk[:5] == "GONE#" and sk != "MEMBER":
                removals.setdefault(pk[5:], set()).add(item["message_uuid"]["S"])
        return removals

    @cached_property
    def erasures(self) -> dict[str, tuple[str, str]]:
        """The remaining member and the replacement of each conversation that lost a member."""
        return {
            pk[5:]: (item["remaining_user_uuid"]["S"], item["replacement_uuid"]["S"])
            for (pk, sk), item in self.items.items()
            if pk[:5] == "GONE#" and sk == "MEMBER"
        }

    @cached_property
    def gone(self) -> set[str]:
        """The message_uuids of all removals."""
        return {message_uuid for uuids in self.removals.values() for message_uuid in uuids}

    @cached_property
    def groups(self) -> list[str]:
        """The conversations with messages."""
        return sorted({message.message_group_uuid for message in self.messages})

    def messages_of(self, group: str) -> list[Message]:
        """The members' messages; a stranger's and an erased member's do not count."""
        pair = self.erasures.get(group)
        return [
            message
            for message in self.messages
            if message.message_group_uuid == group
            and message.sender.uuid not in self.strangers
            and (pair is None or message.sender.uuid in pair)
        ]

    def members_of(self, group: str) -> list[str]:
        """Both members, from any of its rows; empty if there is no row."""
        rows = [row for row in self.rows if row.message_group_uuid == group]
        if rows and group in self.erasures:
            return sorted(self.erasures[group])
        return sorted({rows[0].owner_uuid, rows[0].other.uuid}) if rows else []

    def owners_of(self, group: str) -> list[str]:
        """The members who have an inbox: a replacement has none."""
        _, replacement = self.erasures.get(group, ("", ""))
        return [member for member in self.members_of(group) if member != replacement]

    def rows_of(self, owner: str, group: str) -> list[InboxRow]:
        place = (owner, group)
        return [row for row in self.rows if (row.owner_uuid, row.message_group_uuid) == place]


Check = Callable[[View], str]
"""The problem in a sentence; empty if the rule is kept."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: the number of its guarantee, when it applies, and its check."""

    guarantee: int
    when: When
    check: Check

    @property
    def name(self) -> str:
        return self.check.__name__


RULES: list[Rule] = []


def rule(guarantee: int, when: When) -> Callable[[Check], Check]:
    def add(check: Check) -> Check:
        RULES.append(Rule(guarantee, when, check))
        return check

    return add


def broken(view: View, *whens: When) -> list[str]:
    """The broken rules of these kinds, each with its problem."""
    results = ((rule, rule.check(view)) for rule in RULES if rule.when in whens)
    return [f"guarantee {rule.guarantee}, {rule.name}: {wrong}" for rule, wrong in results if wrong]


@rule(1, When.ALWAYS)
def an_acknowledged_message_is_stored_once(view: View) -> str:
    stored = Counter(message.message_uuid for message in view.messages)
    lost = [uuid for uuid in view.acknowledged if not stored[uuid] and uuid not in view.gone]
    if lost:
        return f"{lost[0]} was acknowledged and is not stored"
    if doubled := [message_uuid for message_uuid, count in stored.items() if count > 1]:
        return f"{doubled[0]} is stored {stored[doubled[0]]} times"
    unknown = set(stored) - set(view.attempted)
    return f"{unknown.pop()} was never sent" if unknown else ""


@rule(1, When.ALWAYS)
def an_acknowledged_message_keeps_its_sort_key(view: View) -> str:
    for message in view.messages:
        sort_key = view.acknowledged.get(message.message_uuid)
        if sort_key and sort_key != message.sort_key:
            return f"{message.message_uuid} was stored at {sort_key}, is at {message.sort_key}"
    return ""


@rule(1, When.ALWAYS)
def a_refused_message_is_not_stored(view: View) -> str:
    stored = {message.message_uuid for message in view.messages}
    wrong = stored & set(view.refused)
    return f"{wrong.pop()} is stored, though its sender was refused" if wrong else ""


@rule(1, When.ALWAYS)
def a_sender_s_later_message_comes_later(view: View) -> str:
    places = {message.message_uuid: message.sort_key for message in view.messages}
    for sent in view.in_order:
        keys = [places[message_uuid] for message_uuid in sent if message_uuid in places]
        if keys != sorted(keys):
            return f"of {', '.join(sent)} a later one has an earlier place"
    return ""


@rule(2, When.ALWAYS)
def every_preview_is_a_stored_message(view: View) -> str:
    texts: dict[str, set[str]] = {}
    for message in view.messages:
        texts.setdefault(message.message_group_uuid, set()).add(message.text)
    for group, uuids in view.removals.items():
        gone = {view.texts[name] for name in uuids if name in view.texts}
        texts.setdefault(group, set()).update({REMOVED_TEXT, *gone})
    for group in view.erasures:
        texts.setdefault(group, set()).add(REMOVED_TEXT)
    for row in view.rows:
        if row.preview not in texts.get(row.message_group_uuid, {row.preview}):
            return f"{row.owner_uuid} is shown {row.preview!r}, which is no message"
    return ""


@rule(2, When.ONLY_OURS)
def an_inbox_shows_a_conversation_once_with_its_newest_message(view: View) -> str:
    for group in view.groups:
        messages = view.messages_of(group)
        newest = max(messages, key=lambda message: message.sort_key, default=None)
        members = view.owners_of(group)
        if not members and group not in view.orphans:
            return f"no inbox lists {group}"
        for member in members if newest else ():
            rows = view.rows_of(member, group)
            if len(rows) != 1:
                return f"the inbox of {member} shows {group} {len(rows)} times"
            if rows[0].preview != newest.text:
                return f"{member} is shown {rows[0].preview!r} instead of {newest.text!r}"
            if rows[0].sort_key < newest.sort_key:
                return f"the row of {member} is earlier than the message it shows"
    return ""


@rule(2, When.ROWS_STAY)
def every_member_has_the_conversation(view: View) -> str:
    for group in view.groups:
        for member in view.owners_of(group):
            if not view.rows_of(member, group):
                return f"{member} is not shown {group}"
    return ""


@rule(3, When.ALWAYS)
def two_people_have_one_conversation(view: View) -> str:
    pairs: dict[frozenset[str], set[str]] = {}
    for row in view.rows:
        pair = frozenset((row.owner_uuid, row.other.uuid))
        pairs.setdefault(pair, set()).add(row.message_group_uuid)
    for pair, groups in pairs.items():
        if len(groups) > 1 and pair not in view.may_be_several:
            return f"{' and '.join(sorted(pair))} have {len(groups)} conversations"
    return ""


@rule(3, When.ALWAYS)
def a_pair_points_to_their_conversation(view: View) -> str:
    for (pk, _), item in view.items.items():
        if pk[:5] == "PAIR#":
            group, pair = item["group_uuid"]["S"], pk[5:].split("#")
            members = view.members_of(group)
            if members and members != pair:
                return f"the pair of {' and '.join(pair)} points to a conversation of others"
            if not members and group not in {*view.groups, *view.removals}:
                return f"the pair of {' and '.join(pair)} points to {group}, which is not there"
    return ""


@rule(4, When.ALWAYS)
def only_a_member_is_shown_a_conversation(view: View) -> str:
    for group in view.groups:
        members = set(view.members_of(group))
        senders = {message.sender.uuid for message in view.messages_of(group)}
        for row in view.rows:
            if row.message_group_uuid != group or group in view.erasures:
                continue  # where a member is gone, Cruddur's function may put the row back
            if {row.owner_uuid, row.other.uuid} != members:
                return f"{row.owner_uuid} is shown {group}, which is of {sorted(members)}"
        if members and not senders <= members:
            return f"{(senders - members).pop()} wrote into {group}, and is no member of it"
    return ""


@rule(4, When.ALWAYS)
def a_stranger_s_message_is_not_shown_as_preview(view: View) -> str:
    texts_of_strangers = {
        message.text for message in view.messages if message.sender.uuid in view.strangers
    }
    for row in view.rows:
        if row.preview in texts_of_strangers:
            return f"{row.owner_uuid} is shown the stranger's {row.preview!r}"
    return ""


@rule(7, When.ALWAYS)
def a_removed_message_is_not_stored(view: View) -> str:
    stored = {message.message_uuid for message in view.messages}
    if back := stored & view.gone:
        return f"{back.pop()} was removed, and is stored"
    if kept := stored & set(view.removed):
        return f"{kept.pop()} is stored, though it was reported as removed"
    untraced = [name for name in view.removed if name not in view.gone]
    return f"{untraced[0]} is removed, and no removal is there" if untraced else ""


@rule(7, When.ROWS_STAY)
def a_removed_message_is_in_no_preview(view: View) -> str:
    for group, uuids in view.removals.items():
        texts = {view.texts[name] for name in uuids if name in view.texts}
        texts -= {message.text for message in view.messages_of(group)}
        for row in view.rows:
            if row.message_group_uuid == group and row.preview in texts:
                return f"{row.owner_uuid} is shown {row.preview!r}, which was removed"
    return ""


@rule(7, When.ROWS_STAY)
def a_removal_holds_no_text_and_names_nobody(view: View) -> str:
    for (pk, sk), item in view.items.items():
        allowed = _OF_AN_ERASURE if sk == "MEMBER" else _OF_A_REMOVAL
        if pk[:5] == "GONE#" and set(item) - allowed:
            return f"a removal has {sorted(set(item) - allowed)}"
    return ""


@rule(7, When.ONLY_OURS)
def an_erased_user_is_named_nowhere(view: View) -> str:
    for (pk, sk), item in view.items.items():
        named = {*pk.split("#"), *(value["S"] for value in item.values())}
        if back := named & set(view.erased):
            return f"{back.pop()} was erased, and is named at {pk} {sk}"
    return ""


@rule(7, When.ROWS_STAY)
def a_conversation_that_lost_a_member_shows_only_the_other_one(view: View) -> str:
    for group, pair in view.erasures.items():
        texts = {m.text for m in view.messages if m.message_group_uuid == group}
        texts -= {m.text for m in view.messages_of(group)}
        for row in view.rows:
            if row.message_group_uuid != group:
                continue
            if (row.owner_uuid, row.other.uuid) != pair:
                return f"{row.owner_uuid} is shown {row.other.uuid}, and {group} lost a member"
            if row.preview in texts:
                return f"{row.owner_uuid} is shown {row.preview!r} of the member that {group} lost"
    return ""


_OF_AN_ERASURE = {"pk", "sk", "remaining_user_uuid", "replacement_uuid", "removed_at"}
_OF_A_REMOVAL = {"pk", "sk", "message_uuid", "removed_at", "reason_code"}


@rule(2, When.ONLY_OURS)
def an_inbox_says_so_where_every_message_was_removed(view: View) -> str:
    for group in set(view.removals) - set(view.groups):
        for row in view.rows:
            if row.message_group_uuid == group and row.preview != REMOVED_TEXT:
                return f"{row.owner_uuid} is shown {row.preview!r}, and {group} has no message"
    return ""


@dataclass
class Previews:
    """Which message each inbox row shows, to see whether one moves back."""

    items: Mapping[Key, Item]
    shown: dict[tuple[str, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        places: dict[tuple[str, str], str] = {}
        for (pk, sk), item in self.items.items():
            if pk[:4] == "MSG#":
                place = (pk[4:], item["message"]["S"])
                places[place] = max(sk, places.get(place, ""))
        rows = [inbox_row_from(item) for (pk, _), item in self.items.items() if pk[:4] == "GRP#"]
        for row in sorted(rows, key=lambda row: row.sort_key):
            key = places.get((row.message_group_uuid, row.preview), "")
            self.shown[row.owner_uuid, row.message_group_uuid] = key

    def keys_of(self, group: str) -> set[str]:
        """The sort keys of a conversation's messages."""
        return {sk for pk, sk in self.items if pk == f"MSG#{group}"}


def a_preview_never_moves_back(
    before: Previews, after: Previews, *, may_be_missing: bool = False
) -> str:
    """Guarantee 2, of one step of ours: no inbox shows an older message than it did.

    Where the step has removed what was shown, an older one is what it should show.
    ``may_be_missing`` where Cruddur's function runs too: it deletes a row before it puts the next.
    """
    for (owner, group), key in before.shown.items():
        erasure = (f"GONE#{group}", "MEMBER")
        if erasure in after.items and erasure not in before.items:
            continue  # the step took a member out of it
        now = after.shown.get((owner, group))
        if now is None and not may_be_missing:
            return f"guarantee 2, a_preview_never_moves_back: {owner} is no longer shown {group}"
        was_removed = key not in after.keys_of(group)
        if now is not None and now < key and not was_removed:
            return (
                f"guarantee 2, a_preview_never_moves_back: {owner} was shown what was sent at"
                f" {key}, and now {now or 'no message'}"
            )
    return ""


def wrong_in_the_end(
    handle: Table,
    people: Callable[[Iterable[str]], Mapping[str, Person]],
    items: Callable[[], Mapping[Key, Item]],
    expected: Collection[str] = (),
    delivered: Iterable[Item] = (),
) -> list[str]:
    """What our own operations report or change in a table that should be correct.

    ``expected`` are the problems that a verification reports in data of other software.
    ``delivered`` are messages of earlier stream records, some of which may have been removed.
    """
    return [
        *a_verification_finds_nothing(handle, people, expected),
        *redelivery_changes_nothing(handle, items, delivered),
    ]


def a_verification_finds_nothing(
    handle: Table,
    people: Callable[[Iterable[str]], Mapping[str, Person]],
    expected: Collection[str],
) -> list[str]:
    return [
        f"guarantee 2, a_verification_finds_nothing: {finding.kind} at {finding.pk} {finding.sk}"
        for finding in Verification(handle, people).findings()
        if finding.kind not in expected
    ]


def redelivery_changes_nothing(
    handle: Table, items: Callable[[], Mapping[Key, Item]], delivered: Iterable[Item] = ()
) -> list[str]:
    """The whole stream again, backwards and then forwards, one record at a time."""
    before = dict(items())
    messages = [item for (pk, _), item in before.items() if pk[:4] == "MSG#"]
    messages += [item for item in delivered if (item["pk"]["S"], item["sk"]["S"]) not in before]
    messages.sort(key=lambda item: str(item["sk"]["S"]))
    for record in inserts([*reversed(messages), *messages]):
        project(handle, [record])
    after = items()
    moved = [key for key in {*before, *after} if before.get(key) != after.get(key)]
    return [f"guarantee 5, redelivery_changes_nothing: {min(moved)} changed"] if moved else []


def inserts(items: Iterable[Item]) -> list[Mapping[str, Any]]:
    """The stream's records of ``items``."""
    return [
        {
            "eventName": "INSERT",
            "dynamodb": {
                "Keys": {"pk": item["pk"], "sk": item["sk"]},
                "NewImage": item,
                "SequenceNumber": str(place),
            },
        }
        for place, item in enumerate(items)
    ]
