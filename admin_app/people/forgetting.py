"""What a tab has read of the stores is forgotten when a user is erased."""

from __future__ import annotations

import streamlit as st

from admin_app import resources
from admin_app.composer import Composer
from admin_app.search.searching import Searching

ERASURE = "erasure"
_READ = frozenset(
    {
        *("overview", "reads all", "searching", "search problem", "search", "removing"),
        *("thread", "inbox", "person", "memberships", "memberships read", "known conversation"),
        *("activities", "conversation counts", "cognito states", "users pages of", "added user"),
        *("shown thread", "shown inbox"),
    }
)
"""What may hold a user's text or name, in the session."""


def forget_the_erased() -> None:
    """Forget what this tab has read, if an erasure has begun or ended since the last run.

    What is read while it runs may still have the user, so it is forgotten as well.
    """
    serial, latest = resources.jobs().serial(ERASURE), resources.jobs().latest(ERASURE)
    known = serial, latest is not None and latest.is_running
    if st.session_state.setdefault("erasures", known) == known:
        return
    resources.shared_reads().forget()
    if isinstance(searching := st.session_state.get("searching"), Searching):
        searching.job.stop()
    for key in map(str, [*st.session_state]):
        if key in _READ:
            st.session_state.pop(key)
        elif key.startswith("composer ") and isinstance(st.session_state[key], Composer):
            st.session_state[key].last = None
    st.session_state["erasures"] = known
