"""A test run ends at Ctrl-C, and its options choose the tests."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable

import pytest
from commands import typed

from core.settings import PROJECT_ROOT

WAITS = "import time; print(flush=True); time.sleep(60)"


def test_a_child_ends_at_ctrl_c() -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", WAITS], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    child.stdout.readline()
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=10)
    assert child.returncode == -signal.SIGINT


def test_it_does_so_in_a_run_that_was_started_with_sigint_ignored() -> None:
    """Start it as a shell starts a background process."""
    ignored = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        name = f"{__file__}::{test_a_child_ends_at_ctrl_c.__name__}"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", name]
        done = subprocess.run(
            command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False, timeout=60
        )
    finally:
        signal.signal(signal.SIGINT, ignored)
    assert "1 passed" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("option", ["", "--quick", "--deep", "--explore"])
def test_a_run_selects_by_its_option(option: str) -> None:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", *option.split()]
    selected = subprocess.run(
        [*command, "tests/model", "tests/commands/test_smoke.py"],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    is_quick = option == "--quick"
    assert ("in_depth" in selected) is (option == "--deep")
    assert ("of_the_large_scopes" in selected) is (option == "--explore")
    assert ("of_a_small_scope" in selected) is not is_quick
    assert ("test_on_an_engine" in selected) is not is_quick
    assert "test_the_guarantees_hold_after_any_interleaving\n" in selected
    assert "test_smoke.py" in selected


@pytest.fixture
def run_test_task(commands: typed.Commands) -> Callable[..., subprocess.CompletedProcess[str]]:
    return lambda *options: commands.run(("--dry", "test", *options), {"PATH": "/usr/bin:/bin"}, "")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), "pytest --numprocesses 3 --dist worksteal"),
        (("--quick",), "pytest --quick"),
        (("--deep", "--only", "crash"), "pytest --deep -k crash"),
        (("--explore",), "pytest --explore tests/model/test_explored.py"),
        (("--mutants", "--only", "sends"), "model.mutation --only sends"),
    ],
)
def test_the_task_runs_what_its_options_name(run_test_task, options, expected) -> None:
    assert run_test_task(*options).stdout.endswith(f" -m {expected}\n")


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--quick", "--deep"), "--deep and --quick"),
        (("--explore", "--quick"), "--explore and --quick"),
        (("--explore", "--deep"), "--deep and --explore"),
        (("--mutants", "--quick"), "--mutants and --quick"),
    ],
)
def test_options_that_contradict_each_other_are_refused(run_test_task, options, named) -> None:
    done = run_test_task(*options)
    assert done.returncode == 2
    assert named in done.stderr
