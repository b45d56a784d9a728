"""invoke admin and invoke start: the commands that they would run, and the errors."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from ports import free_port

from core.engines.processes import wait_until
from core.settings import PROJECT_ROOT
from task_groups import admin_server

from .conftest import hermetic_environment


def test_a_dry_run_shows_the_command_and_listens_nowhere(run_invoke, table_env) -> None:
    result = run_invoke("--dry", "admin", "--port", "28999", env=table_env)
    assert result.returncode == 0
    assert result.stdout.strip().endswith("-m admin_app --port=28999 --")


@pytest.mark.parametrize(
    ("env", "host"),
    [
        (
            {"GITPOD_WORKSPACE_URL": "https://me-app-1.ws-eu1.gitpod.io"},
            "28999-me-app-1.ws-eu1.gitpod.io",
        ),
        ({"CODESPACE_NAME": "fluffy-engine"}, "fluffy-engine-28999.app.github.dev"),
    ],
)
def test_in_a_workspace_only_its_forwarded_address_is_served_too(
    run_invoke, table_env, env, host
) -> None:
    result = run_invoke("--dry", "admin", "--port", "28999", env=table_env | env)
    assert f" --port=28999 --forwarded=https://{host} --" in result.stdout


def test_another_address_is_passed_on_with_the_public_url(run_invoke, table_env) -> None:
    options = ("--port", "28999", "--address", "0.0.0.0", "--url", "https://ops.example")
    env = table_env | {"GITPOD_WORKSPACE_URL": "https://me-app-1.ws-eu1.gitpod.io"}
    result = run_invoke("--dry", "admin", *options, env=env)
    assert " --port=28999 --address=0.0.0.0 --url=https://ops.example --" in result.stdout
    assert "gitpod" not in result.stdout


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--address=0.0.0.0"], "--address needs --url"),
        (
            ["--address=203.0.113.9", "--url=https://ops.example"],
            "203.0.113.9 is not an address of this machine. Give one with --address",
        ),
        (["--address=ops.example", "--url=https://ops.example"], "--address needs an IP address"),
        (["--address=127.0.0.1:80", "--url=https://ops.example"], "--address needs an IP address"),
        (["--url=http://ops.example"], "--url needs an address like https://"),
        (["--url=https://ops.example/admin"], "--url needs an address like https://"),
        (["--url=https://me@ops.example"], "--url needs an address like https://"),
        (["--url=https://*.example"], "--url needs an address like https://"),
        (["--url=ops.example"], "--url needs an address like https://"),
        (["--url=https://ops.example:0x1"], "--url needs an address like https://"),
        (["--url=https://ops.example:70000"], "--url needs an address like https://"),
    ],
)
def test_an_invalid_address_is_one_line(run_invoke, table_env, options, line) -> None:
    result = run_invoke("admin", *options, env=table_env)
    assert result.returncode == 2
    assert line in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_without_a_login_it_listens_nowhere_else(run_invoke, table_env) -> None:
    env = table_env | {"STREAMLIT_SECRETS_FILES": "/nonexistent/secrets.toml"}
    result = run_invoke("admin", "--address=0.0.0.0", "--url=https://ops.example", env=env)
    assert result.returncode == 1
    assert "--url needs a login, but" in result.stderr
    assert "The admin UI is at" not in result.stdout


def test_json_of_a_server_that_does_not_start_has_the_problem(run_invoke, table_env) -> None:
    env = table_env | {"STREAMLIT_SECRETS_FILES": "/nonexistent/secrets.toml"}
    options = ("--address=0.0.0.0", "--url=https://ops.example", "--json")
    result = run_invoke("admin", *options, env=env)
    assert result.returncode == 1
    (record,) = json.loads(result.stdout)
    assert (record["task"], record["result"]) == ("admin", [])
    assert record["problems"][0].startswith("--url needs a login, but")


def test_production_and_writing_are_passed_on(run_invoke, table_env) -> None:
    env = table_env | {
        "PROD_CONNECTION_URL": table_env["CONNECTION_URL"],
        "PROD_AWS_ENDPOINT_URL": table_env["AWS_ENDPOINT_URL"],
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
    }
    result = run_invoke("--dry", "admin", "--prod", "--write", env=env)
    assert result.stdout.split()[-3:] == ["--", "--prod", "--write"]
    assert "target: production" in result.stderr


@pytest.mark.parametrize("port", ["abc", "0", "-1", "70000"])
def test_an_invalid_port_is_one_line(run_invoke, table_env, port) -> None:
    result = run_invoke("admin", f"--port={port}", env=table_env)
    assert result.returncode == 2
    assert "--port needs" in result.stderr


def test_a_port_in_use_prints_one_line(run_invoke, table_env) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        result = run_invoke("admin", "--port", str(port), env=table_env)
    assert result.returncode == 2
    assert f"Port {port} is taken" in result.stderr


def test_start_sets_up_what_is_missing_and_prints_the_inbox(
    run_invoke, database_url, bare_env
) -> None:
    env = bare_env | {"CONNECTION_URL": database_url}
    result = run_invoke("start", "--no-admin", env=env)
    assert result.returncode == 0, result.stderr
    assert "The inbox of andrewbrown:" in result.stdout
    assert "seeded a conversation" in result.stderr
    again = run_invoke("start", "--no-admin", env=env)
    assert again.returncode == 0
    assert "seeded" not in again.stderr


def test_start_prints_the_inbox_and_the_admin_ui_that_later_commands_find(
    run_invoke, database_url, bare_env, tmp_path
) -> None:
    log, port = tmp_path / "log", str(free_port())
    own = {"CONNECTION_URL": database_url, "CRUDDUR_ENGINES_DIR": str(tmp_path / "engines")}
    env = bare_env | own
    command = [sys.executable, "-m", "invoke", "start", "--port", port]
    with (
        log.open("w") as output,
        ending(
            subprocess.Popen(
                command,
                cwd=PROJECT_ROOT,
                env=hermetic_environment(tmp_path) | env,
                stdout=output,
                stderr=output,
            )
        ),
    ):
        assert wait_until(lambda: "Ctrl-C ends it" in log.read_text(), timeout_s=50)
        for name in ("start", "admin"):
            again = run_invoke(name, "--port", port, env=env)
            assert again.returncode == 0, again.stderr
            assert f"The admin UI already runs at http://127.0.0.1:{port} (to" in again.stdout
        (record,) = json.loads(run_invoke("admin", "--json", env=env).stdout)
        assert record["result"][0]["url"] == f"http://127.0.0.1:{port}"
        with_other_options = run_invoke("admin", "--write", "--port", port, env=env)
        assert with_other_options.returncode == 2
        assert f"Port {port} is taken by an admin UI of another" in with_other_options.stderr
        assert "would run: " in run_invoke("--dry", "admin", "--write", env=env).stdout
    before, _, _ = log.read_text().partition("The admin UI is at")
    assert "Andrew Bayko" in before  # written before the server takes over
    next_line = "Next, in another terminal: invoke --list"
    assert 0 < before.find("Andrew Bayko") < before.find(next_line)  # in their order, in a file too


def test_once_it_listens_the_admin_ui_answers_a_program_and_opens_a_browser(tmp_path) -> None:
    opened, browser, port = tmp_path / "opened", tmp_path / "browser", free_port()
    browser.write_text(f'#!/bin/sh\necho "$@" >>"{opened}"\n')
    browser.chmod(0o755)
    env = hermetic_environment(tmp_path) | {"DISPLAY": ":9", "BROWSER": str(browser)}
    command = [sys.executable, "-m", "admin_app", f"--port={port}", "--browser"]
    kept = {"task": "start", "result": [{"text": "before"}], "cost": None, "problems": []}
    (tmp_path / "record").write_text(json.dumps(kept))
    answer = tmp_path / "answer"
    with (tmp_path / "record").open("rb") as record, answer.open("wb") as output:
        number = record.fileno()
        server = subprocess.Popen(
            [*command, f"--record={number}", "--"],
            cwd=PROJECT_ROOT,
            env=env,
            stdout=output,
            pass_fds=[number],
        )
        with ending(server):
            assert wait_until(lambda: opened.exists() and opened.read_text() != "", timeout_s=50)
    assert opened.read_text() == f"http://127.0.0.1:{port}\n"
    (answered,) = json.loads(answer.read_text())
    before, serving = answered["result"]
    assert before == {"text": "before"}
    assert (serving["url"], serving["pid"]) == (f"http://127.0.0.1:{port}", server.pid)


@pytest.mark.parametrize(
    ("on_terminal", "variables", "has_desktop"),
    [
        (True, {"DISPLAY": ":0"}, True),
        (True, {"WAYLAND_DISPLAY": "wayland-0"}, True),
        (True, {}, False),
        (True, {"DISPLAY": ":10", "SSH_CONNECTION": "203.0.113.7 1 192.0.2.1 22"}, False),
        (False, {"DISPLAY": ":0"}, False),
    ],
)
def test_a_browser_opens_only_in_front_of_the_person_who_types(
    monkeypatch, on_terminal, variables, has_desktop
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("sys.stdout.isatty", lambda: on_terminal)
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SSH_CONNECTION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert admin_server.has_desktop() is has_desktop


@contextmanager
def ending(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Kill the process after the block."""
    try:
        yield
    finally:
        process.kill()
        process.wait(timeout=20)


def test_start_is_not_for_a_store_that_counts_as_production(
    run_invoke, table_env, messages
) -> None:
    item = {"pk": {"S": "ENV#"}, "sk": {"S": "ENV"}, "environment": {"S": "production"}}
    messages.request("put_item", Item=item)
    result = run_invoke("start", "--no-admin", env=table_env)
    assert result.returncode == 1
    assert "The task start works on local stores only" in result.stderr


def test_a_dry_start_starts_nothing(run_invoke, tmp_path) -> None:
    folder = tmp_path / "engines"
    result = run_invoke("--dry", "start", env={"CRUDDUR_ENGINES_DIR": str(folder)})
    assert (result.returncode, folder.exists()) == (0, False)
