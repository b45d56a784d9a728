"""Names that do not exist: one line with what is similar, and exit code 2."""

from __future__ import annotations

import copy

import pytest
from invoke.exceptions import Exit
from invoke.parser.context import ParserContext
from invoke.program import Program

from task_groups import typed_line
from tasks import ns

from .conftest import content

INBOX = "ddb.patterns.list-conversations"


def fault_of(*words: str) -> Exit:
    """What ends ``invoke WORDS``, checked in this process as ``tasks.py`` does it."""
    with pytest.raises(Exit) as raised:
        typed_line.check(program_of(*words), ns)
    return raised.value


def program_of(*words: str) -> Program:
    """Invoke at ``invoke WORDS``, once it has read its own options."""
    program = Program(name="Invoke", binary_names=["invoke"])
    program.normalize_argv(["invoke", *words])
    program.parse_core_args()
    return program


def contexts_at(*words: str) -> dict[str, ParserContext]:
    """The tasks that Invoke has to copy for ``invoke WORDS``."""
    tasks = copy.deepcopy(ns)
    typed_line.prepare(program_of(*words), tasks)
    return {str(context.name): context for context in tasks.to_contexts()}


def test_only_the_tasks_on_the_line_are_left_then() -> None:
    contexts = contexts_at("db.seed", "ddb.scan", "--json")
    assert set(contexts) == {"db.seed", "ddb.scan"}
    assert all(context.args for context in contexts.values())


def test_an_alias_leaves_its_task() -> None:
    (context,) = contexts_at("db.session").values()
    assert (context.name, list(context.aliases)) == ("db.sessions", ["db.session"])


@pytest.mark.parametrize("words", ["--list --list-format=json", "db.seed -l", "db.seed --list=db"])
def test_a_list_has_all_tasks_and_the_options_of_those_on_the_line(words: str) -> None:
    made = {name: bool(context.args) for name, context in contexts_at(*words.split()).items()}
    assert made == {name: name in words.split() for name in ns.task_names}


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("db.sed", "There is no task 'db.sed'. Did you mean db.seed?"),
        ("strat", "There is no task 'strat'. Did you mean start?"),
        ("db:seed", "There is no task 'db:seed'. Did you mean db.seed?"),
        ("db.schema_load", "There is no task 'db.schema_load'. Did you mean db.schema-load?"),
        ("seed", "There is no task 'seed'. Did you mean db.seed or ddb.seed?"),
        ("qqq", "There is no task 'qqq'. See: invoke --list"),
        (
            "status qqq",
            "There is no task 'qqq', and status takes options. See: invoke --help status",
        ),
        (f"{INBOX} --usr bayko", f"{INBOX} has no option --usr. Did you mean --user?"),
        (f"{INBOX} --usr=bayko", f"{INBOX} has no option --usr. Did you mean --user?"),
        ("status --qqq", "status has no option --qqq. See: invoke --help status"),
        ("--lsit", "There is no option --lsit. Did you mean --list?"),
        (f"{INBOX} --user", f"--user needs a value. See: invoke --help {INBOX}"),
        (f"{INBOX} --user --json", f"--user needs a value. See: invoke --help {INBOX}"),
        ("--help db.sed", "There is no task 'db.sed'. Did you mean db.seed?"),
        ("--help=strat", "There is no task 'strat'. Did you mean start?"),
        ("--list lamda", "No tasks begin with 'lamda'. Did you mean lambda?"),
        ("dbb", "There is no task 'dbb'. Did you mean db?"),
        ("ddb.list", "There is no task 'ddb.list'. Did you mean ddb.list-tables?"),
        (f"{INBOX} -u bayko", f"{INBOX} has no option -u. Did you mean --user?"),
        (f"{INBOX} --USER bayko", f"{INBOX} has no option --USER. Did you mean --user?"),
        (
            "ddb.follow-stream --limit 5",
            "ddb.follow-stream has no option --limit. See: invoke --help ddb.follow-stream",
        ),
        (
            "start --prod",
            "start has no option --prod: it is for this machine alone. See: invoke --help start",
        ),
        ("help", "There is no task 'help'. Did you mean invoke --help?"),
        ("help db.seed", "There is no task 'help'. Did you mean invoke --help db.seed?"),
        ("list db", "There is no task 'list'. Did you mean invoke --list db?"),
        ("version", "There is no task 'version'. Did you mean cruddur --version?"),
        ("db sed", "There is no task 'db.sed'. Did you mean db.seed?"),
        ("db qqq", "There is no task 'db.qqq'. See: invoke --list db"),
        ("db status", "There is no task 'db'. See: invoke --list db"),
        (
            "-F xml --list",
            "--list-format needs flat or nested or json, not 'xml'. See: invoke --help",
        ),
        ("\x1b[31m", "There is no task '\\x1b[31m'. See: invoke --list"),
    ],
)
def test_what_does_not_exist_is_one_line_and_code_2(capsys, typed, line) -> None:
    fault = fault_of(*typed.split())
    assert (fault.code, fault.message, capsys.readouterr()) == (2, line, ("", ""))


