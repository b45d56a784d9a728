"""The pages of the documentation, parsed into commands and their output."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.settings import PROJECT_ROOT

_FENCE = re.compile(
    r"(?:<!-- exit (?P<code>\d+) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.M | re.S
)
_OUTPUT = re.compile(r"\n*```text\n(?P<text>.*?)^```$", re.M | re.S)
_ROW = re.compile(r"^\|.*\|(?P<now>[^|]*`invoke [^|]*)\|$", re.M)
_SPAN = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True, slots=True)
class Block:
    """What is typed in one go. ``output`` is what the page shows under it, if it shows anything.

    A comment ``<!-- exit 1 -->`` above a block says that its last command is meant to fail.
    """

    line: int
    commands: tuple[str, ...]
    output: str | None = None
    exit_code: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """One Markdown file, by its path from the project's root."""

    name: str
    text: str

    def blocks(self) -> list[Block]:
        """Everything to be typed, from top to bottom."""
        all_blocks = list(self._fenced())
        if self.name == "README.md":
            all_blocks += self._tabled()
        return sorted(all_blocks, key=lambda block: block.line)

    def fences(self) -> Iterator[tuple[int, str, str]]:
        """Every fenced block: its line, its language, its text."""
        for match in _FENCE.finditer(self.text):
            yield self._line(match.start("text")), match["language"], match["text"]

    def spans(self) -> list[str]:
        """The code within sentences and tables."""
        return _SPAN.findall(_FENCE.sub("", self.text))

    def _fenced(self) -> Iterator[Block]:
        for match in _FENCE.finditer(self.text):
            if match["language"] != "sh":
                continue
            shown = _OUTPUT.match(self.text, match.end())
            yield Block(
                self._line(match.start("text")),
                tuple(_commands(match["text"])),
                shown["text"] if shown else None,
                int(match["code"] or 0),
            )

    def _tabled(self) -> Iterator[Block]:
        """The commands that a table shows instead of Cruddur's scripts."""
        for row in _ROW.finditer(self.text):
            spans = _SPAN.findall(row["now"])
            typed = tuple(span for span in spans if span.startswith("invoke "))
            yield Block(self._line(row.start()), typed)

    def _line(self, offset: int) -> int:
        return self.text.count("\n", 0, offset) + 1


def _commands(text: str) -> Iterator[str]:
    for line in re.sub(r"\s*\\\n\s*", " ", text).splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            yield line.strip()


def _read(path: Path) -> Page:
    return Page(str(path.relative_to(PROJECT_ROOT)), path.read_text())


PAGES = [
    _read(path)
    for path in (
        PROJECT_ROOT / "README.md",
        PROJECT_ROOT / "CONTRIBUTING.md",
        *sorted((PROJECT_ROOT / "docs").rglob("*.md")),
    )
]
