"""The AWS checks: the credentials, and whether RDS lets this machine in."""

from __future__ import annotations

from collections.abc import Iterator

from core.commands import Command
from core.doctor.findings import Finding, bad, note, ok
from core.errors import CredentialsError, StoreError
from core.targets import Target

LOOK_UP_TIMEOUT_S = 2.0


def credentials(target: Target) -> Iterator[Finding]:
    """The account whose credentials sign the target's requests, if any."""
    from core.aws import caller

    if not target.is_production:
        yield _local_credentials(target)
        return
    aws_target = target.aws
    try:
        identity = caller(aws_target, quick=True)
    except CredentialsError:
        raise
    except StoreError as error:
        if aws_target.endpoint_url is None:
            raise
        # A VPC endpoint answers for one service only.
        yield note("credentials", f"Unknown: {error.problem}")
        return
    yield ok(
        "credentials", f"Account {identity.account} as {identity.arn}, region {identity.region}"
    )


def _local_credentials(target: Target) -> Finding:
    if target.settings.endpoint_url is None:
        return ok("credentials", "Placeholder keys for the embedded engine: no account is needed")
    dynamodb_target = target.dynamodb
    keys = "the keys of AWS_ACCESS_KEY_ID" if dynamodb_target.keys else "placeholder keys"
    return ok(
        "credentials", f"{keys} for {dynamodb_target.endpoint_url}, region {dynamodb_target.region}"
    )


def security_group_rule(target: Target) -> Iterator[Finding]:
    """Whether the rule of ``rds.update-sg-rule`` lets this machine's address in."""
    from core.aws import AwsServices, machine_ipv4, port_number, rule, rule_ids
    from core.errors import UnreachableError

    check = "security group rule"
    ids = rule_ids(target)
    if ids is None:
        names = " and ".join(target.sources_of_rule)
        yield ok(check, f"{names} are not set: there is no rule to check")
        return
    port = port_number(target.settings.postgres_port)
    stored_rule = rule(AwsServices(target.aws), *ids, quick=True)
    source = stored_rule.source or "no address"
    summary = f"{stored_rule.rule_id} lets {source} in to port {stored_rule.from_port}"
    try:
        ip = machine_ipv4(target.settings, LOOK_UP_TIMEOUT_S)
    except UnreachableError as error:
        yield note(check, f"{summary}; {error.problem}", "Set GITPOD_IP to this machine's address.")
        return
    if stored_rule.lets_in(ip, port):
        yield ok(check, f"{summary}, including this machine, {ip}")
    else:
        yield bad(
            check,
            f"{summary}, but not this machine, {ip}, to port {port}",
            "Run",
            Command("rds.update-sg-rule"),
        )
