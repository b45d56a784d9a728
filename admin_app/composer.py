"""Send from a form once, however often it is clicked.

A click runs :meth:`Once.run` before the page is drawn. A second click may run it at the same
time, in another thread of the same session, or end the first run at any call of Streamlit's. So one
run waits for the other. Between the store's acknowledgement and the note of it, Streamlit is not
called. A click on a box that was already sent does nothing.
"""

from __future__ import annotations

import functools
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import streamlit as st

from core.errors import CoreError, MessageUnconfirmedError
from core.models import SentMessage
from core.usecases.conversations import Retry

Send = Callable[[str, Retry], SentMessage]


@dataclass
class Once:
    """A form of one session, over its reruns. Its action is done once."""

    name: str
    done: int = 0
    problem: CoreError | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def key(self) -> str:
        """The form's key, and the beginning of its boxes' keys: new ones after each success."""
        return f"{self.name}-{self.done}"

    def run(self, key: str, act: Callable[[], None]) -> None:
        """Call ``act``, unless it was done; if it fails, keep the boxes and show the reason.

        ``key`` is the form's key when the button was drawn. ``act`` must not call Streamlit.
        """
        with self._lock:
            if key != self.key:
                return
            self.problem = None
            try:
                act()
            except CoreError as error:
                self.problem = error
            else:
                self.done += 1


@dataclass
class Composer(Once):
    """A box for one message."""

    unconfirmed: tuple[tuple[str, ...], Retry] | None = None
    """A message that got no answer, and how to send it again."""
    last: SentMessage | None = None

    def submit(self, key: str, send: Send, *people: str) -> None:
        """Send the text in the box once. ``send`` must not call Streamlit.

        If there was no answer, the same text between the same ``people`` is the same message.
        """
        text = str(st.session_state.get(key, ""))
        self.run(key, functools.partial(self._send, (text, *people), send))

    def _send(self, asked: tuple[str, ...], send: Send) -> None:
        self.last = None
        retry = Retry(str(uuid.uuid4()))
        if self.unconfirmed is not None and self.unconfirmed[0] == asked:
            retry = self.unconfirmed[1]
        try:
            self.last = send(asked[0], retry)
        except MessageUnconfirmedError as error:
            self.unconfirmed = asked, Retry(error.message_uuid, error.created_at)
            raise
        self.unconfirmed = None


def once(name: str) -> Once:
    """This session's form of that name."""
    return cast(Once, st.session_state.setdefault(f"form {name}", Once(name)))


def composer(name: str) -> Composer:
    """This session's composer of that name."""
    kept = st.session_state.setdefault(f"composer {name}", Composer(name))
    return cast(Composer, kept)
