"""Who asks at the door, and what they were granted."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Protocol

from core.access.actions import Action, Store
from core.access.audit import Actor
from core.errors import NotPermittedError
from core.purposes import Purpose


class Visitor(Protocol):
    """Who stands at the door, and how they answer."""

    @property
    def actor(self) -> Actor:
        """Who the audit says acted."""

    @property
    def names_are_typed_for(self) -> Collection[Purpose]:
        """What takes the store's name on production."""

    @property
    def typed_name(self) -> str | None:
        """The store's name as it was given beforehand; None if none was."""

    def require_permission(self, action: Action, *, is_production: bool) -> None:
        """Raise unless this person may do ``action`` at all."""

    def type_name(self, action: Action, name: str, why: str) -> str | None:
        """The store's name as the person types it when asked; None if nobody can be asked."""

    def give_reason(self, action: Action, why: str) -> str:
        """Why user data is read; empty if nobody says."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A permission that was given: for what, about whom, and why. It opens nothing by itself."""

    action: Action
    is_production: bool = False
    about: tuple[str, ...] = ()
    conversation: str = ""
    message: str = ""
    reason: str = ""
    actor: Actor = field(default_factory=Actor)

    @property
    def is_audited(self) -> bool:
        return self.is_production and self.action.purpose not in (
            Purpose.LOOKING,
            Purpose.VERIFYING,
        )

    def purpose_for(self, store: Store) -> Purpose:
        """What ``store`` was granted for.

        Raises:
            NotPermittedError: it was not granted at all.
        """
        purpose = self.action.opens.get(store)
        if purpose is None:
            raise NotPermittedError(
                f"{self.action.name} does not open {store}",
                "Nothing was sent. This is a fault of the program: report it.",
            )
        return purpose
