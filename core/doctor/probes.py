"""Running checks side by side, so that one which hangs or breaks keeps none from answering."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from core.doctor.findings import Finding, bad, note
from core.errors import CoreError
from core.targets import Target

PATIENCE_S = 8.0
INSTALL = "Run: pip install -r requirements.txt"


@dataclass(frozen=True, slots=True)
class Probe:
    """A look at one thing, and the names of the ``checks`` that it makes there.

    ``look`` may end with any error: that becomes the finding of the first check which it did not
    get to, and the checks behind that are unknown.
    """

    checks: tuple[str, ...]
    look: Callable[[Target], Iterable[Finding]]


def run(probes: Sequence[Probe], target: Target, patience_s: float) -> Iterator[Finding]:
    """The findings of all ``probes``, in their order."""
    deadline = time.monotonic() + patience_s
    for running in [_Running(probe, target) for probe in probes]:
        yield from running.findings(deadline, patience_s)


@dataclass(slots=True)
class _Running:
    """A probe in a thread of its own, which is left behind if it does not come back."""

    probe: Probe
    target: Target
    found: list[Finding] = field(default_factory=list)
    failure: CoreError | None = None
    thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._look, daemon=True)
        self.thread.start()

    def _look(self) -> None:
        try:
            for finding in self.probe.look(self.target):
                self.found.append(finding)
        except CoreError as error:
            self.failure = error
        except ImportError as error:
            self.failure = CoreError(f"could not import {error.name or error}", INSTALL)
        except Exception as error:  # noqa: BLE001 - a check that breaks must not hide the others
            self.failure = CoreError(f"the check broke: {type(error).__name__}: {error}")

    def findings(self, deadline: float, patience_s: float) -> Iterator[Finding]:
        self.thread.join(max(0.0, deadline - time.monotonic()))
        failure = self.failure
        if self.thread.is_alive():
            failure = CoreError(
                f"no answer within {patience_s:g} s", "Check the network, then run it again."
            )
        found = list(self.found)
        yield from found
        made = {finding.check for finding in found}
        missing = [check for check in self.probe.checks if check not in made]
        if not missing:
            return
        first, *others = missing
        failure = failure or CoreError("the check did not end")
        yield bad(first, failure.problem, failure.hint, failure.command)
        yield from (note(check, f"unknown; see {first}") for check in others)
