"""Cognito, EC2 and STS against the embedded engine; the address look-up against real HTTP."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import unguarded

from core.aws.clients import make_client
from core.aws.cognito import list_users
from core.aws.identity import account_id
from core.aws.public_ip import public_ipv4
from core.aws.security_groups import point_rule_at, rule
from core.aws.services import AwsServices
from core.errors import SettingsError, UnreachableError


@pytest.fixture
def rule_ids(aws_target) -> Iterator[tuple[str, str]]:
    """A new security group and its one inbound rule, open to 203.0.113.7."""
    client = make_client(aws_target, "ec2")
    group_id = client.create_security_group(GroupName=uuid.uuid4().hex, Description="db")["GroupId"]
    source = {"CidrIp": "203.0.113.7/32", "Description": "GITPOD"}
    client.authorize_security_group_ingress(
        GroupId=group_id,
        IpPermissions=[{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [source]}],
    )
    here = [{"Name": "group-id", "Values": [group_id]}]
    rules = client.describe_security_group_rules(Filters=here)["SecurityGroupRules"]
    (rule_id,) = [entry["SecurityGroupRuleId"] for entry in rules if not entry["IsEgress"]]
    yield group_id, rule_id
    client.delete_security_group(GroupId=group_id)
    client.close()


def test_the_engine_has_an_account(aws_target) -> None:
    assert account_id(aws_target).isdigit()


def test_a_call_to_this_machine_goes_through_no_proxy(aws_target, monkeypatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert account_id(aws_target).isdigit()


@pytest.fixture
def services(aws_target) -> AwsServices:
    return unguarded.services(aws_target)


def test_more_users_than_fit_a_page_are_all_listed_once(services, cognito, pool_id) -> None:
    for number in range(130):
        attributes = [{"Name": "email", "Value": f"u{number}@example.com"}]
        if number % 10:
            attributes.append({"Name": "preferred_username", "Value": f"user{number}"})
        cognito.admin_create_user(
            UserPoolId=pool_id,
            Username=f"u{number}",
            UserAttributes=attributes,
            MessageAction="SUPPRESS",
        )
    users = list(list_users(services, pool_id))
    assert {user.username for user in users} == {f"u{number}" for number in range(130)}
    assert len({user.sub for user in users}) == len(users) == 130
    assert sum(user.handle is None for user in users) == 13
    assert {user.status for user in users} == {"FORCE_CHANGE_PASSWORD"}


def test_a_pool_without_users_is_an_empty_list(services, pool_id) -> None:
    assert list(list_users(services, pool_id)) == []


def test_a_pool_that_does_not_exist_names_the_variable(services) -> None:
    with pytest.raises(SettingsError, match="AWS_COGNITO_USER_POOL_ID"):
        list(list_users(services, "us-east-1_nowhere"))


def test_a_rule_is_pointed_at_an_address_and_then_left_alone(services, rule_ids) -> None:
    first = point_rule_at(services, *rule_ids, "8.8.4.4", 5432)
    assert (first.before.source, first.before.from_port) == ("203.0.113.7/32", 22)
    now = rule(services, *rule_ids)
    assert now == first.after
    assert (now.protocol, now.from_port, now.to_port, now.source, now.description) == (
        "tcp",
        5432,
        5432,
        "8.8.4.4/32",
        "GITPOD",
    )
    assert not point_rule_at(services, *rule_ids, "8.8.4.4", 5432).changed


def test_a_dry_run_changes_no_rule(services, rule_ids) -> None:
    before, lines = rule(services, *rule_ids), []
    point_rule_at(replace(services, dry=lines.append), *rule_ids, "8.8.4.4", 5432)
    assert rule(services, *rule_ids) == before
    assert len(lines) == 1


def test_a_missing_rule_names_the_variable(services, rule_ids) -> None:
    with pytest.raises(SettingsError, match="DB_SG_RULE_ID"):
        point_rule_at(services, rule_ids[0], "sgr-0123456789abcdef0", "8.8.4.4", 5432)


class _WebServer(HTTPServer):
    """Gives each request the next of ``replies`` and keeps what was asked for."""

    replies: list[tuple[int, bytes]]
    asked: list[str]


class _Handler(BaseHTTPRequestHandler):
    server: _WebServer

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        status, body = self.server.replies.pop(0)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def web(monkeypatch) -> Iterator[_WebServer]:
    for name in ("http_proxy", "HTTP_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with _WebServer(("127.0.0.1", 0), _Handler) as server:
        server.asked = []
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_the_address_is_the_one_that_a_web_service_sees(web) -> None:
    web.replies = [(503, b"busy"), (200, b"8.8.4.4\n")]
    url = f"http://127.0.0.1:{web.server_port}"
    assert public_ipv4([f"{url}/first", f"{url}/second"]) == "8.8.4.4"
    assert web.asked == ["/first", "/second"]


def test_the_look_up_goes_through_the_proxy_of_the_environment(web, monkeypatch) -> None:
    web.replies = [(200, b"8.8.4.4")]
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{web.server_port}")
    assert public_ipv4(["http://ip.example.com/"]) == "8.8.4.4"
    assert web.asked == ["http://ip.example.com/"]


def test_without_any_service_one_line_names_the_option() -> None:
    with pytest.raises(UnreachableError, match=r"Connection refused.*--ip ADDRESS"):
        public_ipv4(["http://127.0.0.1:9/"])
