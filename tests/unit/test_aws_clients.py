"""Every way an AWS call can fail ends as one clear line, and a dry run sends no change."""

from __future__ import annotations

import functools
import io
import json
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import botocore.exceptions as sdk
import botocore.session
import pytest
from botocore.awsrequest import AWSResponse

from core.aws.clients import _session, is_loopback, make_client, translating
from core.dynamodb.transfer import imports
from core.errors import (
    CoreError,
    CredentialsError,
    DynamoDBError,
    MissingSchemaError,
    SettingsError,
    StoreError,
    UnreachableError,
)
from core.settings import Settings
from core.targets import AwsTarget, resolve

LOCAL = AwsTarget("http://127.0.0.1:4566", "us-east-1", placeholder_credentials=True)
AWS = AwsTarget(None, "us-east-1", placeholder_credentials=True)
OWN_CREDENTIALS = AwsTarget(None, "us-east-1", placeholder_credentials=False)

HTML = b"<!DOCTYPE html>\n<html><body>It works!</body></html>"
Reply = tuple[int, bytes]

_AWS_VARIABLES = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
)


class _Raw(io.BytesIO):
    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self.getvalue()


@pytest.fixture(scope="module", autouse=True)
def _no_configuration_but_ours(tmp_path_factory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("aws")
    with pytest.MonkeyPatch.context() as patch:
        for name in _AWS_VARIABLES:
            patch.delenv(name, raising=False)
        patch.setenv("AWS_CONFIG_FILE", str(folder / "config"))
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(folder / "credentials"))
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setattr("core.aws.clients._session", functools.cache(_session.__wrapped__))
        patch.setattr("botocore.endpoint.time.sleep", lambda seconds: None)
        yield


@pytest.fixture
def new_session(monkeypatch) -> None:
    """A session of the test's own: the shared one remembers what it read."""
    monkeypatch.setattr("core.aws.clients._session", _session.__wrapped__)


def answer(client: Any, *replies: Reply | Exception) -> list[Any]:
    """Let ``client`` get ``replies`` in turn, the last one repeatedly; returns what it sends."""
    sent: list[Any] = []

    def reply(request: Any, **_: Any) -> AWSResponse:
        sent.append(request)
        chosen = replies[min(len(sent), len(replies)) - 1]
        if isinstance(chosen, Exception):
            raise chosen
        status, body = chosen
        return AWSResponse(request.url, status, {}, _Raw(body))

    client.meta.events.register_first("before-send", reply)
    return sent


def failure(
    service: str, call: Callable[[Any], Any], *replies: Reply | Exception, target: AwsTarget = LOCAL
) -> CoreError:
    """What ``call`` raises when it gets ``replies``."""
    client = make_client(target, service)
    answer(client, *replies)
    with pytest.raises(CoreError) as raised, translating(service, target):
        call(client)
    assert "\n" not in str(raised.value)
    assert raised.value.__cause__ is not None or "The server at" in raised.value.problem
    return raised.value


def list_tables(client: Any) -> Any:
    return client.list_tables()


def describe_rules(client: Any) -> Any:
    return client.describe_security_group_rules()


def list_users(client: Any) -> Any:
    return client.list_users(UserPoolId="us-east-1_abc")


def whoami(client: Any) -> Any:
    return client.get_caller_identity()


CALLS = [("dynamodb", list_tables), ("ec2", describe_rules), ("sts", whoami)]


def json_error(code: str, message: str = "no") -> Reply:
    return 400, json.dumps({"__type": f"com.amazonaws#{code}", "message": message}).encode()


def query_error(code: str, message: str = "no") -> Reply:
    body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return 400, f"<Response><Errors>{body}</Errors></Response>".encode()


@pytest.mark.parametrize(("service", "call"), CALLS)
@pytest.mark.parametrize(
    "cause",
    [
        sdk.EndpointConnectionError(endpoint_url="http://127.0.0.1:4566"),
        sdk.ConnectTimeoutError(endpoint_url="http://127.0.0.1:4566"),
        sdk.ReadTimeoutError(endpoint_url="http://127.0.0.1:4566"),
        sdk.ConnectionClosedError(endpoint_url="http://127.0.0.1:4566"),
    ],
    ids=lambda cause: type(cause).__name__,
)
def test_silence_names_the_endpoint_and_how_to_start_it(service, call, cause) -> None:
    error = failure(service, call, cause)
    assert isinstance(error, UnreachableError)
    assert str(error).startswith(f"{service} does not answer at http://127.0.0.1:4566. ")
    assert "invoke up" in str(error)


