"""``invoke configure-login``."""

from __future__ import annotations

import http.server
import threading
import tomllib
from pathlib import Path
from typing import Any

import pytest

from core.aws.login_client import check_provider
from core.errors import SettingsError, UnreachableError


@pytest.fixture
def file(tmp_path) -> Path:
    return tmp_path / "settings" / "secrets.toml"


@pytest.fixture
def env(engines, pool_id, file) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": engines.aws_endpoint_url,
        "AWS_COGNITO_USER_POOL_ID": pool_id,
        "STREAMLIT_SECRETS_FILES": str(file),
    }


def clients(cognito, pool_id) -> list[dict[str, Any]]:
    listed = cognito.list_user_pool_clients(UserPoolId=pool_id, MaxResults=60)["UserPoolClients"]
    return [
        cognito.describe_user_pool_client(UserPoolId=pool_id, ClientId=client["ClientId"])[
            "UserPoolClient"
        ]
        for client in listed
    ]


def test_it_makes_the_group_and_the_client_and_writes_the_file(
    run_invoke, env, engines, cognito, pool_id, file
) -> None:
    result = run_invoke("configure-login", env=env)
    assert result.returncode == 0, result.stderr
    (client,) = clients(cognito, pool_id)
    assert client["CallbackURLs"] == ["http://localhost:8501/oauth2callback"]
    assert cognito.get_group(UserPoolId=pool_id, GroupName="cruddur-operators")
    login = tomllib.loads(file.read_text())["auth"]
    provider = f"{engines.aws_endpoint_url}/{pool_id}"
    assert len(login.pop("cookie_secret")) == 64
    assert login == {
        "redirect_uri": "http://localhost:8501/oauth2callback",
        "client_id": client["ClientId"],
        "client_secret": client["ClientSecret"],
        "server_metadata_url": f"{provider}/.well-known/openid-configuration",
    }
    assert file.stat().st_mode & 0o777 == 0o600
    assert client["ClientSecret"] not in result.stdout + result.stderr
    assert "The login is complete" in result.stdout


def test_a_second_run_changes_nothing_and_another_address_is_added(
    run_invoke, env, cognito, pool_id, file
) -> None:
    run_invoke("configure-login", env=env)
    written, before = file.read_text(), clients(cognito, pool_id)
    again = run_invoke("configure-login", env=env)
    assert again.stdout.startswith("The login is complete")
    assert (file.read_text(), clients(cognito, pool_id)) == (written, before)
    elsewhere = run_invoke("configure-login", "--url", "https://ops.example.com", env=env)
    assert elsewhere.returncode == 0, elsewhere.stderr
    (client,) = clients(cognito, pool_id)
    assert client["CallbackURLs"] == client["LogoutURLs"]
    assert client["CallbackURLs"] == [
        "http://localhost:8501/oauth2callback",
        "https://ops.example.com/oauth2callback",
    ]
    first, second = tomllib.loads(written)["auth"], tomllib.loads(file.read_text())["auth"]
    assert second == first | {"redirect_uri": "https://ops.example.com/oauth2callback"}


def test_a_dry_run_makes_and_writes_nothing(run_invoke, env, cognito, pool_id, file) -> None:
    result = run_invoke("--dry", "configure-login", env=env)
    assert result.returncode == 0, result.stderr
    assert "would send cognito-idp CreateUserPoolClient" in result.stdout
    assert f"would write {file}" in result.stdout
    assert clients(cognito, pool_id) == []
    assert not file.exists()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[auth", "Could not read"),
        ("[connections.db]\nurl = 1\n", "has settings that are not of this login"),
        ("[auth]\nexpose_tokens = true\n", "has settings that are not of this login"),
        ("auth = 1\n", "has settings that are not of this login"),
    ],
)
def test_a_file_with_anything_else_is_kept_and_nothing_is_made(
    run_invoke, env, cognito, pool_id, file, text, line
) -> None:
    file.parent.mkdir()
    file.write_text(text)
    result = run_invoke("configure-login", env=env)
    assert result.returncode == 1
    assert line in result.stderr
    assert file.read_text() == text
    assert clients(cognito, pool_id) == []


def test_a_pool_that_is_missing_is_one_line(run_invoke, env, file) -> None:
    for pool_id in ("us-east-1_nothere00", "not a pool", ""):
        result = run_invoke("configure-login", env=env | {"AWS_COGNITO_USER_POOL_ID": pool_id})
        assert result.returncode == 1
        assert "Cognito user pool" in result.stderr.splitlines()[-1]
    assert not file.exists()


def test_a_client_without_a_secret_is_refused(run_invoke, env, cognito, pool_id, file) -> None:
    cognito.create_user_pool_client(UserPoolId=pool_id, ClientName="cruddur-ops")
    result = run_invoke("configure-login", env=env)
    assert result.returncode == 1
    assert "The app client 'cruddur-ops' has no secret" in result.stderr
    assert not file.exists()


class _Provider(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(404 if self.path == "/missing" else 200)
        self.end_headers()
        self.wfile.write({"/none": b"{}", "/text": b"hello", "/list": b"[]"}.get(self.path, b""))

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize(
    ("path", "error", "line"),
    [
        ("none", SettingsError, "--user-pool-id POOL_1 --domain PREFIX"),
        ("list", SettingsError, "no log-in page"),
        ("text", UnreachableError, "did not describe its login"),
        ("missing", UnreachableError, "did not describe its login"),
    ],
)
def test_a_provider_without_a_log_in_page_is_one_line(path, error, line) -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), _Provider) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(error, match=line):
            check_provider("POOL_1", f"http://127.0.0.1:{server.server_port}/{path}")
        server.shutdown()
