"""Files that only their owner may read."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

import pytest

from core.private_files import new_private_file, open_private


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


def test_a_new_file_is_there_once_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "users.json"
    path.write_text("old")
    with new_private_file(path) as file:
        file.write(b"new")
        assert path.read_text() == "old"
    assert (path.read_text(), mode_of(path), list(tmp_path.iterdir())) == ("new", 0o600, [path])


def test_a_new_file_that_is_not_finished_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "users.json"
    path.write_text("old")
    with suppress(KeyboardInterrupt), new_private_file(path) as file:
        file.write(b"new")
        raise KeyboardInterrupt
    assert (path.read_text(), list(tmp_path.iterdir())) == ("old", [path])


@pytest.mark.parametrize("name", [".", "..", "/", ""])
def test_a_folder_is_not_replaced(tmp_path: Path, monkeypatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(IsADirectoryError), new_private_file(Path(name)):
        pass
    assert list(tmp_path.iterdir()) == []
