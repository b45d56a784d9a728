"""The faults of stored items, with explanations and counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from core.dynamodb import keys

SAMPLES = 3


class FaultKind(StrEnum):
    """The ways in which stored items break a guarantee."""

    MISSING_ROW = "missing row"
    DUPLICATE_ROW = "duplicate row"
    STALE_PREVIEW = "stale preview"
    PREVIEW_AHEAD = "preview ahead"
    MEMBERS_DIFFER = "members differ"
    NO_MESSAGES = "no messages"
    ORPHAN_MESSAGES = "orphan messages"
    DOUBLE_MESSAGE = "double message"
    STRANGER_MESSAGE = "stranger's message"
    INDEXED_MESSAGE = "indexed message"
    ORPHAN_PAIR = "orphan pair"
    REMOVAL_WITHOUT_EFFECT = "removal without effect"
    REMOVED_SHOWN = "removed text shown"
    TWO_CONVERSATIONS = "two conversations"
    LEFTOVER_PAIR = "leftover pair"
    NAME_DIFFERS = "name differs"
    UNKNOWN_USER = "unknown user"
    UNKNOWN_SENDER = "unknown sender"
    ERASED_USER = "erased user"
    ERASED_PROFILE = "erased profile"
    UNREADABLE = "unreadable"
    UNREADABLE_TIME = "unreadable time"


EXPLANATIONS = {
    FaultKind.MISSING_ROW: "a member's inbox lacks the conversation",
    FaultKind.DUPLICATE_ROW: "a member's inbox shows the conversation more than once",
    FaultKind.STALE_PREVIEW: "the inbox shows an older message than the newest",
    FaultKind.PREVIEW_AHEAD: "the inbox shows another text than the newest message, and is later",
    FaultKind.MEMBERS_DIFFER: "its rows disagree about who the members are",
    FaultKind.NO_MESSAGES: "the conversation has inbox rows but no messages",
    FaultKind.ORPHAN_MESSAGES: "the messages of a conversation that no inbox lists",
    FaultKind.DOUBLE_MESSAGE: "a message with the same message_uuid is stored at another time",
    FaultKind.STRANGER_MESSAGE: "sent by a person who is not a member of the conversation",
    FaultKind.INDEXED_MESSAGE: "an item that is not an inbox row has message_group_uuid",
    FaultKind.ORPHAN_PAIR: "the pair points to a conversation that is not theirs or does not exist",
    FaultKind.REMOVAL_WITHOUT_EFFECT: "a removed message is stored",
    FaultKind.REMOVED_SHOWN: "the inbox shows a text, but every message was removed",
    FaultKind.TWO_CONVERSATIONS: "two people have more than one; --with means the newest",
    FaultKind.LEFTOVER_PAIR: "of two who are not in Postgres, in a conversation of two who are",
    FaultKind.NAME_DIFFERS: "the other person's name or handle is not the one in Postgres",
    FaultKind.UNKNOWN_USER: "the other person is not in Postgres",
    FaultKind.UNKNOWN_SENDER: "the sender of the message is not in Postgres",
    FaultKind.ERASED_USER: "a message, an inbox row or a pair of a user who was erased",
    FaultKind.ERASED_PROFILE: "Postgres has a user who was erased; run people.erase again",
    FaultKind.UNREADABLE: (
        "attributes are missing or of the wrong type, or the time or pair is invalid"
    ),
    FaultKind.UNREADABLE_TIME: "a row of Postgres has a time that cannot be shown, like infinity",
}
REPAIRABLE = frozenset(FaultKind) - {
    FaultKind.MEMBERS_DIFFER,
    FaultKind.DOUBLE_MESSAGE,
    FaultKind.NO_MESSAGES,
    FaultKind.STRANGER_MESSAGE,
    FaultKind.TWO_CONVERSATIONS,
    FaultKind.UNKNOWN_USER,
    FaultKind.UNKNOWN_SENDER,
    FaultKind.ERASED_PROFILE,
    FaultKind.UNREADABLE,
    FaultKind.UNREADABLE_TIME,
}
"""The faults that ``--repair`` fixes; a missing or orphaned row only if both members are known."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault and where it is: the item's key, and the conversation where there is one."""

    kind: FaultKind
    pk: str
    sk: str
    message_group_uuid: str = ""

    @property
    def owner_uuid(self) -> str | None:
        """The user in whose inbox it is; None if it is elsewhere."""
        return keys.owner_of(self.pk)


@dataclass(slots=True)
class FaultSummary:
    """Faults by kind: how many there are, and the first few of each."""

    counts: dict[FaultKind, int] = field(default_factory=dict)
    samples: dict[FaultKind, list[Fault]] = field(default_factory=dict)

    def add(self, fault: Fault) -> None:
        self.counts[fault.kind] = self.counts.get(fault.kind, 0) + 1
        if len(kept := self.samples.setdefault(fault.kind, [])) < SAMPLES:
            kept.append(fault)

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def repairable(self) -> int:
        """The kinds that a repair can fix."""
        return sum(count for kind, count in self.counts.items() if kind in REPAIRABLE)
