"""Python, packages, virtual environment and disk, healthy and not."""

from __future__ import annotations

import pytest

from core import engines as embedded
from core.commands import Command
from core.doctor import State, machine
from core.parts import how_to_install
from core.settings import Settings
from core.targets import Environment, Target

HERE = Target(Environment.LOCAL, Settings())
WITH_EXTRAS = {"": ["invoke"], "engines": ["invoke"], "admin": ["invoke"]}


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 11, 7), (3, 14, 1)])
def test_a_supported_python_is_ok(version) -> None:
    (finding,) = machine.python(HERE, version)
    assert finding.state is State.OK


@pytest.mark.parametrize("version", [(3, 8, 10), (3, 10, 14)])
def test_a_python_that_is_too_old_is_bad(version) -> None:
    (finding,) = machine.python(HERE, version)
    assert finding.state is State.BAD
    assert finding.finding.startswith(f"Python 3.{version[1]}.")
    assert finding.finding.endswith("; the project needs 3.11 or newer")
    assert "-m venv" in finding.hint


def test_what_is_installed_here_is_what_the_project_requires() -> None:
    (finding,) = machine.packages(HERE)
    assert finding.state is State.OK, finding
    count = int(finding.finding.split()[0])
    assert count >= 12


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("no-such-package>=1", "no-such-package is not installed"),
        ("invoke>=99", "invoke is "),
        ("invoke<1", "instead of <1"),
        ("psycopg[binary]>=99", "instead of >=99"),
    ],
)
def test_an_unsuitable_package_is_bad(line: str, fault: str) -> None:
    (finding,) = machine.packages(HERE, WITH_EXTRAS | {"": [line, "pytest"]})
    assert finding.state is State.BAD
    assert fault in finding.finding
    assert "pytest" not in finding.finding
    assert finding.hint == how_to_install()


def test_an_extra_of_a_package_that_is_not_installed_is_bad() -> None:
    (finding,) = machine.packages(HERE, WITH_EXTRAS | {"": ["moto[server]"]})
    assert finding.state is State.BAD
    assert "flask is not installed" in finding.finding.lower()


MISSING = {"": ["invoke"], "engines": ["no-such-engine"], "admin": ["no-such-ui", "invoke>=99"]}


def test_the_engines_are_required_only_where_this_target_uses_them() -> None:
    (finding,) = machine.packages(HERE, MISSING)
    assert (finding.state, finding.finding) == (State.BAD, "no-such-engine is not installed")
    elsewhere = Target(Environment.PRODUCTION, Settings())
    (finding,) = machine.packages(elsewhere, MISSING)
    assert finding.state is State.OK
    assert finding.finding.endswith("without the extra engines and admin")


def test_a_part_that_is_installed_must_be_whole() -> None:
    (finding,) = machine.packages(HERE, WITH_EXTRAS | {"admin": ["invoke", "pytest>=999"]})
    assert finding.state is State.BAD
    assert "instead of >=999" in finding.finding


def test_a_package_that_two_parts_name_counts_once() -> None:
    (finding,) = machine.packages(HERE, WITH_EXTRAS | {"engines": ["invoke", "pytest"]})
    assert finding.finding.startswith("2 packages, as ")


def test_a_virtual_environment_is_ok_and_none_is_a_note() -> None:
    (inside,) = machine.virtual_environment(HERE, "/project/.venv", "/usr")
    (outside,) = machine.virtual_environment(HERE, "/usr", "/usr")
    assert (inside.state, inside.finding) == (State.OK, "/project/.venv")
    assert outside.state is State.NOTE
    assert outside.hint.startswith("python3 -m venv .venv")


@pytest.mark.parametrize(
    ("scarce", "notable", "state"),
    [(0, 0, State.OK), (0, 10**18, State.NOTE), (10**18, 10**18, State.BAD)],
)
def test_a_disk_without_room_is_bad(tmp_path, scarce, notable, state) -> None:
    settings = Settings(engines_dir=str(tmp_path / "not" / "there yet"))
    target = Target(Environment.LOCAL, settings)
    (finding,) = machine.disk(target, scarce, notable)
    assert finding.state is state
    assert finding.finding.endswith(f" free at {tmp_path}")
    assert bool(finding.hint) == (state is not State.OK)


@pytest.mark.parametrize("name", ["dynamodb", "aws"])
@pytest.mark.parametrize(
    ("state", "command"), [("stopped", "invoke up"), ("not answering", "invoke down")]
)
def test_an_engine_that_runs_and_does_not_answer_is_stopped_first(
    monkeypatch, name, state, command
) -> None:
    statuses = [
        embedded.EngineStatus("postgres", "stopped", 15_000, None),
        embedded.EngineStatus(name, state, 15_001, 1, "a note"),
    ]
    monkeypatch.setattr(embedded, "status", lambda _: statuses)
    (finding,) = machine.engines(HERE)
    assert finding.finding == f"postgres is stopped; {name} is {state}: a note"
    assert finding.command == Command(command.split()[1])
