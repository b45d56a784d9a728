"""Who may use the admin UI, for what, and the audit line of what they did."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import streamlit as st

from admin_app import resources
from core.dynamodb.client import Table
from core.errors import InputError
from core.postgres.database import Database
from core.targets import StoreState, Target, why_production
from core.timestamps import now, sort_key

LOCAL_OPERATOR = "local operator"
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_LOGIN_SETTINGS = (
    "redirect_uri",
    "cookie_secret",
    "client_id",
    "client_secret",
    "server_metadata_url",
)
_LOGIN_GOOD_FOR_S = 12 * 3600
MOST_OF_A_REASON = 200
"""Characters."""

_audit = logging.getLogger("cruddur.audit")


def require_permission(target: Target, state: Callable[[], StoreState]) -> None:
    """Stop here unless the person may see this target's conversations.

    Production, and an app that listens beyond this machine, take a login with the group that
    ``CRUDDUR_ADMIN_GROUP`` names. The store is asked what it is only where that decides: nobody
    learns from an error of its own where production is.
    """
    if _needs_login(target, state):
        _require_login()
        _require_group(target.settings.admin_group)
    if is_logged_in():
        _show_account()


def _needs_login(target: Target, state: Callable[[], StoreState]) -> bool:
    beyond = st.get_option("server.address") not in _LOOPBACK
    return beyond or target.is_production or why_production(target, state()) is not None


def _require_login() -> None:
    if missing := _missing_settings():
        st.title("Cruddur Ops")
        st.error("This target needs a login, and none is configured.")
        st.write(
            "Describe the OpenID Connect provider under `[auth]` in `.streamlit/secrets.toml`, as"
            f" docs/admin-ui.md shows, and start the admin UI again. Missing: {', '.join(missing)}."
        )
        st.stop()
    if not is_logged_in():
        st.title("Cruddur Ops")
        if (home := _home()) != _origin(st.context.url or home):
            st.write(f"The login comes back to another address. Use this one: {home}")
        else:
            st.button("Log in", type="primary", on_click=st.login)
        st.stop()


def _require_group(group: str) -> None:
    if group not in _groups():
        _show_account()
        st.error(
            f"You are not in the group `{group}`, which this takes. Once you are in it, log out"
            " and in again."
        )
        st.stop()


def _missing_settings() -> list[str]:
    """The settings of the login that are not there."""
    try:
        found = st.secrets.get("auth", {})
    except FileNotFoundError:  # or one that cannot be read
        found = {}
    return [name for name in _LOGIN_SETTINGS if not found.get(name)]


def _home() -> str:
    """The origin that the provider sends people back to. Only there their login is known."""
    uri = str(st.secrets["auth"]["redirect_uri"])
    return _origin(uri.replace("{port}", str(st.get_option("server.port"))))


def _origin(url: str) -> str:
    return "://".join(urlsplit(url)[:2])


def is_logged_in() -> bool:
    """Whether the provider named this person, and not too long ago.

    Streamlit's cookie keeps what the provider said for 30 days; whoever left the group in the
    meantime is not to stay.
    """
    age_s = now().timestamp() - float(str(st.user.get("iat") or 0))
    return bool(st.user.get("is_logged_in", False)) and age_s < _LOGIN_GOOD_FOR_S


def _show_account() -> None:
    """Who is logged in, and the way out."""
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
        st.text(f"Logged in as {person()}", width="content")
        st.button("Log out", on_click=st.logout)


def _groups() -> set[str]:
    """The groups that the identity provider put the person in: Cognito's claim, or the usual."""
    claims: dict[str, Any] = st.user.to_dict()
    found = claims.get("cognito:groups") or claims.get("groups") or []
    return {found} if isinstance(found, str) else set(found)


def person() -> str:
    """Who acts: the email or subject of who is logged in, or the local operator."""
    if not st.user.get("is_logged_in", False):
        return LOCAL_OPERATOR
    return str(st.user.get("email") or st.user.get("sub"))


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
    who, target = person(), resources.target()
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

    def require_write(self) -> None:
        """Raise unless messages may be sent here."""
        if not self.may_write:
            raise InputError("the admin UI is read-only here", "Start it with --write.")


def desk(message_group_uuid: str = "") -> Desk:
    """The desk; for an answer, that of the conversation."""
    record = auditor(message_group_uuid)
    return Desk(resources.database(), resources.table(), record, may_write())


def _ready(logger: logging.Logger) -> logging.Logger:
    """The logger with its handler on stderr, unless somebody has configured another."""
    if not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("audit %(message)s"))
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False
    return logger
