"""The program ``cruddur``: the same tasks from any folder, and from an installation."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

import tasks
from core.settings import PROJECT_ROOT

from .conftest import hermetic_environment

PYPROJECT = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text())
WHEEL = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]

Typed = Callable[..., subprocess.CompletedProcess[str]]


def type_cruddur(
    packages: Path, folder: Path, *words: str, program: str = "cruddur", **env: str
) -> subprocess.CompletedProcess[str]:
    """Run ``cruddur`` in ``folder``, with the package that is in ``packages``; or ``invoke``."""
    environment = hermetic_environment(folder)
    del environment["CRUDDUR_ENGINES_DIR"]
    environment |= env
    call = ["-m", "invoke"]
    if program == "cruddur":
        call = ["-c", "import cruddur_ops; cruddur_ops.main()"]
    return subprocess.run(
        [sys.executable, *call, *words],
        cwd=folder,
        env=environment | {"PYTHONPATH": f"{packages}{os.pathsep}{env.get('PYTHONPATH', '')}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package as an installation has it: see pyproject.toml."""
    site = tmp_path_factory.mktemp("site packages")
    without = shutil.ignore_patterns("__pycache__")
    for name in WHEEL["only-include"]:
        first, _, rest = name.partition("/")
        target = site / WHEEL["sources"].get(first, first) / rest
        source = PROJECT_ROOT / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=without)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    for name, target in WHEEL["force-include"].items():
        shutil.copy(PROJECT_ROOT / name, site / target)
    return site


def test_an_installation_has_one_package_and_the_files_that_the_code_names(installed) -> None:
    assert [path.name for path in installed.iterdir()] == ["cruddur_ops"]
    root = installed / "cruddur_ops"
    for name in ("sql/schema.sql", "aws/template.yaml", "invoke.yaml", ".streamlit/config.toml"):
        assert (root / name).is_file()
    assert not (root / "pyproject.toml").exists()


def test_an_installed_program_has_the_tasks_of_the_checkout(installed, tmp_path) -> None:
    # Others have packages of these names, and they come first on the path.
    for name in ("core", "tasks", "task_groups"):
        (tmp_path / "others" / name).mkdir(parents=True)
        (tmp_path / "others" / name / "__init__.py").write_text("raise SystemExit('not ours')")
    site = tmp_path / "others"
    (site / "cruddur_ops").symlink_to(installed / "cruddur_ops")
    done = type_cruddur(site, tmp_path, "--list", "--list-format=json")
    assert done.returncode == 0, done.stderr
    listed = type_cruddur(PROJECT_ROOT, tmp_path, "--list", "--list-format=json")
    assert done.stdout == listed.stdout
    assert '"start"' in done.stdout


def test_an_installed_program_keeps_its_data_in_the_folder_of_the_user(installed, tmp_path) -> None:
    done = type_cruddur(installed, tmp_path, "--dry", "up")
    expected = tmp_path / ".local" / "share" / "cruddur-ops" / ".engines"
    assert done.stdout == f"would start the embedded engines in {expected}\n", done.stderr
    data = tmp_path / "data"
    done = type_cruddur(installed, tmp_path, "--dry", "up", XDG_DATA_HOME=str(data))
    assert f"in {data}/cruddur-ops/.engines\n" in done.stdout


def test_a_dotenv_file_beside_the_data_counts_and_one_of_the_folder_does_not(
    installed, tmp_path
) -> None:
    data = tmp_path / "data" / "cruddur-ops"
    data.mkdir(parents=True)
    (data / ".env").write_text(f"CRUDDUR_ENGINES_DIR={tmp_path}/elsewhere\n")
    (tmp_path / ".env").write_text(f"CRUDDUR_ENGINES_DIR={tmp_path}/strangers\n")
    done = type_cruddur(installed, tmp_path, "--dry", "up", XDG_DATA_HOME=str(data.parent))
    assert done.stdout == f"would start the embedded engines in {tmp_path}/elsewhere\n"


