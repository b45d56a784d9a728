"""Sending from a form, once, whatever is clicked how often.

A click runs :meth:`Composer.submit` before the page is drawn. A second click may run it at the same
time, in another thread of the same session, or end the first run at any call of Streamlit's. So one
submit waits for the other, nothing of Streamlit's is called between the store's acknowledgement and
the note of it, and a click on a box that has been sent does nothing.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import streamlit as st

from core.errors import CoreError, MessageUnconfirmedError
from core.messaging import Retry
from core.models import SentMessage

Send = Callable[[str, Retry], SentMessage]


@dataclass
class Composer:
    """One text box of one session, over its reruns."""

    name: str
    sent: int = 0
    retry: Retry = field(default_factory=lambda: Retry(str(uuid.uuid4())))
    problem: CoreError | None = None
    last: SentMessage | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def key(self) -> str:
        """The text box's key: a new, empty box after each message that was sent."""
        return f"{self.name}-{self.sent}"

    def submit(self, key: str, send: Send) -> None:
        """Send what is in the box; keep it there, with the reason, where that fails.

        ``key`` is the box's key when the button was drawn. ``send`` must not call Streamlit.
        """
        text = str(st.session_state.get(key, ""))
        with self._lock:
            if key == self.key:
                self._submit(text, send)

    def _submit(self, text: str, send: Send) -> None:
        self.problem = self.last = None
        try:
            self.last = send(text, self.retry)
        except MessageUnconfirmedError as error:
            self.retry = Retry(error.message_uuid, error.created_at)
            self.problem = error
        except CoreError as error:
            self.problem = error
        else:
            self.sent += 1
            self.retry = Retry(str(uuid.uuid4()))


def composer(name: str) -> Composer:
    """This session's composer of that name."""
    found = st.session_state.setdefault(f"composer {name}", Composer(name))
    return cast(Composer, found)
