"""The users of a Cognito pool, page by page, also incomplete ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.stub import Stubber

from core.aws import services
from core.aws.clients import make_client
from core.aws.cognito import CognitoUser, list_users
from core.aws.services import AwsServices
from core.errors import CredentialsError, SettingsError
from core.purposes import Purpose
from core.targets import AwsTarget

TARGET = AwsTarget(None, "us-east-1", placeholder_credentials=True)
AWS = AwsServices(TARGET, Purpose.READING)
ENGINE = AwsServices(
    AwsTarget("http://127.0.0.1:4566", "us-east-1", placeholder_credentials=True), Purpose.READING
)
POOL = "us-east-1_abc"


@pytest.fixture
def stub(monkeypatch) -> Iterator[Stubber]:
    """Answers for Cognito, in the order in which they are added."""
    client = make_client(TARGET, "cognito-idp")
    monkeypatch.setattr(services, "make_client", lambda target, service, **_: client)
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def user(name: str, **attributes: str) -> dict[str, Any]:
    pairs = [{"Name": key, "Value": value} for key, value in attributes.items()]
    return {"Username": name, "UserStatus": "CONFIRMED", "Attributes": pairs}


def test_a_user_has_a_handle_an_email_a_status_and_a_sub(stub) -> None:
    stored = user("u1", sub="s1", preferred_username="ana", email="ana@example.com", locale="de")
    stub.add_response("list_users", {"Users": [stored]}, {"UserPoolId": POOL})
    assert list(list_users(AWS, POOL)) == [
        CognitoUser("s1", "ana", "ana@example.com", "CONFIRMED", "u1")
    ]


def test_all_pages_are_read_in_their_order(stub) -> None:
    pages = [[f"u{page}{place:02}" for place in range(60)] for page in range(3)]
    token: str | None = None
    for number, names in enumerate(pages):
        parameters = {"UserPoolId": POOL} | ({"PaginationToken": token} if token else {})
        token = f"page{number + 1}" if number < 2 else None
        reply = {"Users": [user(name) for name in names]}
        stub.add_response(
            "list_users", reply | ({"PaginationToken": token} if token else {}), parameters
        )
    assert [entry.username for entry in list_users(AWS, POOL)] == [
        name for names in pages for name in names
    ]


def test_an_empty_page_in_between_is_not_the_end(stub) -> None:
    stub.add_response("list_users", {"Users": [], "PaginationToken": "more"})
    stub.add_response("list_users", {"Users": [user("u1")]})
    assert [entry.username for entry in list_users(AWS, POOL)] == ["u1"]


def test_a_page_is_asked_for_only_when_it_is_needed(stub) -> None:
    stub.add_response("list_users", {"Users": [user("u1")], "PaginationToken": "more"})
    assert next(list_users(AWS, POOL)).username == "u1"


@pytest.mark.parametrize(
    "stored",
    [
        {"Username": "u1"},
        {"Username": "u1", "Attributes": []},
        {"Username": "u1", "Attributes": [{"Name": "preferred_username"}, {"Name": "email"}]},
        user("u1", preferred_username="", email="", sub=""),
    ],
)
def test_a_user_may_have_only_a_name(stub, stored) -> None:
    stub.add_response("list_users", {"Users": [stored]})
    (bare,) = list_users(AWS, POOL)
    assert (bare.sub, bare.handle, bare.email, bare.username) == ("", None, None, "u1")


def test_a_missing_pool_names_the_variable(stub) -> None:
    stub.add_client_error("list_users", "ResourceNotFoundException", "User pool does not exist.")
    with pytest.raises(SettingsError, match=r"us-east-1_abc.*AWS_COGNITO_USER_POOL_ID"):
        list(list_users(AWS, POOL))


def test_a_pool_id_that_cognito_refuses_names_the_variable(stub) -> None:
    message = "1 validation error detected: Value 'my pool' at 'userPoolId' failed to satisfy ..."
    stub.add_client_error("list_users", "InvalidParameterException", message)
    with pytest.raises(SettingsError, match=r"my pool.*AWS_COGNITO_USER_POOL_ID"):
        list(list_users(AWS, "my pool"))


def test_a_pool_id_that_the_sdk_refuses_names_the_variable() -> None:
    with pytest.raises(SettingsError, match="AWS_COGNITO_USER_POOL_ID"):
        list(list_users(AWS, ""))


def test_a_pool_that_a_local_engine_lacks_may_be_in_aws(stub) -> None:
    stub.add_client_error("list_users", "ResourceNotFoundException")
    with pytest.raises(SettingsError, match=r"http://127\.0\.0\.1:4566.*--prod"):
        list(list_users(ENGINE, POOL))


def test_a_refused_caller_is_not_reported_as_a_missing_pool(stub) -> None:
    message = f"not authorized on resource arn:aws:cognito-idp:us-east-1:1:userpool/{POOL}"
    stub.add_client_error("list_users", "AccessDeniedException", message)
    with pytest.raises(CredentialsError):
        list(list_users(AWS, POOL))
