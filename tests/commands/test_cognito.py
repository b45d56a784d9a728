"""``invoke cognito.list-users``."""

from __future__ import annotations

import json
from typing import Any

import pytest


@pytest.fixture
def env(engines, pool_id) -> dict[str, str]:
    """The environment of a command with an empty user pool."""
    return {
        "AWS_ENDPOINT_URL": engines.aws_endpoint_url,
        "AWS_COGNITO_USER_POOL_ID": pool_id,
    }


def add_user(cognito: Any, env: dict[str, str], name: str, **attributes: str) -> None:
    cognito.admin_create_user(
        UserPoolId=env["AWS_COGNITO_USER_POOL_ID"],
        Username=name,
        UserAttributes=[{"Name": key, "Value": value} for key, value in attributes.items()],
        MessageAction="SUPPRESS",
    )


def test_a_person_gets_a_table(run_invoke, cognito, env) -> None:
    add_user(cognito, env, "u1", email="ana@example.com", preferred_username="ana")
    result = run_invoke("cognito.list-users", env=env)
    assert result.returncode == 0
    header, ana = [
        line.split() for line in result.stdout.splitlines() if "ana" in line or "sub" in line
    ]
    assert header == ["handle", "email", "status", "sub"]
    assert ana[:3] == ["ana", "ana@example.com", "FORCE_CHANGE_PASSWORD"]
    assert result.stderr.startswith("target: local ")
    assert len(result.stderr.splitlines()) == 1


def test_a_program_gets_all_pages_as_one_array(run_invoke, cognito, env) -> None:
    for number in range(125):
        add_user(cognito, env, f"u{number}", preferred_username=f"user{number}")
    result = run_invoke("cognito.list-users", "--json", env=env)
    assert result.returncode == 0
    users = json.loads(result.stdout)
    assert sorted(user["handle"] for user in users) == sorted(f"user{n}" for n in range(125))
    assert set(users[0]) == {"sub", "handle", "email", "status", "username"}


def test_users_without_a_handle_are_listed_and_counted_on_stderr(run_invoke, cognito, env) -> None:
    add_user(cognito, env, "u1", email="ana@example.com", preferred_username="ana")
    add_user(cognito, env, "u2", email="ben@example.com")
    add_user(cognito, env, "u3")
    result = run_invoke("cognito.list-users", env=env)
    assert result.returncode == 0
    assert "ben@example.com" in result.stdout
    assert "2 of 3 users have no handle (preferred_username)" in result.stderr.splitlines()


def test_an_empty_pool_is_reported_on_stderr(run_invoke, env) -> None:
    result = run_invoke("cognito.list-users", env=env)
    assert (result.returncode, result.stdout) == (0, "")
    assert result.stderr.splitlines()[-1].endswith("has no users")


def test_an_empty_pool_is_an_empty_array_to_a_program(run_invoke, env) -> None:
    result = run_invoke("cognito.list-users", "--json", env=env)
    assert (result.returncode, json.loads(result.stdout)) == (0, [])


def test_a_user_s_name_cannot_control_the_terminal(run_invoke, cognito, env) -> None:
    add_user(cognito, env, "u1", preferred_username="a\x1b[2Jna")
    result = run_invoke("cognito.list-users", env=env)
    assert "\x1b" not in result.stdout
    assert "a\\x1b[2Jna" in result.stdout


def test_no_pool_id_names_the_variable(run_invoke, env) -> None:
    result = run_invoke("cognito.list-users", env=env | {"AWS_COGNITO_USER_POOL_ID": ""})
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == "No Cognito user pool is set. Set AWS_COGNITO_USER_POOL_ID.\n"


def test_the_other_name_of_the_variable_works_too(run_invoke, env) -> None:
    pool_id = env.pop("AWS_COGNITO_USER_POOL_ID")
    result = run_invoke("cognito.list-users", env=env | {"AWS_USER_POOLS_ID": pool_id})
    assert result.returncode == 0


def test_a_missing_pool_is_one_line(run_invoke, env) -> None:
    elsewhere = {"AWS_COGNITO_USER_POOL_ID": "eu-west-1_nowhere"}
    result = run_invoke("cognito.list-users", env=env | elsewhere)
    assert (result.returncode, result.stdout) == (1, "")
    _, line = result.stderr.splitlines()
    assert line.startswith("There is no Cognito user pool 'eu-west-1_nowhere' at http://")
    assert "AWS_COGNITO_USER_POOL_ID" in line


def test_prod_asks_the_production_endpoint_with_the_operators_credentials(run_invoke, env) -> None:
    production = {
        "PROD_AWS_ENDPOINT_URL": env["AWS_ENDPOINT_URL"],
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    task = ("cognito.list-users", "--prod")
    unexplained = run_invoke(*task, env=env | production)
    assert (unexplained.returncode, unexplained.stdout) == (1, "")
    assert "--reason TEXT" in unexplained.stderr
    task += ("--reason", "a ticket")
    refused = run_invoke(*task, env=env | production)
    assert refused.returncode == 1
    assert "Could not find valid AWS credentials" in refused.stderr
    keys = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example"}
    allowed = run_invoke(*task, env=env | production | keys)
    assert allowed.returncode == 0
    assert "--prod: AWS_ENDPOINT_URL is ignored" in allowed.stderr
    assert "target: production" in allowed.stderr
