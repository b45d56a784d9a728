"""invoke admin and invoke start: what they would run, and what stops them."""

from __future__ import annotations

import socket

import pytest


def test_a_dry_run_shows_the_command_and_listens_nowhere(run_invoke, table_env) -> None:
    result = run_invoke("--dry", "admin", "--port", "28999", env=table_env)
    assert result.returncode == 0
    assert "-m admin_app --server.port=28999" in result.stdout
    assert "allowedHosts" not in result.stdout  # those of .streamlit/config.toml


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
def test_in_a_workspace_only_its_forwarded_address_is_let_in_too(
    run_invoke, table_env, env, host
) -> None:
    result = run_invoke("--dry", "admin", "--port", "28999", env=table_env | env)
    words = result.stdout.split()
    assert [word for word in words if "allowedHosts" in word] == [
        "--server.allowedHosts=localhost",
        "--server.allowedHosts=127.0.0.1",
        f"--server.allowedHosts={host}",
    ]
    assert f"--server.corsAllowedOrigins=https://{host}" in words


def test_production_and_writing_are_handed_on(run_invoke, table_env) -> None:
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
def test_a_port_that_is_none_is_one_line(run_invoke, table_env, port) -> None:
    result = run_invoke("admin", f"--port={port}", env=table_env)
    assert result.returncode == 2
    assert "--port takes" in result.stderr


def test_a_taken_port_is_one_line(run_invoke, table_env) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run_invoke("admin", "--port", str(port), env=table_env)
    assert result.returncode == 2
    assert f"port {port} is taken" in result.stderr


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


def test_start_is_not_for_a_store_that_counts_as_production(
    run_invoke, table_env, messages
) -> None:
    item = {"pk": {"S": "ENV#"}, "sk": {"S": "ENV"}, "environment": {"S": "production"}}
    messages.request("put_item", Item=item)
    result = run_invoke("start", "--no-admin", env=table_env)
    assert result.returncode == 1
    assert "start is for local stores" in result.stderr


def test_a_dry_start_starts_nothing(run_invoke, tmp_path) -> None:
    folder = tmp_path / "engines"
    result = run_invoke("--dry", "start", env={"CRUDDUR_ENGINES_DIR": str(folder)})
    assert (result.returncode, folder.exists()) == (0, False)
