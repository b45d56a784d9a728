"""Files that only their owner may read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from core.private_files import open_private


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("existed", [False, True])
def test_a_file_is_its_owner_s_alone(tmp_path: Path, existed: bool) -> None:
    path = tmp_path / "audit.jsonl"
    if existed:
        path.touch(mode=0o644)
    open_private(path).close()
    assert mode_of(path) == 0o600


def test_what_is_no_file_keeps_its_mode(tmp_path: Path) -> None:
    """Root may name /dev/null or /dev/full, which every other program needs."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    pipe.chmod(0o622)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        open_private(pipe).close()
    finally:
        os.close(reader)
    assert mode_of(pipe) == 0o622