@pytest.mark.parametrize("program", ["cruddur", "invoke"])
@pytest.mark.parametrize(("unwanted", "is_kept"), [("", True), ("1", False)])
def test_what_a_command_compiles_is_kept(installed, tmp_path, program, unwanted, is_kept) -> None:
    """Invoke turns that off: a command in a new checkout took a quarter longer, each time."""
    site = tmp_path / "site"
    shutil.copytree(installed, site, ignore=shutil.ignore_patterns("__pycache__"))
    ours = site / "cruddur_ops"
    folder = ours if program == "invoke" else tmp_path
    done = type_cruddur(
        site, folder, "--dry", "up", program=program, PYTHONDONTWRITEBYTECODE=unwanted
    )
    assert done.returncode == 0, done.stderr
    # The first is loaded with the tasks, the second by the task that runs.
    for module in (ours / "task_groups" / "engines", ours / "core" / "engines" / "state"):
        assert any((module.parent / "__pycache__").glob(f"{module.name}.*.pyc")) is is_kept


def test_an_installed_program_packages_the_function_from_its_own_files(installed, tmp_path) -> None:
    done = type_cruddur(installed, tmp_path, "lambda.package", "--file", str(tmp_path / "f.zip"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "f.zip").stat().st_size > 10_000


def test_an_installed_program_writes_no_migration_into_its_own_files(installed, tmp_path) -> None:
    migration = ("db.generate-migration", "--name", "add_a_column")
    done = type_cruddur(installed, tmp_path, *migration)
    assert (done.returncode, "CRUDDUR_MIGRATIONS_DIR" in done.stderr) == (2, True)
    data = {"XDG_DATA_HOME": str(tmp_path / "data"), "CRUDDUR_MIGRATIONS_DIR": "mine"}
    done = type_cruddur(installed, tmp_path, *migration, **data)
    assert Path(done.stdout.strip()).parent == tmp_path / "data" / "cruddur-ops" / "mine"


def test_from_a_checkout_its_data_is_the_checkout_s(tmp_path) -> None:
    done = type_cruddur(PROJECT_ROOT, tmp_path, "--dry", "up")
    assert done.stdout == f"would start the embedded engines in {PROJECT_ROOT}/.engines\n"


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("strat", "There is no task 'strat'. Did you mean start?"),
        ("qqq", "There is no task 'qqq'. See: cruddur --list"),
        ("status --qqq", "status has no option --qqq. See: cruddur --help status"),
        ("--qqq", "There is no option --qqq. See: cruddur --help"),
        (
            "--command-timeout abc",
            "--command-timeout needs a whole number, not 'abc'. See: cruddur --help",
        ),
        ("--config", "--config needs a value. See: cruddur --help"),
        ("db.migrations --json", "The embedded engines have not been set up yet. Run: cruddur up"),
    ],
)
def test_what_it_says_names_the_program(tmp_path, typed, line) -> None:
    env = {"CRUDDUR_ENGINES_DIR": str(tmp_path / "none")}
    done = type_cruddur(PROJECT_ROOT, tmp_path, *typed.split(), **env)
    assert done.returncode == (1 if "engines" in line else 2)
    assert done.stderr == f"{line}\n"


def test_its_help_names_it_and_shows_the_tasks(tmp_path) -> None:
    done = type_cruddur(PROJECT_ROOT, tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: cruddur TASK [--options]\n")
    assert "\nOptions of a task: cruddur --help TASK\n" in done.stdout
    assert "\nTasks:\n" in done.stdout
    assert all(f"\n  {name} " in done.stdout for name in tasks.ns.task_names)


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_its_own_options_are_shown_with_the_tasks(tmp_path, option) -> None:
    done = type_cruddur(PROJECT_ROOT, tmp_path, option)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\nCore options:\n" in done.stdout
    assert all(f"\n  {name} " in done.stdout for name in tasks.ns.task_names)


def test_it_says_its_version(tmp_path) -> None:
    done = type_cruddur(PROJECT_ROOT, tmp_path, "--version")
    assert done.stdout == f"Cruddur Ops {PYPROJECT['project']['version']}\n"


def test_the_admin_ui_names_the_same_program(tmp_path) -> None:
    url = "postgresql://u:p@127.0.0.1:9/d"
    env = {"CONNECTION_URL": url, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    done = type_cruddur(PROJECT_ROOT, tmp_path, "--dry", "admin", **env)
    assert " --program=cruddur -- " in f"{done.stdout.strip()} ", done.stderr