def test_silence_of_aws_names_the_region() -> None:
    cause = sdk.EndpointConnectionError(endpoint_url="https://dynamodb.nowhere-1.amazonaws.com")
    nowhere = AwsTarget(None, "nowhere-1", placeholder_credentials=True)
    error = failure("dynamodb", list_tables, cause, target=nowhere)
    assert error.problem == "dynamodb does not answer at AWS nowhere-1"
    assert "region" in error.hint


def test_an_untrusted_certificate_is_reported() -> None:
    cause = sdk.SSLError(endpoint_url="https://h", error="CERTIFICATE_VERIFY_FAILED")
    error = failure("dynamodb", list_tables, cause)
    assert isinstance(error, UnreachableError)
    assert "CERTIFICATE_VERIFY_FAILED" in error.problem


def test_a_proxy_that_does_not_answer_is_reported() -> None:
    cause = sdk.ProxyConnectionError(proxy_url="http://proxy:3128")
    error = failure("dynamodb", list_tables, cause, target=AWS)
    assert isinstance(error, UnreachableError)
    assert "http://proxy:3128" in error.problem


@pytest.mark.parametrize(("service", "call"), CALLS)
@pytest.mark.parametrize("status", [200, 302, 404])
@pytest.mark.parametrize("body", [HTML, b"hello", b"[1]", b"null", b"\xff\xfe", b""])
def test_a_server_that_is_not_aws_is_recognised(service, call, status, body) -> None:
    error = failure(service, call, (status, body))
    assert isinstance(error, StoreError)
    assert error.problem == f"The server at http://127.0.0.1:4566 is not {service}"


def test_a_client_keeps_a_connection_for_each_thread_of_an_import() -> None:
    kept = make_client(LOCAL, "dynamodb").meta.config.max_pool_connections
    assert kept >= imports._WRITERS + imports._BATCHES


@pytest.mark.parametrize("body", [b"{}", b'{"status": "ok"}', b'{"Items": [{"pk'])
def test_wrong_or_incomplete_json_is_not_an_empty_answer(body) -> None:
    client = make_client(LOCAL, "dynamodb")
    answer(client, (200, body))
    for read in ("scan", "describe_table"):
        with pytest.raises(StoreError, match="is not dynamodb"), translating("dynamodb", LOCAL):
            getattr(client, read)(TableName="t")


@pytest.mark.parametrize(("service", "call"), CALLS[1:])
def test_wrong_xml_is_not_an_empty_answer(service, call) -> None:
    error = failure(service, call, (200, b"<status><ok/></status>"))
    assert error.problem == f"The server at http://127.0.0.1:4566 is not {service}"


def test_a_missing_item_is_an_empty_answer() -> None:
    client = make_client(LOCAL, "dynamodb")
    answer(client, (200, b"{}"))
    assert "Item" not in client.get_item(TableName="t", Key={"pk": {"S": "x"}})


@pytest.mark.parametrize(("service", "call"), CALLS)
def test_a_server_error_in_html_is_retried_before_it_is_reported(service, call) -> None:
    client = make_client(LOCAL, service)
    sent = answer(client, (503, HTML))
    with pytest.raises(StoreError, match="503"), translating(service, LOCAL):
        call(client)
    assert len(sent) == 4


@pytest.mark.parametrize(("service", "call"), CALLS[1:])
def test_a_server_error_that_is_not_xml_is_one_line(service, call) -> None:
    assert isinstance(failure(service, call, (500, b"hello")), StoreError)


@pytest.mark.parametrize(
    ("service", "call", "reply"),
    [
        ("dynamodb", list_tables, json_error("ThrottlingException", "slow down")),
        ("dynamodb", list_tables, json_error("ProvisionedThroughputExceededException")),
        ("cognito-idp", list_users, json_error("TooManyRequestsException")),
        ("ec2", describe_rules, query_error("RequestLimitExceeded")),
    ],
)
def test_throttling_is_tried_four_times_and_then_reported(service, call, reply) -> None:
    client = make_client(LOCAL, service)
    sent = answer(client, reply)
    with pytest.raises(StoreError, match="Wait a little"), translating(service, LOCAL):
        call(client)
    assert len(sent) == 4


@pytest.mark.parametrize(
    ("service", "call", "reply"),
    [
        ("dynamodb", list_tables, json_error("UnrecognizedClientException")),
        ("dynamodb", list_tables, json_error("AccessDeniedException", "not authorized")),
        ("ec2", describe_rules, query_error("AuthFailure")),
        ("ec2", describe_rules, query_error("UnauthorizedOperation")),
        ("ec2", describe_rules, query_error("SignatureDoesNotMatch")),
        (
            "sts",
            whoami,
            (
                403,
                b"<ErrorResponse><Error><Code>InvalidClientTokenId</Code></Error></ErrorResponse>",
            ),
        ),
    ],
)
def test_refused_credentials_are_reported_as_refused(service, call, reply) -> None:
    error = failure(service, call, reply)
    assert isinstance(error, CredentialsError)
    assert "aws sts get-caller-identity" in error.hint


