"""Whatever a source of credentials raises is a credentials error that names the profile."""

from __future__ import annotations

import getpass
import io
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from core.aws import clients
from core.aws.identity import caller
from core.errors import CoreError, CredentialsError
from core.targets import AwsTarget

MFA = """[profile ops]
role_arn = arn:aws:iam::123456789012:role/ops
source_profile = base
mfa_serial = arn:aws:iam::123456789012:mfa/me
[profile base]
aws_access_key_id = a
aws_secret_access_key = b
"""


def _no_terminal(*_: object) -> int:
    raise OSError("no terminal")


@pytest.fixture
def fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """``fail(config, AWS_…=…)``: the error of a first request with this configuration."""
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    no_terminal = SimpleNamespace(open=_no_terminal, O_RDWR=0, O_NOCTTY=0)
    monkeypatch.setattr(getpass, "os", no_terminal)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)

    def run(config: str, **environ: str) -> CoreError:
        (tmp_path / "config").write_text(config)
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        clients._session.cache_clear()
        target = AwsTarget(None, "eu-west-1", False, profile="ops" if config else None)
        with pytest.raises(CoreError) as raised:
            caller(target)
        return raised.value

    yield run
    clients._session.cache_clear()


@pytest.mark.filterwarnings("ignore:Can not control echo")
def test_an_mfa_code_without_a_terminal(fail) -> None:
    error = fail(MFA)
    assert isinstance(error, CredentialsError)
    assert "for the profile 'ops': it asks for an MFA code" in error.problem


@pytest.mark.parametrize("program", ["echo hunter2", "echo '{\"Version\": 9}'", "no-such-program"])
def test_a_credential_process_that_gives_none(fail, program) -> None:
    error = fail(f"[profile ops]\ncredential_process = {program}\n")
    assert isinstance(error, CredentialsError), error
    assert "'ops'" in error.problem
    assert "hunter2" not in str(error)
    assert "AWS_DEFAULT_REGION" not in str(error)


def test_a_container_s_address_that_is_not_supported(fail) -> None:
    uri = "http://credentials.example/get"
    error = fail("", AWS_CONTAINER_CREDENTIALS_FULL_URI=uri)
    assert isinstance(error, CredentialsError)
    assert "'default'" in error.problem
    assert "credentials.example" in error.problem
