"""Shared parts of the pages: stored text shown as text, times, problems, commands."""

from __future__ import annotations

import re
import shlex
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import streamlit as st

from admin_app import resources
from core.commands import Command, advice
from core.errors import CoreError
from core.targets import Target
from core.timestamps import now

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_LINK_OR_SHORTCODE = re.compile(r":(?=//|[\w+-]+:)|(?<=[\w.+-])@(?=[\w-])|(?<=www)(?=\.)")
_MOST_OF_A_NAME = 255
"""Characters; DynamoDB's own limit."""

_BREAK = ":gray[]"
"""An empty piece between two texts, without a character that a copy would contain."""
_LEFT, _ISOLATE, _POP_ISOLATE = "\u200e", "\u2068", "\u2069"


def escaped(text: str) -> str:
    """Stored ``text`` for a place where Streamlit reads Markdown: shown as it is, on one line.

    Streamlit looks for links and emoji shortcodes after it resolves escapes, so an empty piece of
    coloured text breaks them up. Right-to-left text does not change the text around it.
    """
    line = "".join(c if c.isprintable() or c == "\u200d" else " " for c in text)
    line = " ".join(line.split())
    line = _PUNCTUATION.sub(r"\\\1", _LINK_OR_SHORTCODE.sub("\\g<0>\0", line))
    line = line.replace("\0", _BREAK)
    return isolated(line)


def isolated(text: str) -> str:
    """``text`` in its own direction, beside text in another direction."""
    return f"{_LEFT}{_ISOLATE}{text}{_POP_ISOLATE}" if _runs_right_to_left(text) else text


def _runs_right_to_left(text: str) -> bool:
    return any(unicodedata.bidirectional(c) in ("R", "AL") for c in text)


STYLE = """
<style>
/* One edge for the navigation, the banner and what is below them. */
[data-testid="stMainBlockContainer"] { padding: 3.6rem 1rem 2rem; }
/* One scale of headings. */
[data-testid="stMainBlockContainer"] h1 { font-size: 1.5rem; line-height: 2rem; padding: 0 0 1rem; }
[data-testid="stMainBlockContainer"] h2 {
  font-size: 1.2rem; line-height: 1.6rem; padding: 0.5rem 0 1rem;
}
/* Lists of people and conversations read from the left. */
[class*="st-key-list-"] button { justify-content: flex-start; text-align: left; }
[class*="st-key-list-"] button > div { justify-content: flex-start; min-width: 0; }
[class*="st-key-list-"] button p {
  overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
}
/* A table fits its page: what scrolls sideways is beyond the reach of the keyboard. */
[data-testid="stTable"] td :is(div, p) { overflow-wrap: anywhere !important; }
/* The chosen one of several buttons: the primary colour alone is too dim on a dark page. */
button[data-selected="true"] p { color: color-mix(in srgb, currentColor 55%, CanvasText); }
/* What is chosen in a table is in view: above it where there is no room beside it. */
@media (max-width: 699px) { [data-testid="stColumn"]:has(.st-key-detail) { order: -1; } }
/* The banner is one line; what it leaves out is in what it opens. */
.st-key-banner { flex-wrap: nowrap !important; min-height: 1.75rem; }
.st-key-banner button { padding: 0 0.5rem; min-height: 1.75rem; max-width: 100%; }
.st-key-banner button > div { min-width: 0; }
.st-key-banner p {
  overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-size: 0.8125rem;
}
.st-key-banner :is([data-testid="stPopover"], [data-testid="stElementContainer"]) { min-width: 0; }
.st-key-banner:has(.st-key-production) { background: #b3261e; border-radius: 0.5rem; }
.st-key-banner:has(.st-key-production) button p { color: #ffffff; }
.st-key-banner:has(.st-key-production) button span { color: #ffffff; }
/* Stored text stands beside other text in its own direction, and is cut where it is long. */
[data-testid="stText"] { unicode-bidi: plaintext; }
</style>
"""

