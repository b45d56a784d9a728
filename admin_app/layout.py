"""What the pages share: stored text shown as text, times, problems, commands."""

from __future__ import annotations

import re
import shlex
import unicodedata
from collections.abc import Callable
from datetime import datetime

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from admin_app import resources
from core.commands import Command, advice
from core.errors import CoreError
from core.targets import Target
from core.timestamps import now

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_LINK_OR_SHORTCODE = re.compile(r":(?=//|[\w+-]+:)|@|(?<=www)(?=\.)")
_WORD_JOINER = "\u2060"
_ISOLATE, _POP_ISOLATE = "\u2068", "\u2069"


def escaped(text: str) -> str:
    """Stored ``text`` for a place where Streamlit reads Markdown: shown as it is, on one line.

    Links and emoji shortcodes are looked for after escapes are resolved, so a word joiner, which
    nobody sees, breaks them up. What runs from right to left does so without what stands beside it.
    """
    line = "".join(c if c.isprintable() or c == "\u200d" else " " for c in text)
    line = " ".join(line.split())
    line = _PUNCTUATION.sub(r"\\\1", _LINK_OR_SHORTCODE.sub(rf"\g<0>{_WORD_JOINER}", line))
    return f"{_ISOLATE}{line}{_POP_ISOLATE}" if _runs_right_to_left(line) else line


def _runs_right_to_left(text: str) -> bool:
    return any(unicodedata.bidirectional(c) in ("R", "AL") for c in text)


STYLE = """
<style>
[data-testid="stMainBlockContainer"] { padding-top: 4.5rem; padding-bottom: 3rem; }
/* Lists of people and conversations read from the left. */
[class*="st-key-list-"] button { justify-content: flex-start; text-align: left; }
[class*="st-key-list-"] button > div { justify-content: flex-start; }
/* A table fits its page: what scrolls sideways is beyond the reach of the keyboard. */
[data-testid="stTable"] td :is(div, p) { overflow-wrap: anywhere !important; }
/* A table's own download does not neutralise formulas; the pages' downloads do. */
button[aria-label^="Download as CSV"] { display: none; }
/* The chosen one of several buttons: the primary colour alone is too dim on a dark page. */
button[data-selected="true"] p { color: color-mix(in srgb, currentColor 55%, CanvasText); }
</style>
"""


def style() -> None:
    """What the theme cannot say. Ours alone: nothing stored goes in here."""
    st.html(STYLE)


def rows(name: str, count: int, *, most: int, height: int) -> DeltaGenerator:
    """A container for a list of buttons; one with more than ``most`` scrolls on its own."""
    key = f"list-{name}"
    if count <= most:
        return st.container(border=False, gap="xsmall", key=key)
    return st.container(height=height, autoscroll=False, border=False, gap="xsmall", key=key)


def banner(target: Target, why_production: str, may_write: bool) -> None:
    """The target, on every page: red where it counts as production."""
    stores = (target.describe_postgres, target.describe_dynamodb)
    places = " · ".join(_told(store) for store in stores)
    if not why_production:
        st.caption(f"**local** · {escaped(places)}")
        return
    mode = "you may write" if may_write else "read-only: start with --write to change it"
    st.error(
        f"**PRODUCTION** ({escaped(why_production)}) · {escaped(places)} · {escaped(mode)}",
        icon="🔴",
    )


def _told(describe: Callable[[], str]) -> str:
    """A place, or why there is none."""
    try:
        return describe()
    except CoreError as error:
        return error.problem


def show_problem(error: CoreError) -> None:
    """Show what is wrong, and the command that fixes it."""
    st.error(escaped(error.problem.rstrip(".") + "."), icon="⚠️")
    prod = resources.target().is_production
    line = error.command.line(prod=prod) if error.command else None
    if line:
        st.write(escaped(f"{error.hint}. In a terminal:"))
        st.code(line, language=None)
    elif hint := advice(error.hint, error.command, prod=prod):
        st.write(escaped(hint))


def command(task: str, *words: str) -> None:
    """The same thing as a task, ready to copy; ``words`` are its options and their values."""
    commands(Command(task, (shlex.join(words),) if words else ()))


def commands(*tasks: Command) -> None:
    """The same things as tasks, each with its arguments as a shell takes them."""
    prod = resources.target().is_production
    with st.expander("Command line"):
        for task in tasks:
            if (line := task.line(prod=prod)) is not None:
                st.code(line, language=None, wrap_lines=True)


def ago(instant: datetime | None) -> str:
    """How long ago, as a person says it."""
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
