"""``invoke doctor``: each check, healthy and made to fail."""

from __future__ import annotations

import json
import re
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

import psutil
import psycopg
import pytest
import unguarded
from unguarded import Database

from core import engines as embedded
from core.aws.clients import make_client
from core.dynamodb import keys
from core.dynamodb.schema import create_table
from core.postgres import admin, migrate, read_migrations
from core.settings import Settings
from core.targets import AwsTarget, Environment

Diagnose = Callable[..., dict[str, dict[str, Any]]]
CHECKS = [
    *("python", "packages", "virtual environment", "disk", "engines", "variables", "credentials"),
    *("postgres", "postgres schema", "migrations", "postgres clock", "postgres rows"),
    *("dynamodb", "dynamodb clock", "dynamodb table", "stream", "projection"),
]


@pytest.fixture
def diagnose(run_invoke) -> Diagnose:
    """``diagnose(env, "--prod")``: the findings by check; the last one of a check with several."""

    def run(env: dict[str, str], *options: str) -> dict[str, dict[str, Any]]:
        result = run_invoke("doctor", "--json", *options, env=env)
        findings = json.loads(result.stdout)
        assert result.returncode == int(any(finding["state"] == "bad" for finding in findings))
        return {finding["check"]: finding for finding in findings}

    return run


def bad_ones(checks: dict[str, dict[str, Any]]) -> set[str]:
    return {check for check, finding in checks.items() if finding["state"] == "bad"}


# Healthy


def test_every_check_of_a_healthy_system_is_ok(run_invoke, table_env) -> None:
    result = run_invoke("doctor", env=table_env)
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["ok"] * len(CHECKS)
    assert result.returncode == 0
    target, tally = result.stderr.splitlines()
    assert target.startswith("target: local · Postgres seeded-")
    assert tally == "0 bad, 0 to note"


def test_the_embedded_engines_are_checked_if_they_are_the_target(diagnose, engines_folder) -> None:
    checks = diagnose({"CRUDDUR_ENGINES_DIR": str(engines_folder)})
    assert checks["engines"]["state"] == "ok"
    assert checks["engines"]["finding"].startswith("postgres runs on port ")


def test_a_program_gets_every_check_once_with_the_times_of_both_stores(run_invoke, table_env):
    findings = json.loads(run_invoke("doctor", "--json", env=table_env).stdout)
    assert [finding["check"] for finding in findings] == CHECKS
    assert {tuple(finding) for finding in findings} == {("check", "state", "finding", "mend", "ms")}
    timed = {finding["check"] for finding in findings if finding["ms"] is not None}
    assert timed == {"postgres", "dynamodb"}
    assert all(0 < finding["ms"] < 5000 for finding in findings if finding["ms"] is not None)


def test_the_doctor_changes_nothing(run_invoke, bare_env, messages) -> None:
    run_invoke("doctor", env=bare_env)
    assert messages.name not in messages.client.list_tables()["TableNames"]


# Engines and reachability


def test_engines_that_were_never_started_are_one_command_away(diagnose) -> None:
    checks = diagnose({})
    assert list(checks) == CHECKS
    assert bad_ones(checks) == {"engines", "postgres", "dynamodb"}
    assert checks["engines"]["mend"] == "Run: invoke up"
    assert checks["python"]["state"] == "ok"


def test_engines_that_were_stopped_are_one_command_away(diagnose, tmp_path) -> None:
    folder = tmp_path / "stopped"
    embedded.start(folder)
    embedded.stop(folder)
    checks = diagnose({"CRUDDUR_ENGINES_DIR": str(folder)})
    assert bad_ones(checks) == {"engines", "postgres", "dynamodb"}
    assert checks["engines"]["finding"] == (
        "postgres is stopped; dynamodb is stopped: in ministack"
    )
    assert checks["postgres"]["mend"].endswith("invoke up")
    assert checks["dynamodb"]["mend"].endswith("invoke up")


