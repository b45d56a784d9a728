"""The options of what was typed, checked before Invoke parses them.

Invoke reads the rest of an option that it does not understand as the name of a task: ``=down`` of
``--json=down`` runs ``down``. Here each such option is one line that says what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile

from invoke.parser.argument import Argument
from invoke.parser.context import ParserContext

from task_groups.shared_options import VALUES


class OptionFaultError(Exception):
    """An option that cannot be meant as it was typed; ``task`` is the one that it follows."""

    def __init__(self, problem: str, task: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.task = task


class _Line:
    """How far the words were read: the task, the options that it has, and one without its value."""

    def __init__(self, initial: ParserContext) -> None:
        self.initial = initial
        self.context = initial
        self.given: set[str] = set()
        self.waiting = ""

    def begin(self, context: ParserContext) -> None:
        self.context, self.given = context, set()

    def fault(self, problem: str) -> OptionFaultError:
        return OptionFaultError(problem, self.context.name or "")

    def argument(self, flag: str) -> Argument | None:
        """The option called ``flag``: the task's own, or one of Invoke's, which may follow it."""
        for context in (self.context, self.initial):
            if flag in context.flags:  # also by its short name
                argument: Argument = context.flags[flag]
                return argument
        return None


def check_options(
    words: Sequence[str], contexts: Iterable[ParserContext], initial: ParserContext
) -> None:
    """Read ``words`` as Invoke will: ``contexts`` are the tasks among them.

    Raises:
        OptionFaultError: an option has no value, two values, or one that it does not take.
    """
    tasks = {context.name: context for context in contexts}
    line = _Line(initial)
    for word in words:
        flag, equals, value = word.partition("=") if word.startswith("--") else (word, "", "")
        argument = line.argument(flag)
        if line.waiting:
            if argument is not None:
                break
            _check_number(line, line.waiting, word)
            line.waiting = ""
        elif argument is not None:
            _check_option(line, argument, flag, value if equals else None)
        elif word in tasks:
            line.begin(tasks[word])
    if line.waiting:
        raise line.fault(f"{line.waiting} needs a value")


def _check_option(line: _Line, argument: Argument, flag: str, value: str | None) -> None:
    if not argument.takes_value:
        if value is not None:
            raise line.fault(f"{flag} takes no value. Leave out '={value}'")
        return
    if argument.optional:  # of Invoke: --help and --list, with or without a name
        return
    if flag in line.given:
        raise line.fault(f"{flag} is there twice. Give it once")
    line.given.add(flag)
    if value is None:
        line.waiting = flag
    else:
        _check_number(line, flag, value)


def _check_number(line: _Line, flag: str, value: str) -> None:
    """Refuse a word where Invoke itself takes a number: it would show a traceback."""
    argument = line.argument(flag)
    if argument is not None and argument.kind is int and not value.isdigit():
        raise line.fault(f"{flag} needs a whole number, not {value!r}")


def how_to_quote(words: Sequence[str], extra: str, context: ParserContext) -> str:
    """How to type the text that ``extra`` continues, as in ``--message Hi you``; empty if none."""
    from core.commands import option

    place = words.index(extra) if extra in words else 0
    flag, first = words[max(place - 2, 0)], words[max(place - 1, 0)]
    if first.startswith("--") and "=" in first:
        flag, _, first = first.partition("=")
    flags: Mapping[str, Argument] = context.flags
    if flag not in flags or VALUES.get(flags[flag].name or "") != "TEXT":
        return ""
    rest = takewhile(lambda word: not word.startswith("-"), words[place:])
    return f"Write a text of several words in quotes: {option(flag, ' '.join([first, *rest]))}"


def value_too_many(words: Sequence[str], extra: str, context: ParserContext) -> str:
    """What is wrong with ``extra`` after an option without a value: ``--json true``."""
    before = words[max(words.index(extra) - 1, 0)] if extra in words else ""
    flags: Mapping[str, Argument] = context.flags
    if before not in flags or flags[before].takes_value:
        return ""
    return f"{before} takes no value. Leave out {extra!r}"
