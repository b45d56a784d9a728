"""Completion in the shells themselves: tasks, options and handles."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from core.settings import PROJECT_ROOT
from task_groups import completion
from task_groups.completion import SCRIPTS

from .conftest import hermetic_environment

SCRIPTS_FOLDER = PROJECT_ROOT / "task_groups" / "shells"
INBOX = "ddb.patterns.list-conversations"

BASH = """
. {script}
COMP_WORDS=({words} {word}); COMP_CWORD=${{#COMP_WORDS[@]}}-1
_cruddur_candidates {program} {word} before
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """The program at a path that no shell's PATH has."""
    path = tmp_path / "bin" / "cruddur"
    path.parent.mkdir()
    path.write_text(f"#!/bin/sh\nexec '{sys.executable}' -m cruddur_ops \"$@\"\n")
    path.chmod(0o755)
    return path


def complete(program: Path, folder: Path, env: dict[str, str], *words: str) -> list[str]:
    """What bash offers for the last of ``words``, in a folder that is no checkout."""
    *before, word = (shlex.quote(word) for word in words)
    script = BASH.format(
        script=SCRIPTS_FOLDER / SCRIPTS["bash"],
        program=program,
        words=" ".join([str(program), *before]),
        word=word,
    )
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=hermetic_environment(folder) | env | {"PYTHONPATH": str(PROJECT_ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.split()


def test_tasks_options_and_handles_are_offered_outside_of_a_checkout(
    program, tmp_path, seeded
) -> None:
    def offered(*words: str) -> list[str]:
        return complete(program, tmp_path, seeded, *words)

    assert offered("db.sess") == ["db.session", "db.sessions"]
    assert offered(INBOX, "--us") == ["--user"]
    assert offered(INBOX, "--limit", "") == []
    assert offered(INBOX, "--user", "") == ["andrewbrown", "bayko", "londo"]
    assert offered(INBOX, "--user", "=", "ba") == ["bayko"]
    assert offered(INBOX, "--prod", "--user", "ba") == []


def test_the_names_of_targets_and_environments_are_offered(program, tmp_path) -> None:
    env = {"CRUDDUR_TARGETS_FILE": str(tmp_path / "targets.toml")}
    (tmp_path / "targets.toml").write_text('[staging]\ntable = "t"\nenvironment = "test"\n')
    assert complete(program, tmp_path, env, INBOX, "--target", "s") == ["staging"]
    assert complete(program, tmp_path, env, INBOX, "--target", "=", "p") == ["production"]
    assert complete(program, tmp_path, env, "adopt", "--environment", "t") == ["test"]
    (tmp_path / "targets.toml").write_text("[staging\n")
    offered = complete(program, tmp_path, env, INBOX, "--target", "")
    assert offered == ["local", "production"]


@pytest.mark.parametrize("word", ["--target=st", "--environment=st"])
def test_zsh_and_fish_leave_an_option_and_its_value_in_one_word(
    program, tmp_path, word: str
) -> None:
    (tmp_path / "targets.toml").write_text('[staging]\ntable = "t"\n')
    done = subprocess.run(
        [program, "--complete", "--", "cruddur", "adopt", word],
        env=hermetic_environment(tmp_path)
        | {"CRUDDUR_TARGETS_FILE": str(tmp_path / "targets.toml"), "PYTHONPATH": str(PROJECT_ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [f"{word}aging"]


def test_nothing_is_offered_where_the_store_does_not_answer(program, tmp_path) -> None:
    env = {"CONNECTION_URL": "postgresql://u:p@127.0.0.1:9/d"}
    assert complete(program, tmp_path, env, INBOX, "--user", "ba") == []


def test_a_program_that_is_not_there_is_no_error(tmp_path) -> None:
    assert complete(Path("no-such-program"), tmp_path, {}, "db.se") == []


def test_a_handle_that_a_shell_would_read_otherwise_is_not_offered(monkeypatch) -> None:
    stored = ["bayko", "ba$(touch x)", "ba;ls", "ba'", "ba\x1b[31m", "Bayko"]
    monkeypatch.setattr(completion, "_find_handles", lambda beginning: stored)
    assert list(completion._handles("ba", [])) == ["bayko"]


CHECKS = {
    "bash": ["bash", "-n"],
    "zsh": ["zsh", "-n"],
    "fish": ["fish", "--no-execute"],
}


@pytest.mark.parametrize("shell", [shell for shell in CHECKS if shutil.which(shell)])
def test_a_shell_s_script_is_printed_and_is_one_that_the_shell_reads(shell, tmp_path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cruddur_ops", "--print-completion-script", shell],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == (SCRIPTS_FOLDER / SCRIPTS[shell]).read_text()
    script = tmp_path / "script"
    script.write_text(done.stdout)
    subprocess.run([*CHECKS[shell], script], check=True)


def test_another_shell_is_refused_with_those_that_there_are(tmp_path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cruddur_ops", "--print-completion-script", "tcsh"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "'tcsh', only for bash, fish, zsh" in done.stderr
