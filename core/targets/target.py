"""The single target of a run, for both stores at once: *local*, *production* or another name.

Only ``--prod`` selects production, and only ``--target`` a target of ``targets.toml``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from core.commands import option
from core.engines import endpoints
from core.errors import SettingsError, UsageError
from core.settings import Settings, forget_libpq_variables
from core.targets.named import FIELDS, NamedTarget, find_target, without_keys
from core.targets.production import Environment
from core.targets.url_faults import explain_endpoint

if TYPE_CHECKING:
    from core.targets.postgres import PostgresAddress

DEFAULT_LOCAL_REGION = "us-east-1"
_TABLE_NAME = re.compile(r"[a-zA-Z0-9_.-]{3,255}")
"""https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html"""

_REGION = re.compile(r"(?!-)(?![0-9]+$)[a-zA-Z0-9-]{1,63}(?<!-)")

_PROFILE = "AWS_PROFILE (or AWS_DEFAULT_PROFILE)"

AwsKeys = tuple[str, str, str | None]
"""Access key id, secret access key, session token."""


@dataclass(frozen=True, slots=True)
class AwsTarget:
    """Where AWS calls go. ``endpoint_url`` None means AWS's own endpoints.

    ``region`` None leaves it to the AWS profile. ``placeholder_credentials`` is True where no
    secret may be sent and none is needed: the embedded engine. ``keys`` None leaves it to the SDK
    to find credentials: those of ``profile``, or of its default one. With ``is_profile_chosen`` the
    profile's keys come before those in variables; ``profile_source`` is where the profile is named.
    With ``is_local``, the SDK reads none of its own files and variables.
    """

    endpoint_url: str | None
    region: str | None
    placeholder_credentials: bool
    keys: AwsKeys | None = field(default=None, repr=False)
    profile: str | None = None
    is_local: bool = False
    is_profile_chosen: bool = False
    profile_source: str = _PROFILE


@dataclass(frozen=True, slots=True)
class Target:
    """The stores that a run reads and writes.

    ``settings`` have the values of this target. ``named`` is its section in ``targets.toml``;
    ``profile`` and ``region`` are what was typed for this run.
    """

    environment: str
    settings: Settings
    named: NamedTarget | None = None
    profile: str = ""
    region: str = ""

    @property
    def is_production(self) -> bool:
        """Whether it counts as production: whatever is not local does."""
        return self.environment != Environment.LOCAL

    @property
    def name(self) -> str:
        """What ``--target`` calls it."""
        return str(self.named.name if self.named else self.environment)

    @property
    def options(self) -> str:
        """The options that select it on a command line; none select the local one."""
        return options_of(self.name, self.profile, self.region)

    def source_of(self, variable: str, key: str) -> str:
        """Where ``variable``'s value is from, or would be: the variable, or ``key`` of the file."""
        if self.named is None:
            return variable
        is_in_file = FIELDS[key] in self.named.values
        if self.named.name == Environment.PRODUCTION and not is_in_file:
            return variable
        return f"{key} of [{self.named.name}] in {self.settings.targets_file}"

    @property
    def source_of_user_pool(self) -> str:
        """Where the id of the user pool is from, or would be."""
        return self.source_of("AWS_COGNITO_USER_POOL_ID", "user_pool_id")

    @property
    def sources_of_rule(self) -> tuple[str, str]:
        """Where the ids of the security group and of its rule are from, or would be."""
        return (
            self.source_of("DB_SG_ID", "security_group_id"),
            self.source_of("DB_SG_RULE_ID", "security_group_rule_id"),
        )

    @property
    def table_name(self) -> str:
        """The message table's name.

        Raises:
            SettingsError: it is not a valid table name.
        """
        name = self.settings.table_name
        if not _TABLE_NAME.fullmatch(name):
            raise SettingsError(
                f"{self.source_of('DDB_MESSAGE_TABLE', 'table')} is {name!r}, which is not a valid"
                " table name",
                "Use 3 to 255 letters, digits, dots, dashes and underscores.",
            )
        return name

    @property
    def postgres(self) -> PostgresAddress:
        """The address of the database.

        Raises:
            SettingsError: no URL for production, one that does not parse, or nothing to verify
                production's server with.
            EngineError: it is the embedded Postgres, which was never started.
        """
        from core.targets.postgres import parse_url

        if self.is_production:
            from core.targets.tls import verified

            variable = self.source_of("PROD_CONNECTION_URL", "connection_url")
            if self.settings.prod_connection_url is None:
                raise SettingsError(
                    f"{variable} is not set, but {self.options} needs it",
                    f"Set it to the {self.name} Postgres URL.",
                )
            address = parse_url(self.settings.prod_connection_url, variable)
            address = replace(address, is_production=True)
            bundle = self.source_of("PROD_CONNECTION_CA_BUNDLE", "ca_bundle")
            return verified(address, self.settings.prod_ca_bundle, bundle)
        if self.settings.connection_url is not None:
            return parse_url(self.settings.connection_url, "CONNECTION_URL")
        return parse_url(endpoints(self.settings.engines_path).postgres_url, "the engines' URL")

    @property
    def dynamodb(self) -> AwsTarget:
        """The DynamoDB endpoint.

        Raises:
            SettingsError: its URL contains a password, which would be shown with it, or it or
                the region is not one that the AWS SDK accepts.
            EngineError: it is the embedded engine, which was never started.
        """
        return self._aws(self.settings.endpoint_url, is_dynamodb=True)

    @property
    def aws(self) -> AwsTarget:
        """The endpoint of the other AWS services: Cognito, EC2, STS."""
        return self._aws(self.settings.aws_endpoint_url)

    @property
    def _keys(self) -> AwsKeys | None:
        """The keys of the settings: a ``.env`` file may hold them, which the SDK does not read."""
        settings = self.settings
        if settings.access_key_id is None or settings.secret_access_key is None:
            return None
        return settings.access_key_id, settings.secret_access_key, settings.session_token

    def _aws(self, local_endpoint: str | None, *, is_dynamodb: bool = False) -> AwsTarget:
        endpoint = self.settings.prod_endpoint_url if self.is_production else local_endpoint
        if endpoint is not None and "@" in endpoint:
            raise SettingsError(
                "An AWS endpoint's URL contains a user or password, which AWS does not accept",
                "Write it like http://HOST:PORT",
            )
        self._check_aws(endpoint)
        if self.is_production:
            settings = self.settings
            return AwsTarget(
                endpoint,
                settings.region,
                False,
                self._keys,
                settings.profile,
                is_profile_chosen=self._profile_source != _PROFILE,
                profile_source=self._profile_source,
            )
        region = self.settings.region or DEFAULT_LOCAL_REGION
        if endpoint is not None:
            return AwsTarget(endpoint, region, self._keys is None, self._keys, is_local=True)
        engines = endpoints(self.settings.engines_path)
        engine = engines.dynamodb_endpoint_url if is_dynamodb else engines.aws_endpoint_url
        return AwsTarget(engine, region, True, is_local=True)

    def _check_aws(self, endpoint: str | None) -> None:
        settings = self.settings
        if settings.region is not None and not _REGION.fullmatch(settings.region):
            raise SettingsError(
                f"{self._region_source} is {settings.region!r}, which is not a region",
                "Write it like us-east-1, with dashes.",
            )
        if endpoint is None or (explanation := explain_endpoint(endpoint)) is None:
            return
        variable = "AWS_ENDPOINT_URL"
        if self.is_production:
            variable = self.source_of("PROD_AWS_ENDPOINT_URL", "endpoint_url")
        elif endpoint != settings.aws_endpoint_url:
            variable = "AWS_ENDPOINT_URL_DYNAMODB"
        raise SettingsError(f"{variable} {explanation[0]}", explanation[1])

    @property
    def _region_source(self) -> str:
        if self.region:
            return "--region"
        if self.named and "region" in self.named.values:
            return self.source_of("AWS_DEFAULT_REGION", "region")
        return "AWS_DEFAULT_REGION (or AWS_REGION)"

    @property
    def _profile_source(self) -> str:
        if self.profile:
            return "--profile"
        if self.named and "profile" in self.named.values:
            return self.source_of(_PROFILE, "profile")
        return _PROFILE

    def describe_dynamodb(self, account: str | None = None) -> str:
        target = self.dynamodb
        place = target.endpoint_url or "AWS"
        details = ", ".join(filter(None, [account and f"account {account}", target.region]))
        return f"DynamoDB table {self.table_name} at {place}" + (f" ({details})" if details else "")

    def describe_postgres(self) -> str:
        return f"Postgres {self.postgres.describe()}"

    def ignored_variables(self) -> list[str]:
        """The endpoint variables that are set and that this target ignores."""
        if not self.is_production:
            return []
        endpoints_set = {
            "AWS_ENDPOINT_URL_DYNAMODB": self.settings.endpoint_url,
            "AWS_ENDPOINT_URL": self.settings.aws_endpoint_url,
        }
        if self.settings.endpoint_url == self.settings.aws_endpoint_url:
            del endpoints_set["AWS_ENDPOINT_URL_DYNAMODB"]
        return [name for name, value in endpoints_set.items() if value]