PANES = """
<style>
[data-testid="stMainBlockContainer"] { padding-bottom: 0.5rem; }
[data-testid="stMainBlockContainer"] > [data-testid="stVerticalBlock"] { gap: 0.5rem; }
[data-testid="stMainBlockContainer"] [class*="st-key-pane-"] h2 {
  font-size: 1rem; padding: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
}
.st-key-person { flex-wrap: nowrap !important; gap: 0.5rem; }
.st-key-person > * { min-width: 0; width: auto !important; flex: 0 1 auto !important; }
.st-key-person > :nth-child(1) { flex: none !important; max-width: 50%; }
.st-key-person > :nth-child(2) { opacity: 0.75; }
.st-key-person > :last-child { margin-left: auto; flex: none !important; }
.st-key-person [data-testid="stText"], .st-key-person [data-testid="stText"] * {
  overflow: hidden; text-overflow: ellipsis; white-space: nowrap !important;
}
/* The icon says it to who sees it, the label to a screen reader. */
.st-key-command-line button p {
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
}
.st-key-person button { padding: 0 0.4rem; min-height: 1.75rem; }
[data-testid="stColumn"] { min-width: 0; }
@media (max-width: 699px) {
  [data-testid="stColumn"]:has([class*="st-key-pane-"]) { min-width: 100%; flex: 1 1 100%; }
  [data-testid="stColumn"]:has(.st-key-pane-list-behind),
  [data-testid="stColumn"]:has(.st-key-pane-thread-behind) { display: none; }
}
</style>
"""


def style() -> None:
    """Styles that the theme cannot set. They contain no stored text."""
    st.html(STYLE)


def panes() -> None:
    """The style of a page whose panes fill the window: one at a time in a narrow window."""
    st.html(PANES)


def banner(target: Target, why_production: str, may_write: bool) -> None:
    """Show the target, on every page, in one line: red if it counts as production."""
    stores = [_told(store) for store in (target.describe_postgres, target.describe_dynamodb)]
    with st.container(horizontal=True, key="banner", vertical_alignment="center"):
        if not why_production:
            label = f":material/dns: **local** · {escaped(target.table_name)}"
            with st.popover(label, type="tertiary"):
                _details({"Postgres": stores[0], "DynamoDB": stores[1]})
            return
        mode = "you may write" if may_write else "read-only"
        # A target of another name counts as production too.
        name = target.name.upper() if target.is_production else "PRODUCTION"
        label = f":material/warning: **{name}** · {mode} · {escaped(target.table_name)}"
        how = mode if may_write else "read-only: start with --write to change it"
        with st.popover(label, type="tertiary", key="production"):
            _details(
                {
                    "Production": why_production,
                    "Mode": how,
                    "Postgres": stores[0],
                    "DynamoDB": stores[1],
                }
            )


def _details(values: Mapping[str, str]) -> None:
    for name, value in values.items():
        st.caption(name)
        st.text(value)


def _told(describe: Callable[[], str]) -> str:
    """Where a store is, or why that is unknown."""
    try:
        return describe()
    except CoreError as error:
        return error.problem


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
        st.write(escaped(f"{error.hint}. In a terminal:"))
        st.code(line, language=None)
    elif hint := advice(error.hint, error.command, on):
        st.write(escaped(hint))


def command_of(task: str, *words: str) -> Command:
    """A task's command line; ``words`` are its options and values, quoted for a shell."""
    return Command(task, (shlex.join(words),) if words else ())


def command(task: str, *words: str) -> None:
    """Show the task that does the same, ready to copy; ``words`` are its options and values."""
    commands(command_of(task, *words))


def commands(*tasks: Command) -> None:
    """Show the tasks that do the same, with arguments quoted for a shell."""
    with st.expander("Command line"):
        _lines(tasks)


def commands_popover(*tasks: Command) -> None:
    """Like :func:`commands`, if there is no space below."""
    with st.popover(
        "Command line", icon=":material/terminal:", type="tertiary", key="command-line"
    ):
        _lines(tasks)


def _lines(tasks: Sequence[Command]) -> None:
    on = resources.target().options
    for task in tasks:
        if (line := task.line(on)) is not None:
            st.code(line, language=None, wrap_lines=True)


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