def test_an_engine_that_was_killed_may_have_lost_data(diagnose, tmp_path) -> None:
    folder = tmp_path / "killed"
    (killed,) = [engine for engine in embedded.start(folder) if engine.name == "dynamodb"]
    try:
        process = psutil.Process(killed.pid)
        process.kill()
        process.wait(10)
        checks = diagnose({"CRUDDUR_ENGINES_DIR": str(folder)})
    finally:
        embedded.stop(folder)
    assert checks["engines"]["state"] == "bad"
    finding = checks["engines"]["finding"]
    assert finding.startswith("postgres is running; dynamodb is stopped: in ministack; was not")
    assert "may be lost" in finding


@pytest.fixture
def silence() -> Iterator[int]:
    """A port that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_silent_servers_are_given_up_in_seconds(diagnose, silence) -> None:
    url = f"postgresql://someone@127.0.0.1:{silence}/cruddur"
    started = time.monotonic()
    checks = diagnose({"CONNECTION_URL": url, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{silence}"})
    assert time.monotonic() - started < 12
    assert bad_ones(checks) == {"postgres", "dynamodb"}
    assert list(checks) == CHECKS


def test_one_store_that_is_down_does_not_hide_the_other(diagnose, table_env) -> None:
    checks = diagnose(table_env | {"CONNECTION_URL": "postgresql://someone@127.0.0.1:9/cruddur"})
    assert bad_ones(checks) == {"postgres"}
    assert checks["postgres schema"]["finding"] == "Unknown: see postgres"
    assert checks["dynamodb table"]["state"] == "ok"
    checks = diagnose(table_env | {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"})
    assert bad_ones(checks) == {"dynamodb"}
    assert checks["postgres schema"]["state"] == "ok"


def test_a_refused_password_is_bad_and_not_shown(run_invoke, table_env) -> None:
    user, _, place = table_env["CONNECTION_URL"].rpartition("@")
    url = f"{user.rpartition(':')[0]}:hunter2@{place}"
    result = run_invoke("doctor", env=table_env | {"CONNECTION_URL": url})
    assert result.returncode == 1
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("BAD")]
    assert line.split()[1] == "postgres"
    assert "refused the user" in line
    assert "hunter2" not in result.stdout + result.stderr


def test_a_url_that_cannot_be_read_is_bad_and_hides_nothing_else(run_invoke, table_env) -> None:
    result = run_invoke("doctor", env=table_env | {"CONNECTION_URL": "mysql://u:hunter2@h/d"})
    assert result.returncode == 1
    assert "BAD   postgres            CONNECTION_URL begins with mysql://" in result.stdout
    assert "ok    dynamodb table" in result.stdout
    assert result.stderr.startswith("target: local · no postgres: CONNECTION_URL begins with")
    assert "hunter2" not in result.stdout + result.stderr


# Postgres


def test_a_missing_database_is_one_command_away(diagnose, table_env, postgres_env) -> None:
    checks = diagnose(table_env | postgres_env)
    assert bad_ones(checks) == {"postgres"}
    assert checks["postgres"]["mend"] == "Create it: invoke db.create"


@pytest.fixture
def own_database(run_invoke, table_env, postgres_env) -> dict[str, str]:
    """The environment of a command on a database with our schema that a test may break."""
    for task in ("db.create", "db.schema-load"):
        assert run_invoke(task, env=table_env | postgres_env).returncode == 0
    return table_env | postgres_env


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        ("DROP TABLE activities", "table activities is missing"),
        ("ALTER TABLE users DROP COLUMN email", "column users.email is missing"),
        (
            "ALTER TABLE activities DROP COLUMN uuid, ADD COLUMN uuid text",
            "column activities.uuid is text instead of uuid",
        ),
    ],
)
def test_a_schema_that_is_not_cruddur_s_is_bad(diagnose, own_database, damage, expected) -> None:
    with psycopg.connect(own_database["CONNECTION_URL"], autocommit=True) as connection:
        connection.execute(damage)
    checks = diagnose(own_database)
    assert bad_ones(checks) == {"postgres schema"}
    assert checks["postgres schema"]["finding"].endswith(expected)
    assert "invoke db.schema-load" in checks["postgres schema"]["mend"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("DROP TABLE cruddur_ops_environment", "counts as production"),
        ("UPDATE cruddur_ops_environment SET environment = 'production'", "marked 'production'"),
    ],
)
def test_a_database_marked_for_another_target_is_a_note(
    diagnose, own_database, change, expected
) -> None:
    with psycopg.connect(own_database["CONNECTION_URL"], autocommit=True) as connection:
        connection.execute(change)
    checks = diagnose(own_database)
    assert checks["postgres schema"]["state"] == "note"
    assert expected in checks["postgres schema"]["finding"]


def test_a_row_that_cannot_be_read_is_corrected_in_a_psql_that_may_write(
    diagnose, own_database
) -> None:
    with psycopg.connect(own_database["CONNECTION_URL"], autocommit=True) as connection:
        connection.execute(
            "INSERT INTO public.users (display_name, handle, email, cognito_user_id, created_at)"
            " VALUES ('Ana', 'ana', 'ana@example.com', 'MOCK', 'infinity')"
        )
    assert diagnose(own_database)["postgres rows"]["mend"] == (
        "The row is shown without it. Correct it in psql: invoke db.connect --write"
    )


# DynamoDB


def test_the_migrations_are_compared_with_the_schema(diagnose, postgres_env, address) -> None:
    unguarded.create_database(address)
    with Database(address) as db:
        admin.load_schema(db, "local")
        pending = diagnose(postgres_env)["migrations"]
        assert (pending["state"], pending["mend"]) == (
            "note", "Apply what is pending: invoke db.migrate",
        )  # fmt: skip
        list(migrate(db, read_migrations(Settings().migrations_path)))
        assert diagnose(postgres_env)["migrations"]["state"] == "ok"


def test_doctor_says_of_a_migration_what_db_migrate_says_when_it_refuses_it(
    diagnose, run_invoke, postgres_env, address, tmp_path
) -> None:
    unguarded.create_database(address)
    with Database(address) as db:
        admin.load_schema(db, "local")
    env = postgres_env | {"CRUDDUR_MIGRATIONS_DIR": str(tmp_path)}
    path, later = tmp_path / "20260101000000_add_mood.sql", tmp_path / "20260101000001_later.sql"
    text = (
        "-- migrate:up\nALTER TABLE public.users ADD COLUMN mood text;\n"
        "-- migrate:down\nALTER TABLE public.users DROP COLUMN mood;\n"
    )
    path.write_text(text)
    assert run_invoke("db.migrate", env=env).returncode == 0

    def both() -> tuple[str, str]:
        """Of doctor, and of the refusal of db.migrate."""
        refusal = run_invoke("db.migrate", env=env).stderr.splitlines()[-1]
        return diagnose(env)["migrations"]["mend"], refusal

    path.write_text(text.replace("mood text", "mood integer"))
    advice, refusal = both()
    assert advice == "Restore the file and write the change as a new migration."
    assert advice in refusal
    path.rename(tmp_path / "kept")
    advice, refusal = both()
    assert advice == "Check out the version that has it."
    assert advice in refusal
    (tmp_path / "kept").unlink()
    path.write_text(text)
    with psycopg.connect(address.conninfo) as connection:
        connection.execute("UPDATE public.cruddur_ops_migrations SET state = 'half undone'")
    advice, refusal = both()
    assert advice == "Finish that first: invoke db.rollback"
    assert advice in refusal
    later.write_text(text.replace("mood", "later"))
    assert both()[0] == f"Begin with {path.stem}. {advice}"


INTEGER = (
    "ALTER TABLE public.activities DROP COLUMN reply_to_activity_uuid,"
    " ADD COLUMN reply_to_activity_uuid integer"
)
NO_BIO = "ALTER TABLE public.users DROP COLUMN bio"
BIO, REPLY = "20261127190000_add_bio", "20261127190001_reply_to_activity_uuid"


def test_what_the_schema_lost_is_made_again_by_hand_as_doctor_says(
    diagnose, run_invoke, postgres_env, address
) -> None:
    """One column, or all, as after Cruddur's own schema-load: no task applies a migration twice."""
    unguarded.create_database(address)
    with Database(address) as db:
        admin.load_schema(db, "local")
        db.query_commit(INTEGER)
        pending = diagnose(postgres_env)["migrations"]
        assert "is an integer" in pending["finding"]
        assert pending["mend"] == "Apply what is pending: invoke db.migrate"
        assert run_invoke("db.migrate", env=postgres_env).returncode == 0
        reply = str(uuid.uuid4())
        db.query_commit(
            "INSERT INTO public.users (display_name, handle, email, cognito_user_id)"
            " VALUES ('Ana', 'ana', 'ana@example.com', 'MOCK')"
        )
        answer = (
            "INSERT INTO public.activities (user_uuid, message, expires_at, reply_to_activity_uuid)"
            f" SELECT uuid, 'hello', now(), '{reply}' FROM public.users"
        )
        db.query_commit(answer)
        kept = "SELECT reply_to_activity_uuid::text FROM public.activities"

        db.query_commit(NO_BIO)
        follow(diagnose, run_invoke, postgres_env, BIO)
        assert db.query_value(kept) == reply

        db.query_commit(f"{NO_BIO}; {INTEGER}")
        follow(diagnose, run_invoke, postgres_env, BIO, REPLY)
        db.query_commit(answer)


