"""Checks run in parallel: none blocks another, and all of them answer."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from core.commands import Command
from core.doctor import State, describe, examine
from core.doctor.findings import Finding, bad, ok
from core.doctor.probes import Probe, run
from core.errors import UnreachableError
from core.parts import how_to_install
from core.settings import PROJECT_ROOT, Settings
from core.targets import Environment, Target

LOCAL = Target(Environment.LOCAL, Settings())
PRODUCTION = Target(Environment.PRODUCTION, Settings())


def well(_: Target) -> Iterator[Finding]:
    yield ok("well", "fine")


def look(probe: Probe, target: Target = LOCAL, patience_s: float = 5) -> list[Finding]:
    """The findings of ``probe``, which ran together with a healthy one."""
    *findings, last = run([probe, Probe(("well",), well)], target, patience_s)
    assert last == ok("well", "fine")
    return findings


def test_an_error_is_the_finding_of_the_first_check_that_did_not_finish() -> None:
    def one_of_three(_: Target) -> Iterator[Finding]:
        yield ok("one", "fine")
        raise UnreachableError("nobody answers", "Run: invoke up")

    assert look(Probe(("one", "two", "three"), one_of_three)) == [
        ok("one", "fine"),
        bad("two", "nobody answers", "Run: invoke up"),
        Finding("three", State.NOTE, "Unknown: see two"),
    ]


def test_a_check_that_breaks_says_so() -> None:
    def broken(_: Target) -> Iterator[Finding]:
        yield from {}["surprise"]

    (finding,) = look(Probe(("one",), broken))
    assert finding == bad("one", "The check failed: KeyError: 'surprise'", "")


def test_a_package_that_is_missing_is_named_with_the_command_that_installs_it() -> None:
    def without(_: Target) -> Iterator[Finding]:
        import no_such_driver

        yield no_such_driver.finding

    (finding,) = look(Probe(("one",), without))
    assert finding.finding == "Could not import no_such_driver"
    assert finding.hint == how_to_install()


def test_a_check_that_hangs_is_stopped_and_the_others_are_not() -> None:
    for_ever = threading.Event()

    def hanging(_: Target) -> Iterator[Finding]:
        yield ok("one", "fine")
        for_ever.wait()

    started = time.monotonic()
    findings = look(Probe(("one", "two"), hanging), patience_s=0.2)
    assert time.monotonic() - started < 2
    assert [finding.state for finding in findings] == ["ok", "bad"]
    assert findings[1].finding == "No answer within 0.2 s"
    for_ever.set()


def test_a_check_that_hangs_does_not_keep_the_command_from_ending() -> None:
    code = (
        "import threading; from core.doctor.probes import Probe, run;"
        "from core.settings import Settings; from core.targets import resolve;"
        "hanging = Probe(('one',), lambda target: threading.Event().wait());"
        "print(*run([hanging], resolve(Settings(), prod=False), 0.1))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=20, cwd=PROJECT_ROOT
    )
    assert "No answer within 0.1 s" in done.stdout
    assert done.stderr == ""


def test_a_check_that_says_nothing_is_bad() -> None:
    (finding,) = look(Probe(("one",), lambda target: iter(())))
    assert finding.state is State.BAD


def test_checks_run_in_parallel() -> None:
    both = threading.Barrier(2, timeout=5)

    def meeting(_: Target) -> Iterator[Finding]:
        both.wait()
        yield ok("one", "met")

    findings = list(run([Probe(("one",), meeting)] * 2, LOCAL, 5))
    assert [finding.finding for finding in findings] == ["met", "met"]


@pytest.mark.parametrize(("target", "command"), [(LOCAL, ""), (PRODUCTION, " --prod")])
def test_a_command_in_a_fix_is_for_the_target_that_was_checked(target, command) -> None:
    def missing(_: Target) -> Iterator[Finding]:
        yield bad("one", "no table", "Create it", Command("ddb.schema-load"))

    (finding,) = look(Probe(("one",), missing), target)
    step = finding.next_step(target.options)
    assert step == f"Create it: invoke ddb.schema-load{command}"


def test_without_any_driver_the_doctor_still_answers(monkeypatch) -> None:
    missing = ("psycopg", "botocore", "psutil", "packaging", "core.targets.postgres")
    for name in {*missing, *sys.modules}:
        if any(name == package or name.startswith(f"{package}.") for package in missing):
            monkeypatch.setitem(sys.modules, name, None)
    url = "postgresql://u:hunter2@127.0.0.1:9/d"
    settings = Settings(connection_url=url, endpoint_url="http://127.0.0.1:9")
    target = Target(Environment.LOCAL, settings)
    findings = {finding.check: finding for finding in examine(target)}
    assert findings["postgres"].hint == how_to_install()
    assert findings["packages"].hint == how_to_install()
    assert findings["python"].state is State.OK
    assert findings["disk"].state is not State.BAD
    assert describe(target).startswith("target: local · no postgres: ")
    assert "hunter2" not in describe(target)
