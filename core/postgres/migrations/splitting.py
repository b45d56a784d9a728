"""Splits SQL into its statements, each with its words and the line where it begins.

Strings, quoted names, comments, dollar quotes and ``BEGIN ATOMIC`` bodies may contain semicolons.
https://www.postgresql.org/docs/current/sql-syntax-lexical.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from core.errors import InputError

_WORD = re.compile(
    r"""
      (?P<comment>--[^\n]*|/\*)
    | (?P<string>[eE]'(?:[^'\\]|''|\\.)*' | (?:[uU]&)?'(?:[^']|'')*')
    | (?P<name>(?:[uU]&)?"(?:[^"]|"")*")
    | (?P<dollar>\$(?:[^\W\d]\w*)?\$)
    | (?P<word>[^\W\d][\w$]*)
    | (?P<blank>\s+)
    | (?P<other>\d[\w.]*|\$\d+|::|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_OPENING = re.compile(r"/\*|\*/")


@dataclass(frozen=True, slots=True)
class SqlStatement:
    """One statement of a file, without its semicolon. ``line`` is the line of its first word.

    ``words`` are its words, names and signs without comments; words are in lower case.
    """

    text: str
    line: int
    words: tuple[str, ...]

    def begins(self, *words: str) -> bool:
        return self.words[: len(words)] == words


@dataclass(slots=True)
class _Depth:
    """Where a semicolon does not end a statement: in parentheses and in a function's body."""

    parentheses: int = 0
    body: int = 0
    last_word: str = ""

    @property
    def is_outside(self) -> bool:
        return self.parentheses == 0 and self.body == 0

    def pass_word(self, word: str) -> None:
        if word == "(":
            self.parentheses += 1
        elif word == ")":
            self.parentheses = max(0, self.parentheses - 1)
        elif word == "atomic" and self.last_word == "begin":
            self.body = 1
        elif self.body and word == "case":
            self.body += 1
        elif self.body and word == "end":
            self.body -= 1
        self.last_word = word


def split_statements(text: str, *, first_line: int = 1) -> list[SqlStatement]:
    """The statements of ``text``, whose first line has the number ``first_line``.

    Raises:
        InputError: a string, a quoted name or a comment does not end.
    """
    statements = []
    depth, words, begins_at = _Depth(), list[str](), -1
    for word, start, end in _words(text, first_line):
        if word == ";" and depth.is_outside:
            if words:
                statements.append(_statement(text, begins_at, start, words, first_line))
            depth, words, begins_at = _Depth(), [], -1
            continue
        begins_at = start if begins_at < 0 else begins_at
        words.append(word)
        depth.pass_word(word)
        last_end = end
    if words:
        statements.append(_statement(text, begins_at, last_end, words, first_line))
    return statements


def _statement(text: str, start: int, end: int, words: list[str], first_line: int) -> SqlStatement:
    line = first_line + text.count("\n", 0, start)
    return SqlStatement(text[start:end].strip(), line, tuple(words))


def _words(text: str, first_line: int) -> Iterator[tuple[str, int, int]]:
    """Every word that is not blank or a comment, with its start and end."""
    position = 0
    while match := _WORD.match(text, position):
        start, position = match.span()
        kind, word = str(match.lastgroup), match[0]
        if word == "/*":
            position = _comment_end(text, start)
        elif kind == "dollar":
            position = text.find(word, position) + len(word) if word in text[position:] else 0
        if position == 0 or (kind == "other" and word in "'\""):
            line = first_line + text.count("\n", 0, start)
            raise InputError(f"line {line}: what begins with {word} does not end")
        if kind not in ("blank", "comment"):
            yield (word.lower() if kind == "word" else text[start:position]), start, position


def _comment_end(text: str, start: int) -> int:
    """The end of the comment at ``start``, which may contain comments; 0 if it does not end."""
    depth = 0
    for match in _OPENING.finditer(text, start):
        depth += 1 if match[0] == "/*" else -1
        if depth == 0:
            return match.end()
    return 0
