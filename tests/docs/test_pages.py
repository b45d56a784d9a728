"""The parts of pages that are not run: blocks, commands within sentences, the index, examples."""

from __future__ import annotations

import copy
import re
import shlex
import subprocess
import sys
import tomllib

import pytest
from invoke import Program
from invoke.exceptions import ParseError
from invoke.parser import Parser

import tasks
from core.settings import PROJECT_ROOT

from .pages import PAGES, Page

LANGUAGES = {"sh", "text", "toml", "json", ""}
"""The languages of a block. Commands are in `sh` blocks, which are tried."""


COMMANDS = r"(\. |eval |python3? |pipx? |uvx? |npm |aws |sam |docker |git |psql )"
"""How a command begins that is not ``invoke``."""

NOT_TRIED = {
    "git clone": "needs an address, which a copy of the repository has and its pages do not",
    ". .venv/bin/activate": "pip's own; the tests call what is in there",
    "docker compose up": "Cruddur's, on the left side of the table",
    "docker compose down": "Cruddur's, on the left side of the table",
    "python docs/reference.py": "tests/test_docs.py compares the pages with what it writes",
    "aws dynamodb list-tables": "what `invoke bench` measures beside",
    "aws dynamodb scan": "AWS's own tool: tests/unit/test_import_sources.py has what it writes",
    "aws sso login": "opens a browser at AWS",
    ". .engines/env": "tests/integration/test_engines.py reads that file",
    ". CHECKOUT/task_groups/shells/bash.sh": "tests/commands/test_completion.py does",
    **dict.fromkeys(
        (
            "docker compose --profile admin up --detach --wait",
            "docker build --tag cruddur-ops .",
            "docker run OPTIONS cruddur-ops db.migrations --prod",
            "docker run OPTIONS --publish 8501:8501 cruddur-ops admin --prod --port 8501 …",
        ),
        "needs Docker: tests/workspaces/test_image.py",
    ),
    "uv sync": "another page does",
    "uv sync --no-dev": "downloads; the parts are in tests/test_packaging.py",
    "uv run invoke test": "the tests run already",
    "uv run invoke start": "another page does",
    "uv run cruddur start": "the same tasks: tests/commands/test_cruddur.py",
    "pip install -r requirements.txt": "another page does",
    "pip install 'CHECKOUT[engines,admin]'": "the reader's own path",
    "pipx install 'CHECKOUT[engines,admin]'": "the reader's own path",
    "uvx --from 'CHECKOUT[engines,admin]' cruddur start": "the reader's own path",
    'python3 -c "import secrets; print(secrets.token_hex(32))"': "tried below",
}
"""Commands within sentences that no page tries, and why."""


def read_as_invoke_does(words: list[str]) -> None:
    """Read a command line as ``invoke`` itself does: its own options first, then the tasks.

    Raises:
        ParseError: there is no such task or option.
    """
    program = Program()
    program.create_config()
    core = Parser(initial=program.initial_context, ignore_unknown=True).parse_argv(words)
    namespace = copy.deepcopy(tasks.ns)  # to_contexts() drops the options' help
    Parser(contexts=namespace.to_contexts()).parse_argv(core.unparsed)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_command_is_in_a_block_that_is_not_tried(page: Page) -> None:
    for line, language, text in page.fences():
        assert language in LANGUAGES, f"line {line}"
        if language != "sh":
            hidden = re.search(
                r"^\s*(\$|invoke |pip |python3? |aws |sam |docker |npm ).*", text, re.M
            )
            assert hidden is None, f"line {line}: {hidden}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_within_a_sentence_is_one_that_invoke_takes(page: Page) -> None:
    for span in page.spans():
        if span.startswith(("invoke ", "cruddur ")):
            words = shlex.split(span.split("\\|")[0])[1:]
            if words[-1] in tasks.ns.collections:  # lists its tasks
                continue
            read_as_invoke_does(
                ["status" if word == "TASK" else word for word in words if word != "…"]
            )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_other_command_within_a_sentence_has_a_reason_not_to_be_tried(page: Page) -> None:
    shown = {span for span in page.spans() if re.match(COMMANDS, span)}
    assert shown <= set(NOT_TRIED)


def test_the_recipe_for_a_secret_makes_one() -> None:
    (page,) = (page for page in PAGES if page.name == "docs/how-to/log-in.md")
    (recipe,) = (span for span in page.spans() if span.startswith("python3 "))
    command = [sys.executable, *shlex.split(recipe)[1:]]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert len(done.stdout.strip()) == 64


@pytest.mark.parametrize("words", ["db.sed", "ddb.seed --users bayko"])
def test_a_wrong_task_or_option_within_a_sentence_is_detected(words: str) -> None:
    with pytest.raises(ParseError, match="No idea what"):
        read_as_invoke_does(words.split())


def test_every_toml_example_can_be_read() -> None:
    examples = [text for page in PAGES for _, kind, text in page.fences() if kind == "toml"]
    assert examples
    for text in examples:
        assert tomllib.loads(text)


def test_the_index_leads_to_every_page() -> None:
    (index,) = (page for page in PAGES if page.name == "docs/README.md")
    linked = {
        str((PROJECT_ROOT / "docs" / target).resolve().relative_to(PROJECT_ROOT))
        for target in re.findall(r"\]\(([^)#]+)\)", index.text)
    }
    elsewhere = {"README.md", "CONTRIBUTING.md", index.name}
    assert {page.name for page in PAGES} - linked - elsewhere == set()