def test_a_quick_client_tries_once() -> None:
    client = make_client(LOCAL, "dynamodb", quick=True)
    sent = answer(client, (500, b"{}"))
    with pytest.raises(StoreError), translating("dynamodb", LOCAL):
        list_tables(client)
    assert len(sent) == 1


def test_clients_are_made_one_at_a_time(monkeypatch) -> None:
    """The SDK's session breaks when two threads ask it for a client at once."""
    at_work, most = 0, 0

    class Session:
        def create_client(self, *args: Any, **options: Any) -> Any:
            nonlocal at_work, most
            at_work += 1
            most = max(most, at_work)
            threading.Event().wait(0.02)
            at_work -= 1
            return botocore.session.Session().create_client(*args, **options)

    monkeypatch.setattr("core.aws.clients._session", lambda *_: Session())
    with ThreadPoolExecutor(4) as pool:
        for client in pool.map(lambda _: make_client(LOCAL, "sts"), range(4)):
            client.close()
    assert most == 1


def event_sources(client: Any) -> Any:
    return client.list_event_source_mappings(EventSourceArn="arn:aws:dynamodb:stream")


def test_a_reply_of_lambda_is_read() -> None:
    client = make_client(LOCAL, "lambda")
    answer(client, (200, b'{"EventSourceMappings": []}'))
    assert event_sources(client)["EventSourceMappings"] == []


@pytest.mark.parametrize("body", [HTML, b"{}", b""])
def test_another_server_is_not_accepted_as_lambda(body) -> None:
    error = failure("lambda", event_sources, (200, body))
    assert "is not lambda" in error.problem


@pytest.mark.parametrize(
    ("service", "call", "reply"),
    [
        ("dynamodb", list_tables, json_error("ExpiredTokenException")),
        ("sts", whoami, query_error("ExpiredToken")),
    ],
)
def test_for_expired_credentials_signing_in_again_is_suggested(service, call, reply) -> None:
    error = failure(service, call, reply)
    assert isinstance(error, CredentialsError)
    assert "sign in again" in error.hint


def test_missing_credentials_name_the_variables(new_session) -> None:
    error = failure("dynamodb", list_tables, (200, b"{}"), target=OWN_CREDENTIALS)
    assert isinstance(error, CredentialsError)
    assert "AWS_ACCESS_KEY_ID" in error.hint


def test_incomplete_credentials_are_reported(monkeypatch, new_session) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
    with pytest.raises(CredentialsError, match="AWS_SECRET_ACCESS_KEY"):
        make_client(OWN_CREDENTIALS, "dynamodb")


@pytest.fixture
def ops_profile(new_session) -> Iterator[None]:
    """A profile called ops, and a default one."""
    Path(os.environ["AWS_CONFIG_FILE"]).write_text(
        "[default]\nregion = us-east-1\n[profile ops]\nregion = eu-west-3\n"
    )
    Path(os.environ["AWS_SHARED_CREDENTIALS_FILE"]).write_text(
        "[default]\naws_access_key_id = wrong\naws_secret_access_key = x\n"
        "[ops]\naws_access_key_id = right\naws_secret_access_key = x\n"
    )
    yield
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        Path(os.environ[name]).unlink()


def client_of(settings: Settings) -> Any:
    return make_client(resolve(settings, prod=True).dynamodb, "dynamodb")


