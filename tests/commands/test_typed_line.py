"""Names that do not exist: one line with what is similar, and exit code 2."""

from __future__ import annotations

import pytest

INBOX = "ddb.patterns.list-conversations"


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
        ("\x1b[31m", "There is no task '\\x1b[31m'. See: invoke --list"),
    ],
)
def test_what_does_not_exist_is_one_line_and_code_2(run_invoke, typed, line) -> None:
    result = run_invoke(*typed.split())
    assert (result.returncode, result.stdout, result.stderr) == (2, "", f"{line}\n")


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
    run_invoke, words: tuple[str, ...], line: str
) -> None:
    result = run_invoke(*words)
    assert (result.returncode, result.stdout, result.stderr.splitlines()) == (2, "", [line])
