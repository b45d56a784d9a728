"""dynoxide, the durable engine of some tests: started, killed and started again on its file.

It is one binary: on PATH, named by DYNOXIDE, or in this checkout after ``invoke up --durable``.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import ports
import pytest

from core import engines
from core.engines import processes
from core.settings import PROJECT_ROOT
from core.targets import AwsTarget


def find_binary() -> str | None:
    binary = engines.find_dynoxide(os.environ.get("DYNOXIDE"), PROJECT_ROOT / ".engines")
    return str(binary) if binary else None


def required_binary() -> str:
    """Its path; the test is skipped without it, which turns the gate red."""
    binary = find_binary()
    if binary is None:
        pytest.skip("dynoxide is not installed: invoke up --durable")
    return binary


@dataclass
class Dynoxide:
    """One engine over one file, at one port."""

    binary: str
    path: Path
    port: int = 0
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.port = ports.free_port()

    @property
    def target(self) -> AwsTarget:
        return AwsTarget(f"http://127.0.0.1:{self.port}", "us-east-1", placeholder_credentials=True)

    def start(self) -> None:
        place = ["--host", "127.0.0.1", "--port", str(self.port), "--db-path", str(self.path)]
        self._process = subprocess.Popen(
            [self.binary, "serve", *place], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        assert processes.wait_until(lambda: not processes.is_free(self.port), 10)

    def kill(self) -> None:
        """``kill -9``: nothing is flushed or logged."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(10)
