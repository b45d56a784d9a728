"""Plant each fault, and report who noticed it."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .mutants import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parents[3]
COPIED = ("core", "tests", "pyproject.toml", "sql")
NOTICING = (
    ["tests/model/test_explored.py"],
    [
        "tests/model/test_in_memory.py",
        "tests/unit/test_dynamodb_stream.py",
        "tests/unit/test_transactions.py",
    ],
)
"""The tests that may notice a fault: the exploration, then the unit tests."""

TIME_S = 900


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a mutant: ``killer`` is the test that noticed it, or nothing."""

    mutant: Mutant
    killer: str
    seconds: float

    @property
    def outcome(self) -> str:
        if self.killer:
            return "killed"
        return "equivalent" if self.mutant.equivalent else "SURVIVED"

    def __str__(self) -> str:
        by = self.killer or self.mutant.equivalent
        return f"{self.outcome}: {self.mutant.module}: {self.mutant.fault} ({by})"


def place_of(mutant: Mutant, root: Path) -> Path:
    """The module's file, wherever in the store package it is."""
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
    """Plant the fault in ``copy``, run what may notice it, and take it out again."""
    path, began = place_of(mutant, copy), time.monotonic()
    original = path.read_text()
    path.write_text(planted(mutant, copy))
    try:
        killers = (_killer(tests, copy) for tests in _in_order(mutant))
        killer = next(filter(None, killers), "")
    finally:
        path.write_text(original)
    return Verdict(mutant, killer, time.monotonic() - began)


def _in_order(mutant: Mutant) -> Iterator[list[str]]:
    yield from reversed(NOTICING) if mutant.module == "shards" else NOTICING


def _killer(tests: list[str], copy: Path) -> str:
    """The first of ``tests`` that fails."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    env = os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        ran = subprocess.run(
            command, cwd=copy, env=env, capture_output=True, text=True, timeout=TIME_S, check=False
        )
    except subprocess.TimeoutExpired:
        return "it never ends"
    if ran.returncode == 0:
        return ""
    named = re.search(r"^(?:FAILED|ERROR) \S+?(?:::(.*?))?(?: - .*)?$", ran.stdout, re.MULTILINE)
    if named is None:
        raise RuntimeError(ran.stdout[-2000:] + ran.stderr[-2000:])
    test = named[1] or "it cannot be imported"
    scope = re.search(r"\[(.*)\]", test)
    return f"the exploration of {scope[1]!r}" if scope and "small_scope" in test else test


def report(verdicts: list[Verdict]) -> str:
    """The score, by module and in all."""
    rows = ["| module | faults | killed | equivalent | survived |", "|---|---|---|---|---|"]
    counts = Counter((verdict.mutant.module, verdict.outcome) for verdict in verdicts)
    modules = list(dict.fromkeys(verdict.mutant.module for verdict in verdicts))
    for module in [*modules, "all"]:
        of = [
            sum(n for (m, o), n in counts.items() if module in (m, "all") and o == outcome)
            for outcome in ("killed", "equivalent", "SURVIVED")
        ]
        rows.append(f"| {module} | {sum(of)} | {' | '.join(map(str, of))} |")
    return "\n".join(rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="plant only faults whose name has this text")
    only = parser.parse_args().only
    chosen = [m for m in MUTANTS if only in f"{m.module}: {m.fault}"]
    verdicts = []
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                ignored = shutil.ignore_patterns("__pycache__")
                shutil.copytree(source, copy / name, ignore=ignored)
            else:
                shutil.copy(source, copy / name)
        for mutant in chosen:
            verdicts.append(judge(mutant, copy))
            print(f"{verdicts[-1]}, {verdicts[-1].seconds:.0f} s", flush=True)  # noqa: T201
    print(report(verdicts))  # noqa: T201
    return any(verdict.outcome == "SURVIVED" for verdict in verdicts)


if __name__ == "__main__":
    sys.exit(main())
