"""Translates the AWS SDK's errors into :mod:`core.errors`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import botocore.exceptions as sdk
from botocore.parsers import ResponseParserError

from core.commands import Command
from core.errors import (
    CoreError,
    CredentialsError,
    DynamoDBError,
    MissingTableError,
    SettingsError,
    StoreError,
    UnreachableError,
)
from core.targets import AwsTarget

# The names differ between DynamoDB and Cognito (JSON protocol), EC2 and STS (query protocol).
_CREDENTIAL_CODES = {
    "AccessDenied",
    "AccessDeniedException",
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "NotAuthorizedException",
    "OptInRequired",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "UnauthorizedOperation",
    "UnrecognizedClientException",
}
_EXPIRED_CODES = {"ExpiredToken", "ExpiredTokenException"}
_SIGN_IN_AGAIN = "They have expired: sign in again (aws sso login), or set fresh keys."
_THROTTLING_CODES = {
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
}
_NEVER_EMPTY = ("Describe", "List", "Query", "Scan")
"""Operations whose replies are never empty."""

_CREDENTIAL_ERRORS = (
    sdk.NoCredentialsError,
    sdk.PartialCredentialsError,
    sdk.CredentialRetrievalError,
    sdk.TokenRetrievalError,
    sdk.SSOError,
    # Newer than the SDK that the stream function may find in Lambda's runtime.
    *((sdk.LoginError,) if hasattr(sdk, "LoginError") else ()),
)


def refuse_strangers(
    target: AwsTarget, response_dict: dict[str, Any], operation_model: Any, **_: Any
) -> None:
    """Refuse a reply that is not from AWS; the SDK would read a web page as an empty answer.

    Server errors are left to the SDK, which retries them.
    """
    body = response_dict["body"]
    if response_dict["status_code"] >= 500 or not isinstance(body, bytes):
        return
    service = operation_model.service_model
    if service.resolved_protocol in ("json", "rest-json"):
        ours = _is_json_reply(body, response_dict["status_code"], operation_model)
    elif service.resolved_protocol == "rest-xml":  # S3: most replies have no body
        ours = not body or (body.lstrip().startswith(b"<") and b"<html" not in body[:500].lower())
    elif service.resolved_protocol == "smithy-rpc-v2-cbor":
        ours = "smithy-protocol" in response_dict["headers"]
    else:
        ours = _is_xml_reply(body, response_dict["status_code"], operation_model)
    if not ours:
        raise StoreError(
            f"The server at {place(target)} is not {service.service_name}",
            "Check the endpoint's URL.",
        )


def _is_json_reply(body: bytes, status: int, operation_model: Any) -> bool:
    trimmed = body.strip()
    # The SDK also reads an incomplete reply as an empty one.
    if not (trimmed.startswith(b"{") and trimmed.endswith(b"}")):
        return False
    if status >= 300 or not operation_model.name.startswith(_NEVER_EMPTY):
        return True
    return any(f'"{name}"'.encode() in trimmed for name in operation_model.output_shape.members)


def _is_xml_reply(body: bytes, status: int, operation_model: Any) -> bool:
    start = body[:500].lstrip().lower()
    if not start.startswith(b"<") or b"<html" in start:
        return False
    return status >= 300 or f"<{operation_model.name}Response".encode() in body


@contextmanager
def translating(service: str, target: AwsTarget) -> Iterator[None]:
    """Raise the SDK's errors as :mod:`core.errors`, each once and with its cause."""
    try:
        yield
    except CoreError:
        raise
    except Exception as error:
        translated = _translated(service, target, error)
        if translated is None:
            raise
        raise translated from error


