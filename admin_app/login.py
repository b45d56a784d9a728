"""Who is logged in: the log-in page, the check before each action, and the way out.

A run of the whole page begins with :func:`enter`. Between two such runs, a fragment checks with
:func:`required`, a callback with :func:`action`, and a send or a background job with
:func:`checker`. Once a login has ended, each of them shows nothing, stores nothing, and opens the
log-in page.
"""

from __future__ import annotations

import functools
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ParamSpec
from urllib.parse import urlsplit

import streamlit as st
from streamlit.errors import StreamlitSecretNotFoundError

from admin_app import logins
from admin_app.logins import Login, login_from
from core.access import Actor
from core.errors import LoginEndedError, SettingsError

LOCAL_OPERATOR = "local operator"
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_SETTINGS = (
    "redirect_uri",
    "cookie_secret",
    "client_id",
    "client_secret",
    "server_metadata_url",
)
_GROUP = "group that must be logged in"
"""In the session: the group that this page needs; None if it needs no login."""
_LOOK_EVERY_S = 3

P = ParamSpec("P")


def current() -> Login | None:
    """The login of this tab; None if there is none or it has ended."""
    login = login_from(st.user.to_dict())
    return login if login is not None and login.is_valid else None


def person() -> str:
    """The email or subject of the login, or the local operator."""
    login = login_from(st.user.to_dict())
    return LOCAL_OPERATOR if login is None else login.email or login.subject


def actor() -> Actor:
    """The user's identity, as the audit writes it."""
    login = login_from(st.user.to_dict())
    if login is None:
        return Actor(user=LOCAL_OPERATOR, uid=os.getuid(), host=socket.gethostname())
    return Actor(email=login.email, subject=login.subject)


def groups() -> frozenset[str]:
    """The groups of the login."""
    login = current()
    return login.groups if login else frozenset()


def is_needed() -> bool:
    """Whether this page needed a login."""
    return st.session_state.get(_GROUP) is not None


def checker() -> Callable[[], None]:
    """A check of this tab's login that does not call Streamlit, for other threads.

    It raises LoginEndedError once the login has ended. If no login is needed, it does nothing.
    """
    group = st.session_state.get(_GROUP, "")
    if group is None:
        return _pass
    login = current()
    return functools.partial(_check, login, group)


def _pass() -> None:
    """Check nothing: no login is needed."""


def _check(login: Login | None, group: str) -> None:
    if login is None or not login.is_valid or group not in login.groups:
        raise LoginEndedError("Your login has ended", "Log in again.")


def require() -> None:
    """Check that this tab's login may see its page. Draws nothing.

    Raises:
        LoginEndedError: the login has ended, or has expired.
    """
    checker()()


def action(callback: Callable[P, object]) -> Callable[P, None]:
    """A ``callback`` that does nothing once the login has ended.

    The run that follows a callback shows the log-in page.
    """

    @functools.wraps(callback)
    def checked(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            require()
        except LoginEndedError:
            return
        callback(*args, **kwargs)

    return checked


def required(draw: Callable[P, None]) -> Callable[P, None]:
    """A fragment's ``draw`` that opens the log-in page once the login has ended."""

    @functools.wraps(draw)
    def checked(*args: P.args, **kwargs: P.kwargs) -> None:
        _leave_if_ended()
        draw(*args, **kwargs)

    return checked


def _leave_if_ended() -> None:
    try:
        require()
    except LoginEndedError:
        st.rerun()


def enter(group: str | None) -> bool:
    """Begin a run of the page: whether it may go on. If not, the log-in page is shown.

    If ``group`` is None, nobody has to log in; an existing login is still named.

    The run has to end by itself then: after ``st.stop()``, Streamlit would still run the fragments
    of the page before, whose ticks may be on their way, and the browser has no place for them.
    """
    st.session_state[_GROUP] = group
    if group is not None:
        logins.login_is_required.set()
        if (missing := missing_settings()) or current() is None:
            _show_log_in(missing)
            return False
        if group not in groups():
            _show_refusal(group)
            return False
        _watch()
    if current() is not None:
        _show_account()
    return True


@st.fragment(run_every=_LOOK_EVERY_S)
def _watch() -> None:
    """Opens the log-in page in an idle tab soon after its login has ended."""
    _leave_if_ended()


def _show_log_in(missing: Sequence[str]) -> None:
    """Show how to log in, or which settings of the login are ``missing``."""
    st.title("Cruddur Ops", anchor=False)
    if missing:
        st.error("This target needs a login, and none is configured.")
        st.write(
            "Run `invoke configure-login`, or describe another provider under `[auth]` in"
            " `.streamlit/secrets.toml`, as docs/how-to/log-in.md shows. Then start the admin UI"
            f" again. Missing: {', '.join(missing)}."
        )
    elif (address := home()) != _origin(st.context.url or address):
        st.write(f"The login comes back to another address. Use this one: {address}")
    else:
        st.button("Log in", type="primary", on_click=st.login)


def _show_refusal(group: str) -> None:
    _show_account()
    st.error(
        f"You are not in the group `{group}`, which may use this admin UI. Once you are in it,"
        " log out and in again."
    )


def _show_account() -> None:
    """Show the login, and a button that ends it."""
    with st.container(
        key="account",
        horizontal=True,
        horizontal_alignment="right",
        vertical_alignment="center",
        gap="small",
    ):
        st.text(f"Logged in as {person()}", width="content")
        st.button("Log out", type="tertiary", on_click=_log_out)


def _log_out() -> None:
    """End the login, here and in every other tab; then at the provider."""
    if (login := login_from(st.user.to_dict())) is not None:
        logins.ENDED.add(login)
    st.logout()


def is_reachable_from_elsewhere() -> bool:
    """Whether other machines reach the server, directly or through ``--url``."""
    names = (st.get_option("server.address"), st.get_option("browser.serverAddress"))
    return any(name not in _LOOPBACK for name in names)


def read_settings() -> Mapping[str, Any]:
    """The ``[auth]`` settings of the secrets files; empty if there are none.

    Raises:
        SettingsError: a file cannot be read.
    """
    try:
        auth = st.secrets.to_dict().get("auth", {})
    except StreamlitSecretNotFoundError as error:
        if error.error_id == "no-secrets-found":
            return {}
        raise SettingsError(str(error), "Fix the file or remove it.") from error
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"Could not read secrets.toml: {error}", "Fix the file or remove it."
        ) from error
    return auth if isinstance(auth, Mapping) else {}


def missing_settings() -> list[str]:
    """The missing settings of the login."""
    settings = read_settings()
    return [name for name in _SETTINGS if not settings.get(name)]


def home() -> str:
    """The origin that the provider sends people back to. The login is valid only there."""
    uri = str(read_settings()["redirect_uri"])
    return _origin(uri.replace("{port}", str(st.get_option("server.port"))))


def _origin(url: str) -> str:
    return "://".join(urlsplit(url)[:2])
