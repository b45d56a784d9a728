"""The report of ``invoke bench``: a missed target is an exit code, and JSON is for programs."""

from __future__ import annotations

import importlib.util
import json
import sys
from types import ModuleType

import pytest

from core.settings import PROJECT_ROOT


@pytest.fixture
def report(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    place = PROJECT_ROOT / "benchmarks" / "report.py"
    spec = importlib.util.spec_from_file_location("bench_report", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "bench_report", module)  # where its dataclasses look
    spec.loader.exec_module(module)
    return module


def test_a_run_that_meets_its_targets_ends_well(report, capsys) -> None:
    report.print_rows("Sends", report.Row("time", "ms", 2.0, 4.0, target=0.5))
    report.REPORT.end()
    assert "missed" not in capsys.readouterr().out


def test_a_missed_target_is_shown_and_is_the_exit_code(report, capsys) -> None:
    report.print_rows(
        "Sends", report.Row("time", "ms", 2.1, 4.0, target=0.5), report.Row("bytes", "", 9, 1)
    )
    with pytest.raises(SystemExit, match="1 of 2 targets were missed"):
        report.REPORT.end()
    assert "≤ 0.5, missed" in capsys.readouterr().out


def test_json_is_the_only_thing_on_standard_output(report, capsys) -> None:
    report.REPORT.as_json = True
    report.print_rows("Sends", report.Row("time", "ms", 2.0, 4.0, target=0.5), note="no browser")
    report.REPORT.end()
    captured = capsys.readouterr()
    (row,) = json.loads(captured.out)
    assert (row["section"], row["ratio"], row["missed"]) == ("Sends", 0.5, False)
    assert "no browser" in captured.err
