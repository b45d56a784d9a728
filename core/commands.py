"""Commands that an error or a note says to type next, with values as a shell takes them."""

from __future__ import annotations

import re
import shlex

from core.printable import shows

_BARE = re.compile(r"[\w.:+-]+", re.ASCII)


def shell_word(value: str) -> str:
    """``value`` as one word of a POSIX shell: nothing in it is run, expanded or split.

    Where it holds what does not show, or blanks that one line of text does not keep, it is spelled
    out in the form ``$'…'``, which bash, zsh and ksh read.
    """
    if _BARE.fullmatch(value):
        return value
    if shows(value) and " ".join(f"_{value}_".split()) == f"_{value}_":
        return f"'{value}'" if "'" not in value else shlex.quote(value)
    return "$'" + "".join(_spelled_out(character) for character in value) + "'"


def _spelled_out(character: str) -> str:
    if character in "\\'":
        return f"\\{character}"
    if character != " " and shows(character):
        return character
    return "".join(f"\\x{byte:02x}" for byte in character.encode(errors="surrogateescape"))


def option(name: str, value: str) -> str:
    """``--user bayko``; ``--user=-x`` where the value would look like an option."""
    return f"{name}{'=' if value.startswith('-') else ' '}{shell_word(value)}"
