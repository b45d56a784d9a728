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
    """The person who asks to open a store, and how they answer questions."""

    @property
    def actor(self) -> Actor:
        """The actor for the audit."""

    @property
    def names_are_typed_for(self) -> Collection[Purpose]:
        """The purposes that need the store's typed name on production."""

    @property
    def typed_name(self) -> str | None:
        """The store's name as typed beforehand; None if it was not."""

    def require_permission(self, action: Action, *, is_production: bool) -> None:
        """Raise an error unless this person may do ``action`` at all."""

    def type_name(self, action: Action, name: str, why: str) -> str | None:
        """The store's name as the person types it now; None if there is no terminal to ask in."""

    def give_reason(self, action: Action, why: str) -> str:
        """Why users' data is read; empty if no reason is given."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A permission to do an action: for what, about whom, and why. It opens nothing by itself."""

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
        """The purpose that ``store`` may be opened for.

        Raises:
            NotPermittedError: it was not granted at all.
        """
        purpose = self.action.opens.get(store)
        if purpose is None:
            raise NotPermittedError(
                f"{self.action.name} does not open {store}",
                "Nothing was sent. This is a bug in Cruddur Ops: report it.",
            )
        return purpose
