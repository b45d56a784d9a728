"""The Dockerfile, as far as it can be checked without Docker."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import tomllib
from fnmatch import fnmatch
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

import tasks
from core.settings import PROJECT_ROOT

TEXT = (PROJECT_ROOT / "Dockerfile").read_text().replace("\\\n", " ")
PROJECT = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text())
WHEEL = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
IGNORED = (PROJECT_ROOT / ".dockerignore").read_text().splitlines()

INSTRUCTIONS = [
    (line.partition(" ")[0], line.partition(" ")[2].strip())
    for line in TEXT.splitlines()
    if line.strip() and not line.startswith("#")
]


def lines_of(name: str) -> list[str]:
    return [text for instruction, text in INSTRUCTIONS if instruction == name]


def copied() -> set[str]:
    """The files and folders of the checkout that the build copies."""
    lines = [text.split()[:-1] for text in lines_of("COPY") if not text.startswith("--")]
    return {source for sources in lines for source in sources}


def test_both_stages_are_of_a_python_that_the_project_was_run_on() -> None:
    images = {text.split()[0] for text in lines_of("FROM")}
    (image,) = images
    version = re.fullmatch(r"python:(3\.\d+)-slim", image)[1]
    assert f"Programming Language :: Python :: {version}" in PROJECT["project"]["classifiers"]


def test_the_build_gets_all_that_an_installation_has() -> None:
    needed = {*WHEEL["only-include"], *WHEEL["force-include"], "pyproject.toml", "uv.lock"}
    needed |= {PROJECT["project"]["readme"], *PROJECT["project"]["license-files"]}
    assert copied() == needed
    assert all((PROJECT_ROOT / name).exists() for name in needed)


def test_nothing_else_of_the_checkout_reaches_the_build() -> None:
    kept = {line.removeprefix("!") for line in IGNORED if line.startswith("!")}
    assert IGNORED[1] == "*"
    assert kept == copied()
    assert not any(fnmatch(name, ".env*") or "secrets" in name for name in kept)


def test_it_runs_as_a_user_without_rights_whose_folder_is_a_volume() -> None:
    names = [name for name, _ in INSTRUCTIONS]
    (user,) = lines_of("USER")
    assert int(user.split(":")[0]) >= 10_000
    assert names.index("USER") < names.index("ENTRYPOINT")
    assert lines_of("VOLUME") == ["/data"]
    assert "XDG_DATA_HOME=/data" in TEXT
    assert f"useradd --uid {user.split(':')[0]}" in TEXT


def test_it_starts_a_task_on_the_port_that_is_checked() -> None:
    entry, command = json.loads(*lines_of("ENTRYPOINT")), json.loads(*lines_of("CMD"))
    assert [*entry, command[0]] == ["cruddur", "admin"]
    assert command[0] in tasks.ns.task_names
    (port,) = lines_of("EXPOSE")
    assert command[1:] == ["--port", port]
    assert f", {port}, " in health_check()[-1]


def health_check() -> list[str]:
    (text,) = lines_of("HEALTHCHECK")
    return json.loads(text[text.index("CMD") + len("CMD") :])


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1), (None, 1)])
def test_the_health_check_asks_the_admin_ui(status, code) -> None:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/_stcore/health" else 404)
            self.end_headers()

        def log_message(self, *words: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        port = server.server_port
        thread = threading.Thread(target=server.handle_request)
        if status:
            thread.start()
        else:
            server.server_close()
        program = health_check()[-1].replace("8501", str(port))
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
        assert done.returncode == code
        if status:
            thread.join()


def test_the_lock_is_what_it_installs() -> None:
    syncs = re.findall(r"uv sync [^\n]*", TEXT)
    assert len(syncs) == 2
    assert all("--frozen --no-dev --all-extras --no-extra dev" in line for line in syncs)
    assert re.search(r"pip install --no-cache-dir uv==\d", TEXT)
    assert Path(PROJECT_ROOT / "uv.lock").exists()
