"""What was typed, looked at before Invoke parses it: names that do not exist, and completion.

Invoke says "No idea what 'db.sed' is!" and ends with the code of a task that failed. Here the line
names what is similar, and the code is 2. The project's ``tasks.py`` calls :func:`check_for_invoke`
when Invoke has loaded it, before Invoke parses the names of tasks.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence, Set
from pathlib import Path

from invoke.collection import Collection
from invoke.exceptions import Exit, ParseError
from invoke.parser import Parser
from invoke.parser.context import ParserContext
from invoke.program import Program

from core import commands
from core.printable import one_line
from task_groups import answers, task_help
from task_groups.shared_options import WITH_A_TARGET
from task_groups.similar_names import similar, similar_options, similar_tasks
from task_groups.typed_options import OptionFaultError, check_options, how_to_quote, value_too_many

USAGE_FAULT = 2
LIST_FORMATS = ("flat", "nested", "json")
OPTIONS_AS_WORDS = {
    "help": "--help",
    "list": "--list",
    "ls": "--list",
    "tasks": "--list",
    "version": "--version",
}
"""What a person means who types the name of an option of Invoke's as if it were a task's."""


def check_for_invoke(namespace: Collection) -> None:
    """Check the command line if it is Invoke's; nothing if something else imports the tasks."""
    script = Path(sys.argv[0])
    if script.stem in ("invoke", "inv") or script.parts[-2:] == ("invoke", "__main__.py"):
        program = Program(name="Invoke", binary_names=["invoke", "inv"])
        program.normalize_argv(None)
        program.parse_core_args()
        prepare(program, namespace)


def prepare(program: Program, namespace: Collection) -> None:
    """Check the line, then leave Invoke its tasks alone: it copies each task several times.

    For good: this process runs no other line. If the line asks for the names of all tasks, the
    others stay, without their options.

    Raises:
        Exit: there is nothing left to do for Invoke.
    """
    try:
        following = check(program, namespace).args
    except Exit as fault:
        raise printed(fault) from fault
    words = {program.args.help.value, *program.core.unparsed}
    on_line = {name for typed, name in _names(namespace).items() if typed in words}
    lists_all = program.args.help.value is True or program.args.list.value  # the help ends with it
    if lists_all or following.list.value or following.complete.value:
        for name in namespace.task_names.keys() - on_line:
            namespace[name].has_options = False
    else:
        _keep(namespace, on_line)


def printed(fault: Exit) -> Exit:
    """``fault`` without its line, which is printed like that of a task: red in a terminal."""
    if fault.message:
        answers.alarm(fault.message)
    return Exit(code=fault.code)


def _keep(namespace: Collection, names: Set[str], prefix: str = "") -> None:
    """Keep the tasks with these names, whose beginning is the ``prefix``."""
    for name in list(namespace.tasks):
        if f"{prefix}{name}" not in names:
            namespace.tasks.pop(name)
    for name, inner in list(namespace.collections.items()):
        _keep(inner, names, f"{prefix}{name}.")
        if not inner.task_names:
            namespace.collections.pop(name)


def check(program: Program, namespace: Collection) -> ParserContext:
    """Complete, list a namespace, or raise the line for a name that does not exist.

    ``program`` has parsed its own options. Returns those that follow the tasks.

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
    _check_list_format(program)
    if remainder := program.core.remainder:
        # Invoke would run the task without them, also where they are --dry.
        problem = f"No task takes what is after --, here {remainder!r}. Leave out the --"
        raise _fault(problem, [], "--list")
    if program.core.unparsed:
        return _check_tasks(program, namespace)
    if not program.args.help.value and not program.args.list.value:
        _list(program, "", namespace)
        raise Exit
    return program.core[0]


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
        parts = similar(value, _parts(namespace))
        raise _fault(f"No tasks begin with {value!r}", parts, "--list")
    if is_namespace and (option == "help" or not _has_own_form(program)):
        _list(program, value, namespace)
        raise Exit
    if option == "help" and value not in names:
        raise _fault(f"There is no task {value!r}", similar_tasks(value, names), "--list")


def _check_list_format(program: Program) -> None:
    """Refuse a format that Invoke does not know: it would show a traceback."""
    form = program.args["list-format"].value
    if form not in LIST_FORMATS:
        raise _fault(f"--list-format needs {' or '.join(LIST_FORMATS)}, not {form!r}", [], "--help")


def _has_own_form(program: Program) -> bool:
    """Whether the list is asked for in a form or depth that only Invoke prints."""
    return bool(program.args["list-format"].value != "flat" or program.args["list-depth"].value)


def _check_tasks(program: Program, namespace: Collection) -> ParserContext:
    """Parse the tasks as Invoke will, up to what does not exist; Invoke's options among them."""
    names = _names(namespace)
    tokens = list(program.core.unparsed)
    typed = [token for token in dict.fromkeys(tokens) if token in names]
    contexts = [ParserContext(token, args=namespace[token].get_arguments()) for token in typed]
    try:
        check_options(tokens, contexts, program.initial_context)
        parser = Parser(contexts, initial=program.initial_context, ignore_unknown=True)
        parsed = parser.parse_argv(tokens)
    except OptionFaultError as error:
        raise _fault(error.problem, [], f"--help {error.task}".rstrip()) from None
    except ParseError as error:
        raise fault_of(error, tokens, error.context) from error
    if not parsed.unparsed:
        return parsed[0]
    unknown, context = parsed.unparsed[0], parsed[-1]
    if unknown.startswith("-"):
        raise _unknown_option(unknown, context, program.initial_context, namespace)
    following = "".join(tokens[tokens.index(unknown) + 1 :][:1]) if unknown in tokens else ""
    if unknown in OPTIONS_AS_WORDS and not context.name:
        raise _option_as_word(unknown, following, namespace)
    if _namespace(namespace, unknown) is not None:
        _refuse_two_words(unknown, following, names)
        _list(program, unknown, namespace)
        raise Exit
    raise _unknown_task(unknown, tokens, context, namespace)


