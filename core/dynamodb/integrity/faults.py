"""What can be wrong with stored items, in words and in numbers."""

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
    NAME_DIFFERS = "name differs"
    UNKNOWN_USER = "unknown user"
    UNREADABLE = "unreadable"


EXPLANATIONS = {
    FaultKind.MISSING_ROW: "a member's inbox lacks the conversation",
    FaultKind.DUPLICATE_ROW: "a member's inbox shows the conversation more than once",
    FaultKind.STALE_PREVIEW: "the inbox shows an older message than the newest",
    FaultKind.PREVIEW_AHEAD: "the inbox shows a text that is no message, at a later time",
    FaultKind.MEMBERS_DIFFER: "its rows contradict each other about whose conversation it is",
    FaultKind.NO_MESSAGES: "the conversation is listed and has no messages",
    FaultKind.ORPHAN_MESSAGES: "the messages of a conversation that nobody's inbox lists",
    FaultKind.DOUBLE_MESSAGE: "stored before under another time, with the same message_uuid",
    FaultKind.STRANGER_MESSAGE: "sent by somebody who is no member of the conversation",
    FaultKind.INDEXED_MESSAGE: "an item that is no message group carries message_group_uuid",
    FaultKind.ORPHAN_PAIR: "the pair points to a conversation that is not theirs or not there",
    FaultKind.NAME_DIFFERS: "the other person's name or handle is not the one in Postgres",
    FaultKind.UNKNOWN_USER: "the other person is not in Postgres",
    FaultKind.UNREADABLE: (
        "attributes are missing or of the wrong type, or name no instant or no pair"
    ),
}
REPAIRABLE = frozenset(FaultKind) - {
    FaultKind.MEMBERS_DIFFER,
    FaultKind.DOUBLE_MESSAGE,
    FaultKind.NO_MESSAGES,
    FaultKind.STRANGER_MESSAGE,
    FaultKind.UNKNOWN_USER,
    FaultKind.UNREADABLE,
}
"""What ``--repair`` can mend; a missing or orphaned row only where both members are known."""


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
        """Those that a repair can mend."""
        return sum(count for kind, count in self.counts.items() if kind in REPAIRABLE)