@pytest.mark.parametrize("name", ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"])
@pytest.mark.parametrize("place", ["environment", ".env"])
def test_production_s_profile_is_the_one_that_is_set(tmp_path, ops_profile, name, place) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text(f"{name}=ops\n" if place == ".env" else "")
    environ = {name: "ops"} if place == "environment" else {}
    client = client_of(Settings.from_env(environ, dotenv))
    sent = answer(client, (200, b'{"TableNames": []}'))
    list_tables(client)
    assert b"Credential=right/" in sent[0].headers["Authorization"]
    assert client.meta.region_name == "eu-west-3"


def test_an_empty_profile_variable_counts_as_unset(monkeypatch, tmp_path, ops_profile) -> None:
    monkeypatch.setenv("AWS_PROFILE", "")
    assert client_of(Settings.from_env(None, tmp_path / "none")).meta.region_name == "us-east-1"


def test_a_profile_that_does_not_exist_names_the_variable(new_session) -> None:
    with pytest.raises(SettingsError, match=r"nope.*AWS_PROFILE"):
        client_of(Settings(profile="nope"))


def test_the_local_engine_needs_no_profile(monkeypatch, new_session) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nope")
    make_client(LOCAL, "dynamodb")


def test_no_region_names_the_variable(new_session) -> None:
    with pytest.raises(SettingsError, match="AWS_DEFAULT_REGION"):
        make_client(AwsTarget(None, None, placeholder_credentials=True), "dynamodb")


def test_an_invalid_region_is_a_settings_error() -> None:
    with pytest.raises(SettingsError, match=r"'us east'.*AWS_DEFAULT_REGION"):
        make_client(AwsTarget(None, "us east", placeholder_credentials=True), "dynamodb")


@pytest.mark.parametrize(
    "url",
    [
        "dynamodb",
        "localhost:8000",
        "http://",
        "http://[::1",
        "http://a b",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:0",
        "http://127.0.0.1:port",
        "ftp://127.0.0.1:8000",
    ],
)
def test_an_endpoint_that_is_not_a_url_is_a_settings_error(url: str) -> None:
    with pytest.raises(SettingsError, match="endpoint's URL"):
        make_client(AwsTarget(url, "us-east-1", placeholder_credentials=True), "dynamodb")


def test_a_missing_table_names_the_task_that_creates_it() -> None:
    error = failure("dynamodb", list_tables, json_error("ResourceNotFoundException", "no table"))
    assert isinstance(error, MissingSchemaError)
    assert "invoke ddb.schema-load" in str(error)


def test_a_cancelled_transaction_keeps_its_reasons_in_order() -> None:
    reasons = [{"Code": "None"}, {"Code": "ConditionalCheckFailed", "Message": "no"}, {}]
    body = {
        "__type": "com.amazonaws#TransactionCanceledException",
        "Message": "cancelled",
        "CancellationReasons": reasons,
    }
    error = failure(
        "dynamodb",
        lambda client: client.transact_write_items(
            TransactItems=[{"Delete": {"TableName": "t", "Key": {"pk": {"S": "a"}}}}]
        ),
        (400, json.dumps(body).encode()),
    )
    assert isinstance(error, DynamoDBError)
    assert error.code == "TransactionCanceledException"
    assert error.reasons == ("None", "ConditionalCheckFailed", "None")


def test_an_answer_without_an_error_code_is_still_one_line() -> None:
    assert isinstance(failure("ec2", describe_rules, (400, b"<a/>")), StoreError)
    assert isinstance(failure("dynamodb", list_tables, (400, b"{}")), DynamoDBError)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:1", True),
        ("http://127.8.8.8", True),
        ("http://[::1]:8000", True),
        ("http://localhost", True),
        ("http://aws.localhost:4566", True),
        ("http://10.0.0.1", False),
        ("http://localhost.example.com", False),
        ("https://dynamodb.us-east-1.amazonaws.com", False),
    ],
)
def test_only_addresses_of_this_machine_are_loopback(url: str, expected: bool) -> None:
    assert is_loopback(url) is expected


@pytest.mark.parametrize(
    ("service", "call", "expected"),
    [
        (
            "dynamodb",
            lambda client: client.put_item(TableName="t", Item={"pk": {"S": "é"}}),
            'would send dynamodb PutItem {"Item": {"pk": {"S": "\\u00e9"}}, "TableName": "t"}',
        ),
        (
            "cognito-idp",
            lambda client: client.admin_delete_user(UserPoolId="a_b", Username="ana"),
            'would send cognito-idp AdminDeleteUser {"UserPoolId": "a_b", "Username": "ana"}',
        ),
        (
            "ec2",
            lambda client: client.delete_security_group(GroupId="sg-1"),
            'would send ec2 DeleteSecurityGroup {"Action": "DeleteSecurityGroup",'
            ' "GroupId": "sg-1", "Version": "2016-11-15"}',
        ),
    ],
)
def test_a_dry_client_prints_a_change_and_does_not_send_it(service, call, expected) -> None:
    lines: list[str] = []
    client = make_client(LOCAL, service, dry=lines.append)
    sent = answer(client, (200, b"{}"))
    assert call(client)["ResponseMetadata"] == {"HTTPStatusCode": 200}
    assert lines == [expected]
    assert sent == []


def test_a_dry_client_still_reads() -> None:
    lines: list[str] = []
    client = make_client(LOCAL, "dynamodb", dry=lines.append)
    sent = answer(client, (200, b'{"TableNames": ["t"]}'))
    assert client.list_tables()["TableNames"] == ["t"]
    assert len(sent) == 1
    assert lines == []


def test_every_request_names_this_tool_and_the_sdk() -> None:
    client = make_client(LOCAL, "dynamodb")
    sent = answer(client, (200, b'{"TableNames": []}'))
    client.list_tables()
    named = sent[0].headers["User-Agent"].decode()
    assert named == f"cruddur-ops Botocore/{botocore.__version__}"
