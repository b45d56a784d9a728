"""Shared parts of the pages: stored text shown as text, times, problems, commands."""

from __future__ import annotations

import re
import shlex
import unicodedata
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime

import streamlit as st

from admin_app import login, resources
from core.commands import Command, advice, before_command
from core.errors import CoreError
from core.timestamps import now

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_LINK_OR_SHORTCODE = re.compile(r":(?=//|[\w+-]+:)|(?<=[\w.+-])@(?=[\w-])|(?<=www)(?=\.)")
_ARROW_OR_RELATION = re.compile(r"(?<![^\s\0])(?:<->|<-|->|--|<=|>=|~=)(?![^\s\0])")
"""A sign between blanks or breaks: after a break, the text begins anew."""

_MOST_OF_A_NAME = 255
"""Characters; DynamoDB's own limit."""

_BREAK = ":gray[]"
"""An empty piece between two texts, without a character that a copy would contain."""
_LEFT, _ISOLATE, _POP_ISOLATE = "\u200e", "\u2068", "\u2069"


def escaped(text: str) -> str:
    """Stored ``text`` for a place where Streamlit reads Markdown: shown as it is, on one line.

    Streamlit looks for links, emoji shortcodes and signs like ``->`` after it resolves escapes, so
    an empty piece of coloured text breaks them up. Right-to-left text does not change the text
    around it.
    """
    line = "".join(c if c.isprintable() or c == "\u200d" else " " for c in text)
    line = " ".join(line.split())
    line = _LINK_OR_SHORTCODE.sub("\\g<0>\0", line)
    line = _ARROW_OR_RELATION.sub(lambda sign: "\0".join(sign[0]), line)
    line = _PUNCTUATION.sub(r"\\\1", line).replace("\0", _BREAK)
    return isolated(line)


def isolated(text: str) -> str:
    """``text`` in its own direction, beside text in another direction."""
    return f"{_LEFT}{_ISOLATE}{text}{_POP_ISOLATE}" if _runs_right_to_left(text) else text


def _runs_right_to_left(text: str) -> bool:
    return any(unicodedata.bidirectional(c) in ("R", "AL") for c in text)


def table_name_box(key: str) -> None:
    """The box in which the table's name is typed to allow a change. It never holds a default."""
    st.text_input(
        f"Type the table’s name, {escaped(resources.target().table_name)}",
        key=key,
        max_chars=_MOST_OF_A_NAME,
        autocomplete="off",
    )


def show_problem(error: CoreError) -> None:
    """Show the problem, and the command that fixes it."""
    st.error(escaped(error.problem.rstrip(".") + "."), icon=":material/warning:")
    on = resources.target().options
    line = error.command.line(on) if error.command else None
    if line:
        st.write(escaped(before_command(error.hint)))
        st.code(line, language=None)
    elif hint := advice(error.hint, error.command, on):
        st.write(escaped(hint))


def command_of(task: str, *words: str) -> Command:
    """A task's command line; ``words`` are its options and values, quoted for a shell."""
    return Command(task, (shlex.join(words),) if words else ())


def command(task: str, *words: str) -> None:
    """Show the task that does the same, ready to copy; ``words`` are its options and values."""
    commands(command_of(task, *words))


@st.fragment
@login.required
def commands(*tasks: Command) -> None:
    """Show the tasks that do the same, with arguments quoted for a shell.

    They are drawn when they are opened: for a box of code a page loads 1.5 MB of scripts.
    """
    expander = st.expander("Command line", key="commands", on_change="rerun")
    if expander.open:
        with expander:
            _lines(tasks)


def _lines(tasks: Sequence[Command]) -> None:
    for line in command_lines(tasks):
        st.code(line, language=None, wrap_lines=True)


def command_lines(tasks: Sequence[Command]) -> list[str]:
    """The tasks as a terminal takes them; a task that must not run on this target is left out."""
    on = resources.target().options
    return [line for task in tasks if (line := task.line(on)) is not None]


def asking_both_stores() -> AbstractContextManager[None]:
    """Say so while the block waits: a store that is cut off takes seconds to time out."""
    return st.spinner("Asking both stores…")


def ago(instant: datetime | None) -> str:
    """How long ago, in words."""
    if instant is None:
        return "at an unknown time"
    seconds = (now() - instant).total_seconds()
    if seconds < 0:
        return exact(instant)
    if seconds < 60:
        return "just now"
    for size, unit in ((60, "min"), (60, "h"), (24, "d")):
        seconds /= size
        if seconds < {"min": 60, "h": 24, "d": 7}[unit]:
            return f"{int(seconds)} {unit} ago"
    return f"{instant:%-d %b %Y}"


def exact(instant: datetime | None) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC" if instant else "unknown time"
