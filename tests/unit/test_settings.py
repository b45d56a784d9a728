"""The sources of settings, and that secrets are not shown."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import botocore.session
import pytest

from core import places
from core.errors import SettingsError
from core.settings import Settings, variables
from core.usecases import operator_login

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


@pytest.mark.parametrize(
    ("typed", "stored", "field"),
    [
        ({"AWS_PROFILE": "staging"}, {"AWS_DEFAULT_PROFILE": "production"}, "profile"),
        ({"AWS_DEFAULT_PROFILE": "staging"}, {"AWS_PROFILE": "production"}, "profile"),
        ({"AWS_DEFAULT_REGION": "eu-west-1"}, {"AWS_REGION": "us-east-1"}, "region"),
        ({"AWS_REGION": "eu-west-1"}, {"AWS_DEFAULT_REGION": "us-east-1"}, "region"),
    ],
)
def test_a_dotenv_file_adds_no_other_name_of_what_the_environment_has(
    tmp_path, typed, stored, field
) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("".join(f"{name}={value}\n" for name, value in stored.items()))
    assert getattr(Settings.from_env(typed, dotenv), field) == next(iter(typed.values()))
    assert getattr(Settings.from_env({}, dotenv), field) == next(iter(stored.values()))


def test_a_dotenv_file_adds_no_token_to_keys_of_the_environment(tmp_path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("AWS_ACCESS_KEY_ID=old\nAWS_SECRET_ACCESS_KEY=old\nAWS_SESSION_TOKEN=old\n")
    typed = {"AWS_ACCESS_KEY_ID": "new", "AWS_SECRET_ACCESS_KEY": "new"}
    settings = Settings.from_env(typed, dotenv)
    assert (settings.access_key_id, settings.session_token) == ("new", None)
    assert Settings.from_env({}, dotenv).session_token == "old"


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


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('\n# the database\nCONNECTION_URL="postgresql://x:y@h/z\n', 3),
        ("DB_SG_ID=a\nDDB_MESSAGE_TABLE: x\n", 2),
        ("DDB_MESSAGE_TABLE\n", 1),
        ("DDB_MESSAGE_TABLE:=x\n", 1),
        ("set DDB_MESSAGE_TABLE=x\n", 1),
        ('DDB_MESSAGE_TABLE="x" y\n', 1),
        ('OTHER="x\nDDB_MESSAGE_TABLE=y"\n', 1),
    ],
)
def test_a_line_that_is_not_an_assignment_is_refused_with_its_number(tmp_path, text, line) -> None:
    (tmp_path / ".env").write_text(text)
    with pytest.raises(SettingsError, match=rf"\.env, line {line}: This is not NAME=value"):
        Settings.from_env({}, tmp_path / ".env")


def test_a_value_of_two_lines_is_refused_by_its_name(tmp_path) -> None:
    (tmp_path / ".env").write_text('DDB_MESSAGE_TABLE="x\ny"\n')
    with pytest.raises(SettingsError, match="DDB_MESSAGE_TABLE contains a line break"):
        Settings.from_env({}, tmp_path / ".env")


def test_a_dotenv_file_may_begin_with_a_byte_order_mark_and_hold_what_others_read(tmp_path) -> None:
    text = '\ufeffDB_SG_ID=sg\nexport A=b # c\nPASSED_ON\nkey-of.other="two\nlines"\n'
    (tmp_path / ".env").write_text(text, encoding="utf-8")
    assert Settings.from_env({}, tmp_path / ".env").security_group_id == "sg"


def test_a_dotenv_file_that_leads_nowhere_is_refused(tmp_path) -> None:
    (tmp_path / ".env").symlink_to(tmp_path / "gone")
    with pytest.raises(SettingsError, match="Could not read"):
        Settings.from_env({}, tmp_path / ".env")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "CONNECTION_URL=${NOWHERE_SET}\n",
            "CONNECTION_URL refers to NOWHERE_SET, which is not set",
        ),
        ("A=${NOWHERE_SET}\nconnection_url=x\n", "connection_url is not a setting, but CONNECTION"),
    ],
)
def test_a_line_that_would_leave_a_setting_unset_is_refused(tmp_path, text, problem) -> None:
    """The run would continue with another target."""
    (tmp_path / ".env").write_text(text)
    with pytest.raises(SettingsError, match=rf"\.env, line \d: {problem}"):
        Settings.from_env({}, tmp_path / ".env")


def test_a_line_may_refer_to_what_is_set_or_has_a_default(tmp_path) -> None:
    text = "HOST_OF_IT=h\nDB_SG_ID=${HOST_OF_IT}-${PATH}\nDDB_MESSAGE_TABLE=${NOWHERE_SET:-abc}\n"
    (tmp_path / ".env").write_text(text)
    settings = Settings.from_env({}, tmp_path / ".env")
    assert settings.table_name == "abc"
    assert str(settings.security_group_id).startswith("h-/")


def test_a_folder_is_not_taken_for_a_missing_file(tmp_path) -> None:
    """Docker makes one where a file that it mounts is missing."""
    (tmp_path / ".env").mkdir()
    with pytest.raises(SettingsError, match=r"\.env: .*Is a directory"):
        Settings.from_env({}, tmp_path / ".env")


def test_a_pipe_is_read_as_a_file_is(tmp_path) -> None:
    """Password managers serve the file through one."""
    os.mkfifo(tmp_path / ".env")
    with ThreadPoolExecutor(1) as writer:
        writer.submit((tmp_path / ".env").write_text, "DDB_MESSAGE_TABLE=piped\n")
        assert Settings.from_env({}, tmp_path / ".env").table_name == "piped"


@pytest.mark.parametrize(
    ("logical", "names"),
    [
        ("region", ("AWS_DEFAULT_REGION", "AWS_REGION")),
        ("profile", ("AWS_DEFAULT_PROFILE", "AWS_PROFILE")),
    ],
)
def test_of_two_variables_the_one_wins_that_wins_in_the_aws_sdk(
    monkeypatch, tmp_path: Path, logical: str, names: tuple[str, str]
) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    values = dict(zip(names, ("first", "second"), strict=True))
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    of_the_sdk = botocore.session.Session().get_config_variable(logical)
    assert getattr(Settings.from_env(values, tmp_path / "none"), logical) == of_the_sdk


@pytest.mark.parametrize("is_checkout", [True, False])
def test_the_files_of_the_login_are_the_same_for_who_writes_and_who_reads_them(
    tmp_path, monkeypatch, is_checkout
) -> None:
    """The task that writes them and the server that reads them run in different folders."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr(places, "is_checkout", lambda *_: is_checkout)
    folder = places.data_folder(os.environ)
    settings = Settings(secrets_files="/etc/login.toml:ours/login.toml")
    assert settings.login_files == f"/etc/login.toml:{folder}/ours/login.toml"
    assert operator_login.secrets_path(settings) == folder / "ours" / "login.toml"
