"""AWS clients, made from a target."""

from __future__ import annotations

import functools
import ipaddress
import json
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import botocore.session
from botocore.config import Config
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES, ConstantProvider

from core.aws.errors import is_from_credentials, refuse_strangers, translating
from core.errors import SettingsError
from core.targets import AwsTarget

__all__ = ["DrySink", "is_loopback", "make_client", "translating"]

DrySink = Callable[[str], None]
"""Receives one line for every request or statement that a dry run does not send."""

_READ_PREFIXES = ("Get", "List", "Describe", "Query", "Scan", "BatchGet", "TransactGet")


PLACEHOLDER = "local", "local", None
"""The keys for an engine that needs none."""

_making = threading.Lock()
"""The SDK's session is not thread-safe while it makes a client; the clients are."""


def make_client(
    target: AwsTarget, service: str, *, dry: DrySink | None = None, quick: bool = False
) -> Any:
    """A client of ``service``; safe to share between threads.

    A ``quick`` client tries once and waits only seconds. With ``dry``, requests that change
    something are passed to it as text and answered with an empty reply; reads are sent as usual.

    Raises:
        SettingsError: no region, an endpoint that is not a URL, no such AWS profile.
    """
    keys = PLACEHOLDER if target.placeholder_credentials else target.keys or (None, None, None)
    with translating(service, target), _making:
        try:
            session = _session(target.profile, target.is_local, target.is_profile_chosen)
            client = session.create_client(
                service,
                region_name=target.region,
                endpoint_url=target.endpoint_url,
                config=_config(target, service, quick),
                aws_access_key_id=keys[0],
                aws_secret_access_key=keys[1],
                aws_session_token=keys[2],
            )
        except ValueError as error:
            if is_from_credentials(error):
                raise
            hint = "Check AWS_DEFAULT_REGION and the endpoint's URL, like http://HOST:PORT."
            raise SettingsError(f"Could not make a client for {service}: {error}", hint) from error
    client.meta.events.register("before-parse", functools.partial(refuse_strangers, target))
    if dry is not None:
        _hold_back_writes(client, service, dry)
    return client


@functools.cache
def _session(
    profile: str | None, is_local: bool, is_chosen: bool = False
) -> botocore.session.Session:
    """The SDK's session, which finds credentials once: in the ``profile`` of the settings.

    As in the AWS tools, a profile that is chosen (``is_chosen``) comes before the keys in
    variables, and one that a variable names after them.

    The SDK does not read a ``.env`` file, and if the variable is empty it looks for a profile
    called "". A local session uses only its own defaults: a local run needs no AWS files, and a
    broken one must not stop it.

    This is botocore's session: boto3's clients are the same, but importing boto3 is slower.
    """
    session = botocore.session.Session({"profile": (None, None, profile, None)})
    if is_chosen:
        session.set_config_variable("profile", profile)
    if is_local:
        store = session.get_component("config_store")
        for name, (_, _, default, _) in BOTOCORE_DEFAUT_SESSION_VARIABLES.items():
            value = None if name in _FILES else default
            store.set_config_provider(name, ConstantProvider(value))
    return session


_FILES = ("config_file", "credentials_file", "profile")


def list_regions(service: str) -> list[str]:
    """The regions of AWS that have ``service``, as the SDK knows them."""
    regions: list[str] = _session(None, True).get_available_regions(service)
    return regions


def _config(target: AwsTarget, service: str, quick: bool) -> Config:
    loopback = False
    if target.endpoint_url is not None:
        parts = urlsplit(target.endpoint_url)
        # The SDK checks neither before the first request; reading a bad port raises.
        if parts.scheme not in ("http", "https") or parts.port == 0:
            raise ValueError(f"Invalid endpoint: {target.endpoint_url}")
        loopback = is_loopback(target.endpoint_url)
    return Config(
        connect_timeout=3,
        read_timeout=5 if quick else 20,
        # For the threads of an import, or of the admin UI: no connection beyond these is kept.
        max_pool_connections=50,
        retries={"mode": "standard", "total_max_attempts": 1 if quick else 4},
        # A proxy in the environment must never see a call to this machine.
        proxies={} if loopback else None,
        # An endpoint of one's own has no name for each bucket.
        s3={"addressing_style": "path"} if target.endpoint_url else None,
        # Use the target's endpoint, not one from the environment or a profile.
        ignore_configured_endpoint_urls=True,
        # The SDK rejects sequence numbers shorter than AWS's; other engines have shorter ones.
        parameter_validation=service != "dynamodbstreams",
        # The SDK would build its own, of many parts, twice for each request.
        user_agent=f"cruddur-ops Botocore/{botocore.__version__}",
    )


def is_loopback(url: str) -> bool:
    """Whether ``url`` points to this machine."""
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
