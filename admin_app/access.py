"""How the pages use the door: the visitor, the permissions and the reasons."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import streamlit as st

from admin_app import login, resources
from core.access import Action, Actor, Door, Grant, Stores
from core.errors import InputError, TargetRefusedError
from core.purposes import Purpose
from core.targets import Target

MOST_OF_A_REASON = 200
"""Characters."""


@dataclass(frozen=True, slots=True)
class InTheBrowser:
    """The visitor who clicks. Does not call Streamlit, so other threads may use it.

    ``require_login`` raises once the login of this tab has ended.
    """

    actor: Actor
    may_write: bool
    require_login: Callable[[], None]
    reason: str = ""
    typed_name: str | None = None

    @property
    def names_are_typed_for(self) -> Collection[Purpose]:
        return (Purpose.DESTROYING,)

    def require_permission(self, action: Action, *, is_production: bool) -> None:
        self.require_login()
        changes = action.purpose.changes_stores
        if is_production and changes and not self.may_write:
            raise TargetRefusedError("The admin UI is read-only here", "Start it with --write.")

    def type_name(self, action: Action, name: str, why: str) -> str | None:
        return self.typed_name

    def give_reason(self, action: Action, why: str) -> str:
        return self.reason


def visitor(reason: str = "", typed_name: str | None = None) -> InTheBrowser:
    """The visitor of this tab."""
    return InTheBrowser(
        login.actor(), bool(resources.options().write), login.checker(), reason, typed_name
    )


def enter(target: Target, *, answering: bool) -> str | None:
    """Let the person in if they may see this target's conversations.

    Production, and an app that other machines reach, need a login with the group that
    ``CRUDDUR_ADMIN_GROUP`` names. The stores' markers are read before it only if they decide, so
    that no error of a store shows a stranger where production is. ``answering``: skip a store that
    does not answer. Returns why the target counts as production, empty if it does not; None if the
    log-in page is shown instead.
    """
    needs_login = login.is_reachable_from_elsewhere() or target.is_production
    why = "" if needs_login else why_production(answering=answering)
    if not login.enter(target.settings.admin_group if needs_login or why else None):
        return None
    return why_production(answering=answering) if needs_login else why


def why_production(*, answering: bool = False) -> str:
    """Why this target counts as production; empty if it does not. Checked once a minute."""
    return resources.door().why_production(refresh=False, quick=True, answering=answering)


def may_write() -> bool:
    """Whether sending is allowed: always locally, on production only with ``--write``."""
    return not why_production() or bool(resources.options().write)


def may_see_audit() -> bool:
    """Whether this person may read the audit; if a login is needed, its own group decides."""
    if not login.is_needed():
        return True
    return resources.target().settings.auditor_group in login.groups()


@dataclass(frozen=True, slots=True)
class Subject:
    """What a reason is given for: an inbox, a conversation or a table.

    ``about`` are user uuids, ``conversation`` an id: the audit names them.
    """

    action: Action
    question: str
    about: tuple[str, ...] = ()
    conversation: str = ""

    @property
    def key(self) -> str:
        return " ".join((self.action.name, *self.about, self.conversation))


def opened(subject: Subject) -> Stores | None:
    """The stores, opened for ``subject``; None until there is a reason.

    On production the reason is asked for and audited once a tab; later runs and ticks open the
    stores again. The login is checked each time.
    """
    here = visitor()
    here.require_login()
    door, grants = resources.door(), _grants()
    known = grants.get(subject.key)
    if known is None or _is_outdated(known):
        reason = _ask_reason(subject) if why_production() else ""
        if reason is None:
            return None
        known = _admit(subject, dataclasses.replace(here, reason=reason))
        grants[subject.key] = known
        if reason:
            st.rerun()
    return door.stores(known)


def opened_before(subject: Subject) -> Stores | None:
    """The stores, if this tab has opened them for ``subject`` and nothing has to be asked now."""
    visitor().require_login()
    known = _grants().get(subject.key)
    return None if known is None or _is_outdated(known) else resources.door().stores(known)


def _is_outdated(grant: Grant) -> bool:
    """Whether the target has become production since: then a reason is needed."""
    return not grant.is_production and bool(why_production())


def _admit(subject: Subject, here: InTheBrowser) -> Grant:
    return resources.door().admit(
        subject.action, here, about=subject.about, conversation=subject.conversation
    )


def reason_for(subject: Subject) -> str:
    """The reason for ``subject`` in this tab; empty if none was needed."""
    known = _grants().get(subject.key)
    return known.reason if known else ""


def _grants() -> dict[str, Grant]:
    grants: dict[str, Grant] = st.session_state.setdefault("grants", {})
    return grants


def _ask_reason(subject: Subject) -> str | None:
    """The typed reason; until then, show a form that asks for it."""
    form = f"reason {subject.key}"
    with st.container(key=f"asks {form}"), st.form(form):
        said = st.text_input(
            subject.question,
            max_chars=MOST_OF_A_REASON,
            placeholder="A ticket, a report, what the user asked for",
        )
        st.caption("The audit keeps it, with your name.")
        submitted = st.form_submit_button("Open", type="primary")
    reason = " ".join(said.split())[:MOST_OF_A_REASON]
    if submitted and not reason:
        st.error("Say why. The audit keeps it.", icon=":material/warning:")
    return reason if submitted and reason else None


@dataclass(frozen=True, slots=True)
class Desk:
    """What an action needs from the app, collected first: the action does not call Streamlit.

    So a rerun cannot end it between the store's acknowledgement and the note of it.
    """

    door: Door
    visitor: InTheBrowser

    def require_reason(self) -> None:
        """Refuse an empty reason, in the words of a page: the door names an option of a task."""
        if not self.visitor.reason.strip():
            raise InputError("No reason was given", "Fill in the reason.")

    @contextmanager
    def open(
        self,
        action: Action,
        *,
        about: Collection[str] = (),
        conversation: str = "",
        message: str = "",
    ) -> Iterator[Stores]:
        """The stores, opened for ``action``, once everything that it needs is given.

        Raises:
            CoreError: it is not allowed, or could not be audited. Nothing was done.
        """
        grant = self.door.admit(
            action, self.visitor, about=about, conversation=conversation, message=message
        )
        with self.door.open(grant) as stores:
            yield stores

    def look(self) -> Stores:
        """The stores, opened for looking."""
        self.visitor.require_login()
        return self.door.look()


def desk(reason: str = "", typed_name: str | None = None) -> Desk:
    """The desk of this tab."""
    return Desk(resources.door(), visitor(reason, typed_name))


def look() -> Stores:
    """The stores, opened for looking: no user's text or email address."""
    visitor().require_login()
    return resources.door().look()
