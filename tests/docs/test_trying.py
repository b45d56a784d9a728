"""How a page is tried: which output matches, and which commands are refused."""

from __future__ import annotations

import time

import pytest

from core.engines import Endpoints

from . import expectations
from .pages import Page
from .stand_ins import perform
from .world import Outcome, World


@pytest.fixture
def nowhere(tmp_path, commands) -> World:
    """A reader without engines."""
    return World(
        tmp_path, {"PATH": "/usr/bin:/bin"}, Endpoints("", "", ""), Endpoints("", "", ""), commands
    )


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("wrote 65 items", "wrote 65 items\n"),
        ("port 27782, pid 4219", "port 3, pid 99\n"),
        ("at 2026-11-24 04:04:19", "at 2027-01-01 00:00:00\n"),
        (" a   b\n ──────\n 1   2", "a b\n──\n1 2\n"),
        ("target: local · …", "target: local · Postgres, DynamoDB\n"),
        ("one\n…\nfour", "one\ntwo\nthree\nfour\n"),
        ("ready\n…", "ready\n"),
        ("done", "\x1b[1;37mdone\x1b[0m\n"),
    ],
)
def test_what_may_differ_is_as_shown(shown: str, printed: str) -> None:
    assert expectations.pattern(shown).fullmatch(expectations.plain(printed))


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("wrote 65 items", "wrote 66 items\n"),
        ("wrote 65 items", "wrote 65 items\nand more\n"),
        ("one\ntwo", "one\n"),
        ("target: local · …", "target: production · …\n"),
        ("0.5 RCU", "035 RCU\n"),
    ],
)
def test_anything_else_is_not_as_shown(shown: str, printed: str) -> None:
    assert not expectations.pattern(shown).fullmatch(expectations.plain(printed))


@pytest.mark.parametrize("line", ["terraform apply", "echo yes | sh", "echo a; curl example.com"])
def test_an_unknown_command_fails(nowhere: World, line: str) -> None:
    with pytest.raises(AssertionError, match="nothing here runs"):
        perform(nowhere, line, None)


@pytest.mark.parametrize(
    "line",
    [
        "export DDB_MESSAGES_TABLE=messages",
        "pip install streamlit==0.1",
        "pip install 'streamlit[oidc]'",
        "pip install --target elsewhere streamlit",
        "sam deploy --guided --template-file aws/template.yaml",
    ],
)
def test_a_stand_in_refuses_what_would_not_work(nowhere: World, line: str) -> None:
    with pytest.raises((AssertionError, FileNotFoundError)):
        perform(nowhere, line, None)


def test_a_line_ends_at_its_first_failure(nowhere: World) -> None:
    assert perform(nowhere, "cat nothing && echo on", None).code == 1
    assert perform(nowhere, "echo one && echo two", None) == Outcome("one\ntwo\n")


def test_a_page_is_parsed_in_its_order() -> None:
    text = (
        "| old | `invoke up`, `invoke status` |\n"
        "<!-- exit 1 -->\n```sh\n# why\ninvoke a \\\n  --b\n\nls\n```\n\n```text\nx\n```\n"
        "```toml\nc = 1\n```\n"
    )
    table, block = Page("README.md", text).blocks()
    assert table.commands == ("invoke up", "invoke status")
    assert (block.commands, block.output, block.exit_code) == (("invoke a --b", "ls"), "x\n", 1)
    assert Page("docs/other.md", text).blocks() == [block]


def test_a_program_that_ends_by_itself_is_not_waited_for(nowhere: World) -> None:
    started_at = time.monotonic()
    assert nowhere.run_until_ready("false", "never printed").code == 1
    assert time.monotonic() - started_at < 5