def _translated(service: str, target: AwsTarget, error: Exception) -> CoreError | None:
    if isinstance(error, _CREDENTIAL_ERRORS) or is_from_credentials(error):
        return _no_credentials(target, error)
    if isinstance(error, sdk.ClientError):
        return _from_code(service, error)
    if isinstance(error, sdk.ProfileNotFound):
        return SettingsError(str(error), f"Check {target.profile_source}.")
    if isinstance(error, sdk.NoRegionError):
        return SettingsError("No AWS region is set", "Set AWS_DEFAULT_REGION.")
    if isinstance(error, sdk.HTTPClientError | sdk.ConnectionError):
        return _unreachable(service, target, error)
    if isinstance(error, sdk.ConfigParseError):
        return SettingsError(str(error), "Fix that file, or name another one in AWS_CONFIG_FILE.")
    if isinstance(error, sdk.BotoCoreError | ResponseParserError | ValueError):
        return StoreError(f"{service}: {error}")
    return None


_CREDENTIAL_MODULES = {"botocore.credentials", "botocore.tokens"}


def is_from_credentials(error: BaseException) -> bool:
    """Whether ``error`` occurred while the SDK looked for credentials.

    Their sources raise many kinds of errors: a program's output that is not JSON, a prompt for a
    code without a terminal, a refusal by STS.
    """
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_globals.get("__name__") in _CREDENTIAL_MODULES:
            return True
        trace = trace.tb_next
    return False


def _no_credentials(target: AwsTarget, error: Exception) -> CredentialsError:
    profile = target.profile or "default"
    reason = str(error) or type(error).__name__
    hint = "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or sign in with the AWS CLI."
    if isinstance(error, EOFError):
        reason = "it asks for an MFA code, and there is no terminal to type it in"
        hint = "Run it in a terminal, or set the keys that `aws sts get-session-token` gives."
    elif isinstance(error, sdk.ClientError):
        code = error.response.get("Error", {}).get("Code")
        if code in _EXPIRED_CODES:
            hint = _SIGN_IN_AGAIN
    elif isinstance(error, ValueError):  # not the text: it may be a part of a secret
        reason = f"its credential_process or another source gave an invalid answer ({_kind(error)})"
        hint = f"Check the profile {profile} in ~/.aws/config, and the variables AWS_CONTAINER_…"
    return CredentialsError(
        f"Could not find valid AWS credentials for the profile {profile!r}: {reason}", hint
    )


def _kind(error: ValueError) -> str:
    """The kind of the error, with its text if that contains no reply."""
    if isinstance(error, json.JSONDecodeError):
        return "not JSON"
    return str(error) if type(error) is ValueError else type(error).__name__


def place(target: AwsTarget) -> str:
    """The endpoint of the target's calls, for a message."""
    return target.endpoint_url or f"AWS {target.region or ''}".strip()


def _unreachable(service: str, target: AwsTarget, error: Exception) -> UnreachableError:
    problem = f"{service} does not answer at {place(target)}"
    if isinstance(error, sdk.SSLError | sdk.ProxyConnectionError):
        return UnreachableError(f"{problem}: {error}")
    if target.endpoint_url is None:
        return UnreachableError(problem, "Check the network and the region.")
    return UnreachableError(problem, "Is it running? For the embedded engines run", Command("up"))


def _from_code(service: str, error: sdk.ClientError) -> CoreError:
    details = error.response.get("Error", {})
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    code = details.get("Code") or f"HTTP {status}"
    text = details.get("Message") or code
    if code in _CREDENTIAL_CODES:
        hint = "Check which credentials are in use: aws sts get-caller-identity"
        if code in _EXPIRED_CODES:
            hint = _SIGN_IN_AGAIN
        return CredentialsError(f"{service} refused the credentials ({code}): {text}", hint)
    hint = "Wait a little, then run it again." if code in _THROTTLING_CODES else ""
    if service != "dynamodb":
        return StoreError(f"{service} refused {error.operation_name} ({code}): {text}", hint)
    if code == "ResourceNotFoundException":
        return MissingTableError(
            f"The DynamoDB table or index does not exist ({text})",
            "Create it",
            Command("ddb.schema-load"),
        )
    problem = f"DynamoDB refused {error.operation_name} ({code}): {text}"
    reasons = [entry.get("Code", "None") for entry in error.response.get("CancellationReasons", [])]
    return DynamoDBError(problem, hint, code=code, reasons=reasons, status=status)
