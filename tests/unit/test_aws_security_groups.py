"""The rule in front of RDS: read, changed to one address, and not changed if it is right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.stub import ANY, Stubber
from moto import mock_aws

from core.aws import services
from core.aws.clients import make_client
from core.aws.security_groups import (
    DEFAULT_DESCRIPTION,
    SecurityGroupRule,
    point_rule_at,
    port_number,
    rule,
)
from core.aws.services import AwsServices
from core.errors import InputError, SettingsError, StoreError
from core.purposes import Purpose
from core.targets import AwsTarget

TARGET = AwsTarget(None, "us-east-1", placeholder_credentials=True)
AWS = AwsServices(TARGET, Purpose.MAKING)
GROUP, RULE = "sg-1", "sgr-1"


@pytest.fixture
def ec2() -> Iterator[Any]:
    with mock_aws():
        yield make_client(TARGET, "ec2")


def new_rule(ec2: Any, **permission: Any) -> SecurityGroupRule:
    """A rule of a new group, open to 203.0.113.7 unless ``permission`` says otherwise."""
    source = {"CidrIp": "203.0.113.7/32", "Description": "GITPOD"}
    expected = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "IpRanges": [source]}
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    group = ec2.create_security_group(GroupName="rds", Description="db", VpcId=vpc)["GroupId"]
    reply = ec2.authorize_security_group_ingress(
        GroupId=group, IpPermissions=[expected | permission]
    )
    return rule(AWS, group, reply["SecurityGroupRules"][0]["SecurityGroupRuleId"])


def test_a_rule_is_read_with_every_field(ec2) -> None:
    rule = new_rule(ec2)
    assert rule == SecurityGroupRule(
        rule.group_id, rule.rule_id, "tcp", 5432, 5432, "203.0.113.7/32", "GITPOD"
    )


def test_the_rule_lets_one_address_through_to_one_port(ec2) -> None:
    before = new_rule(ec2, FromPort=0, ToPort=65535, IpRanges=[{"CidrIp": "0.0.0.0/0"}])
    change = point_rule_at(AWS, before.group_id, before.rule_id, "8.8.4.4", 5433)
    assert change.before == before
    assert change.changed
    after = rule(AWS, before.group_id, before.rule_id)
    assert after == change.after
    assert (after.protocol, after.from_port, after.to_port) == ("tcp", 5433, 5433)
    assert after.source == "8.8.4.4/32"


def test_a_description_is_kept(ec2) -> None:
    before = new_rule(ec2)
    point_rule_at(AWS, before.group_id, before.rule_id, "8.8.4.4", 5432)
    assert rule(AWS, before.group_id, before.rule_id).description == "GITPOD"


def test_a_rule_without_a_description_gets_one(ec2) -> None:
    before = new_rule(ec2, IpRanges=[{"CidrIp": "8.8.8.8/32"}])
    point_rule_at(AWS, before.group_id, before.rule_id, "8.8.4.4", 5432)
    assert rule(AWS, before.group_id, before.rule_id).description == DEFAULT_DESCRIPTION


def test_a_dry_run_prints_the_change_and_makes_none(ec2) -> None:
    before, lines = new_rule(ec2), []
    dry = replace(AWS, dry=lines.append)
    change = point_rule_at(dry, before.group_id, before.rule_id, "8.8.4.4", 5432)
    assert change.after.source == "8.8.4.4/32"
    assert rule(AWS, before.group_id, before.rule_id) == before
    (line,) = lines
    assert line.startswith("would send ec2 ModifySecurityGroupRules ")
    assert "8.8.4.4/32" in line


@pytest.mark.parametrize(
    "ip",
    [
        "127.0.0.1",
        "10.1.2.3",
        "100.64.0.1",
        "169.254.1.1",
        "192.168.0.1",
        "203.0.113.7",
        "224.0.1.1",
        "255.255.255.255",
        "2001:4860:4860::8888",
        "8.8.4.4/32",
        "8.8.4",
        "08.8.4.4",
        "localhost",
        "",
    ],
)
def test_only_a_public_ipv4_address_is_accepted(ip: str) -> None:
    with pytest.raises(InputError):
        point_rule_at(AWS, GROUP, RULE, ip, 5432)  # nothing answers here: it is refused before


@pytest.fixture
def stub(monkeypatch) -> Iterator[Stubber]:
    """Answers for EC2, in the order in which they are added; any other request fails."""
    client = make_client(TARGET, "ec2")
    monkeypatch.setattr(services, "make_client", lambda target, service, **_: client)
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def answer_rule(stub: Stubber, **more: Any) -> None:
    rule = {
        "SecurityGroupRuleId": RULE,
        "GroupId": GROUP,
        "IsEgress": False,
        "IpProtocol": "tcp",
        "FromPort": 5432,
        "ToPort": 5432,
        "CidrIpv4": "8.8.4.4/32",
        "Description": "whatever",
    }
    stub.add_response(
        "describe_security_group_rules",
        {"SecurityGroupRules": [rule | more]},
        {"SecurityGroupRuleIds": [RULE]},
    )


def test_a_rule_that_is_already_right_is_not_sent(stub) -> None:
    answer_rule(stub)
    change = point_rule_at(AWS, GROUP, RULE, " 8.8.4.4 ", 5432)
    assert not change.changed
    assert change.after == change.before


@pytest.mark.parametrize(
    "difference",
    [
        {"IpProtocol": "-1"},
        {"FromPort": 0},
        {"ToPort": 5433},
        {"CidrIpv4": "8.8.4.0/24"},
        {"CidrIpv4": "8.8.8.8/32"},
    ],
)
def test_a_rule_that_differs_is_sent_completely(stub, difference) -> None:
    answer_rule(stub, **difference)
    expected = {
        "IpProtocol": "tcp",
        "FromPort": 5432,
        "ToPort": 5432,
        "CidrIpv4": "8.8.4.4/32",
        "Description": "whatever",
    }
    update = {"SecurityGroupRuleId": RULE, "SecurityGroupRule": expected}
    stub.add_response(
        "modify_security_group_rules",
        {"Return": True},
        {"GroupId": GROUP, "SecurityGroupRules": [update]},
    )
    assert point_rule_at(AWS, GROUP, RULE, "8.8.4.4", 5432).changed


def test_a_change_that_aws_does_not_confirm_is_an_error(stub) -> None:
    answer_rule(stub, ToPort=5433)
    parameters = {"GroupId": ANY, "SecurityGroupRules": ANY}
    stub.add_response("modify_security_group_rules", {"Return": False}, parameters)
    with pytest.raises(StoreError, match="did not change rule sgr-1"):
        point_rule_at(AWS, GROUP, RULE, "8.8.4.4", 5432)


def test_a_rule_of_another_group_names_both_variables(stub) -> None:
    answer_rule(stub, GroupId="sg-2")
    with pytest.raises(SettingsError, match=r"sg-2, not sg-1.*DB_SG_ID and DB_SG_RULE_ID"):
        point_rule_at(AWS, GROUP, RULE, "8.8.4.4", 5432)


def test_an_outbound_rule_is_refused(stub) -> None:
    answer_rule(stub, IsEgress=True)
    with pytest.raises(SettingsError, match=r"outbound.*DB_SG_RULE_ID"):
        point_rule_at(AWS, GROUP, RULE, "8.8.4.4", 5432)


@pytest.mark.parametrize("code", ["NotFound", "Malformed"])
def test_a_missing_rule_names_the_variable(stub, code) -> None:
    stub.add_client_error("describe_security_group_rules", f"InvalidSecurityGroupRuleId.{code}")
    with pytest.raises(SettingsError, match=r"sgr-1 at AWS us-east-1.*DB_SG_RULE_ID"):
        rule(AWS, GROUP, RULE)


def test_an_engine_that_finds_no_rule_and_says_nothing_names_the_variable(stub) -> None:
    stub.add_response("describe_security_group_rules", {"SecurityGroupRules": []})
    engine = replace(AWS, target=replace(TARGET, endpoint_url="http://127.0.0.1:4566"))
    with pytest.raises(SettingsError, match=r"DB_SG_RULE_ID\. For a rule in AWS, add --prod"):
        rule(engine, GROUP, RULE)


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ({"CidrIpv6": "2001:db8::/32"}, "2001:db8::/32"),
        ({"PrefixListId": "pl-1"}, "pl-1"),
        ({"ReferencedGroupInfo": {"GroupId": "sg-9"}}, "sg-9"),
    ],
)
def test_a_rule_may_have_another_kind_of_source(stub, source, shown) -> None:
    answer_rule(stub, CidrIpv4="", **source)
    assert rule(AWS, GROUP, RULE).source == shown


@pytest.mark.parametrize("text", ["1", "5432", "65535"])
def test_a_port_is_a_number(text: str) -> None:
    assert port_number(text) == int(text)


@pytest.mark.parametrize(
    "text", ["0", "65536", "-1", "5432.0", "٥", "", "tcp://10.0.0.2:5432", "9" * 5000]
)
def test_an_invalid_port_names_the_variable(text: str) -> None:
    with pytest.raises(SettingsError, match="POSTGRES_PORT"):
        port_number(text)
