"""The engines that the whole test run shares: real ones, in a temporary folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dynoxide import Dynoxide, find_binary

from core import engines as embedded
from core.engines import Endpoints

FIGURES = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--deep", action="store_true", help="run the long tests too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--deep"):
        return
    long = [item for item in items if item.get_closest_marker("deep")]
    items[:] = [item for item in items if item not in long]
    config.hook.pytest_deselected(items=long)


@pytest.fixture(scope="session")
def engines_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder whose engines run; a name with a space in it, as checkouts may have."""
    folder = tmp_path_factory.mktemp("shared") / "the engines"
    embedded.start(folder)
    try:
        yield folder
    finally:
        embedded.stop(folder)


@pytest.fixture(scope="session")
def engines(engines_folder: Path) -> Endpoints:
    return embedded.endpoints(engines_folder)


@pytest.fixture
def dynoxide(tmp_path: Path) -> Iterator[Dynoxide]:
    """A durable engine of one's own, empty and running."""
    binary = find_binary()
    if binary is None:
        pytest.fail("dynoxide is not installed: npm install -g @dynoxide/linux-x64")
    engine = Dynoxide(binary, tmp_path / "db.sqlite")
    engine.start()
    yield engine
    engine.stop()


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Takes a line of what a test did and counted, shown when the run ends."""
    lines = request.config.stash.setdefault(FIGURES, [])
    return lambda text: lines.append(f"{request.node.name}: {text}")


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if lines := config.stash.get(FIGURES, []):
        terminalreporter.section("figures")
        for line in lines:
            terminalreporter.line(line)
