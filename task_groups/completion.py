"""Completion: what may follow on a command line that is being typed.

The shells' own functions are in ``shells/``. It asks the program that is being
typed, so the program need not be on the path when the shell starts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from invoke.collection import Collection
from invoke.exceptions import ParseError
from invoke.parser.context import ParserContext

from task_groups import answers

HANDLES = ("--user", "--with", "--me", "--other")
"""Options whose value is a handle."""

TARGETS = ("--target", "--environment")
"""Options whose value is the name of a target, or of its environment."""

_MOST_HANDLES = 50
_PLAIN = re.compile(r"[\w.-]+", re.ASCII)


SCRIPTS = {"bash": "bash.sh", "fish": "fish.fish", "zsh": "zsh.zsh"}


def print_script(shell: str) -> None:
    """Print the function of ``shell`` that asks for candidates, for its start-up file."""
    if shell not in SCRIPTS:
        known = ", ".join(SCRIPTS)
        raise ParseError(f"There is no completion for the shell {shell!r}, only for {known}.")
    answers.print_lines(
        (Path(__file__).parent / "shells" / SCRIPTS[shell]).read_text("utf-8").rstrip()
    )


def print_candidates(words: Sequence[str], namespace: Collection, initial: ParserContext) -> None:
    """Print what may take the place of the last of ``words``, which follow the program's name."""
    *before, word = _joined(words) or [""]
    for candidate in _candidates(before, word, namespace, initial):
        answers.print_line(candidate)


def _joined(words: Sequence[str]) -> list[str]:
    """The words without bash's own: it divides ``--user=ba`` into ``--user``, ``=`` and ``ba``."""
    kept = [word for word in words if word != "="]
    return [*kept, ""] if words and words[-1] == "=" else kept


def _candidates(
    before: Sequence[str], word: str, namespace: Collection, initial: ParserContext
) -> Iterator[str]:
    names = sorted(
        typed for name, aliases in namespace.task_names.items() for typed in (name, *aliases)
    )
    task = next((name for name in reversed(before) if name in names), None)
    context = ParserContext(task, args=namespace[task].get_arguments()) if task else initial
    option, equals, value = word.partition("=")
    if equals and option in (*HANDLES, *TARGETS):  # zsh and fish leave it whole
        yield from (f"{option}={name}" for name in _values(option, value, before))
    elif before and _takes_value(before[-1], context):
        yield from _values(before[-1], word, before)
    elif word.startswith("-"):
        flags = (*context.flag_names(), *initial.flag_names())
        yield from dict.fromkeys(flag for flag in flags if flag.startswith(word))
    else:
        yield from (name for name in names if name.startswith(word))


def _takes_value(word: str, context: ParserContext) -> bool:
    return word in context.flags and bool(context.flags[word].takes_value)


def _values(option: str, beginning: str, before: Sequence[str]) -> Iterator[str]:
    """The values of ``option`` that begin so; none where they are not known."""
    if option in HANDLES:
        yield from _handles(beginning, before)
    elif option in TARGETS:
        yield from (name for name in _target_names(option) if name.startswith(beginning))


def _target_names(option: str) -> list[str]:
    """The targets of ``targets.toml``, and those that need no file; only those if it is invalid."""
    from core.errors import CoreError
    from core.settings import Settings
    from core.targets import Environment, known_environments, read_targets

    known = [str(name) for name in Environment]
    with suppress(CoreError):
        settings = Settings.from_env()
        if option == "--environment":
            known = known_environments(settings)
        else:
            known += read_targets(settings.targets_path)
    return sorted(dict.fromkeys(map(str, known)))


def _handles(beginning: str, before: Sequence[str]) -> Iterator[str]:
    """The handles of the local target that begin so, of those that a shell takes as they are.

    None if it does not answer, and none of production: a key that is pressed reads nothing there.
    """
    from core.errors import CoreError

    if any(word.startswith(("--prod", "--target")) for word in before):
        return
    with suppress(CoreError, ImportError):
        for handle in _find_handles(beginning):
            if handle.startswith(beginning) and _PLAIN.fullmatch(handle):
                yield handle


def _find_handles(beginning: str) -> list[str]:
    from core.access import AuditLog, Door
    from core.postgres import search_people
    from core.settings import Settings
    from core.targets import resolve

    settings = Settings.from_env()
    door = Door(resolve(settings, prod=False), AuditLog(settings.audit_path))
    try:
        people = search_people(door.look_quickly().db, beginning, limit=_MOST_HANDLES)
    finally:
        door.close()
    return [person.handle for person in people.entries]
