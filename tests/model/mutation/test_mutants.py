"""Each planted fault is still a change of what is written there."""

from __future__ import annotations

import pytest

from .__main__ import ROOT, planted
from .mutants import MUTANTS, Mutant


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: f"{m.module}: {m.fault}")
def test_a_fault_can_be_planted(mutant: Mutant) -> None:
    assert mutant.old != mutant.new
    compile(planted(mutant, ROOT), mutant.module, "exec")


def test_each_fault_has_a_name_of_its_own() -> None:
    names = [f"{mutant.module}: {mutant.fault}" for mutant in MUTANTS]
    assert len(set(names)) == len(names)
