"""Production's password from AWS: an IAM token for each connection, or a secret."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from core.aws.database_password import postgres_address
from core.errors import SettingsError
from core.settings import Settings
from core.targets import resolve
from core.targets.postgres import PostgresAddress

HOST = "db.abc.eu-west-1.rds.amazonaws.com"
ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:rds-db"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "hunter2"}


def address(bundle: Path, url: str = f"postgresql://app@{HOST}/cruddur", **environ: str):
    environ = {"PROD_CONNECTION_URL": url, "PROD_CONNECTION_CA_BUNDLE": str(bundle), **environ}
    return postgres_address(resolve(Settings.from_env(KEYS | environ, Path("/none")), prod=True))


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    (tmp_path / "bundle.pem").touch()
    return tmp_path / "bundle.pem"


def password_of(server: PostgresAddress, *, renew: bool = False) -> str:
    assert server.password is not None
    return server.password(renew)


@pytest.mark.parametrize(
    "more", [{}, {"AWS_DEFAULT_REGION": "us-east-1"}], ids=["", "other region"]
)
@pytest.mark.parametrize("tunnel", ["", "?hostaddr=127.0.0.1"])
def test_a_token_is_signed_for_the_server_s_own_name_and_region(bundle, tunnel, more) -> None:
    url = f"postgresql://app@{HOST}/cruddur{tunnel}"
    token = password_of(address(bundle, url, PROD_CONNECTION_IAM="1", **more))
    signed = urlsplit(f"https://{token}")
    assert (signed.hostname, signed.port) == (HOST, 5432)
    query = parse_qs(signed.query)
    assert (query["Action"], query["DBUser"]) == (["connect"], ["app"])
    assert "/eu-west-1/rds-db/aws4_request" in query["X-Amz-Credential"][0]


class Secrets:
    """Secrets Manager with one secret, which counts how often it is read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.reads = 0

    def get_secret_value(self, SecretId: str) -> dict[str, str]:  # noqa: N803 - the SDK's name
        assert SecretId == ARN
        self.reads += 1
        return {"SecretString": self.text}

    def close(self) -> None:
        pass


def secret(monkeypatch, text: str) -> Secrets:
    service = Secrets(text)
    regions = []
    monkeypatch.setattr(
        "core.aws.clients.make_client",
        lambda target, name: regions.append((name, target.region)) or service,
    )
    return service


def test_a_secret_is_read_once_and_again_when_it_was_refused(monkeypatch, bundle) -> None:
    service = secret(monkeypatch, json.dumps({"username": "app", "password": "pw1"}))
    server = address(bundle, PROD_CONNECTION_SECRET_ARN=ARN)
    assert service.reads == 0
    assert [password_of(server), password_of(server)] == ["pw1", "pw1"]
    service.text = json.dumps({"username": "app", "password": "pw2"})
    assert [password_of(server), password_of(server, renew=True), password_of(server)] == [
        "pw1",
        "pw2",
        "pw2",
    ]
    assert service.reads == 2


@pytest.mark.parametrize("text", ["hunter2", '"hunter2"', '{"pass": "hunter2"}', "[]", "null"])
def test_a_secret_of_another_form_is_refused_without_a_part_of_it(
    monkeypatch, bundle, text
) -> None:
    secret(monkeypatch, text)
    with pytest.raises(SettingsError, match="not JSON with a password") as raised:
        password_of(address(bundle, PROD_CONNECTION_SECRET_ARN=ARN))
    assert "hunter2" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_a_secret_of_another_user_is_refused(monkeypatch, bundle) -> None:
    secret(monkeypatch, json.dumps({"username": "root", "password": "pw"}))
    with pytest.raises(SettingsError, match=r"for the user 'root'.*names 'app'"):
        password_of(address(bundle, PROD_CONNECTION_SECRET_ARN=ARN))


@pytest.mark.parametrize(
    ("url", "environ", "problem"),
    [
        ("app:pw@h", {"PROD_CONNECTION_IAM": "1"}, "has a password, but PROD_CONNECTION_IAM"),
        ("app@h", {"PROD_CONNECTION_IAM": "maybe"}, "PROD_CONNECTION_IAM is 'maybe'"),
        (
            "app@h",
            {"PROD_CONNECTION_IAM": "1", "PROD_CONNECTION_SECRET_ARN": ARN},
            "are both set",
        ),
        ("app@a,b", {"PROD_CONNECTION_IAM": "1"}, "names several hosts"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(bundle, url, environ, problem) -> None:
    with pytest.raises(SettingsError, match=problem):
        address(bundle, f"postgresql://{url}/d", **environ)


def test_a_token_is_not_sent_unencrypted(bundle) -> None:
    with pytest.raises(SettingsError, match="needs an encrypted connection"):
        address(bundle, "postgresql://app@h/d?sslmode=prefer", PROD_CONNECTION_IAM="1")


def test_without_a_setting_the_password_is_that_of_the_url(bundle) -> None:
    assert address(bundle, "postgresql://app:pw@h/d").password is None
    assert address(bundle, PROD_CONNECTION_IAM="0").password is None
