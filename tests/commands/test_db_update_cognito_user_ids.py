"""invoke db.update-cognito-user-ids"""

import uuid

import pytest
from unguarded import Database

from core.aws.clients import make_client
from core.postgres import users
from core.targets import AwsTarget


@pytest.fixture
def cognito(engines):
    target = AwsTarget(engines.aws_endpoint_url, "us-east-1", placeholder_credentials=True)
    client = make_client(target, "cognito-idp")
    yield client
    client.close()


@pytest.fixture
def pool_id(cognito):
    pool = cognito.create_user_pool(PoolName=f"pool-{uuid.uuid4().hex[:8]}")["UserPool"]["Id"]
    yield pool
    cognito.delete_user_pool(UserPoolId=pool)


@pytest.fixture
def env(engines, postgres_env, pool_id) -> dict[str, str]:
    return postgres_env | {
        "AWS_ENDPOINT_URL": engines.aws_endpoint_url,
        "AWS_COGNITO_USER_POOL_ID": pool_id,
    }


@pytest.fixture
def seeded(address, databases):
    databases.create_seeded(address.dbname)
    with Database(address) as db:
        yield db


def sign_up(cognito, pool_id: str, username: str, handle: str | None = None) -> str:
    attributes = [{"Name": "email", "Value": f"{username}@example.com"}]
    if handle is not None:
        attributes.append({"Name": "preferred_username", "Value": handle})
    user = cognito.admin_create_user(
        UserPoolId=pool_id, Username=username, UserAttributes=attributes
    )["User"]
    return next(entry["Value"] for entry in user["Attributes"] if entry["Name"] == "sub")


def test_every_page_of_ids_is_stored_by_handle(run_invoke, env, cognito, pool_id, seeded) -> None:
    for number in range(65):
        sign_up(cognito, pool_id, f"stranger{number}", f"stranger{number}")
    sub = sign_up(cognito, pool_id, "zz-bayko", "bayko")
    result = run_invoke("db.update-cognito-user-ids", env=env)
    assert result.stdout == "1 Cognito id updated, 0 unchanged\n"
    assert "in Cognito, not in Postgres: stranger64" in result.stderr
    assert users.find_user(seeded, "bayko").cognito_user_id == sub
    assert result.returncode == 0
    again = run_invoke("db.update-cognito-user-ids", env=env)
    assert again.stdout == "0 Cognito ids updated, 1 unchanged\n"


def test_a_user_without_a_handle_is_reported(run_invoke, env, cognito, pool_id, seeded) -> None:
    sign_up(cognito, pool_id, "nameless")
    result = run_invoke("db.update-cognito-user-ids", env=env)
    assert "no handle in Cognito: nameless\n" in result.stderr
    assert result.returncode == 0


def test_two_users_with_one_handle_are_reported_and_neither_is_used(
    run_invoke, env, cognito, pool_id, seeded
) -> None:
    sign_up(cognito, pool_id, "one", "bayko")
    sign_up(cognito, pool_id, "two", "bayko")
    result = run_invoke("db.update-cognito-user-ids", env=env)
    assert "several Cognito users have the handle bayko: left unchanged" in result.stderr
    assert result.returncode == 1
    assert users.find_user(seeded, "bayko").cognito_user_id == "MOCK"


def test_a_dry_run_prints_the_update_and_changes_nothing(
    run_invoke, env, cognito, pool_id, seeded
) -> None:
    sub = sign_up(cognito, pool_id, "bayko", "bayko")
    result = run_invoke("--dry", "db.update-cognito-user-ids", env=env)
    assert sub in result.stdout
    assert result.returncode == 0
    assert users.find_user(seeded, "bayko").cognito_user_id == "MOCK"


def test_without_a_pool_it_names_the_variable(run_invoke, env, seeded) -> None:
    result = run_invoke("db.update-cognito-user-ids", env=env | {"AWS_COGNITO_USER_POOL_ID": ""})
    assert "AWS_COGNITO_USER_POOL_ID is not set" in result.stderr
    assert result.returncode == 1


def test_setup_fetches_the_ids_where_there_is_a_pool(
    run_invoke, env, cognito, pool_id, address
) -> None:
    sub = sign_up(cognito, pool_id, "bayko", "bayko")
    result = run_invoke("db.setup", env=env)
    assert "1 Cognito id updated, 0 unchanged\n" in result.stdout
    with Database(address) as db:
        assert users.find_user(db, "bayko").cognito_user_id == sub


def test_setup_completes_and_fails_if_a_handle_occurs_twice(
    run_invoke, env, cognito, pool_id, address
) -> None:
    for username in ("one", "two"):
        sign_up(cognito, pool_id, username, f"bayko{' ' * (username == 'two')}")
    result = run_invoke("db.setup", env=env)
    assert "several Cognito users have the handle bayko: left unchanged" in result.stderr
    assert "applied 20261127190000" in result.stdout
    assert result.returncode == 1
    with Database(address) as db:
        assert users.find_user(db, "bayko").cognito_user_id == "MOCK"
