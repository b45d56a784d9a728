"""The pages' own elements, with their scripts and styles from the folders ``assets``.

They are components of Streamlit's second version. A question of an element (``asked``) is an action
of the visitor like any other: the code that answers it checks the permission again.
https://docs.streamlit.io/develop/concepts/custom-components/components-v2
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, cast

import streamlit as st

from admin_app import login, resources, scripts
from admin_app.downloads import Download
from core.commands import advice, before_command
from core.errors import CoreError

_ASSETS = Path(__file__).with_name("assets")
_APP = Path(__file__).parent.parent
_TABLE = ("rows", "table")
_PREFIX = "cruddur_"
_SCRIPT = scripts.entry(_PREFIX)

Question = Mapping[str, Any]
Answer = Callable[[Question], None]


def _read(*files: Path) -> str:
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def _element(name: str, *shared: str, folder: Path = _ASSETS) -> Any:
    """The element ``name``, with the styles that it shares with others before its own."""
    parts = [*(_ASSETS / part for part in ("common", *shared)), folder / name]
    return st.components.v2.component(
        _PREFIX + name,
        js=_SCRIPT,
        css=_read(*(part.with_suffix(".css") for part in parts)),
    )


_ELEMENTS = {
    "inbox": _element("inbox", "rows"),
    "thread": _element("thread", "dialog"),
    "groups": _element("groups", *_TABLE, folder=_APP / "message_groups" / "assets"),
    "users": _element("users", *_TABLE, folder=_APP / "people" / "assets"),
    "records": _element("records", *_TABLE, "dialog", folder=_APP / "records" / "assets"),
    **{name: _element(name, folder=_APP / "assets") for name in ("nav", "banner", "news")},
    **{
        name: _element(name, "command_lines", folder=_APP / "assets")
        for name in ("person", "commands")
    },
}


@dataclass
class Questions:
    """The questions of one element in one session: each is answered once, in order.

    The element sends all open questions each time, because a rerun may replace another one. If a
    newer run stops the one that answers, the question stays open and is asked again: so what it
    has done in part, it must be possible to do twice.
    """

    answered: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, asked: object, answer: Answer) -> None:
        """Answer the open questions. ``answer`` must not call Streamlit to stop the run."""
        with self._lock:
            for question in asked if isinstance(asked, list) else []:
                number = question.get("n") if isinstance(question, dict) else None
                if isinstance(number, int) and number > self.answered:
                    self._answer(number, question, answer)

    def _answer(self, number: int, question: Question, answer: Answer) -> None:
        try:
            answer(question)
        except Exception:
            self.answered = number  # to ask again would not help
            raise
        self.answered = number


def questions(name: str) -> Questions:
    """This session's questions of the element ``name``."""
    kept = st.session_state.setdefault(f"questions {name}", Questions())
    return cast(Questions, kept)


def show(name: str, data: Mapping[str, Any], answer: Answer) -> None:
    """Draw the element; ``answer`` is called with each of its questions before the next run."""
    st.session_state[f"shown {name}"] = data, answer

    key = f"element {name}"

    @login.action
    def take() -> None:
        questions(name).take(st.session_state[key].get("asked"), answer)

    _ELEMENTS[name](
        key=key,
        data={**data, "answered": questions(name).answered},
        on_asked_change=take,
        height="content",
    )


def draw(
    name: str, data: Mapping[str, Any], *, width: Literal["stretch", "content"] = "stretch"
) -> None:
    """Draw an element that asks nothing."""
    _ELEMENTS[name](key=f"element {name}", data=data, width=width, height="content")


def shows(name: str, data: Mapping[str, Any]) -> bool:
    """Whether the element was last drawn with ``data``."""
    shown, _ = st.session_state.get(f"shown {name}", ({}, None))
    return bool(shown == data)


def announce_news() -> None:
    """Let an element of the page ask: the answer is a run that draws the page."""
    draw("news", {"at": time.monotonic()})


def milliseconds(instant: datetime | None) -> int | None:
    """An instant as a browser counts it."""
    return None if instant is None else int(instant.timestamp() * 1000)


def download(begun: Download) -> dict[str, Any]:
    """A download, for an element that lets the browser fetch it."""
    return {
        "path": begun.path,
        "name": begun.name,
        "state": str(begun.state),
        "seen": begun.seen,
        "unit": begun.unit,
    }


def show_again(name: str, subject: str, error: CoreError) -> None:
    """Draw it as it was, with the problem: nothing is read, and typed text stays.

    Raises:
        CoreError: it showed something else, or nothing.
    """
    data, answer = st.session_state.get(f"shown {name}", ({}, None))
    if data.get("subject") != subject or answer is None:
        raise error
    show(name, {**data, "trouble": trouble(error)}, answer)


def trouble(error: CoreError | None) -> dict[str, str] | None:
    """The problem, and the command that fixes it, as text."""
    if error is None:
        return None
    on = resources.target().options
    line = error.command.line(on) if error.command else None
    hint = before_command(error.hint) if line else advice(error.hint, error.command, on)
    text = " ".join(filter(None, (error.problem.rstrip(".") + ".", hint)))
    return {"text": text, "command": line or ""}