@pytest.mark.parametrize("words", [("db.sed",), ("--lsit",), ("status", "--json=down")])
def test_invoke_prints_the_line_and_nothing_else(run_invoke, words: tuple[str, ...]) -> None:
    result = run_invoke(*words)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.splitlines() == [fault_of(*words).message]


@pytest.mark.parametrize("typed", ["ddb.patterns", "--help ddb.patterns"])
def test_the_name_of_several_tasks_lists_them(run_invoke, typed) -> None:
    result = run_invoke(*typed.split())
    assert result.returncode == 0
    names = [line.split()[0] for line in result.stdout.splitlines() if line.startswith("  ddb")]
    assert "ddb.patterns.create-message" in names
    assert all(name.startswith("ddb.patterns.") for name in names)


@pytest.mark.parametrize(
    "typed", ["db.session --help", "--help db.session", "-R down status", "--list db"]
)
def test_what_exists_is_left_to_invoke(run_invoke, typed) -> None:
    result = run_invoke(*typed.split())
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ("--prod", "db.seed"),
            "--prod is an option of a task: write it after the task's name. See: invoke --list",
        ),
        (
            ("db.drop", "--", "--dry"),
            "No task takes what is after --, here '--dry'. Leave out the --. See: invoke --list",
        ),
        (
            ("--", "db.sessions"),
            "No task takes what is after --, here 'db.sessions'. Leave out the --."
            " See: invoke --list",
        ),
        (
            ("--target=staging", "ddb.scan"),
            "--target is an option of a task: write it after the task's name. See: invoke --list",
        ),
        (
            ("people.show", "bayko"),
            "There is no task 'bayko', and people.show takes options."
            " See: invoke --help people.show",
        ),
        (("db", "seed"), "There is no task 'db'. Did you mean db.seed?"),
    ],
)
def test_a_word_in_the_wrong_place_is_one_line_that_says_where_it_belongs(
    words: tuple[str, ...], line: str
) -> None:
    fault = fault_of(*words)
    assert (fault.code, fault.message) == (2, line)


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("status --json=down", "--json takes no value. Leave out '=down'"),
        ("status --json true", "There is no task 'true'. --json takes no value. Leave out 'true'"),
        ("status --json db.sed", "There is no task 'db.sed'. Did you mean db.seed?"),
        (f"{INBOX} --limit 1 --limit status", "--limit is there twice. Give it once"),
        (f"{INBOX} --user=bayko --user=londo", "--user is there twice. Give it once"),
        (f"{INBOX} --user --dry", "--user needs a value"),
        ("status -T x", "-T needs a whole number, not 'x'"),
    ],
)
def test_an_option_that_cannot_be_meant_so_runs_nothing(typed, line) -> None:
    fault = fault_of(*typed.split())
    see = "" if line.endswith("?") else f". See: invoke --help {typed.split()[0]}"
    assert (fault.code, fault.message) == (2, f"{line}{see}")


SEND = "ddb.patterns.create-message"


@pytest.mark.parametrize("words", [("--message", "Hi", "you two"), ("--message=Hi", "you", "two")])
def test_a_text_without_quotes_is_shown_with_them(words: tuple[str, ...]) -> None:
    fault = fault_of(SEND, *words, "--user", "bayko")
    assert fault.code == 2
    assert " in quotes: --message 'Hi you two'. See: " in fault.message


def test_nobody_gets_the_name_of_an_option_as_a_message(run_invoke, seeded, messages) -> None:
    """Who types ``--message --help`` asks for help."""
    before = content(messages)
    pair = ("--user", "bayko", "--with", "andrewbrown")
    result = run_invoke(SEND, *pair, "--message", "--help", env=seeded)
    assert (result.returncode, result.stderr) == (
        2,
        f"--message needs a value. See: invoke --help {SEND}\n",
    )
    assert content(messages) == before
    assert run_invoke(SEND, *pair, "--message=--help", env=seeded).returncode == 0


@pytest.mark.parametrize("words", [(), ("--list", "db"), ("db",), ("db", "help")])
def test_tasks_are_listed_by_the_names_that_are_typed(run_invoke, words: tuple[str, ...]) -> None:
    result = run_invoke(*words)
    assert (result.returncode, result.stderr) == (0, "")
    assert "\n  db.seed " in result.stdout
    assert ("\n  status " in result.stdout) == (not words)
