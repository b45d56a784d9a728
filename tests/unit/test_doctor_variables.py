"""Variables that do nothing, are misspelt, or lack their companions."""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path

import pytest

from core.doctor import Finding, State
from core.doctor.variables import look, variables
from core.settings import Settings
from core.targets import resolve


def findings(values: dict[str, str], *, prod: bool = False, **options) -> list[Finding]:
    settings = Settings.from_env(values, Path("/nonexistent/.env"))
    return list(look(resolve(settings, prod=prod), values, **options))


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("DDB_MESSAGES_TABLE", "DDB_MESSAGE_TABLE"),
        ("CONECTION_URL", "CONNECTION_URL"),
        ("PROD_CONNECTION_URI", "PROD_CONNECTION_URL"),
        ("AWS_SECRET_KEY", "AWS_SECRET_ACCESS_KEY"),
        ("AWS_COGNITO_POOL_ID", "AWS_COGNITO_USER_POOL_ID"),
        ("AWS_ENDPOINT", "AWS_ENDPOINT_URL"),
        ("ddb_message_table", "DDB_MESSAGE_TABLE"),
        ("USER1_EMAIL", "user1_email"),
        ("GITPODIP", "GITPOD_IP"),
    ],
)
def test_a_misspelt_name_is_reported_with_the_one_that_is_read(wrong: str, right: str) -> None:
    (finding,) = findings({wrong: "s3cret"})
    assert finding.state is State.NOTE
    assert finding.finding == f"{wrong} is set, but only {right} is read"
    assert f'export {right}="${wrong}"' in finding.hint


def test_a_misspelt_name_in_the_file_is_renamed_there() -> None:
    (finding,) = findings({"CONECTION_URL": "x"}, in_dotenv={"CONECTION_URL"})
    assert finding.hint == "Rename it in .env: CONNECTION_URL"


@pytest.mark.parametrize(
    "name",
    [
        *("PATH", "HOME", "USERNAME", "USER", "LANG", "SSH_CONNECTION", "DATABASE_URL", "PGPORT"),
        *("AWS_DEFAULT_OUTPUT", "AWS_CONFIG_FILE"),
        *("AWS_CREDENTIAL_EXPIRATION", "AWS_COGNITO_USER_POOL_CLIENT_ID", "AWS_ACCOUNT_ID"),
        *("POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB", "GITPOD_WORKSPACE_ID"),
        *("CODESPACES", "GITHUB_TOKEN", "REACT_APP_AWS_USER_POOLS_ID", "OTEL_SERVICE_NAME"),
    ],
)
def test_other_programs_variables_are_left_alone(name: str) -> None:
    (finding,) = findings({name: "x"})
    assert (finding.state, finding.finding) == (State.OK, "None is set, and none is needed")


def test_every_setting_alone_is_no_misspelling() -> None:
    for setting in fields(Settings):
        for name in setting.metadata["names"]:
            assert not any("but only" in finding.finding for finding in findings({name: "1"}))


@pytest.mark.parametrize(
    ("present", "missing"),
    [
        ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
        ("DB_SG_RULE_ID", "DB_SG_ID"),
        ("user1_name", "user1_email and user1_username"),
        ("user2_email", "user2_name and user2_username"),
    ],
)
def test_a_variable_without_its_companion_is_bad(present: str, missing: str) -> None:
    (finding,) = findings({present: "x"})
    assert finding.state is State.BAD
    assert finding.finding == f"{present} is set without {missing}"
    assert finding.hint.endswith(f"unset {present}")


def test_of_two_names_the_unused_one_is_reported_if_it_differs() -> None:
    both = {"AWS_DEFAULT_REGION": "eu-west-1", "AWS_REGION": "eu-west-2"}
    (finding,) = findings(both)
    assert finding.finding == "AWS_REGION differs from AWS_DEFAULT_REGION, which overrides it"
    assert finding.state is State.NOTE
    assert findings(both | {"AWS_REGION": "eu-west-1"})[0].state is State.OK


