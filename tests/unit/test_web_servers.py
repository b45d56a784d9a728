"""The records of the admin UI's servers."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from core.engines.processes import remember
from core.engines.web_servers import WebServer, one_at_a_time, record, running


@pytest.fixture
def server() -> WebServer:
    """A record of this process."""
    return WebServer(remember(os.getpid()), 8501, "http://127.0.0.1:8501", "all that is here")


def test_a_server_is_found_while_its_process_runs(server, tmp_path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        second = replace(server, process=remember(other.pid), port=10_001)
        for started in (second, server):
            record(tmp_path, started)
        assert list(running(tmp_path)) == [server, second]
        other.communicate(b"\n")
    assert list(running(tmp_path)) == [server]
    record(tmp_path, server)
    assert [file.name for file in tmp_path.iterdir()] == ["8501.json"]


def test_a_later_process_with_the_same_pid_is_another(server, tmp_path) -> None:
    earlier = replace(server.process, created_at=server.process.created_at - 60)
    record(tmp_path, replace(server, process=earlier))
    assert list(running(tmp_path)) == []


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"process": 1}', "\ud800"])
def test_a_damaged_record_names_no_server(server, tmp_path, text) -> None:
    (tmp_path / "8502.json").write_text(text, errors="surrogatepass")
    record(tmp_path, server)
    assert list(running(tmp_path)) == [server]


def test_without_a_folder_that_can_be_written_to_there_are_no_records(server, tmp_path) -> None:
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / "admin-ui"
    with one_at_a_time(folder):
        record(folder, server)
    assert list(running(folder)) == []


def test_two_commands_at_once_take_turns(tmp_path: Path) -> None:
    folder, order = tmp_path / "engines" / "admin-ui", []
    with one_at_a_time(folder):
        other = threading.Thread(target=_take_a_turn, args=(folder, order))
        other.start()
        other.join(timeout=0.2)
        order.append("first")
    other.join(timeout=20)
    assert order == ["first", "second"]
    assert folder.parent.stat().st_mode & 0o077 == 0


def _take_a_turn(folder: Path, order: list[str]) -> None:
    with one_at_a_time(folder):
        order.append("second")
