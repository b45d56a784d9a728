"""Production's Postgres password from AWS: an IAM token, or a secret of Secrets Manager.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.Connecting.html
https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html
"""

from __future__ import annotations

import json
import threading
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from core.errors import SettingsError
from core.targets import AwsTarget, Target

if TYPE_CHECKING:
    from core.targets.postgres import PostgresAddress

_IAM, _SECRET = "PROD_CONNECTION_IAM", "PROD_CONNECTION_SECRET_ARN"
_YES, _NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


def postgres_address(target: Target) -> PostgresAddress:
    """The address of the target's database, with a password from AWS if the settings say so.

    Raises:
        SettingsError: the settings contradict each other. Nothing is sent yet.
    """
    address, settings = target.postgres, target.settings
    if not target.is_production:
        return address
    uses_iam = _is_on(settings.prod_connection_iam, _names(target)[0])
    if not uses_iam and settings.prod_secret_arn is None:
        return address
    iam, secret = _names(target)
    if uses_iam and settings.prod_secret_arn is not None:
        raise SettingsError(f"{iam} and {secret} are both set", "Unset one of them.")
    from psycopg.conninfo import conninfo_to_dict

    from_url = conninfo_to_dict(address.conninfo)
    setting = iam if uses_iam else secret
    if "password" in from_url:
        raise SettingsError(
            f"{address.variable} has a password, but {setting} is set",
            "Remove the password from the URL, or unset the other.",
        )
    if address.names_several_hosts:
        raise SettingsError(
            f"{setting} is set, but {address.variable} names several hosts", "Name one."
        )
    if uses_iam:
        _require_encryption(address, iam, str(from_url.get("sslmode", "")))
        host = str(from_url.get("host") or address.host)
        return replace(address, password=IamToken(target.aws, host, address))
    return replace(
        address, password=Secret(target.aws, settings.prod_secret_arn or "", address, secret)
    )


def _names(target: Target) -> tuple[str, str]:
    """Where this target's two settings are from, for messages."""
    return (
        target.source_of(_IAM, "connection_iam"),
        target.source_of(_SECRET, "connection_secret_arn"),
    )


def _is_on(value: str | None, setting: str) -> bool:
    if value is None or value.lower() in _NO:
        return False
    if value.lower() in _YES:
        return True
    raise SettingsError(f"{setting} is {value!r}", "Set it to 1, or unset it.")


def _require_encryption(address: PostgresAddress, setting: str, sslmode: str) -> None:
    if not address.is_local and sslmode in ("disable", "allow", "prefer"):
        raise SettingsError(
            f"{setting} needs an encrypted connection, but {address.variable} has"
            f" sslmode={sslmode}",
            "Remove sslmode from the URL: the connection is then verified.",
        )


class IamToken:
    """An IAM token for each connection: signed here, valid for 15 minutes, nothing is sent."""

    def __init__(self, target: AwsTarget, host: str, address: PostgresAddress) -> None:
        from core.targets.tls import rds_region

        # No endpoint is involved: the token is a signature over the server's own name.
        # RDS checks it for the region of its server, wherever DynamoDB is.
        region = rds_region(host) or target.region
        self._target = replace(target, endpoint_url=None, region=region)
        self._host = host
        self._address = address

    def __call__(self, renew: bool = False) -> str:
        from core.aws.clients import make_client, translating

        with closing(make_client(self._target, "rds")) as client, translating("rds", self._target):
            token: str = client.generate_db_auth_token(
                DBHostname=self._host, Port=int(self._address.port), DBUsername=self._address.user
            )
        return token


class Secret:
    """The password in a secret, read once, and again if the server has refused it."""

    def __init__(self, target: AwsTarget, arn: str, address: PostgresAddress, setting: str) -> None:
        # The region of the secret is in its ARN: arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME
        parts = arn.split(":")
        region = parts[3] if len(parts) > 6 and parts[0] == "arn" else target.region
        self._target = replace(target, region=region)
        self._arn = arn
        self._user = address.user
        self._setting = setting
        self._variable = address.variable
        self._lock = threading.Lock()
        self._password: str | None = None

    def __call__(self, renew: bool = False) -> str:
        with self._lock:
            if self._password is None or renew:
                self._password = self._read()
            return self._password

    def _read(self) -> str:
        from core.aws.clients import make_client, translating

        service = "secretsmanager"
        client = make_client(self._target, service)
        with closing(client), translating(service, self._target):
            reply = client.get_secret_value(SecretId=self._arn)
        try:
            secret = json.loads(reply["SecretString"])
            password, user = secret["password"], secret.get("username", self._user)
        except (KeyError, TypeError, ValueError, AttributeError):
            # The error's text may quote the secret: it is not kept as the cause.
            raise SettingsError(
                f"The secret of {self._setting} is not JSON with a password",
                'Store it like {"username": "…", "password": "…"}.',
            ) from None
        if user != self._user:
            raise SettingsError(
                f"The secret of {self._setting} is for the user {user!r}, but"
                f" {self._variable} names {self._user!r}",
                "Name the secret's user in the URL.",
            )
        return str(password)
