"""The sources of settings, and that secrets are not shown."""

import sys
from pathlib import Path

import pytest

from core.errors import SettingsError
from core.settings import Settings, variables

NOWHERE = Path("/nonexistent/.env")


def test_a_value_with_a_nul_character_is_named(tmp_path) -> None:
    (tmp_path / ".env").write_text("CRUDDUR_ENGINES_DIR=a\0b")
    with pytest.raises(SettingsError, match="CRUDDUR_ENGINES_DIR contains a NUL"):
        Settings.from_env({}, tmp_path / ".env")


def test_nothing_set_means_local_on_the_embedded_engines() -> None:
    settings = Settings.from_env({}, NOWHERE)
    assert settings.connection_url is None
    assert settings.endpoint_url is None
    assert settings.table_name == "cruddur-messages"


def test_an_empty_variable_counts_as_unset() -> None:
    assert Settings.from_env({"DDB_MESSAGE_TABLE": " "}, NOWHERE).table_name == "cruddur-messages"


def test_the_first_name_of_a_setting_wins() -> None:
    environ = {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "us-west-2"}
    assert Settings.from_env(environ, NOWHERE).region == "us-west-2"
    assert Settings.from_env({"AWS_REGION": "eu-west-1"}, NOWHERE).region == "eu-west-1"


def test_the_dynamodb_endpoint_falls_back_to_the_common_one() -> None:
    settings = Settings.from_env({"AWS_ENDPOINT_URL": "http://localhost:1"}, NOWHERE)
    assert settings.endpoint_url == "http://localhost:1"


def test_a_dotenv_file_fills_in_and_the_environment_wins(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text('DB_SG_ID="sg-file"\nDDB_MESSAGE_TABLE=from-file\n')
    settings = Settings.from_env({"DDB_MESSAGE_TABLE": "from-env"}, dotenv)
    assert settings.security_group_id == "sg-file"
    assert settings.table_name == "from-env"


@pytest.mark.parametrize("name", ["CONNECTION_URL", "PROD_CONNECTION_URL", "AWS_ACCESS_KEY_ID"])
def test_a_secret_never_shows_in_a_repr(name: str) -> None:
    settings = Settings.from_env({name: "postgresql://u:hunter2@h/d"}, NOWHERE)
    assert "hunter2" not in repr(settings)


def test_an_unreadable_file_is_reported_with_its_fix(tmp_path, monkeypatch) -> None:
    (tmp_path / ".env").write_text("DB_SG_ID=sg-file\n")
    monkeypatch.setitem(sys.modules, "dotenv", None)
    with pytest.raises(SettingsError, match=r"python-dotenv.*pip install"):
        Settings.from_env({}, tmp_path / ".env")


def test_the_variables_that_are_set_are_the_environment_s_over_the_file_s(tmp_path) -> None:
    (tmp_path / ".env").write_text("DB_SG_ID=file\nANYTHING=file\n")
    values = variables({"DB_SG_ID": "environment", "PATH": "/bin"}, tmp_path / ".env")
    assert values == {"DB_SG_ID": "environment", "ANYTHING": "file", "PATH": "/bin"}