def options_of(name: str, profile: str = "", region: str = "") -> str:
    """See :attr:`Target.options`; ``name`` may be one that does not exist."""
    if name == Environment.LOCAL:
        return ""
    words = ["--prod" if name == Environment.PRODUCTION else option("--target", name)]
    words += [option("--profile", profile)] if profile else []
    words += [option("--region", region)] if region else []
    return " ".join(words)


def resolve(
    settings: Settings,
    *,
    prod: bool = False,
    name: str = "",
    profile: str = "",
    region: str = "",
) -> Target:
    """The target of this run, for both stores: ``name``, else production or the local one.

    ``profile`` and ``region`` are the AWS profile and region typed for this run, as in the AWS
    tools. Libpq's variables are for other servers: they must not change the embedded engine's
    connection.

    Raises:
        UsageError: there is no target ``name``, ``prod`` says another one, or the local target is
            given a profile or a region.
        SettingsError: ``targets.toml`` cannot be read.
    """
    name = name or (Environment.PRODUCTION if prod else Environment.LOCAL)
    if prod and name != Environment.PRODUCTION:
        raise UsageError(f"--prod and --target {name} contradict each other", "Give one of them.")
    if name == Environment.LOCAL:
        _refuse_on_local(profile, region)
        if settings.connection_url is None:
            forget_libpq_variables()
        return Target(Environment.LOCAL, settings)
    named = find_target(settings, name)
    settings = named.applied_to(settings) if named else settings
    if profile:
        settings = without_keys(replace(settings, profile=profile))
    if region:
        settings = replace(settings, region=region)
    environment = named.environment if named else Environment.PRODUCTION
    return Target(environment, settings, named, profile, region)


def _refuse_on_local(profile: str, region: str) -> None:
    if profile or region:
        raise UsageError(
            f"{'--profile' if profile else '--region'} is for AWS, and the local target uses none",
            "Add --prod or --target NAME, or leave it out.",
        )