def _option_as_word(word: str, following: str, namespace: Collection) -> Exit:
    """The fault of ``help`` and ``help db.seed``, with the command that does it."""
    option = OPTIONS_AS_WORDS[word]
    known = following in _names(namespace) if option == "--help" else False
    if option != "--version" and (known or _namespace(namespace, following) is not None):
        option = f"{option} {following}"
    # Invoke's own --version is that of Invoke.
    program = commands.CRUDDUR if option == "--version" else commands.program()
    return _fault(f"There is no task {word!r}", [f"{program} {option}"], "--list")


def _refuse_two_words(part: str, following: str, names: Mapping[str, str]) -> None:
    """Refuse ``db seed`` and ``db sed``, whose first word has tasks but is none."""
    if following in ("", "help") or following.startswith("-"):
        return
    joined = f"{part}.{following}"
    if joined in names or following in names:
        suggested = [joined] if joined in names else []
        raise _fault(f"There is no task {part!r}", suggested, f"--list {part}")
    raise _fault(f"There is no task {joined!r}", similar_tasks(joined, names), f"--list {part}")


def _unknown_task(
    unknown: str, tokens: Sequence[str], context: ParserContext, namespace: Collection
) -> Exit:
    problem = f"There is no task {unknown!r}"
    if how := how_to_quote(tokens, unknown, context):
        return _fault(f"{problem}. {how}", [], f"--help {context.name}")
    suggested = similar_tasks(unknown, {**_names(namespace), **_parts(namespace)})
    if suggested or not context.name:
        return _fault(problem, suggested, "--list")
    if fault := value_too_many(tokens, unknown, context):
        return _fault(f"{problem}. {fault}", [], f"--help {context.name}")
    return _fault(f"{problem}, and {context.name} takes options", [], f"--help {context.name}")


def _parts(namespace: Collection) -> dict[str, str]:
    """The beginnings of names that several tasks share: ``db``, ``ddb.patterns``."""
    return {name.rpartition(".")[0]: name for name in namespace.task_names if "." in name}


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
        return _fault(f"There is no option {unknown}", similar(unknown, flags), "--help")
    if unknown.partition("=")[0].removeprefix("--") in ("prod", *WITH_A_TARGET):
        line = f"{context.name} has no option {unknown}: it is for this machine alone"
        return _fault(line, [], f"--help {context.name}")
    suggested = similar_options(unknown, {*context.flags, "--dry", "--help"})
    return _fault(f"{context.name} has no option {unknown}", suggested, f"--help {context.name}")


def _handed_over(context: ParserContext, namespace: Collection) -> str:
    """What to do instead of asking for JSON, where a person takes the terminal."""
    return str(getattr(namespace[context.name], "hands_over", "")) if context.name else ""


def _namespace(namespace: Collection, path: str) -> Collection | None:
    try:
        return namespace.subcollection_from_path(path)
    except KeyError:
        return None


def _list(program: Program, path: str, namespace: Collection) -> None:
    """Print the tasks whose names begin with ``path``; all of them if it is empty."""
    names = [
        name for name in sorted(namespace.task_names) if not path or name.startswith(f"{path}.")
    ]
    program_name = commands.program()
    answers.print_lines(
        f"Tasks of {path}:\n"
        if path
        else f"Usage: {program_name} TASK [--options]\n"
        f"Options of a task: {program_name} --help TASK\n\nTasks:\n"
    )
    program.print_columns([(name, (namespace[name].__doc__ or "").strip()) for name in names])


def _fault(problem: str, similar: Sequence[str], otherwise: str) -> Exit:
    """The fault in one line, with the similar names, or with what shows the right ones."""
    line = f"{problem}. Did you mean {' or '.join(similar)}?" if similar else ""
    shown = line or f"{problem}. See: {commands.program()} {otherwise}".rstrip()
    return Exit(one_line(shown), USAGE_FAULT)
