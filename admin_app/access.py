"""Who may use the admin UI, for what, and the audit line of what they did."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from admin_app import resources
from core.dynamodb.client import Table
from core.errors import InputError
from core.postgres.database import Database
from core.targets import StoreState, Target, why_production
from core.timestamps import now, sort_key

LOCAL_OPERATOR = "local operator"
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}

_audit = logging.getLogger("cruddur.audit")


def require_permission(target: Target, state: StoreState) -> None:
    """Stop here unless the person may see this target's conversations.

    Production, and an app that listens beyond this machine, take a login with the group that
    ``CRUDDUR_ADMIN_GROUP`` names.
    """
    if not _needs_login(target, state):
        return
    if not _login_is_configured():
        st.error(
            "This target needs a login, and none is configured. Describe the OIDC provider under"
            " `[auth]` in `.streamlit/secrets.toml`, as docs/admin-ui.md shows."
        )
        st.stop()
    if not st.user.is_logged_in:
        st.title("Cruddur Ops")
        st.button("Log in", type="primary", on_click=st.login)
        st.stop()
    if target.settings.admin_group not in _groups():
        st.error("You are signed in, and not in the group that may use this.")
        st.button("Log out", on_click=st.logout)
        st.stop()


def _needs_login(target: Target, state: StoreState) -> bool:
    beyond = st.get_option("server.address") not in _LOOPBACK
    return beyond or why_production(target, state) is not None


def _login_is_configured() -> bool:
    try:
        return "auth" in st.secrets
    except FileNotFoundError:
        return False


def _groups() -> set[str]:
    """The groups that the identity provider put the person in: Cognito's claim, or the usual."""
    claims: dict[str, Any] = st.user.to_dict()
    found = claims.get("cognito:groups") or claims.get("groups") or []
    return {found} if isinstance(found, str) else set(found)


def person() -> str:
    """Who acts: the signed-in email or subject, or the local operator."""
    if not st.user.get("is_logged_in", False):
        return LOCAL_OPERATOR
    return str(st.user.get("email") or st.user.get("sub"))


def may_write() -> bool:
    """Whether messages may be sent: always locally, on production only with ``--write``."""
    production = why_production(resources.target(), resources.state()) is not None
    return not production or bool(resources.options().write)


def audit(what: str, **fields: str) -> None:
    """Leave one line: who did what, where and to which conversation; never a message's text."""
    auditor()(what, **fields)


def auditor() -> Callable[..., None]:
    """An :func:`audit` that calls nothing of Streamlit's, and so cannot be cut off by a rerun."""
    who, target = person(), resources.target()
    logger = _ready(_audit)

    def record(what: str, **fields: str) -> None:
        entry = {
            "at": sort_key(now()),
            "who": who,
            "target": str(target.environment),
            "table": target.table_name,
            "what": what,
            **fields,
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

    def require_write(self) -> None:
        """Raise unless messages may be sent here."""
        if not self.may_write:
            raise InputError("the admin UI is read-only here", "Start it with --write.")


def desk() -> Desk:
    return Desk(resources.database(), resources.table(), auditor(), may_write())


def _ready(logger: logging.Logger) -> logging.Logger:
    """The logger with its handler on stderr, unless somebody has configured another."""
    if not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("audit %(message)s"))
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False
    return logger
