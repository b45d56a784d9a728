"""What was typed, looked at before Invoke parses it: names that do not exist, and completion.

Invoke says "No idea what 'db.sed' is!" and ends with the code of a task that failed. Here the line
names what is similar, and the code is 2. The project's ``tasks.py`` calls :func:`check_for_invoke`
when Invoke has loaded it, before Invoke parses the names of tasks.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from invoke.collection import Collection
from invoke.exceptions import Exit, ParseError
from invoke.parser import Parser
from invoke.parser.context import ParserContext
from invoke.program import Program

from core import commands
from core.printable import one_line
from task_groups import answers, task_help

USAGE_FAULT = 2
MOST_SUGGESTIONS = 3


def check_for_invoke(namespace: Collection) -> None:
    """Check the command line if it is Invoke's; nothing if something else imports the tasks."""
    script = Path(sys.argv[0])
    if script.stem in ("invoke", "inv") or script.parts[-2:] == ("invoke", "__main__.py"):
        program = Program(name="Invoke", binary_names=["invoke", "inv"])
        program.normalize_argv(None)
        program.parse_core_args()
        check(program, namespace)


def check(program: Program, namespace: Collection) -> None:
    """Complete, list a namespace, or raise the line for a name that does not exist.

    ``program`` has parsed its own options.

    Raises:
        Exit: there is nothing left to do for Invoke.
    """
    if program.args.complete.value:
        from task_groups import completion

        words = program.argv[program.argv.index("--") + 2 :] if "--" in program.argv else []
        completion.print_candidates(words, namespace, program.initial_context)
        raise Exit
    if name := task_help.asked_task(program.argv[1:], namespace):
        task_help.print_help(name, namespace)
        raise Exit
    for option in ("help", "list"):
        if isinstance(value := program.args[option].value, str):
            _check_option(program, option, value, namespace)
    if program.core.unparsed:
        _check_tasks(program, namespace)


def _names(namespace: Collection) -> dict[str, str]:
    """The task by each name that can be typed, aliases too."""
    return {
        typed: name for name, aliases in namespace.task_names.items() for typed in (name, *aliases)
    }


def _check_option(program: Program, option: str, value: str, namespace: Collection) -> None:
    """Refuse ``--help db.sed`` and ``--list bd``; show the tasks at ``--help db``."""
    names = _names(namespace)
    is_namespace = _namespace(namespace, value) is not None
    if option == "list" and not is_namespace:
        parts = {name.rpartition(".")[0] for name in names} - {""}
        raise _fault(f"No tasks begin with {value!r}", _similar(value, parts), "--list")
    if option == "help" and is_namespace:
        _list(program, value, namespace)
        raise Exit
    if option == "help" and value not in names:
        raise _fault(f"There is no task {value!r}", _similar_tasks(value, names), "--list")


def _check_tasks(program: Program, namespace: Collection) -> None:
    """Parse the tasks as Invoke will, up to what does not exist."""
    names = _names(namespace)
    tokens = list(program.core.unparsed)
    typed = [token for token in dict.fromkeys(tokens) if token in names]
    contexts = [ParserContext(token, args=namespace[token].get_arguments()) for token in typed]
    parser = Parser(contexts, initial=program.initial_context, ignore_unknown=True)
    try:
        parsed = parser.parse_argv(tokens)
    except ParseError as error:
        raise fault_of(error, tokens, error.context) from error
    if not parsed.unparsed:
        return
    unknown, context = parsed.unparsed[0], parsed[-1]
    if unknown.startswith("-"):
        raise _unknown_option(unknown, context, program.initial_context, namespace)
    if fault := _misplaced(unknown, tokens, names):
        raise fault
    if _namespace(namespace, unknown) is not None:
        _list(program, unknown, namespace)
        raise Exit
    raise _unknown_task(unknown, context, names)


def _misplaced(unknown: str, tokens: Sequence[str], names: Mapping[str, str]) -> Exit | None:
    """The fault of ``db seed``; None if the two words are no task together."""
    joined = ".".join(tokens[tokens.index(unknown) :][:2])
    is_task = joined in names and joined != unknown
    return _fault(f"There is no task {unknown!r}", [joined], "--list") if is_task else None


