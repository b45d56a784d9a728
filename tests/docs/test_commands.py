"""Every command of README and docs runs, in the order of its page, and prints what the page shows.

Each page is one session in a clean folder on real engines; ``--prod`` leads to engines too. What
cannot run has a stand-in that says why (``stand_ins.py``). An unknown command fails its page.
"""

from __future__ import annotations

import pytest

from . import expectations
from .pages import PAGES, Block, Page
from .preparations import PREPARED
from .stand_ins import STAND_INS, perform
from .world import World

SESSIONS = [page for page in PAGES if page.blocks()]


@pytest.mark.parametrize("page", SESSIONS, ids=lambda page: page.name)
def test_a_page_s_commands_run_and_print_what_it_shows(page: Page, world: World) -> None:
    for prepare in PREPARED.get(page.name, ()):
        prepare(world)
    for block in page.blocks():
        _try(world, page, block)


def _try(world: World, page: Page, block: Block) -> None:
    printed, code = "", 0
    for command in block.commands:
        assert code == 0, f"{page.name}:{block.line} ended before {command}:\n{printed}"
        outcome = perform(world, command, block.output)
        printed, code = printed + outcome.output, outcome.code
    disguised = world.disguise(expectations.plain(printed))
    assert code == block.exit_code, f"{page.name}:{block.line} exited with {code}:\n{disguised}"
    if block.output is not None and not expectations.pattern(block.output).fullmatch(disguised):
        shown = expectations.plain(block.output)
        pytest.fail(f"{page.name}:{block.line} shows\n{shown}\nand the commands print\n{disguised}")


def test_every_prepared_page_is_there_and_every_stand_in_is_needed() -> None:
    commands = [line for page in SESSIONS for block in page.blocks() for line in block.commands]
    typed = " && ".join(commands).replace(".venv/bin/", "")
    assert [name for name in PREPARED if name not in {page.name for page in SESSIONS}] == []
    assert [beginning for beginning in STAND_INS if f"{beginning} " not in f"{typed} "] == []