def follow(diagnose, run_invoke, env, *titles: str) -> None:
    """Do what doctor says about the migrations with these titles, until it is content."""
    lost = diagnose(env)["migrations"]
    assert lost["state"] == "bad"
    made = "The schema no longer has what applied migrations made"
    assert lost["finding"] == f"{made}: {', '.join(titles)}"
    places = re.findall(r"(\S+[.]sql), line (\d+)", lost["mend"])
    assert [Path(path).stem for path, _ in places] == list(titles)
    command = lost["mend"].rpartition("To open psql, run: invoke ")[2]
    for path, line in places:
        below = "".join(Path(path).read_text().splitlines(keepends=True)[int(line) - 1 :])
        statement = below.partition(";")[0] + ";\n"
        assert run_invoke(*command.split(), env=env, stdin=statement).returncode == 0
    assert diagnose(env)["migrations"]["state"] == "ok"


def test_a_missing_table_is_one_command_away(diagnose, bare_env) -> None:
    checks = diagnose(bare_env)
    assert bad_ones(checks) == {"dynamodb table"}
    assert checks["dynamodb table"]["mend"] == "Create it: invoke ddb.schema-load"
    assert checks["stream"]["finding"] == "Unknown: see dynamodb table"


def test_a_table_with_another_schema_is_bad(diagnose, bare_env, messages) -> None:
    messages.client.create_table(
        TableName=messages.name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    checks = diagnose(bare_env)
    assert bad_ones(checks) == {"dynamodb table"}
    assert "its key is id" in checks["dynamodb table"]["finding"]
    assert f"index {keys.INDEX} is missing" in checks["dynamodb table"]["finding"]


def test_a_missing_index_is_bad(diagnose, table_env, messages) -> None:
    drop = [{"Delete": {"IndexName": keys.INDEX}}]
    messages.client.update_table(TableName=messages.name, GlobalSecondaryIndexUpdates=drop)
    checks = diagnose(table_env)
    assert bad_ones(checks) == {"dynamodb table"}
    assert f"lacks the index {keys.INDEX}" in checks["dynamodb table"]["finding"]
    assert checks["dynamodb table"]["mend"] == "Add it: invoke ddb.schema-load"


def test_a_stream_that_is_off_is_a_note_with_the_command_that_turns_it_on(
    diagnose, table_env, messages
) -> None:
    off = {"StreamEnabled": False}
    messages.client.update_table(TableName=messages.name, StreamSpecification=off)
    checks = diagnose(table_env)
    assert bad_ones(checks) == set()
    assert (checks["stream"]["state"], checks["projection"]["state"]) == ("note", "note")
    assert "aws dynamodb update-table --table-name" in checks["stream"]["mend"]


def test_a_stream_without_new_images_is_a_note(diagnose, bare_env, messages) -> None:
    create_table(messages, Environment.LOCAL)
    client, name = messages.client, messages.name
    client.update_table(TableName=name, StreamSpecification={"StreamEnabled": False})
    view = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    client.update_table(TableName=name, StreamSpecification=view)
    checks = diagnose(bare_env)
    assert checks["stream"]["state"] == "note"
    assert "KEYS_ONLY" in checks["stream"]["finding"]


# Variables


def test_a_misspelt_variable_is_named_with_the_one_that_is_read(run_invoke, table_env) -> None:
    result = run_invoke("doctor", env=table_env | {"DDB_MESSAGES_TABLE": "other"})
    assert result.returncode == 0  # it may be another program's
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("note")]
    assert "DDB_MESSAGES_TABLE is set, but only DDB_MESSAGE_TABLE" in line


