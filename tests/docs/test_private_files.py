"""Files with users' data that a page's commands write: private, and ignored by Git."""

from __future__ import annotations

import re
import subprocess

import pytest

from core.settings import PROJECT_ROOT

from .pages import PAGES

_WRITTEN = re.compile(
    r"ddb\.export\b.*--file (?P<export>\S+)|\\copy \S+ to (?P<copy>\S+)|> *(?P<redirected>\S+)"
)


def written_files() -> list[tuple[str, str, str]]:
    """Page, command and file of every command that writes stored data to a file."""
    return [
        (page.name, command, next(filter(None, match.groups())))
        for page in PAGES
        for block in page.blocks()
        for command in block.commands
        if "invoke " in command and (match := _WRITTEN.search(command))
    ]


WRITTEN = written_files()


def test_the_pages_show_both_ways_of_writing_a_file() -> None:
    commands = [command for _, command, _ in WRITTEN]
    assert any("ddb.export" in command for command in commands)
    assert any(r"\copy" in command for command in commands)


@pytest.mark.parametrize(("page", "command", "file"), WRITTEN)
def test_git_ignores_the_files_that_a_page_writes(page, command, file) -> None:
    for name in (file, f"{file}.part", f"{file}.part.json", f"{file}.part.json.new"):
        ignored = subprocess.run(["git", "check-ignore", "-q", name], cwd=PROJECT_ROOT, check=False)
        assert ignored.returncode == 0, f"{page}: {name}"


@pytest.mark.parametrize(("page", "command", "file"), WRITTEN)
def test_a_file_that_another_program_writes_is_made_with_a_closed_umask(
    page, command, file
) -> None:
    if "--file" not in command:
        assert command.startswith("umask 077; "), f"{page}: {command}"
