"""The engines that the whole test run shares: real ones, in a temporary folder."""

from __future__ import annotations

import functools
import gc
import itertools
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import psycopg
import pytest
from commands import typed
from databases import Databases
from dynoxide import Dynoxide, required_binary
from hypothesis import HealthCheck, settings
from psycopg import sql

from core import engines as embedded
from core.aws.clients import make_client
from core.engines import Endpoints
from core.settings import PROJECT_ROOT
from core.targets import AwsTarget
from core.targets.postgres import parse_url

QUICK = ("unit/", "model/test_state_machine.py", "commands/test_smoke.py", "test_")
"""``--quick`` runs the files whose path begins with one of these."""

ORDER = (
    "browser", "unit",
    "access", "admin_app", "integration", "model",
    "commands", "docs", "workspaces",
)  # fmt: skip
"""The folders, in the order in which their tests run: a line has about a third of all tests.

Each of the three workers begins with a third, and takes over tests from the end of another's when
it has none left. So the browser tests, which take longest, begin at once, and one worker runs them
all: another would need a browser and an admin UI of its own.
"""

MEMORY = Path("/dev/shm")

# How long an example takes says how busy the machine is.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")

# A shell starts what runs in its background with SIGINT ignored, and so would every process that a
# test starts: none of them would see the Ctrl-C that the test presses.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--deep", action="store_true", help="run the long tests too")
    parser.addoption("--explore", action="store_true", help="explore the large scopes too")
    parser.addoption("--quick", action="store_true", help="run what takes less than a minute")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With ``--quick``, the files that take longer are not even imported."""
    if not config.getoption("--quick") or collection_path.suffix != ".py":
        return None
    place = collection_path.relative_to(Path(__file__).parent).as_posix()
    return None if place.startswith(QUICK) else True


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items.sort(key=_place_in_the_run)
    unwanted = {mark for mark in ("deep", "explore") if not config.getoption(f"--{mark}")}
    long = [item for item in items if any(map(item.get_closest_marker, unwanted))]
    items[:] = [item for item in items if item not in long]
    config.hook.pytest_deselected(items=long)


def _place_in_the_run(item: pytest.Item) -> int:
    folder = item.path.relative_to(Path(__file__).parent).parts[0]
    return ORDER.index(folder) if folder in ORDER else len(ORDER)


def pytest_collection_finish() -> None:
    """Let the garbage collector look at what tests make, seldom, and no more at the modules and
    the tests themselves: it took a fifth of the time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 20, 20)


@pytest.fixture(scope="session")
def examples(pytestconfig: pytest.Config) -> Callable[[int], int]:
    """The number of examples that a run tries: a fifth with ``--quick``."""
    return lambda count: count // 5 if pytestconfig.getoption("--quick") else count


@pytest.fixture(scope="session")
def engines_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder whose engines run; a name with a space in it, as checkouts may have."""
    with tempfile.TemporaryDirectory(dir=_quick_place(tmp_path_factory)) as place:
        folder = Path(place) / "the engines"
        embedded.start(folder, embedded.Choice(functions=True))
        try:
            _spare_the_machine(embedded.endpoints(folder).postgres_url)
            yield folder
        finally:
            embedded.stop(folder)


def _quick_place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Memory that is used like a disk, where there is enough: a new database has 300 files, and to
    make those took a quarter of the time of the tests that use one.
    """
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > 1 << 30:
        return MEMORY
    return tmp_path_factory.getbasetemp()


def _spare_the_machine(postgres_url: str) -> None:
    """Let the shared Postgres not wait for the disk: no test kills it, and hundreds make and
    drop a database. Crashes are tested on engines that do wait. And let a log-in hash its password
    once instead of 4,096 times: thousands connect.
    """
    server = urlsplit(postgres_url)._replace(path="/postgres")
    with psycopg.connect(server.geturl(), autocommit=True) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")
        connection.execute("SET scram_iterations = 1")
        password = sql.Literal(server.password)
        connection.execute(sql.SQL("ALTER ROLE CURRENT_USER PASSWORD {}").format(password))


@pytest.fixture(scope="session")
def engines(engines_folder: Path) -> Endpoints:
    return embedded.endpoints(engines_folder)


@pytest.fixture(scope="session")
def databases(engines: Endpoints) -> Databases:
    return Databases(parse_url(engines.postgres_url, "CONNECTION_URL"))


@pytest.fixture
def cognito(engines: Endpoints) -> Iterator[Any]:
    """A client of the engines' Cognito."""
    target = AwsTarget(engines.aws_endpoint_url, "us-east-1", placeholder_credentials=True)
    client = make_client(target, "cognito-idp")
    yield client
    client.close()


@pytest.fixture
def pool_id(cognito: Any) -> Iterator[str]:
    """An empty user pool."""
    pool_id = cognito.create_user_pool(PoolName="cruddur")["UserPool"]["Id"]
    yield pool_id
    cognito.delete_user_pool(UserPoolId=pool_id)


@pytest.fixture(scope="session")
def installed_components() -> Iterator[None]:
    """What an ``AppTest`` finds when it looks for components in all installed packages, at the
    first run of each: looked for once, as a server does. It takes longer than a page.
    """
    from streamlit.components.v2 import manifest_scanner as scanner

    once = functools.cache(scanner.scan_component_manifests)
    with mock.patch.object(scanner, "scan_component_manifests", once):
        yield


@pytest.fixture(scope="session")
def commands() -> Iterator[typed.Commands]:
    commands = typed.Commands(str(PROJECT_ROOT))
    yield commands
    commands.close()


@pytest.fixture
def dynoxide(tmp_path: Path) -> Iterator[Dynoxide]:
    """A durable engine for one test, empty and running."""
    engine = Dynoxide(required_binary(), tmp_path / "db.sqlite")
    engine.start()
    yield engine
    engine.stop()


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Takes a line of what a test did and counted, shown when the run ends."""
    return lambda text: request.node.user_properties.append(("figure", text))


@pytest.fixture
def progress(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Takes a line and shows it at once, also where the output goes to a file."""
    terminal = request.config.pluginmanager.get_plugin("terminalreporter")
    capture = request.config.pluginmanager.get_plugin("capturemanager")

    def show(line: str) -> None:
        if terminal is None or capture is None:
            return
        with capture.global_and_fixture_disabled():
            terminal.ensure_newline()
            terminal.write(f"{line}\n", flush=True)

    return show


@pytest.fixture
def lines(request: pytest.FixtureRequest, progress: Callable[[str], None]) -> Callable[[str], None]:
    """As ``figures``, for lines that name what they are of; a long run shows each at once."""

    def tell(line: str) -> None:
        request.node.user_properties.append(("line", line))
        if request.config.getoption("--explore"):
            progress(line)

    return tell


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = itertools.chain.from_iterable(terminalreporter.stats.values())
    calls = [report for report in reports if getattr(report, "when", None) == "call"]
    # A property of the report, as one worker of several hands it on.
    lines = [
        f"{call.nodeid.rpartition('::')[2]}: {text}" if name == "figure" else text
        for call in calls
        for name, text in call.user_properties
        if name in ("figure", "line")
    ]
    if lines:
        terminalreporter.section("figures")
    for line in lines:
        terminalreporter.line(line)
