"""``invoke rds.update-sg-rule``."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import unguarded

from core.aws.clients import make_client
from core.aws.security_groups import SecurityGroupRule, rule
from core.targets import AwsTarget


@pytest.fixture
def aws(engines) -> AwsTarget:
    return AwsTarget(engines.aws_endpoint_url, "us-east-1", placeholder_credentials=True)


@pytest.fixture
def env(engines, aws) -> Iterator[dict[str, str]]:
    """The environment of a command with a rule that is open to 203.0.113.7."""
    client = make_client(aws, "ec2")
    group_id = client.create_security_group(GroupName=uuid.uuid4().hex, Description="db")["GroupId"]
    source = {"CidrIp": "203.0.113.7/32", "Description": "GITPOD"}
    client.authorize_security_group_ingress(
        GroupId=group_id,
        IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "IpRanges": [source]}
        ],
    )
    here = [{"Name": "group-id", "Values": [group_id]}]
    rules = client.describe_security_group_rules(Filters=here)["SecurityGroupRules"]
    (rule_id,) = [entry["SecurityGroupRuleId"] for entry in rules if not entry["IsEgress"]]
    yield {
        "AWS_ENDPOINT_URL": engines.aws_endpoint_url,
        "DB_SG_ID": group_id,
        "DB_SG_RULE_ID": rule_id,
    }
    client.delete_security_group(GroupId=group_id)
    client.close()


@pytest.fixture
def stored(aws, env) -> Any:
    def read() -> SecurityGroupRule:
        return rule(unguarded.services(aws), env["DB_SG_ID"], env["DB_SG_RULE_ID"])

    return read


def rows(stdout: str) -> list[list[str]]:
    """The cells of the lines that begin with one of our words."""
    lines = [line.split() for line in stdout.splitlines()]
    return [cells for cells in lines if cells and cells[0] in ("before", "after", "would")]


def test_the_rule_is_shown_before_and_after(run_invoke, env, stored) -> None:
    result = run_invoke("rds.update-sg-rule", "--ip", "8.8.4.4", env=env)
    assert result.returncode == 0
    rule_id = env["DB_SG_RULE_ID"]
    assert rows(result.stdout) == [
        ["before", rule_id, "tcp", "5432", "203.0.113.7/32", "GITPOD"],
        ["after", rule_id, "tcp", "5432", "8.8.4.4/32", "GITPOD"],
    ]
    assert result.stderr.startswith("target: local ")
    assert stored().source == "8.8.4.4/32"


def test_a_rule_that_is_already_right_is_reported(run_invoke, env) -> None:
    run_invoke("rds.update-sg-rule", "--ip", "8.8.4.4", env=env)
    again = run_invoke("rds.update-sg-rule", "--ip", "8.8.4.4", env=env)
    assert again.returncode == 0
    assert "The rule is already right: nothing was changed" in again.stderr


def test_a_program_gets_both_rules(run_invoke, env) -> None:
    result = run_invoke("rds.update-sg-rule", "--ip", "8.8.4.4", "--json", env=env)
    (change,) = json.loads(result.stdout)
    assert change["changed"] is True
    assert change["before"]["source"] == "203.0.113.7/32"
    assert change["after"] == change["before"] | {"source": "8.8.4.4/32"}


def test_the_address_may_come_from_the_environment(run_invoke, env, stored) -> None:
    run_invoke("rds.update-sg-rule", env=env | {"GITPOD_IP": "8.8.8.8"})
    assert stored().source == "8.8.8.8/32"


def test_the_option_wins_over_the_environment(run_invoke, env, stored) -> None:
    run_invoke("rds.update-sg-rule", "--ip", "8.8.4.4", env=env | {"GITPOD_IP": "8.8.8.8"})
    assert stored().source == "8.8.4.4/32"


def test_without_an_address_the_look_up_is_tried_and_the_option_named(run_invoke, env) -> None:
    nowhere = {"https_proxy": "http://127.0.0.1:9"}
    result = run_invoke("rds.update-sg-rule", env=env | nowhere)
    assert (result.returncode, result.stdout) == (1, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith("Could not look up this machine's public address (")
    assert line.endswith("--ip ADDRESS.")


def test_the_port_is_the_one_of_the_environment(run_invoke, env, stored) -> None:
    run_invoke("rds.update-sg-rule", "--ip", "8.8.4.4", env=env | {"POSTGRES_PORT": "6543"})
    assert (stored().from_port, stored().to_port) == (6543, 6543)


def test_a_dry_run_prints_the_request_and_changes_nothing(run_invoke, env, stored) -> None:
    before = stored()
    result = run_invoke("--dry", "rds.update-sg-rule", "--ip", "8.8.4.4", env=env)
    assert result.returncode == 0
    assert result.stdout.startswith("would send ec2 ModifySecurityGroupRules ")
    assert "8.8.4.4/32" in result.stdout
    cells_shown = [cells[:2] for cells in rows(result.stdout)]
    assert cells_shown[1:] == [["before", env["DB_SG_RULE_ID"]], ["would", "be"]]
    assert stored() == before


def test_without_both_ids_there_is_nothing_to_do(run_invoke) -> None:
    result = run_invoke("rds.update-sg-rule")
    assert (result.returncode, result.stdout) == (0, "")
    assert "DB_SG_ID and DB_SG_RULE_ID are not set" in result.stderr


@pytest.mark.parametrize(
    ("present", "missing"), [("DB_SG_ID", "DB_SG_RULE_ID"), ("DB_SG_RULE_ID", "DB_SG_ID")]
)
def test_one_id_without_the_other_is_refused(run_invoke, present: str, missing: str) -> None:
    result = run_invoke("rds.update-sg-rule", env={present: "sg-1"})
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == f"{present} is set and {missing} is not. Set both or neither.\n"


@pytest.mark.parametrize(
    ("options", "variables", "complaint"),
    [
        (["--ip", "10.0.0.1"], {}, "10.0.0.1 is not a public address"),
        (["--ip", "8.8.4.4/24"], {}, "'8.8.4.4/24' is not an IPv4 address"),
        (["--ip", "::1"], {}, "'::1' is not an IPv4 address"),
        ([], {"GITPOD_IP": "192.168.1.1"}, "GITPOD_IP: 192.168.1.1 is not a public address"),
        (["--ip", "8.8.4.4"], {"POSTGRES_PORT": "tcp://10.0.0.2:5432"}, "POSTGRES_PORT is"),
        (["--ip", "8.8.4.4"], {"DB_SG_RULE_ID": "sgr-0123456789abcdef0"}, "There is no security"),
        (["--ip", "8.8.4.4"], {"DB_SG_ID": "sg-0123456789abcdef0"}, "belongs to security group"),
    ],
)
def test_an_invalid_value_is_one_line_and_changes_nothing(
    run_invoke, env, stored, options, variables, complaint
) -> None:
    before = stored()
    result = run_invoke("rds.update-sg-rule", *options, env=env | variables)
    assert (result.returncode, result.stdout) == (1, "")
    assert complaint in result.stderr.splitlines()[-1]
    assert stored() == before