def test_an_incomplete_setting_is_bad(diagnose, table_env) -> None:
    checks = diagnose(table_env | {"AWS_ACCESS_KEY_ID": "AKIA"})
    assert bad_ones(checks) == {"variables"}
    assert "without AWS_SECRET_ACCESS_KEY" in checks["variables"]["finding"]


# Production: a stand-in for AWS


@dataclass
class FakeAws:
    """Answers as AWS does, with what a test puts into it. ``date`` None is the real one."""

    url: str = ""
    date: str | None = None
    replies: dict[str, tuple[int, str]] = field(default_factory=dict)

    def answer(self, operation: str, reply: Any, status: int = 200) -> None:
        self.replies[operation] = (status, reply if isinstance(reply, str) else json.dumps(reply))


@pytest.fixture
def fake_aws() -> Iterator[FakeAws]:
    fake = FakeAws()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply("ListEventSourceMappings")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            target = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
            self._reply(target or parse_qs(body)["Action"][0])

        def _reply(self, operation: str) -> None:
            status, body = fake.replies[operation]
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def date_time_string(self, timestamp: float | None = None) -> str:
            return fake.date or super().date_time_string(timestamp)

        def log_message(self, *_: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        fake.url = f"http://127.0.0.1:{server.server_port}"
        Thread(target=server.serve_forever, daemon=True).start()
        fake.answer("GetCallerIdentity", CALLER)
        fake.answer("ListEventSourceMappings", {"EventSourceMappings": [mapping()]})
        yield fake
        server.shutdown()


CALLER = (
    "<GetCallerIdentityResponse><GetCallerIdentityResult>"
    "<Arn>arn:aws:iam::123456789012:user/ops</Arn><UserId>U</UserId><Account>123456789012</Account>"
    "</GetCallerIdentityResult></GetCallerIdentityResponse>"
)


def mapping(**changed: str) -> dict[str, str]:
    function = "arn:aws:lambda:us-east-1:123456789012:function:projection"
    entry = {"UUID": "u-1", "FunctionArn": function, "State": "Enabled"}
    return entry | {"LastProcessingResult": "OK"} | changed


def xml_error(code: str, message: str) -> str:
    return f"<Response><Error><Code>{code}</Code><Message>{message}</Message></Error></Response>"


@pytest.fixture
def prod_env(fake_aws, messages, table_env, seeded_database_url) -> dict[str, str]:
    """The environment of a command on healthy production."""
    description = messages.client.describe_table(TableName=messages.name)["Table"]
    description["CreationDateTime"] = 1_700_000_000.0
    fake_aws.answer("DescribeTable", json.dumps({"Table": description}, default=str))
    return {
        "PROD_CONNECTION_URL": seeded_database_url,
        "PROD_AWS_ENDPOINT_URL": fake_aws.url,
        "DDB_MESSAGE_TABLE": messages.name,
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "AKIA",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }


def test_healthy_production_is_shown_with_account_region_and_function(diagnose, prod_env) -> None:
    checks = diagnose(prod_env, "--prod")
    assert bad_ones(checks) == set()
    with_tls = [*CHECKS[:8], "postgres TLS", *CHECKS[8:]]
    assert list(checks) == [*with_tls, "security group rule"]
    assert checks["postgres TLS"]["state"] == "note"
    assert "is not verified" in checks["postgres TLS"]["finding"]
    assert checks["credentials"]["finding"] == (
        "Account 123456789012 as arn:aws:iam::123456789012:user/ops, region eu-west-1"
    )
    assert checks["projection"]["finding"] == "Done by function projection"
    assert "marked 'local'; the target is production" in checks["postgres schema"]["finding"]


def test_expired_credentials_are_bad_and_everything_else_is_checked(
    diagnose, prod_env, fake_aws
) -> None:
    expired = xml_error("ExpiredToken", "The security token included in the request is expired")
    fake_aws.answer("GetCallerIdentity", expired, 403)
    checks = diagnose(prod_env, "--prod")
    assert bad_ones(checks) == {"credentials"}
    assert "is expired" in checks["credentials"]["finding"]
    assert "sign in again (aws sso login)" in checks["credentials"]["mend"]


def test_no_credentials_are_bad(diagnose, prod_env) -> None:
    none = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    checks = diagnose(prod_env | none, "--prod")
    assert bad_ones(checks) == {"credentials", "dynamodb"}
    assert "Unable to locate credentials" in checks["credentials"]["finding"]


def test_an_endpoint_that_knows_no_accounts_leaves_the_account_unknown(
    diagnose, prod_env, fake_aws
) -> None:
    fake_aws.answer("GetCallerIdentity", xml_error("UnknownOperation", "not here"), 400)
    checks = diagnose(prod_env, "--prod")
    assert (checks["credentials"]["state"], bad_ones(checks)) == ("note", set())


@pytest.mark.parametrize(
    ("change", "expected", "advice"),
    [
        ({"State": "Disabled"}, "is Disabled", "update-event-source-mapping --uuid u-1 --enabled"),
        (
            {"LastProcessingResult": "PROBLEM: Function call failed"},
            "PROBLEM: Function call failed",
            "aws logs tail /aws/lambda/projection",
        ),
    ],
)
def test_a_projection_that_does_not_run_is_bad(
    diagnose, prod_env, fake_aws, change, expected, advice
) -> None:
    fake_aws.answer("ListEventSourceMappings", {"EventSourceMappings": [mapping(**change)]})
    checks = diagnose(prod_env, "--prod")
    assert bad_ones(checks) == {"projection"}
    assert expected in checks["projection"]["finding"]
    assert advice in checks["projection"]["mend"]


def test_a_stream_without_readers_is_a_note(diagnose, prod_env, fake_aws) -> None:
    fake_aws.answer("ListEventSourceMappings", {"EventSourceMappings": []})
    checks = diagnose(prod_env, "--prod")
    assert (checks["projection"]["state"], bad_ones(checks)) == ("note", set())
    assert checks["projection"]["mend"].endswith("invoke ddb.follow-stream --prod")


def test_a_projection_that_may_not_be_listed_is_unknown_and_not_bad(
    diagnose, prod_env, fake_aws
) -> None:
    denied = {"__type": "AccessDeniedException", "Message": "not authorized to perform that"}
    fake_aws.answer("ListEventSourceMappings", denied, 403)
    checks = diagnose(prod_env, "--prod")
    assert (checks["projection"]["state"], bad_ones(checks)) == ("note", set())
    assert checks["projection"]["finding"].startswith("Unknown: lambda refused")


def test_a_clock_that_is_hours_off_is_bad_though_the_request_was_refused(
    diagnose, prod_env, fake_aws
) -> None:
    fake_aws.date = "Mon, 01 Jan 2024 00:00:00 GMT"
    refused = {"__type": "InvalidSignatureException", "message": "Signature not yet current"}
    fake_aws.answer("DescribeTable", refused, 400)
    checks = diagnose(prod_env, "--prod")
    assert bad_ones(checks) == {"dynamodb", "dynamodb clock"}
    assert "ahead of it" in checks["dynamodb clock"]["finding"]
    assert "timedatectl" in checks["dynamodb clock"]["mend"]


def test_an_index_that_is_being_built_is_a_note(diagnose, prod_env, fake_aws) -> None:
    status, body = fake_aws.replies["DescribeTable"]
    description = json.loads(body)
    description["Table"]["GlobalSecondaryIndexes"][0]["IndexStatus"] = "CREATING"
    fake_aws.answer("DescribeTable", description, status)
    checks = diagnose(prod_env, "--prod")
    assert checks["dynamodb table"]["state"] == "note"
    assert f"index {keys.INDEX} is CREATING" in checks["dynamodb table"]["finding"]


def test_production_without_a_url_is_bad(diagnose, prod_env) -> None:
    checks = diagnose(prod_env | {"PROD_CONNECTION_URL": ""}, "--prod")
    assert bad_ones(checks) == {"postgres"}


def test_a_local_endpoint_beside_prod_is_said_to_be_ignored(diagnose, prod_env) -> None:
    checks = diagnose(prod_env | {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "--prod")
    assert checks["variables"]["finding"] == "--prod ignores AWS_ENDPOINT_URL"


# The security group rule, on the engine's EC2


@pytest.fixture
def rule_env(engines, table_env, seeded_database_url) -> Iterator[dict[str, str]]:
    """The environment of a command on a production whose rule lets 8.8.4.4 in."""
    client = make_client(AwsTarget(engines.aws_endpoint_url, "us-east-1", True), "ec2")
    with closing(client):
        group = client.create_security_group(GroupName=uuid.uuid4().hex, Description="db")
        group_id = group["GroupId"]
        client.authorize_security_group_ingress(
            GroupId=group_id,
            IpPermissions=[
                {
                    "IpProtocol": "tcp",
                    "FromPort": 5432,
                    "ToPort": 5432,
                    "IpRanges": [{"CidrIp": "8.8.4.4/32"}],
                }
            ],
        )
        here = [{"Name": "group-id", "Values": [group_id]}]
        rules = client.describe_security_group_rules(Filters=here)["SecurityGroupRules"]
        (rule_id,) = [entry["SecurityGroupRuleId"] for entry in rules if not entry["IsEgress"]]
        yield {
            "PROD_CONNECTION_URL": seeded_database_url,
            "PROD_AWS_ENDPOINT_URL": engines.aws_endpoint_url,
            "DDB_MESSAGE_TABLE": table_env["DDB_MESSAGE_TABLE"],
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "DB_SG_ID": group_id,
            "DB_SG_RULE_ID": rule_id,
            "GITPOD_IP": "8.8.4.4",
        }
        client.delete_security_group(GroupId=group_id)


def test_a_rule_that_lets_this_machine_in_is_ok(diagnose, rule_env) -> None:
    checks = diagnose(rule_env, "--prod")
    assert checks["security group rule"]["state"] == "ok"
    assert bad_ones(checks) == set()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"GITPOD_IP": "8.8.8.8"}, "but not this machine, 8.8.8.8, to port 5432"),
        ({"POSTGRES_PORT": "6543"}, "but not this machine, 8.8.4.4, to port 6543"),
        ({"DB_SG_RULE_ID": "sgr-0123456789abcdef0"}, "There is no security group rule"),
        ({"GITPOD_IP": "10.0.0.1"}, "GITPOD_IP: 10.0.0.1 is not a public address"),
    ],
)
def test_a_rule_that_keeps_this_machine_out_is_bad(diagnose, rule_env, change, expected) -> None:
    checks = diagnose(rule_env | change, "--prod")
    assert bad_ones(checks) == {"security group rule"}
    assert expected in checks["security group rule"]["finding"]


def test_a_rule_that_keeps_this_machine_out_names_the_task_that_fixes_it(
    diagnose, rule_env
) -> None:
    checks = diagnose(rule_env | {"GITPOD_IP": "8.8.8.8"}, "--prod")
    assert checks["security group rule"]["mend"] == "Run: invoke rds.update-sg-rule --prod"


def test_an_address_that_cannot_be_looked_up_leaves_the_rule_unknown(diagnose, rule_env) -> None:
    nowhere = {"GITPOD_IP": "", "https_proxy": "http://127.0.0.1:9"}
    checks = diagnose(rule_env | nowhere, "--prod")
    assert (checks["security group rule"]["state"], bad_ones(checks)) == ("note", set())
    assert "Could not look up" in checks["security group rule"]["finding"]
