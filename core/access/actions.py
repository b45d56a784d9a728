"""What a task or a page does with the stores, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from core.purposes import Purpose


class Store(StrEnum):
    """A store to open. AWS means its other services (Cognito, EC2), which have no marker."""

    POSTGRES = "postgres"
    DYNAMODB = "dynamodb"
    AWS = "aws"

    @property
    def kind(self) -> str:
        """The word for what has the marker and the name that is typed."""
        return {Store.POSTGRES: "database", Store.DYNAMODB: "table"}[self]


_STRICTEST_LAST = (
    Purpose.LOOKING,
    Purpose.VERIFYING,
    Purpose.MAKING,
    Purpose.READING,
    Purpose.WRITING,
    Purpose.DESTROYING,
)


@dataclass(frozen=True, slots=True)
class Action:
    """An action (``name`` is its name in the audit) and the purpose it opens each store for.

    ``confirmed_by`` is the store whose name must be typed: on production, or with
    ``asks_everywhere`` on every target. With ``asks_reason`` a reason is given on every target.
    """

    name: str
    opens: Mapping[Store, Purpose]
    confirmed_by: Store = Store.DYNAMODB
    asks_everywhere: bool = False
    asks_reason: bool = False

    @property
    def purpose(self) -> Purpose:
        """The strictest of its purposes, which decides what is asked for."""
        return max(self.opens.values(), key=_STRICTEST_LAST.index)

    @property
    def checked_stores(self) -> frozenset[Store]:
        """The stores whose marker is read before it: those opened for more than looking."""
        return frozenset(
            store
            for store, purpose in self.opens.items()
            if purpose is not Purpose.LOOKING and store is not Store.AWS
        )

    def narrowed(self, purpose: Purpose) -> Action:
        """The same action where no store is opened for more than ``purpose``."""
        opens = {
            store: purpose if purpose.is_within(opened_for) else opened_for
            for store, opened_for in self.opens.items()
        }
        return replace(self, opens=opens)

    def covers(self, other: Action) -> bool:
        """Whether ``other`` opens no store that this one does not, and none for more."""
        return all(
            store in self.opens and purpose.is_within(self.opens[store])
            for store, purpose in other.opens.items()
        )
