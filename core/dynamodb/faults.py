"""What can be wrong with stored items, in words and in numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

SAMPLES = 3


class Fault(StrEnum):
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


EXPLAINED = {
    Fault.MISSING_ROW: "a member's inbox lacks the conversation",
    Fault.DUPLICATE_ROW: "a member's inbox shows the conversation more than once",
    Fault.STALE_PREVIEW: "the inbox shows an older message than the newest",
    Fault.PREVIEW_AHEAD: "the inbox shows a text that is no message, at a later time",
    Fault.MEMBERS_DIFFER: "its rows contradict each other about whose conversation it is",
    Fault.NO_MESSAGES: "the conversation is listed and has no messages",
    Fault.ORPHAN_MESSAGES: "the messages of a conversation that nobody's inbox lists",
    Fault.DOUBLE_MESSAGE: "stored before under another time, with the same message_uuid",
    Fault.STRANGER_MESSAGE: "sent by somebody who is no member of the conversation",
    Fault.INDEXED_MESSAGE: "an item that is no message group carries message_group_uuid",
    Fault.ORPHAN_PAIR: "the pair points to a conversation that is not theirs or not there",
    Fault.NAME_DIFFERS: "the other person's name or handle is not the one in Postgres",
    Fault.UNKNOWN_USER: "the other person is not in Postgres",
    Fault.UNREADABLE: "attributes are missing or of the wrong type, or name no instant or no pair",
}
MENDABLE = frozenset(Fault) - {
    Fault.MEMBERS_DIFFER,
    Fault.DOUBLE_MESSAGE,
    Fault.NO_MESSAGES,
    Fault.STRANGER_MESSAGE,
    Fault.UNKNOWN_USER,
    Fault.UNREADABLE,
}
"""What ``--repair`` can mend; a missing or orphaned row only where both members are known."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault and where it is: the item's key, and the conversation where there is one."""

    fault: Fault
    pk: str
    sk: str
    message_group_uuid: str = ""


@dataclass(slots=True)
class Summary:
    """Faults by kind: how many there are, and the first few of each."""

    counts: dict[Fault, int] = field(default_factory=dict)
    samples: dict[Fault, list[Finding]] = field(default_factory=dict)

    def add(self, finding: Finding) -> None:
        self.counts[finding.fault] = self.counts.get(finding.fault, 0) + 1
        if len(kept := self.samples.setdefault(finding.fault, [])) < SAMPLES:
            kept.append(finding)

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def mendable(self) -> int:
        """Those that a repair can mend."""
        return sum(count for fault, count in self.counts.items() if fault in MENDABLE)
