"""What Cognito needs before the admin UI lets its users in: a group, and an app client."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from core.aws.cognito import translating_pool
from core.aws.services import AwsServices
from core.errors import SettingsError, UnreachableError

CLIENT_NAME = "cruddur-ops"
_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class LoginClient:
    """The app client of the admin UI. ``metadata_url`` describes its provider (OpenID Connect).

    ``changes`` says in words what was made; empty if everything was there. In a dry run a client
    that would be made has no id.
    """

    client_id: str
    client_secret: str = field(repr=False)
    metadata_url: str
    changes: tuple[str, ...]


def make_login_client(
    services: AwsServices, pool_id: str, group: str, redirect_uri: str
) -> LoginClient:
    """Make the group and the app client where they are missing, and let it return to the URI.

    The client's other return addresses and settings stay.

    Raises:
        SettingsError: there is no such pool, or the client of that name has no secret.
    """
    with closing(services.client("cognito-idp")) as cognito:
        with translating_pool(services.target, pool_id):
            client, of_client = _make_client(cognito, pool_id, redirect_uri)
            of_group = list(_make_group(cognito, pool_id, group))  # the pool is there
        return LoginClient(
            client.get("ClientId", ""),
            client.get("ClientSecret", ""),
            f"{cognito.meta.endpoint_url}/{pool_id}/.well-known/openid-configuration",
            (*of_client, *of_group),
        )


def check_provider(pool_id: str, metadata_url: str) -> None:
    """Raise unless the provider describes itself, with an address for the log-in page."""
    try:
        with urllib.request.urlopen(metadata_url, timeout=_TIMEOUT_S) as reply:  # noqa: S310 - AWS's or the target's own
            described = json.load(reply)
    except (OSError, ValueError) as error:
        raise UnreachableError(
            f"The user pool did not describe its login at {metadata_url}: {error}",
            "Check that this machine reaches it.",
        ) from error
    if not isinstance(described, dict) or not described.get("authorization_endpoint"):
        raise SettingsError(
            "The user pool has no log-in page",
            f"Give it a domain: aws cognito-idp create-user-pool-domain --user-pool-id {pool_id}"
            " --domain PREFIX",
        )


def _make_group(cognito: Any, pool_id: str, group: str) -> Iterator[str]:
    try:
        cognito.get_group(UserPoolId=pool_id, GroupName=group)
    except cognito.exceptions.ResourceNotFoundException:
        cognito.create_group(UserPoolId=pool_id, GroupName=group)
        yield f"made the group {group}"


def _make_client(
    cognito: Any, pool_id: str, redirect_uri: str
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The app client, and what was made or changed, in words."""
    allowed = {
        "AllowedOAuthFlows": ["code"],
        "AllowedOAuthFlowsUserPoolClient": True,
        "AllowedOAuthScopes": ["openid", "email"],
        "SupportedIdentityProviders": ["COGNITO"],
    }
    if (client_id := _client_id(cognito, pool_id)) is None:
        returns = {"CallbackURLs": [redirect_uri], "LogoutURLs": [redirect_uri]}
        reply = cognito.create_user_pool_client(
            UserPoolId=pool_id, ClientName=CLIENT_NAME, GenerateSecret=True, **allowed, **returns
        )
        return reply.get("UserPoolClient", {}), (f"made the app client {CLIENT_NAME}",)
    key = {"UserPoolId": pool_id, "ClientId": client_id}
    client = cognito.describe_user_pool_client(**key)["UserPoolClient"]
    if not client.get("ClientSecret"):
        raise SettingsError(
            f"The app client {CLIENT_NAME!r} has no secret", "Delete it, and run this again."
        )
    returns = {
        name: [*client.get(name, ()), *({redirect_uri} - set(client.get(name, ())))]
        for name in ("CallbackURLs", "LogoutURLs")
    }
    if all(client.get(name) == value for name, value in (allowed | returns).items()):
        return client, ()
    # Cognito sets what is not given to its default.
    known = cognito.meta.service_model.operation_model("UpdateUserPoolClient").input_shape.members
    kept = {name: value for name, value in client.items() if name in known and value != ""}
    cognito.update_user_pool_client(**kept | allowed | returns | key)
    return client, (f"let the app client {CLIENT_NAME} return to {redirect_uri}",)


def _client_id(cognito: Any, pool_id: str) -> str | None:
    pages = cognito.get_paginator("list_user_pool_clients").paginate(UserPoolId=pool_id)
    for page in pages:
        for client in page["UserPoolClients"]:
            if client["ClientName"] == CLIENT_NAME:
                return str(client["ClientId"])
    return None
