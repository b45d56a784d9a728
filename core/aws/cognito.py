"""The users of the Cognito user pool that people sign in with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError, ParamValidationError

from core.aws.errors import place, translating
from core.aws.services import AwsServices
from core.errors import SettingsError
from core.targets import AwsTarget


@dataclass(frozen=True, slots=True)
class CognitoUser:
    """A user of the pool. ``handle`` is the attribute ``preferred_username``.

    AWS gives every user a ``sub``; it is empty only where a replacement for Cognito gives none.
    """

    sub: str
    handle: str | None
    email: str | None
    status: str
    username: str


def list_users(services: AwsServices, pool_id: str) -> Iterator[CognitoUser]:
    """Every user of the pool, page by page (60 users a request), in Cognito's order.

    Raises:
        SettingsError: there is no such pool in the target's account and region.
    """
    client = services.client("cognito-idp")
    with translating_pool(services.target, pool_id):
        for page in client.get_paginator("list_users").paginate(UserPoolId=pool_id):
            yield from map(_user, page["Users"])


@contextmanager
def translating_pool(target: AwsTarget, pool_id: str) -> Iterator[None]:
    """Translate the errors of requests to a user pool.

    Raises:
        SettingsError: there is no such pool in the target's account and region.
    """
    with translating("cognito-idp", target):
        try:
            yield
        except (ClientError, ParamValidationError) as error:
            if _is_about_the_pool(error):
                raise _no_pool(target, pool_id) from error
            raise


def _user(entry: Mapping[str, Any]) -> CognitoUser:
    attributes = {
        attribute["Name"]: attribute.get("Value") for attribute in entry.get("Attributes", ())
    }
    return CognitoUser(
        sub=attributes.get("sub") or "",
        handle=attributes.get("preferred_username") or None,
        email=attributes.get("email") or None,
        status=entry.get("UserStatus", "UNKNOWN"),
        username=entry["Username"],
    )


def _is_about_the_pool(error: ClientError | ParamValidationError) -> bool:
    """Whether Cognito, or the SDK, reports that there is no such pool or that its id is invalid."""
    code = getattr(error, "response", {}).get("Error", {}).get("Code")
    return code == "ResourceNotFoundException" or "userpoolid" in str(error).lower()


def _no_pool(target: AwsTarget, pool_id: str) -> SettingsError:
    hint = "Check AWS_COGNITO_USER_POOL_ID, or user_pool_id in targets.toml, and the region."
    if target.endpoint_url is not None:
        hint = "Check AWS_COGNITO_USER_POOL_ID. For a pool in AWS, add --prod."
    return SettingsError(f"There is no Cognito user pool {pool_id!r} at {place(target)}", hint)
