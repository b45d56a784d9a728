"""invoke admin and invoke start: the commands that they would run, and the errors."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest
from ports import free_port

from core.engines.processes import wait_until
from core.settings import PROJECT_ROOT

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


def test_start_writes_the_inbox_to_a_log_before_the_admin_ui_takes_over(
    database_url, bare_env, tmp_path
) -> None:
    log = tmp_path / "log"
    env = hermetic_environment(tmp_path) | bare_env | {"CONNECTION_URL": database_url}
    command = [sys.executable, "-m", "invoke", "start", "--port", str(free_port())]
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=PROJECT_ROOT, env=env, stdout=output, stderr=output)
    try:
        assert wait_until(lambda: "Ctrl-C ends it" in log.read_text(), timeout_s=50)
    finally:
        process.kill()
        process.wait(timeout=20)
    before, _, _ = log.read_text().partition("The admin UI is at")
    assert "Andrew Bayko" in before


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
