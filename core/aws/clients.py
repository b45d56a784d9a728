"""AWS clients, made from a target, and the translation of what they raise."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.exceptions
from botocore.config import Config

from core.errors import (
    CoreError,
    CredentialsError,
    DynamoDBError,
    MissingSchemaError,
    SettingsError,
    StoreError,
    UnreachableError,
)
from core.targets import AwsTarget

DrySink = Callable[[str], None]
"""Takes one line for every request or statement that a dry run does not send."""

_READ_PREFIXES = ("Get", "List", "Describe", "Query", "Scan", "BatchGet", "TransactGet")
_CREDENTIAL_CODES = {
    "AccessDeniedException",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "AuthFailure",
    "UnauthorizedOperation",
    "NotAuthorizedException",
    "UnrecognizedClientException",
}


def make_client(target: AwsTarget, service: str, *, dry: DrySink | None = None) -> Any:
    """A client of ``service``; safe to share between threads.

    With ``dry``, requests that change something are handed to it as text and answered with an
    empty reply; reads are sent as ever.

    Raises:
        SettingsError: no region, or an endpoint that is not a URL.
        CredentialsError: an AWS profile that does not exist.
    """
    keys: dict[str, str] = {}
    if target.placeholder_credentials:
        keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    with translating(service, target):
        client = boto3.client(
            service,
            region_name=target.region,
            endpoint_url=target.endpoint_url,
            config=_config(target),
            **keys,
        )
    if dry is not None:
        _hold_back_writes(client, service, dry)
    return client


def _config(target: AwsTarget) -> Config:
    loopback = target.endpoint_url is not None and is_loopback(target.endpoint_url)
    return Config(
        connect_timeout=3,
        read_timeout=20,
        retries={"mode": "standard", "total_max_attempts": 4},
        # A proxy in the environment must never see a call to this machine.
        proxies={} if loopback else None,
        # Follow what the target says, not what else the environment or a profile may hold.
        ignore_configured_endpoint_urls=True,
        user_agent_extra="cruddur-ops",
    )


def is_loopback(url: str) -> bool:
    """Whether ``url`` names this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _hold_back_writes(client: Any, service: str, dry: DrySink) -> None:
    def hold_back(
        model: Any, params: dict[str, Any], **_: Any
    ) -> tuple[Any, dict[str, Any]] | None:
        if model.name.startswith(_READ_PREFIXES):
            return None
        body = params["body"]
        if isinstance(body, bytes):
            body = json.loads(body)
        dry(f"would send {service} {model.name} {json.dumps(body, sort_keys=True, default=str)}")
        return _EmptyReply(), {"ResponseMetadata": {"HTTPStatusCode": 200}}

    client.meta.events.register("before-call", hold_back)


class _EmptyReply:
    """Stands for the HTTP response of a request that was not sent."""

    status_code = 200


@contextmanager
def translating(service: str, target: AwsTarget) -> Iterator[None]:
    """Raise the SDK's errors as :mod:`core.errors`, each once and with its cause."""
    try:
        yield
    except botocore.exceptions.ClientError as error:
        raise _from_code(service, error) from error
    except (
        botocore.exceptions.NoCredentialsError,
        botocore.exceptions.PartialCredentialsError,
        botocore.exceptions.CredentialRetrievalError,
        botocore.exceptions.TokenRetrievalError,
        botocore.exceptions.ProfileNotFound,
        botocore.exceptions.UnauthorizedSSOTokenError,
    ) as error:
        raise CredentialsError(
            f"no usable AWS credentials: {error}",
            "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or sign in with the AWS CLI.",
        ) from error
    except botocore.exceptions.NoRegionError as error:
        raise SettingsError("no AWS region is set", "Set AWS_DEFAULT_REGION.") from error
    except (botocore.exceptions.HTTPClientError, botocore.exceptions.ConnectionError) as error:
        raise _unreachable(service, target) from error
    except (botocore.exceptions.BotoCoreError, ValueError) as error:
        raise StoreError(f"{service}: {error}") from error


def _unreachable(service: str, target: AwsTarget) -> UnreachableError:
    place = target.endpoint_url or f"AWS {target.region or ''}".strip()
    hint = "Check the network and the region."
    if target.endpoint_url is not None:
        hint = "Is it running? For the embedded engines run: invoke up"
    return UnreachableError(f"{service} does not answer at {place}", hint)


def _from_code(service: str, error: botocore.exceptions.ClientError) -> CoreError:
    code = error.response["Error"].get("Code", "Unknown")
    text = error.response["Error"].get("Message", "") or code
    if code in _CREDENTIAL_CODES:
        hint = "Check whose credentials are in use: aws sts get-caller-identity"
        return CredentialsError(f"{service} refused the credentials ({code}): {text}", hint)
    if service != "dynamodb":
        return StoreError(f"{service} refused {error.operation_name} ({code}): {text}")
    if code == "ResourceNotFoundException":
        return MissingSchemaError(
            f"the DynamoDB table or index is not there ({text})", "Run: invoke ddb.schema-load"
        )
    reasons = [
        reason.get("Code", "None") for reason in error.response.get("CancellationReasons", [])
    ]
    return DynamoDBError(
        f"DynamoDB refused {error.operation_name} ({code}): {text}", code=code, reasons=reasons
    )
