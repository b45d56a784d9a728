"""The page's address: the user, the conversation, and the place in it."""

from __future__ import annotations

import streamlit as st

from core.postgres import bare_handle


def user() -> str:
    """The handle of the user whose conversations are shown; empty if none is chosen."""
    return st.query_params.get("user", "")


def conversation() -> str:
    """The ``message_group_uuid`` of the open conversation; empty if none is open."""
    return st.query_params.get("conversation", "")


def place() -> str:
    """The sort key that the conversation is read at, or its beginning; empty for the newest."""
    return st.query_params.get("at", "")


def open_user(handle: str) -> None:
    """Show this user's conversations."""
    st.query_params.from_dict({"user": handle})


def go(*, conversation: str | None = None, at: str = "") -> None:
    """Show a conversation of the same user, or another place in the open one.

    An empty ``conversation`` closes the open one.
    """
    group = st.query_params.get("conversation", "") if conversation is None else conversation
    parts = {"user": user(), "conversation": group, "at": at if group else ""}
    st.query_params.from_dict({name: value for name, value in parts.items() if value})


def return_from_elsewhere() -> None:
    """Show what the page showed before another page was opened from it."""
    has_arrived = st.session_state.pop("has arrived", False)
    if has_arrived and not st.query_params and (left := st.session_state.get("place left")):
        st.query_params.from_dict(left)
    st.session_state["place left"] = st.query_params.to_dict()


def rename_user(old: str, new: str) -> None:
    """Return to the user by the ``new`` handle, if the page showed the one who had the ``old``."""
    left = st.session_state.get("place left", {})
    if bare_handle(left.get("user", "")) == bare_handle(old):
        st.session_state["place left"] = left | {"user": new}


def forget_user(handle: str) -> None:
    """Do not return to this user, who is erased."""
    if bare_handle(st.session_state.get("place left", {}).get("user", "")) == bare_handle(handle):
        st.session_state.pop("place left")


def is_drawn() -> bool:
    """Whether the page was drawn for the address that this run has: a tick that the browser sent
    just after a click still has the one before.
    """
    return st.session_state.get("place left") == st.query_params.to_dict()
