"""A test run ends at Ctrl-C, and its options choose the tests."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

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


@pytest.mark.parametrize("option", ["--quick", "--deep"])
def test_a_run_selects_by_its_option(option: str) -> None:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", option]
    done = subprocess.run(
        [*command, "tests/model", "tests/commands/test_smoke.py"],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ("in_depth" in done.stdout) is (option == "--deep")
    assert ("test_on_an_engine" in done.stdout) is (option == "--deep")
    assert "test_the_guarantees_hold_after_any_interleaving\n" in done.stdout
    assert "test_smoke.py" in done.stdout


def run_test_task(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "invoke", "--dry", "test", *options]
    return subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)


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
def test_the_task_runs_what_its_options_name(options: tuple[str, ...], expected: str) -> None:
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
def test_options_that_contradict_each_other_are_refused(
    options: tuple[str, ...], named: str
) -> None:
    done = run_test_task(*options)
    assert done.returncode == 2
    assert named in done.stderr


def test_the_large_scopes_are_explored_only_when_asked_for() -> None:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--collect-only",
        "-q",
        "tests/model/test_explored.py",
    ]
    collected = [
        subprocess.run(
            [*command, *options], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
        ).stdout
        for options in ((), ("--explore",))
    ]
    assert ["of_the_large_scopes" in test_id for test_id in collected] == [False, True]
    assert all("of_a_small_scope" in test_id for test_id in collected)
