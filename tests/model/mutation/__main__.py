"""Plant each fault, and report what detected it."""

from __future__ import annotations

import argparse
import importlib
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from .mutants import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parents[3]
COPIED = (
    "core",
    "tests/unit",
    "tests/model",
    "tests/conftest.py",
    "tests/dynoxide.py",
    "tests/ports.py",
    "sql",
)
UNIT_TESTS = (
    "tests/model/test_in_memory.py",
    "tests/model/test_meanwhile.py",
    "tests/model/test_gone_stays_gone.py",
    "tests/unit/test_transactions.py",
    "tests/unit/test_dynamodb_paging.py",
)
STREAM_TESTS = ("tests/unit/test_dynamodb_stream.py",)
TIME_S = 900
NEEDED = ("boto3.dynamodb.types", "botocore.session", "greenlet", "pytest")
"""The imports of every run, made once before the runs, which are forks."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of a mutant: ``killer`` is the check that detected it, or empty."""

    mutant: Mutant
    killer: str
    seconds: float

    @property
    def outcome(self) -> str:
        if self.killer:
            return "killed"
        return "equivalent" if self.mutant.equivalent else "survived"

    def __str__(self) -> str:
        by = self.killer or self.mutant.equivalent or "nothing noticed it"
        return f"{self.outcome}: {self.mutant.module}: {self.mutant.fault} ({by})"


def place_of(mutant: Mutant, root: Path) -> Path:
    """The module's file, anywhere in the store package."""
    (path,) = (root / "core" / "dynamodb").rglob(f"{mutant.module}.py")
    return path


def planted(mutant: Mutant, root: Path) -> str:
    """The module's text with the fault in it.

    Raises:
        ValueError: what the fault replaces is not there once.
    """
    text = place_of(mutant, root).read_text()
    if text.count(mutant.old) != 1:
        raise ValueError(f"{mutant.module}: {mutant.old!r} is there {text.count(mutant.old)} times")
    return text.replace(mutant.old, mutant.new)


def judge(mutant: Mutant, copy: Path) -> Verdict:
    """Plant the fault in ``copy``, run the checks, and remove it again."""
    path, began = place_of(mutant, copy), time.monotonic()
    original = path.read_text()
    path.write_text(planted(mutant, copy))
    try:
        killer = _killer([_by_a_stream_test] if mutant.module == "shards" else _WAYS, copy)
    finally:
        path.write_text(original)
    return Verdict(mutant, killer, time.monotonic() - began)


def _killer(ways: Sequence[Callable[[], str]], copy: Path) -> str:
    return next(filter(None, (_forked(way, copy) for way in ways)), "")


def _forked(way: Callable[[], str], copy: Path) -> str:
    """What ``way`` says, run by another process that has ``copy``'s core."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_in_the_fork, args=(way, copy, theirs))
    process.start()
    theirs.close()
    try:
        answered = ours.poll(TIME_S)
        return str(ours.recv()) if answered else "it never comes to an end"
    except EOFError:
        return "the process died"
    finally:
        process.kill()
        process.join()


def _in_the_fork(way: Callable[[], str], copy: Path, answer: Connection) -> None:
    os.chdir(copy)
    sys.path[:0] = [str(copy), str(copy / "tests")]
    for name in [name for name in sys.modules if name.split(".")[0] == "model"]:
        del sys.modules[name]  # the copy's own are meant
    sys.dont_write_bytecode = True
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    try:
        answer.send(way())
    except Exception as error:  # noqa: BLE001 - a fault that breaks everything is noticed
        answer.send(f"{type(error).__name__}: {error}")


def _by_the_exploration() -> str:
    """The small scope that first breaks a rule, or the trace that breaks one again."""
    running = importlib.import_module("model.explore.running")
    scopes = importlib.import_module("model.explore.scopes")
    for family in scopes.families().values():
        if family.is_large:
            continue
        for scope in family.scopes:
            if wrong := running.first_wrong(scope):
                return f"the exploration of {scope.name!r}: {wrong.split(';')[0][:110]}"
    return _failing(
        ["tests/model/test_explored.py"], "not small_scope and not planted and not forget"
    )


def _by_a_unit_test() -> str:
    return _failing(UNIT_TESTS, "")


def _by_a_stream_test() -> str:
    """One failure is enough: no time is spent on the smallest example."""
    hypothesis = importlib.import_module("hypothesis")
    phases = [hypothesis.Phase.explicit, hypothesis.Phase.generate]
    hypothesis.settings.register_profile("mutants", phases=phases, database=None)
    hypothesis.settings.load_profile("mutants")
    return _failing(STREAM_TESTS, "")


_WAYS = (_by_a_unit_test, _by_the_exploration)
"""In the order of their time. Only the stream's own tests test its reader."""


class _First:
    """Notes the first test that fails."""

    name = ""

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed and not self.name:
            self.name = report.nodeid.split("::", 1)[-1]


def _failing(tests: Sequence[str], only: str) -> str:
    pytest = importlib.import_module("pytest")
    first = _First()
    quietly = [
        "-x",
        "-q",
        "--timeout=60",
        "-p",
        "no:cacheprovider",
        "-W",
        "ignore::pytest.PytestWarning",
    ]
    code = pytest.main([*quietly, "-k", only, *tests], plugins=[first])
    return first.name or ("" if code == 0 else "it cannot be imported")


def report(verdicts: Sequence[Verdict]) -> str:
    """The score, by module and in all."""
    rows = ["| module | faults | killed | equivalent | survived |", "|---|---|---|---|---|"]
    counts = Counter((verdict.mutant.module, verdict.outcome) for verdict in verdicts)
    modules = list(dict.fromkeys(verdict.mutant.module for verdict in verdicts))
    for module in [*modules, "all"]:
        by_outcome = [
            sum(n for (m, o), n in counts.items() if module in (m, "all") and o == outcome)
            for outcome in ("killed", "equivalent", "survived")
        ]
        rows.append(f"| {module} | {sum(by_outcome)} | {' | '.join(map(str, by_outcome))} |")
    return "\n".join(rows)


def copied(folder: Path) -> Path:
    for name in COPIED:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def main() -> int:
    parser = argparse.ArgumentParser(prog="invoke test --mutants", description=__doc__)
    parser.add_argument("--only", default="", help="plant only faults whose name has this text")
    only = parser.parse_args().only
    for name in NEEDED:
        importlib.import_module(name)
    verdicts = []
    with tempfile.TemporaryDirectory() as folder:
        copy = copied(Path(folder))
        if wrong := _killer([*_WAYS, _by_a_stream_test], copy):
            print(f"Without a fault there is one already: {wrong}")  # noqa: T201
            return 2
        for mutant in MUTANTS:
            if only in f"{mutant.module}: {mutant.fault}":
                verdicts.append(judge(mutant, copy))
                print(f"{verdicts[-1]}, {verdicts[-1].seconds:.0f} s", flush=True)  # noqa: T201
    print(report(verdicts))  # noqa: T201
    return any(verdict.outcome == "survived" for verdict in verdicts)


if __name__ == "__main__":
    sys.exit(main())