def test_what_the_file_sets_is_removed_there_because_a_shell_cannot_unset_it() -> None:
    regions = {"AWS_DEFAULT_REGION": "eu-west-1", "AWS_REGION": "eu-west-2"}
    keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    names = {"user1_name": "Ana", "user1_email": "ana@example.com"}
    for values, in_dotenv, hint in [
        (regions, regions, "Remove AWS_REGION from .env"),
        (regions, (), "Run: unset AWS_REGION"),
        ({"AWS_PROFILE": "ops", **keys}, (), "Run: unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY"),
        (
            {"AWS_PROFILE": "ops", **keys},
            keys,
            "Remove AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY from .env",
        ),
        (
            names,
            {"user1_name"},
            "Set all of them, or run: unset user1_email, and remove user1_name from .env",
        ),
    ]:
        (finding,) = findings(values, prod=True, in_dotenv=in_dotenv)
        assert finding.hint == hint


def test_what_the_shell_sets_is_unset_and_removed_from_the_file_if_both_set_it(
    monkeypatch, tmp_path
) -> None:
    regions = {"AWS_DEFAULT_REGION": "eu-west-1", "AWS_REGION": "eu-west-2"}
    monkeypatch.setattr(os, "environ", regions | {"CONECTION_URL": "x"})
    monkeypatch.setattr("core.settings.data_folder", lambda: tmp_path)
    dotenv = tmp_path / ".env"
    target = resolve(Settings.from_env({}, dotenv))
    rename = 'If you meant that one: export CONNECTION_URL="$CONECTION_URL"; unset CONECTION_URL'
    for lines, hints in [
        ("AWS_REGION=\n", [rename, "Run: unset AWS_REGION"]),
        (
            "AWS_REGION=eu-west-3\nCONECTION_URL=y\n",
            [
                f"Rename it in .env: CONNECTION_URL. {rename}",
                "Run: unset AWS_REGION, and remove AWS_REGION from .env",
            ],
        ),
    ]:
        dotenv.write_text(lines)
        assert [finding.hint for finding in variables(target)] == hints


def test_a_shell_s_half_of_a_pair_is_unset_and_the_file_s_whole_pair_stays() -> None:
    pair = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
    half = {"AWS_ACCESS_KEY_ID": "a"}
    for in_dotenv, hint in [
        (pair, "Set all of them, or run: unset AWS_ACCESS_KEY_ID"),
        (
            half,
            "Set all of them, or run: unset AWS_ACCESS_KEY_ID,"
            " and remove AWS_ACCESS_KEY_ID from .env",
        ),
    ]:
        (finding,) = findings(half, in_dotenv=in_dotenv, in_shell=half)
        assert finding.hint == hint


def test_the_common_endpoint_beside_dynamodb_s_own_is_no_contradiction() -> None:
    values = {"AWS_ENDPOINT_URL": "http://a", "AWS_ENDPOINT_URL_DYNAMODB": "http://b"}
    assert [finding.state for finding in findings(values)] == [State.OK]


@pytest.mark.parametrize("prod", [False, True])
def test_an_endpoint_of_another_service_is_not_read(prod: bool) -> None:
    (finding,) = findings({"AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": "http://x"}, prod=prod)
    assert finding.state is State.NOTE
    assert "is not read" in finding.finding


def test_production_says_which_endpoints_it_ignores() -> None:
    values = {"AWS_ENDPOINT_URL": "http://a", "AWS_ENDPOINT_URL_DYNAMODB": "http://b"}
    assert [finding.finding for finding in findings(values, prod=True)] == [
        "--prod ignores AWS_ENDPOINT_URL_DYNAMODB",
        "--prod ignores AWS_ENDPOINT_URL",
    ]


def test_keys_that_override_a_profile_are_reported_where_they_are_used() -> None:
    values = {"AWS_PROFILE": "ops", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    (finding,) = findings(values, prod=True)
    assert finding.finding.startswith("The keys of AWS_PROFILE are not used")
    assert findings(values)[0].state is State.OK


def test_names_are_reported_and_values_never() -> None:
    values = {"CONNECTION_URL": "hunter2", "DB_SG_ID": "hunter2", "AWS_REGIONS": "hunter2"}
    assert "hunter2" not in str(findings(values))
