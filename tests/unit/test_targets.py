"""One target a run, and what may be destroyed on it."""

from pathlib import Path

import pytest

from core.errors import SettingsError, TargetRefusedError
from core.settings import Settings
from core.targets import Environment, StoreState, guard, resolve, why_production


def settings(**environ: str) -> Settings:
    return Settings.from_env(environ, Path("/nonexistent/.env"))


LOCAL = resolve(settings(), prod=False)
PROD = resolve(settings(), prod=True)


def never(question: str, name: str) -> str | None:
    raise AssertionError("nobody may be asked")


def answering(answer: str | None):
    return lambda question, name: answer


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
def test_a_local_store_needs_no_confirmation(state: StoreState) -> None:
    guard(LOCAL, state, "drop", never)


@pytest.mark.parametrize(
    ("target", "state"),
    [
        (PROD, StoreState("t", "local", holds_data=False)),
        (PROD, StoreState("t", None, holds_data=False)),
        (LOCAL, StoreState("t", "production", holds_data=False)),
        (LOCAL, StoreState("t", "staging", holds_data=False)),
        (LOCAL, StoreState("t", None, holds_data=True)),
    ],
)
class TestAStoreThatCountsAsProduction:
    def test_has_a_reason(self, target, state) -> None:
        assert why_production(target, state)

    def test_is_let_go_when_its_name_is_typed(self, target, state) -> None:
        guard(target, state, "drop", answering("t"))

    @pytest.mark.parametrize("answer", [None, "", "T", "yes", "t "])
    def test_is_kept_otherwise(self, target, state, answer) -> None:
        with pytest.raises(TargetRefusedError, match="--confirm t"):
            guard(target, state, "drop", answering(answer))
