"""Commands to type next after an error or a note, as data and quoted for a shell."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from core.printable import shows

INVOKE, CRUDDUR = "invoke", "cruddur"

_program = INVOKE


def call_program(name: str) -> None:
    """Name ``name`` in every command from now on: the program that the user typed."""
    global _program
    _program = name


def program() -> str:
    """The program that the user typed: ``invoke`` or ``cruddur``."""
    return _program


_LOCAL = ("up", "down", "status", "start")
"""Tasks for the local target only."""

_ANY = ("audit",)
"""Tasks that have no target."""

_BARE = r"[A-Za-z0-9_.:+-]+"


def shell_word(value: str) -> str:
    """``value`` as one word of a POSIX shell: nothing in it is run, expanded or split.

    Invisible characters, and blanks that one line of text does not keep, are spelled out in the
    form ``$'…'``, which bash, zsh and ksh read.
    """
    if re.fullmatch(_BARE, value):
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


@dataclass(frozen=True, slots=True)
class Command:
    """A task to run next. ``options`` are quoted for the shell: see :func:`option`."""

    task: str
    options: tuple[str, ...] = ()

    def line(self, on: str = "") -> str | None:
        """The command line; None if it would be wrong on the target.

        ``on`` are the options that select the target, ``--prod`` for example; none for a local one.
        """
        if not on or self.task in _ANY:
            return " ".join((program(), self.task, *self.options))
        if self.task in _LOCAL:
            return None
        return " ".join((program(), self.task, on, *self.options))


def before_command(hint: str) -> str:
    """The hint of an error on a page, above the command that does it in a terminal."""
    return f"{hint} in a terminal:" if hint.endswith(" run") else f"{hint}. In a terminal:"


def advice(hint: str, command: Command | None, on: str = "") -> str:
    """What to do next: ``hint``, whose last sentence introduces ``command``.

    If the command would be wrong on this target, that sentence is left out.
    """
    if command is None:
        return hint
    line = command.line(on)
    if line is None:
        return re.sub(r"(^|(?<=[.?!] ))[^.?!]+$", "", hint).strip()
    return f"{hint}: {line}"
