"""The security group rule that lets this machine reach the RDS database."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import ClientError

from core.aws.errors import place, translating
from core.aws.public_ip import global_ipv4
from core.aws.services import AwsServices
from core.errors import SettingsError, StoreError
from core.targets import AwsTarget, Target

_RULE = "DB_SG_RULE_ID, or security_group_rule_id in targets.toml"
DEFAULT_DESCRIPTION = "Cruddur operator"


@dataclass(frozen=True, slots=True)
class SecurityGroupRule:
    """An inbound rule. ``source`` is a CIDR block, or the id of a group or prefix list."""

    group_id: str
    rule_id: str
    protocol: str
    from_port: int
    to_port: int
    source: str
    description: str

    def lets_in(self, ip: str, port: int) -> bool:
        """Whether a TCP connection from the IPv4 address ``ip`` to ``port`` passes."""
        if self.protocol not in ("tcp", "-1"):
            return False
        if self.protocol == "tcp" and not self.from_port <= port <= self.to_port:
            return False
        try:
            return ipaddress.ip_address(ip) in ipaddress.ip_network(self.source)
        except ValueError:  # another group, or a prefix list
            return False


@dataclass(frozen=True, slots=True)
class RuleChange:
    """The rule before and after the change."""

    before: SecurityGroupRule
    after: SecurityGroupRule

    @property
    def changed(self) -> bool:
        return self.before != self.after


def rule_ids(target: Target) -> tuple[str, str] | None:
    """The ids of the security group and of its rule, or None where neither is set.

    Raises:
        SettingsError: only one of them is set.
    """
    group_id = target.settings.security_group_id
    rule_id = target.settings.security_group_rule_id
    if group_id and rule_id:
        return group_id, rule_id
    if group_id or rule_id:
        present, missing = target.sources_of_rule
        if rule_id:
            present, missing = missing, present
        raise SettingsError(f"{present} is set and {missing} is not", "Set both or neither.")
    return None


def rule(
    services: AwsServices, group_id: str, rule_id: str, *, quick: bool = False
) -> SecurityGroupRule:
    """The rule as the target has it. ``quick``: see ``make_client``.

    Raises:
        SettingsError: there is no such inbound rule in that group.
    """
    with closing(services.client("ec2", quick=quick)) as client:
        return _read(client, services.target, group_id, rule_id)


def plan_rule(services: AwsServices, group_id: str, rule_id: str, ip: str, port: int) -> RuleChange:
    """The change that :func:`point_rule_at` would make. Changes nothing.

    Raises:
        InputError: ``ip`` is not one public IPv4 address.
        SettingsError: there is no such inbound rule in that group.
    """
    source = f"{global_ipv4(ip)}/32"
    before = rule(services, group_id, rule_id)
    after = replace(before, protocol="tcp", from_port=port, to_port=port, source=source)
    if after == before:
        return RuleChange(before, after)
    # AWS replaces the whole rule: what is not repeated here is lost.
    return RuleChange(before, replace(after, description=before.description or DEFAULT_DESCRIPTION))


def point_rule_at(
    services: AwsServices, group_id: str, rule_id: str, ip: str, port: int
) -> RuleChange:
    """The change made so that the rule lets only ``ip`` in, only to ``port``.

    The rule keeps its description. If it is right already, nothing is sent.

    Raises:
        InputError: ``ip`` is not one public IPv4 address.
        SettingsError: there is no such inbound rule in that group.
    """
    change = plan_rule(services, group_id, rule_id, ip, port)
    after = change.after
    if not change.changed:
        return change
    target = services.target
    client = services.client("ec2")
    wanted = {
        "IpProtocol": after.protocol,
        "FromPort": after.from_port,
        "ToPort": after.to_port,
        "CidrIpv4": after.source,
        "Description": after.description,
    }
    with translating("ec2", target):
        reply = client.modify_security_group_rules(
            GroupId=group_id,
            SecurityGroupRules=[{"SecurityGroupRuleId": rule_id, "SecurityGroupRule": wanted}],
        )
    if not services.is_dry and not reply.get("Return"):
        raise StoreError(f"EC2 did not change rule {rule_id}", "Check it in the AWS console.")
    return change


def port_number(text: str) -> int:
    """The port that ``POSTGRES_PORT`` names.

    Raises:
        SettingsError: it is not a port. Container links set this variable to a URL.
    """
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= 65_535):
        raise SettingsError(
            f"POSTGRES_PORT is {text!r}, which is not a port", "Set it to a number like 5432."
        )
    return int(text)


def _read(client: Any, target: AwsTarget, group_id: str, rule_id: str) -> SecurityGroupRule:
    with translating("ec2", target):
        try:
            reply = client.describe_security_group_rules(SecurityGroupRuleIds=[rule_id])
        except ClientError as error:
            if error.response["Error"]["Code"].startswith("InvalidSecurityGroupRuleId"):
                raise _no_rule(target, rule_id) from error
            raise
    rules = reply["SecurityGroupRules"]
    if not rules:
        raise _no_rule(target, rule_id)
    if rules[0]["GroupId"] != group_id:
        raise SettingsError(
            f"Rule {rule_id} belongs to security group {rules[0]['GroupId']}, not {group_id}",
            "Check DB_SG_ID and DB_SG_RULE_ID, or the section in targets.toml.",
        )
    if rules[0].get("IsEgress"):
        raise SettingsError(
            f"Rule {rule_id} is an outbound rule", f"Name an inbound one in {_RULE}."
        )
    return _rule(rules[0])


def _rule(stored: Mapping[str, Any]) -> SecurityGroupRule:
    sources = (
        stored.get("CidrIpv4"),
        stored.get("CidrIpv6"),
        stored.get("PrefixListId"),
        stored.get("ReferencedGroupInfo", {}).get("GroupId"),
    )
    return SecurityGroupRule(
        group_id=stored["GroupId"],
        rule_id=stored["SecurityGroupRuleId"],
        protocol=stored["IpProtocol"],
        from_port=stored.get("FromPort", -1),
        to_port=stored.get("ToPort", -1),
        source=next(filter(None, sources), ""),
        description=stored.get("Description", ""),
    )


def _no_rule(target: AwsTarget, rule_id: str) -> SettingsError:
    hint = f"Check {_RULE}, and the region."
    if target.endpoint_url is not None:
        hint = "Check DB_SG_RULE_ID. For a rule in AWS, add --prod."
    return SettingsError(f"There is no security group rule {rule_id} at {place(target)}", hint)
