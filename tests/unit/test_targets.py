"""One target for each run, and whether a store counts as production."""

from pathlib import Path

import pytest

from core.errors import SettingsError
from core.settings import Settings
from core.targets import Environment, StoreState, resolve, why_production


def settings(**environ: str) -> Settings:
    return Settings.from_env(environ, Path("/nonexistent/.env"))


LOCAL = resolve(settings(), prod=False)
PROD = resolve(settings(), prod=True)


def test_only_prod_selects_production() -> None:
    assert LOCAL.environment is Environment.LOCAL
    assert PROD.environment is Environment.PRODUCTION


def test_prod_ignores_the_endpoint_variables_and_says_so() -> None:
    target = resolve(
        settings(AWS_ENDPOINT_URL="http://localhost:1", AWS_ENDPOINT_URL_DYNAMODB="http://h:2"),
        prod=True,
    )
    assert target.dynamodb.endpoint_url is None
    assert target.ignored_variables() == ["AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL"]


def test_prod_has_an_endpoint_variable_of_its_own() -> None:
    target = resolve(settings(PROD_AWS_ENDPOINT_URL="http://vpce:1"), prod=True)
    assert target.dynamodb.endpoint_url == target.aws.endpoint_url == "http://vpce:1"


def test_prod_without_a_postgres_url_names_the_variable() -> None:
    with pytest.raises(SettingsError, match="PROD_CONNECTION_URL"):
        _ = PROD.postgres


def test_production_follows_no_local_postgres_url() -> None:
    target = resolve(settings(CONNECTION_URL="postgresql://u@h/local"), prod=True)
    with pytest.raises(SettingsError):
        _ = target.postgres


def test_own_credentials_go_only_to_an_endpoint_that_was_set() -> None:
    keys = {
        "AWS_ACCESS_KEY_ID": "AKIA",
        "AWS_SECRET_ACCESS_KEY": "hunter2",
        "AWS_ENDPOINT_URL_DYNAMODB": "http://localhost:8000",
    }
    target = resolve(settings(**keys), prod=False).dynamodb
    assert not target.placeholder_credentials
    assert target.keys == ("AKIA", "hunter2", None)
    assert "hunter2" not in repr(target)
    without = settings(AWS_ENDPOINT_URL_DYNAMODB="http://localhost:8000")
    assert resolve(without, prod=False).dynamodb.placeholder_credentials


@pytest.mark.parametrize(
    ("variable", "prod"), [("AWS_ENDPOINT_URL", False), ("PROD_AWS_ENDPOINT_URL", True)]
)
def test_a_password_in_an_endpoint_is_refused_and_not_shown(variable, prod) -> None:
    target = resolve(settings(**{variable: "http://u:hunter2@h:1"}), prod=prod)
    for ask in (target.describe_dynamodb, lambda: target.aws):
        with pytest.raises(SettingsError, match="endpoint") as caught:
            ask()
        assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "state",
    [
        StoreState("t", "local", holds_data=True),
        StoreState("t", "local", holds_data=False),
        StoreState("t", None, holds_data=False),
    ],
)
def test_a_local_or_empty_store_counts_as_local(state: StoreState) -> None:
    assert why_production(state) is None


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (StoreState("t", "production", holds_data=False), "t is marked 'production'"),
        (StoreState("t", "staging", holds_data=False), "t is marked 'staging'"),
        (StoreState("t", "", holds_data=False), "t is marked ''"),
        (StoreState("t", None, holds_data=True), "t holds data and has no environment marker"),
    ],
)
def test_every_other_store_counts_as_production_and_says_why(state: StoreState, why: str) -> None:
    assert why_production(state) == why


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://dynamo_db:8000", "has an underscore (_) in the host name dynamo_db"),
        ("localhost:8000", "does not begin with http://"),
        ("tcp://localhost:8000", "begins with tcp://"),
        ("'http://localhost:8000'", "has a quote (') around it"),
        ("http://local host:8000", "has a blank at character 13"),
        ("http://:8000", "names no host"),
        ("http://localhost:99999", "has an invalid host or port"),
        ("http://localhost:0", "has the port 0"),
        ("http://a..b", "has an empty or too long part in its host name"),
        ("http://lócal", "has the character 'ó' in its host name"),
    ],
)
def test_an_endpoint_is_refused_by_the_character_at_fault(url: str, problem: str) -> None:
    with pytest.raises(SettingsError) as raised:
        _ = resolve(settings(AWS_ENDPOINT_URL_DYNAMODB=url), prod=False).dynamodb
    assert str(raised.value).startswith(f"AWS_ENDPOINT_URL_DYNAMODB {problem}")
    with pytest.raises(SettingsError, match=r"^PROD_AWS_ENDPOINT_URL "):
        _ = resolve(settings(PROD_AWS_ENDPOINT_URL=url), prod=True).dynamodb
    with pytest.raises(SettingsError, match=r"^AWS_ENDPOINT_URL "):
        _ = resolve(settings(AWS_ENDPOINT_URL=url), prod=False).dynamodb


@pytest.mark.parametrize("url", ["http://localhost:8000", "http://[::1]:8000/", "https://a-b.c"])
def test_an_endpoint_that_the_sdk_accepts_is_left_alone(url: str) -> None:
    target = resolve(settings(AWS_ENDPOINT_URL=url), prod=False)
    assert target.dynamodb.endpoint_url == url


@pytest.mark.parametrize("region", ["us_east_1", "us east 1", "12", "-a"])
def test_what_is_no_region_is_named_with_its_variable(region: str) -> None:
    with pytest.raises(SettingsError, match="AWS_DEFAULT_REGION"):
        _ = resolve(settings(AWS_REGION=region, AWS_ENDPOINT_URL="http://h"), prod=False).dynamodb
