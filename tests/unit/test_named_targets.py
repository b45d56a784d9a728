"""The targets of ``targets.toml``: what each means, and that none is ever the local one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.aws import rule_ids
from core.aws.clients import make_client
from core.errors import CoreError, SettingsError, UsageError
from core.settings import Settings
from core.targets import Target, known_environments, resolve
from core.targets.named import read_targets
from task_groups.terminal import user_pool

STAGING = """
[staging]
connection_url = "postgresql://op@127.0.0.1/cruddur"
profile = "stg"
region = "eu-west-1"
table = "staging-messages"
"""


@pytest.fixture
def targets(tmp_path: Path):
    """Write the file; return the settings that name it."""

    def write(text: str = STAGING, **settings: Any) -> Settings:
        path = tmp_path / "targets.toml"
        path.write_text(text)
        return Settings(targets_file=str(path), **settings)

    return write


def test_a_target_has_the_places_of_its_section(targets) -> None:
    target = resolve(targets(), name="staging")
    assert target.postgres.dbname == "cruddur"
    assert target.table_name == "staging-messages"
    assert (target.dynamodb.region, target.dynamodb.profile) == ("eu-west-1", "stg")
    assert target.options == "--target staging"


EVERYTHING = {
    "connection_url": "postgresql://op@127.0.0.1/local",
    "prod_connection_url": "postgresql://op@127.0.0.1/production",
    "prod_connection_iam": "1",
    "prod_secret_arn": "arn",
    "prod_ca_bundle": "bundle.pem",
    "endpoint_url": "http://127.0.0.1:1",
    "prod_endpoint_url": "http://127.0.0.1:2",
    "table_name": "production-messages",
    "user_pool_id": "production-pool",
    "security_group_id": "sg-production",
    "security_group_rule_id": "sgr-production",
}


def test_a_target_takes_no_place_from_the_variables(targets) -> None:
    target = resolve(targets("[staging]\ntable = 'messages'\n", **EVERYTHING), name="staging")
    leading_there = {
        name: value
        for name in EVERYTHING
        if (value := getattr(target.settings, name)) == EVERYTHING[name]
    }
    assert leading_there.keys() <= {"connection_url", "endpoint_url"}  # which only local reads
    assert target.dynamodb.endpoint_url is None
    with pytest.raises(SettingsError, match=r"connection_url of \[staging\] .* is not set"):
        _ = target.postgres


def test_what_to_set_is_named_where_it_is_read(targets) -> None:
    text = "[staging]\ntable = 'messages'\nsecurity_group_id = 'sg-1'\n"
    staging = resolve(targets(text, **EVERYTHING), name="staging")
    place = r" of \[staging\] in .*targets\.toml"
    with pytest.raises(SettingsError, match=f"Set user_pool_id{place}"):
        user_pool(staging)
    problem = f"security_group_id{place} is set and security_group_rule_id{place} is not"
    with pytest.raises(SettingsError, match=problem):
        rule_ids(staging)
    with pytest.raises(SettingsError, match="Set AWS_COGNITO_USER_POOL_ID"):
        user_pool(resolve(targets(text)))


def test_a_profile_that_does_not_exist_is_blamed_on_where_it_is_named(
    targets, tmp_path, monkeypatch
) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    settings = targets(STAGING.replace("stg", "gone"), profile="gone-too")
    for target, source in (
        (resolve(settings, name="staging"), r"profile of \[staging\] in .*targets\.toml"),
        (resolve(settings, name="staging", profile="mistyped"), "--profile"),
        (resolve(settings, prod=True), "AWS_PROFILE"),
    ):
        with pytest.raises(SettingsError, match=rf"could not be found\. Check {source}"):
            make_client(target.aws, "dynamodb")


def test_production_takes_from_the_variables_what_its_section_leaves_out(targets) -> None:
    text = "[production]\ntable = 'big-messages'\n"
    target = resolve(targets(text, **EVERYTHING | {"prod_connection_iam": None}), prod=True)
    assert target.table_name == "big-messages"
    assert target.settings.user_pool_id == "production-pool"


def test_production_is_refused_where_the_section_and_the_variable_differ(targets) -> None:
    text = '[production]\nconnection_url = "postgresql://op@127.0.0.1/other"\n'
    with pytest.raises(SettingsError, match="differ"):
        resolve(targets(text, **EVERYTHING), prod=True)


@pytest.mark.parametrize("name", ["production", "staging"])
def test_prod_is_the_target_production(targets, name: str) -> None:
    settings = targets(prod_connection_url="postgresql://op@127.0.0.1/production")
    target = resolve(settings, name=name)
    assert (target == resolve(settings, prod=True)) is (name == "production")
    assert target.is_production


@pytest.mark.parametrize(
    "text",
    [
        "[local]\ntable = 'messages'",
        "[Local]\ntable = 'messages'",
        "['local ']\ntable = 'messages'",
        "[staging]\ntable = 'messages'\nenvironment = 'local'",
        "[staging]\ntable = 'messages'\nenvironment = 'Local'",
        "[staging]\ntable = 'messages'\nenvironment = ' local'",
        "[staging]\ntable = 'messages'\nenvironment = ''",
        "[staging]\ntable = 'messages'\nenvironment = 1",
        "[production]\nenvironment = 'local'",
        "[production]\nenvironment = 'staging'",
        "[staging]\nconnection_url = 'postgresql://op@127.0.0.1/cruddur'",  # no table
        "[staging]\ntable = ''",
        "[staging]\ntable = 5",
        "[staging]\ntabel = 'messages'",
        "[staging]\ntable = 'messages'\nis_local = true",
        "table = 'messages'",
        "[staging",
    ],
)
@pytest.mark.parametrize("name", ["staging", "production"])
def test_a_file_that_says_something_else_stops_the_run(targets, text: str, name: str) -> None:
    with pytest.raises(SettingsError, match=r"targets\.toml"):
        resolve(targets(text), name=name)


@pytest.mark.parametrize("name", ["", "local"])
def test_a_local_run_does_not_read_the_file(targets, name: str) -> None:
    target = resolve(targets("[local]\nendpoint_url = 'https://elsewhere'"), name=name)
    assert not target.is_production
    assert target.settings.prod_endpoint_url is None


def test_an_unknown_target_is_refused_with_those_there_are(targets) -> None:
    with pytest.raises(UsageError, match="Did you mean staging"):
        resolve(targets(), name="stagin")
    with pytest.raises(UsageError, match="local, production, staging"):
        resolve(targets(), name="qa")


def test_no_error_shows_a_password(targets) -> None:
    for line in ('connection_url = "postgresql://op:hunter2@h/db" x', 'url = "hunter2"'):
        with pytest.raises(CoreError) as caught:
            resolve(targets(f"[staging]\ntable = 'messages'\n{line}"), name="staging")
        assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(read_targets(Path(targets(STAGING).targets_file)))


def test_a_marker_may_name_every_environment(targets) -> None:
    settings = targets(STAGING + "[eu]\ntable = 'eu'\nenvironment = 'production'\n")
    assert known_environments(settings) == ["local", "production", "staging"]
    assert resolve(settings, name="eu").environment == "production"


# The profile and the region, as in the AWS tools


@pytest.mark.parametrize("option", ["profile", "region"])
def test_the_local_target_takes_no_profile_and_no_region(option: str) -> None:
    with pytest.raises(UsageError, match=f"--{option} is for AWS"):
        resolve(Settings(), **{option: "eu-west-1"})


@pytest.fixture
def keys_everywhere(monkeypatch, tmp_path: Path) -> Settings:
    """Keys in the variables, and others in a profile."""
    (tmp_path / "credentials").write_text(
        "[stg]\naws_access_key_id = PROFILES\naws_secret_access_key = p\n"
    )
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    keys = {"AWS_ACCESS_KEY_ID": "VARIABLES", "AWS_SECRET_ACCESS_KEY": "v"}
    for name, value in keys.items():
        monkeypatch.setenv(name, value)
    return Settings.from_env(keys | {"AWS_REGION": "eu-west-3"}, dotenv=tmp_path / "none")


def key_of(target: Target) -> tuple[str, str]:
    client = make_client(target.dynamodb, "dynamodb")
    credentials = client._request_signer._credentials
    client.close()
    return credentials.access_key, client.meta.region_name


def test_a_typed_profile_comes_before_keys_in_variables(keys_everywhere: Settings) -> None:
    assert key_of(resolve(keys_everywhere, prod=True)) == ("VARIABLES", "eu-west-3")
    chosen = resolve(keys_everywhere, prod=True, profile="stg", region="eu-north-1")
    assert key_of(chosen) == ("PROFILES", "eu-north-1")
    assert chosen.options == "--prod --profile stg --region eu-north-1"


def test_a_targets_profile_comes_before_keys_in_variables(
    targets, keys_everywhere: Settings
) -> None:
    from dataclasses import replace

    settings = replace(keys_everywhere, targets_file=targets().targets_file)
    assert key_of(resolve(settings, name="staging")) == ("PROFILES", "eu-west-1")
