"""The latest download of each kind that a visitor's session has begun."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from admin_app import downloads
from admin_app.downloads import Download, Source
from core.errors import CoreError


@dataclass(frozen=True, slots=True)
class _Begun:
    """The download, or why it could not begin. ``about`` is what it was asked for."""

    about: str
    result: Download | CoreError


def begin(
    kind: str, name: str, media_type: str, unit: str, source: Source, *, about: str = ""
) -> None:
    """Begin a download, audited, for the browser to fetch; else keep the problem to show.

    ``about`` is what it is asked for, where there are several downloads of the kind.
    """
    try:
        download = Download.begin(name, media_type, unit, source)
    except CoreError as error:
        st.session_state[_key(kind)] = _Begun(about, error)
        return
    downloads.WAITING.add(download)
    st.session_state[_key(kind)] = _Begun(about, download)


def latest(kind: str, about: str = "") -> Download | None:
    """The latest download of the kind, if it is ``about`` this, and unless it could not begin."""
    result = _result(kind, about)
    return result if isinstance(result, Download) else None


def problem(kind: str, about: str = "") -> CoreError | None:
    """Why the latest download of the kind could not begin, if it is ``about`` this."""
    result = _result(kind, about)
    return result if isinstance(result, CoreError) else None


def running(kind: str) -> Download | None:
    """The latest download of the kind, whatever it is about, until it has ended."""
    begun = _begun(kind)
    if begun is None or not isinstance(begun.result, Download) or not begun.result.is_open:
        return None
    return begun.result


def stop(kind: str) -> None:
    """Stop the latest download of the kind, if it has not ended."""
    if (download := running(kind)) is not None:
        download.stop()


def _result(kind: str, about: str) -> Download | CoreError | None:
    begun = _begun(kind)
    return begun.result if begun is not None and begun.about == about else None


def _begun(kind: str) -> _Begun | None:
    begun = st.session_state.get(_key(kind))
    return begun if isinstance(begun, _Begun) else None


def _key(kind: str) -> str:
    return f"download of {kind}"
