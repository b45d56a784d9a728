"""The look at AWS: whose credentials, and does RDS let this machine in?"""

from __future__ import annotations

from collections.abc import Iterator

from core.commands import Command
from core.doctor.findings import Finding, bad, note, ok
from core.errors import CredentialsError, StoreError
from core.targets import Target

LOOK_UP_TIMEOUT_S = 2.0


def credentials(target: Target) -> Iterator[Finding]:
    """Whose account the target's requests are signed for, if they are signed for any."""
    from core.aws import caller

    if not target.is_production:
        yield _local_credentials(target)
        return
    where = target.aws
    try:
        found = caller(where, quick=True)
    except CredentialsError:
        raise
    except StoreError as error:
        if where.endpoint_url is None:
            raise
        # The VPC endpoint of one service does not answer for another.
        yield note("credentials", f"unknown: {error.problem}")
        return
    yield ok("credentials", f"account {found.account} as {found.arn}, region {found.region}")


def _local_credentials(target: Target) -> Finding:
    if target.settings.endpoint_url is None:
        return ok("credentials", "placeholder keys for the embedded engine: no account is needed")
    where = target.dynamodb
    keys = "the keys of AWS_ACCESS_KEY_ID" if where.keys else "placeholder keys"
    return ok("credentials", f"{keys} for {where.endpoint_url}, region {where.region}")


def security_group_rule(target: Target) -> Iterator[Finding]:
    """Whether the rule of ``rds.update-sg-rule`` holds this machine's address."""
    from core.aws import AwsServices, machine_ipv4, port_number, rule, rule_ids
    from core.errors import UnreachableError

    check = "security group rule"
    ids = rule_ids(target.settings)
    if ids is None:
        yield ok(check, "DB_SG_ID and DB_SG_RULE_ID are not set: none to look at")
        return
    port = port_number(target.settings.postgres_port)
    found = rule(AwsServices(target.aws), *ids, quick=True)
    told = f"{found.rule_id} lets {found.source or 'nobody'} in to port {found.from_port}"
    try:
        ip = machine_ipv4(target.settings, LOOK_UP_TIMEOUT_S)
    except UnreachableError as error:
        yield note(check, f"{told}; {error.problem}", "Set GITPOD_IP to this machine's address.")
        return
    if found.lets_in(ip, port):
        yield ok(check, f"{told}: this machine, {ip}, too")
    else:
        yield bad(
            check,
            f"{told}, and not {ip}, this machine, to {port}",
            "Run",
            Command("rds.update-sg-rule"),
        )
