"""Who types a command line, and how they answer at the door."""

from __future__ import annotations

import sys
from collections.abc import Collection
from typing import TYPE_CHECKING

from task_groups import terminal

if TYPE_CHECKING:
    from core.access import Action, Actor
    from core.purposes import Purpose
    from task_groups.running import Run


class AtTheTerminal:
    """The visitor who types: ``--confirm``, ``--reason``, or an answer at the prompt."""

    def __init__(self, run: Run) -> None:
        self._run = run

    @property
    def actor(self) -> Actor:
        return self._run.actor

    @property
    def names_are_typed_for(self) -> Collection[Purpose]:
        from core.purposes import Purpose

        return (Purpose.WRITING, Purpose.DESTROYING)

    @property
    def typed_name(self) -> str | None:
        return str(self._run.arguments.get("confirm") or "") or None

    def require_permission(self, action: Action, *, is_production: bool) -> None:
        """Allow everything: the credentials decide."""

    def type_name(self, action: Action, name: str, why: str) -> str | None:
        because = f": this counts as production, because {why}" if why else ""
        return _ask(f"{action.name}{because}", f"Type {name} to continue:")

    def give_reason(self, action: Action, why: str) -> str:
        if reason := self._run.known_reason:
            return reason
        if action.asks_reason:
            return _ask(f"{action.name}: the audit keeps your reason.", "Why do you do it?") or ""
        explanation = (
            f"{action.name} shows users' data on production ({why}). The audit keeps your reason."
        )
        return _ask(explanation, "Why do you read it?") or ""


def _ask(explanation: str, question: str) -> str | None:
    """The answer that is typed to ``question``; None without a terminal to type it in."""
    if sys.stdin is None or not sys.stdin.isatty():
        return None
    terminal.note(explanation)
    return terminal.ask(question)
