"""What a page shows as a command's output, compared with what the command printed.

Ids, times, ports and other numbers of four digits and more differ from run to run, so any value
matches. So do any blanks and rules, which follow the widths of a table's cells. ``…`` stands for
the rest of a line, and on a line of its own for any lines.
"""

from __future__ import annotations

import re

_VOLATILE = re.compile(
    r"(?P<uuid>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
    r"|(?P<time>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?)"
    r"|(?P<number>\d{4,})"
    r"|(?P<rest>…)"
)
_ANY = {
    "uuid": r"[0-9a-f-]{36}",
    "time": r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?",
    "number": r"\d+",
    "rest": r".*",
}
_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


def plain(output: str) -> str:
    """Output without colours, and with blanks and rules that do not depend on widths."""
    text = re.sub(r"─+", "─", _ESCAPES.sub("", output))
    lines = (re.sub(r"\s+", " ", line).strip() for line in text.splitlines())
    return "".join(f"{line}\n" for line in lines if line)


def pattern(shown: str) -> re.Pattern[str]:
    """The pattern for :func:`plain` output, from the output that a page shows."""
    return re.compile("".join(_line(line) for line in plain(shown).splitlines()))


def _line(line: str) -> str:
    if line == "…":
        return r"(?:.*\n)*?"
    pieces, end = [], 0
    for match in _VOLATILE.finditer(line):
        pieces += [re.escape(line[end : match.start()]), _ANY[match.lastgroup or "rest"]]
        end = match.end()
    return "".join(pieces) + re.escape(line[end:]) + r"\n"
