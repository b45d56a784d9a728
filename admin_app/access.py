"""Who may use the admin UI, for what, and the audit line of what they did."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from admin_app import login, resources
from core.dynamodb.client import Table
from core.errors import InputError
from core.postgres.database import Database
from core.targets import StoreState, Target, why_production
from core.timestamps import now, sort_key

MOST_OF_A_REASON = 200
"""Characters."""

_audit = logging.getLogger("cruddur.audit")


def require_permission(target: Target, state: Callable[[], StoreState]) -> None:
    """Stop here unless the person may see this target's conversations.

    Production, and an app that listens beyond this machine, take a login with the group that
    ``CRUDDUR_ADMIN_GROUP`` names. The store is asked what it is only where that decides: nobody
    learns from an error of its own where production is.
    """
    login.enter(target.settings.admin_group if _needs_login(target, state) else None)


def _needs_login(target: Target, state: Callable[[], StoreState]) -> bool:
    elsewhere = login.is_reachable_from_elsewhere()
    return elsewhere or target.is_production or why_production(target, state()) is not None


def may_write() -> bool:
    """Whether messages may be sent: always locally, on production only with ``--write``."""
    production = why_production(resources.target(), resources.state()) is not None
    return not production or bool(resources.options().write)


def audit(what: str, **fields: str) -> None:
    """Leave one line: who did what, where, to which conversation and why; never a text."""
    auditor(fields.get("message_group_uuid", ""))(what, **fields)


def ask_for_reason(message_group_uuid: str) -> str | None:
    """Why this conversation is opened: asked once a session on production, where it is private.

    Empty where nobody has to say; None as long as it has not been said.
    """
    if why_production(resources.target(), resources.state()) is None:
        return ""
    if known := _reasons().get(message_group_uuid):
        return known
    with st.form(f"reason {message_group_uuid}"):
        said = st.text_input(
            "Why do you open this conversation?",
            max_chars=MOST_OF_A_REASON,
            placeholder="A ticket, a report, what the member asked for",
            help="It is kept in the audit log, with your name.",
        )
        submitted = st.form_submit_button("Open", type="primary")
    reason = " ".join(said.split())[:MOST_OF_A_REASON]
    if submitted and not reason:
        st.error("Say why: it is kept in the audit log.", icon="⚠️")
    if not (submitted and reason):
        return None
    _reasons()[message_group_uuid] = reason
    st.rerun()


def _reasons() -> dict[str, str]:
    found: dict[str, str] = st.session_state.setdefault("reasons", {})
    return found


def auditor(message_group_uuid: str = "") -> Callable[..., None]:
    """An :func:`audit` that calls nothing of Streamlit's, and so cannot be cut off by a rerun.

    Its lines hold the reason that was given for the conversation, if one was.
    """
    who, target = login.person(), resources.target()
    why = _reasons().get(message_group_uuid)
    subject = {"subject": str(st.user["sub"])} if "sub" in st.user else {}
    logger = _ready(_audit)

    def record(what: str, **fields: str) -> None:
        entry = {
            "at": sort_key(now()),
            "who": who,
            **subject,
            "target": str(target.environment),
            "table": target.table_name,
            "what": what,
            **fields,
            **({"why": why} if why else {}),
        }
        logger.info(json.dumps(entry))

    return record


@dataclass(frozen=True, slots=True)
class Desk:
    """What a send needs of the app, gathered before it: the send itself calls no Streamlit."""

    db: Database
    table: Table
    record: Callable[..., None]
    may_write: bool
    require_login: Callable[[], None]
    """Raises LoginEndedError once the login has ended that the desk was made for."""

    def require_write(self) -> None:
        """Raise unless messages may be sent here, by a person who is still logged in."""
        self.require_login()
        if not self.may_write:
            raise InputError("the admin UI is read-only here", "Start it with --write.")


def desk(message_group_uuid: str = "") -> Desk:
    """The desk; for an answer, that of the conversation."""
    record = auditor(message_group_uuid)
    return Desk(resources.database(), resources.table(), record, may_write(), login.checker())


def _ready(logger: logging.Logger) -> logging.Logger:
    """The logger with its handler on stderr, unless somebody has configured another."""
    if not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("audit %(message)s"))
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False
    return logger
