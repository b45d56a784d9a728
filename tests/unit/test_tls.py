"""Production on another machine is verified unless its URL says otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from core.errors import SettingsError
from core.settings import Settings
from core.targets import resolve

RDS = "db.abc.eu-west-1.rds.amazonaws.com"


def options(url: str, **environ: str) -> dict[str, object]:
    settings = Settings.from_env({"PROD_CONNECTION_URL": url} | environ, Path("/none"))
    return dict(conninfo_to_dict(resolve(settings, prod=True).postgres.conninfo))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("core.targets.tls.data_folder", lambda: tmp_path)
    monkeypatch.delenv("PGSSLROOTCERT", raising=False)
    return tmp_path


def test_rds_is_verified_with_aws_s_bundle_where_it_lies(home: Path) -> None:
    (home / "global-bundle.pem").touch()
    parameters = options(f"postgresql://u:p@{RDS}/d")
    assert (parameters["sslmode"], parameters["sslrootcert"]) == (
        "verify-full",
        str(home / "global-bundle.pem"),
    )


def test_rds_without_a_bundle_asks_for_one_and_says_where_it_is() -> None:
    with pytest.raises(SettingsError, match=r"PROD_CONNECTION_CA_BUNDLE.*truststore\.pki\.rds"):
        options(f"postgresql://u:p@{RDS}/d")


def test_the_path_of_a_bundle_is_a_setting(home: Path) -> None:
    (home / "own.pem").touch()
    parameters = options("postgresql://u@h/d", PROD_CONNECTION_CA_BUNDLE="own.pem")
    assert parameters["sslrootcert"] == str(home / "own.pem")
    with pytest.raises(SettingsError, match=r"is 'gone', which is not a file"):
        options("postgresql://u@h/d", PROD_CONNECTION_CA_BUNDLE="gone")


def test_another_server_is_verified_with_the_system_s_authorities() -> None:
    parameters = options("postgresql://u@db.example/d")
    assert parameters["sslmode"] == "verify-full"
    assert Path(str(parameters["sslrootcert"])).is_file()


def test_libpq_s_own_file_is_left_to_libpq(home: Path, monkeypatch) -> None:
    (home / ".postgresql").mkdir()
    (home / ".postgresql" / "root.crt").touch()
    assert "sslrootcert" not in options(f"postgresql://u@{RDS}/d")
    monkeypatch.setenv("PGSSLROOTCERT", "/some/where")
    assert "sslrootcert" not in options(f"postgresql://u@{RDS}/d")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u@127.0.0.1/d",
        "postgresql:///d?host=/tmp&user=u",
        f"postgresql://u@{RDS}/d?hostaddr=127.0.0.1",
    ],
)
def test_this_machine_follows_its_url(url: str) -> None:
    assert "sslmode" not in options(url)
    assert options(f"{url}{'&' if '?' in url else '?'}sslmode=require")["sslmode"] == "require"


def test_a_url_chooses_for_itself_and_a_variable_does_not(monkeypatch) -> None:
    monkeypatch.setenv("PGSSLMODE", "disable")
    assert options("postgresql://u@h/d")["sslmode"] == "verify-full"
    assert options("postgresql://u@h/d?sslmode=require")["sslmode"] == "require"
    own = options("postgresql://u@h/d?sslmode=verify-ca&sslrootcert=/mine")
    assert (own["sslmode"], own["sslrootcert"]) == ("verify-ca", "/mine")


def test_one_remote_host_of_several_is_enough() -> None:
    assert options("postgresql://u@127.0.0.1,h/d")["sslmode"] == "verify-full"