def _unknown_task(unknown: str, context: ParserContext, names: Mapping[str, str]) -> Exit:
    problem, similar = f"There is no task {unknown!r}", _similar_tasks(unknown, names)
    if context.name and not similar:
        return _fault(f"{problem}, and {context.name} takes options", [], f"--help {context.name}")
    return _fault(problem, similar, "--list")


def _has_flag(task: str, token: str, namespace: Collection) -> bool:
    """Whether the task has the option that ``token`` is, with or without its value."""
    name = token.partition("=")[0].removeprefix("--").replace("-", "_")
    return name in namespace[task].argspec(namespace[task].body).parameters


def fault_of(error: Exception, tokens: Sequence[str], context: ParserContext | None) -> Exit:
    """The fault of an option without its value or with a wrong one, or what Invoke itself says."""
    task = context.name if context is not None and context.name else ""
    flags = context.flags if context is not None else {}
    for place, token in enumerate(tokens):
        flag, equals, value = token.partition("=")
        if flag not in flags or not flags[flag].takes_value or flags[flag].optional:
            continue
        value = value if equals else "".join(tokens[place + 1 : place + 2])
        if value in ("", *flags):
            return _fault(f"{flag} needs a value", [], f"--help {task}")
        if flags[flag].kind is int and not value.isdigit():
            return _fault(f"{flag} needs a whole number, not {value!r}", [], f"--help {task}")
    return _fault(str(error).rstrip(".!"), [], f"--help {task}")


def _unknown_option(
    unknown: str, context: ParserContext, initial: ParserContext, namespace: Collection
) -> Exit:
    flags = {flag for flag in (*context.flags, *initial.flags) if flag.startswith("--")}
    if unknown in ("--json", "--csv") and (line := _handed_over(context, namespace)):
        return Exit(one_line(f"{context.name} has no option {unknown}. {line}."), USAGE_FAULT)
    if not context.name and any(_has_flag(name, unknown, namespace) for name in _names(namespace)):
        line = f"{unknown} is an option of a task: write it after the task's name"
        return _fault(line, [], "--list")
    if not context.name:
        return _fault(f"There is no option {unknown}", _similar(unknown, flags), "--help")
    similar = _similar(unknown, flags)
    return _fault(f"{context.name} has no option {unknown}", similar, f"--help {context.name}")


def _handed_over(context: ParserContext, namespace: Collection) -> str:
    """What to do instead of asking for JSON, where a person takes the terminal."""
    return str(getattr(namespace[context.name], "hands_over", "")) if context.name else ""


def _namespace(namespace: Collection, path: str) -> Collection | None:
    try:
        return namespace.subcollection_from_path(path)
    except KeyError:
        return None


def _list(program: Program, path: str, namespace: Collection) -> None:
    """Print the tasks whose names begin with ``path``."""
    names = [name for name in sorted(namespace.task_names) if name.startswith(f"{path}.")]
    answers.print_lines(f"Tasks of {path}:\n")
    program.print_columns([(name, (namespace[name].__doc__ or "").strip()) for name in names])


def _fault(problem: str, similar: Sequence[str], otherwise: str) -> Exit:
    """The fault in one line, with the similar names, or with what shows the right ones."""
    line = f"{problem}. Did you mean {' or '.join(similar)}?" if similar else ""
    shown = line or f"{problem}. See: {commands.program()} {otherwise}".rstrip()
    return Exit(one_line(shown), USAGE_FAULT)


def _similar_tasks(typed: str, names: Mapping[str, str]) -> list[str]:
    """The tasks that may have been meant: also by the last part of their names."""
    word = typed.lower().replace(":", ".").replace("/", ".").replace("_", "-")
    if word in names:
        return [word]
    if same := [name for name in names if name.rpartition(".")[2] == word]:
        return sorted(same)[:MOST_SUGGESTIONS]
    return _similar(word, names)


def _similar(typed: str, names: Iterable[str]) -> list[str]:
    """The names most similar to what was typed; those that are hardly less so as well."""
    from difflib import SequenceMatcher, get_close_matches

    close = get_close_matches(typed, names, n=MOST_SUGGESTIONS, cutoff=0.65)
    ratios = {name: SequenceMatcher(None, name, typed).ratio() for name in close}
    return [name for name in close if ratios[name] > max(ratios.values()) - 0.04]
