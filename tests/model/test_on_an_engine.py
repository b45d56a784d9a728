"""The state machine with a real engine for its table: the same rules, the same invariants."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from unguarded import open_table_named

from core.dynamodb import table
from core.targets import AwsTarget

from . import engine
from .test_state_machine import Store, run


def run_on(target: AwsTarget, folder: Path, examples: int, steps: int) -> str:
    """Run the machine on the engine at ``target``, and return a summary."""
    began, done = time.monotonic(), Counter()

    class OnEngine(Store):
        """The same rules and invariants; index and stream are the engine's own."""

        def new_table(self) -> engine.Table:
            done["runs"] += 1
            name = f"state-machine-{done['runs']}"
            return engine.Table(open_table_named(name, target), folder)

        def open(self, before: Callable[[], None], after: Callable[[], None]) -> table.Table:
            done["operations"] += 1
            hooked = engine.Client(self.table, before=before, after=after)
            return replace(self.table.handle, client=hooked)

        def teardown(self) -> None:
            done["messages acknowledged"] += len(self.acknowledged)
            done["stream records"] += len(self.table.stream)
            try:
                super().teardown()
            finally:
                self.table.drop()

    run(examples, steps, OnEngine)
    counts = ", ".join(f"{count:,} {name}" for name, count in done.items())
    return f"{counts}, in {time.monotonic() - began:.0f} s"


def test_the_guarantees_hold_on_an_engine(engines, tmp_path, figures) -> None:
    target = AwsTarget(engines.aws_endpoint_url, "us-east-1", placeholder_credentials=True)
    figures(run_on(target, tmp_path, examples=10, steps=30))


@pytest.mark.deep
@pytest.mark.timeout(1800)
def test_the_guarantees_hold_on_an_engine_in_depth(dynoxide, tmp_path, figures) -> None:
    figures(run_on(dynoxide.target, tmp_path, examples=200, steps=50))
