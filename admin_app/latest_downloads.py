"""The latest download of each kind that a visitor's session has begun."""

from __future__ import annotations

import streamlit as st

from admin_app import downloads
from admin_app.downloads import Download, Source
from core.errors import CoreError


def begin(kind: str, name: str, media_type: str, unit: str, source: Source) -> None:
    """Begin a download, audited, for the browser to fetch; else keep the problem to show."""
    try:
        download = Download.begin(name, media_type, unit, source)
    except CoreError as error:
        st.session_state[_key(kind)] = error
        return
    downloads.WAITING.add(download)
    st.session_state[_key(kind)] = download


def latest(kind: str) -> Download | None:
    """The latest download of the kind, unless it could not begin."""
    download = st.session_state.get(_key(kind))
    return download if isinstance(download, Download) else None


def problem(kind: str) -> CoreError | None:
    """Why the latest download of the kind could not begin."""
    error = st.session_state.get(_key(kind))
    return error if isinstance(error, CoreError) else None


def stop(kind: str) -> None:
    """Stop the latest download of the kind, if there is one."""
    if (download := latest(kind)) is not None:
        download.stop()


def _key(kind: str) -> str:
    return f"download of {kind}"
