"""Runs checks side by side, so that one which hangs or breaks does not stop the others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from core.doctor.findings import Finding, bad, note
from core.errors import CoreError
from core.parts import how_to_install, missing
from core.targets import Target

PATIENCE_S = 8.0


@dataclass(frozen=True, slots=True)
class Probe:
    """A function that looks at one thing, and the names of the ``checks`` it makes.

    ``look`` may raise any error: the error becomes the finding of the first check that was not
    finished, and the checks after it are unknown.
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
    """A probe in a separate thread, which is abandoned if it does not finish in time."""

    probe: Probe
    target: Target
    made: list[Finding] = field(default_factory=list)
    failure: CoreError | None = None
    thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._look, daemon=True)
        self.thread.start()

    def _look(self) -> None:
        try:
            for finding in self.probe.look(self.target):
                self.made.append(finding)
        except CoreError as error:
            self.failure = error
        except ImportError as error:
            problem = f"Could not import {error.name or error}"
            self.failure = missing(error) or CoreError(problem, how_to_install())
        except Exception as error:  # noqa: BLE001 - a check that breaks must not hide the others
            self.failure = CoreError(f"The check failed: {type(error).__name__}: {error}")

    def findings(self, deadline: float, patience_s: float) -> Iterator[Finding]:
        self.thread.join(max(0.0, deadline - time.monotonic()))
        failure = self.failure
        if self.thread.is_alive():
            failure = CoreError(
                f"No answer within {patience_s:g} s", "Check the network, then run it again."
            )
        findings = list(self.made)
        yield from findings
        checked = {finding.check for finding in findings}
        missing = [check for check in self.probe.checks if check not in checked]
        if not missing:
            return
        first, *others = missing
        failure = failure or CoreError("The check did not finish")
        yield bad(first, failure.problem, failure.hint, failure.command)
        yield from (note(check, f"Unknown: see {first}") for check in others)
