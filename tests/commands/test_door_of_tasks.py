"""What tasks ask for on a store that counts as production, and their audit lines."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import unguarded
from unguarded import Database, make_table, open_table, put_items

from core.aws.clients import make_client
from core.dynamodb import keys
from core.dynamodb.schema import _SCHEMA
from core.dynamodb.table import Table
from core.postgres import users
from core.settings import PROJECT_ROOT, Settings
from core.targets import AwsTarget, resolve
from core.targets.postgres import PostgresAddress, parse_url

from .conftest import content, hermetic_environment

PAIR = ("--user", "bayko", "--with", "andrewbrown")
PRODUCTION = keys.ENVIRONMENT_KEY | {"environment": {"S": "production"}}


class Place:
    """Both stores of a command, seeded, with its output, audit lines and stored data."""

    def __init__(self, env: dict[str, str], folder: Path) -> None:
        self.audit_path = folder / "audit.jsonl"
        self.env = env | {"CRUDDUR_AUDIT_LOG": str(self.audit_path)}
        self.address = parse_url(env["CONNECTION_URL"], "CONNECTION_URL")
        self.table: Table = open_table(resolve(Settings.from_env(env), prod=False))

    @property
    def prod(self) -> dict[str, str]:
        """The same stores, asked for with ``--prod``."""
        return self.env | {
            "AWS_ENDPOINT_URL": "",
            "CONNECTION_URL": "",
            "PROD_AWS_ENDPOINT_URL": self.env["AWS_ENDPOINT_URL"],
            "PROD_CONNECTION_URL": self.env["CONNECTION_URL"],
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
        }

    def mark_table(self) -> None:
        """Make it a production table that a loopback URL leads to: a tunnel."""
        self.table.request("put_item", Item=PRODUCTION)

    def mark_database(self) -> None:
        self.execute("UPDATE public.cruddur_ops_environment SET environment = 'production'")

    def execute(self, *statements: str) -> None:
        with psycopg.connect(self.address.conninfo, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)  # type: ignore[call-overload]

    @property
    def audited(self) -> list[dict[str, Any]]:
        if not self.audit_path.exists():
            return []
        return [json.loads(line) for line in self.audit_path.read_text().splitlines()]

    @property
    def stored(self) -> tuple[Any, ...]:
        """The data of both stores."""
        with psycopg.connect(self.address.conninfo) as connection:
            rows = [
                connection.execute(f"SELECT * FROM public.{name} ORDER BY 1").fetchall()  # type: ignore[call-overload]
                for name in ("users", "activities", "cruddur_ops_environment")
            ]
        return content(self.table), rows


@pytest.fixture
def place(engines, databases, database_url: str, address, tmp_path: Path) -> Place:
    databases.create_seeded(address.dbname)
    place = Place(
        {
            "CONNECTION_URL": database_url,
            "AWS_ENDPOINT_URL": engines.aws_endpoint_url,
            "DDB_MESSAGE_TABLE": f"messages-{uuid.uuid4().hex[:12]}",
        },
        tmp_path,
    )
    make_table(place.table)
    return place


@pytest.fixture
def talking(place: Place, demo_items: list[keys.Item]) -> Place:
    """The same with a conversation."""
    put_items(place.table, demo_items)
    return place


@pytest.fixture
def pool_id(engines) -> Iterator[str]:
    target = AwsTarget(engines.aws_endpoint_url, "us-east-1", placeholder_credentials=True)
    client = make_client(target, "cognito-idp")
    pool = client.create_user_pool(PoolName=f"pool-{uuid.uuid4().hex[:8]}")["UserPool"]["Id"]
    client.admin_create_user(
        UserPoolId=pool,
        Username="bayko",
        UserAttributes=[{"Name": "preferred_username", "Value": "bayko"}],
    )
    yield pool
    client.delete_user_pool(UserPoolId=pool)
    client.close()


class TestTheCognitoIdsOfProduction:
    """Reached by CONNECTION_URL; the message table is local."""

    @pytest.fixture
    def tunnelled(self, place: Place, pool_id: str) -> Place:
        place.mark_database()
        place.env["AWS_COGNITO_USER_POOL_ID"] = pool_id
        return place

    def test_are_kept_without_the_databases_name(self, run_invoke, tunnelled) -> None:
        for wrong in ((), ("--confirm", tunnelled.table.name), ("--confirm", "")):
            before = tunnelled.stored
            result = run_invoke("db.update-cognito-user-ids", *wrong, env=tunnelled.env)
            assert (result.returncode, result.stdout) == (1, "")
            assert tunnelled.address.dbname in result.stderr
            assert tunnelled.stored == before
        assert tunnelled.audited == []

    def test_are_stored_with_it_and_a_line(self, run_invoke, tunnelled) -> None:
        name = tunnelled.address.dbname
        result = run_invoke("db.update-cognito-user-ids", "--confirm", name, env=tunnelled.env)
        assert result.stdout == "1 Cognito id updated, 0 unchanged\n"
        (line,) = tunnelled.audited
        assert (line["what"], line["purpose"]) == ("db.update-cognito-user-ids", "writing")
        assert line["actor"].keys() >= {"uid", "host"}
        assert f"audit {json.dumps(line)}\n" in result.stderr


def sending(task: str) -> list[str]:
    return [f"ddb.patterns.{task}", *PAIR, "--message", "hello there"]


WRITING = [sending("create-message"), sending("create-conversation"), ["ddb.follow-stream"]]


class TestASend:
    """Each task in every state of the stores: tests/access."""

    @pytest.mark.parametrize(
        ("command", "marked"),
        [(WRITING[0], "prod"), (WRITING[1], "database"), (WRITING[2], "table")],
        ids=lambda value: value if isinstance(value, str) else value[0],
    )
    def test_stores_nothing_on_production_without_the_tables_name(
        self, run_invoke, talking, command, marked
    ) -> None:
        env, prod = talking.env, []
        if marked == "prod":
            env, prod = talking.prod, ["--prod"]
        else:
            getattr(talking, f"mark_{marked}")()
        before = talking.stored
        for wrong in ([], ["--confirm", talking.address.dbname], ["--confirm", "bayko"]):
            result = run_invoke(*command, *prod, *wrong, env=env)
            assert (result.returncode, result.stdout) == (1, "")
            assert talking.table.name in result.stderr.splitlines()[-1]
        assert talking.stored == before
        assert talking.audited == []

    @pytest.mark.parametrize(
        ("command", "marked"), [(WRITING[0], "database"), (WRITING[1], "prod")]
    )
    def test_leaves_one_line_with_its_name(self, run_invoke, talking, command, marked) -> None:
        env, prod = talking.env, []
        if marked == "prod":
            env, prod = talking.prod, ["--prod"]
        else:
            getattr(talking, f"mark_{marked}")()
        result = run_invoke(*command, *prod, "--confirm", talking.table.name, env=env)
        assert result.returncode == 0, result.stderr
        (line,) = talking.audited
        with Database(talking.address) as db:
            about = [users.find_user(db, handle).uuid for handle in ("bayko", "andrewbrown")]
        assert (line["what"], line["purpose"]) == (command[0], "writing")
        assert sorted(line["about"]) == sorted(about)
        for private in ("hello there", "bayko", "andrewbrown", "example.com"):
            assert private not in talking.audit_path.read_text()
        assert ("arn" in line["actor"]) is (marked == "prod")

    @pytest.mark.parametrize("command", WRITING[:2], ids=lambda command: command[0])
    def test_in_a_dry_run_asks_why_it_reads_and_for_no_name_and_stores_nothing(
        self, run_invoke, talking, command
    ) -> None:
        talking.mark_table()
        before = talking.stored
        refused = run_invoke("--dry", *command, env=talking.env)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert refused.stderr.endswith("Say why you read users' data: set CRUDDUR_REASON.\n")
        assert talking.audited == []
        result = run_invoke("--dry", *command, env=talking.env | {"CRUDDUR_REASON": "ticket 7"})
        assert result.returncode == 0, result.stderr
        assert talking.stored == before
        (line,) = talking.audited
        assert (line["what"], line["purpose"], line["why"]) == (command[0], "reading", "ticket 7")


class TestARecreatedStore:
    def test_stays_production_in_postgres(self, run_invoke, place) -> None:
        place.mark_database()
        name = place.address.dbname
        done = run_invoke(
            "db.drop", "--confirm", name, "db.create", "db.schema-load", env=place.env
        )
        assert done.returncode == 0, done.stderr
        assert f"loaded the schema into {name}, marked production" in done.stdout
        assert unguarded.state(place.address).environment == "production"
        assert run_invoke("db.drop", env=place.env).returncode == 1
        assert unguarded.database_exists(place.address)
        assert [line["what"] for line in place.audited] == [
            "db.drop",
            "db.create",
            "db.schema-load",
        ]

    def test_stays_production_in_dynamodb(self, run_invoke, place) -> None:
        place.mark_table()
        done = run_invoke(
            "ddb.drop", "--confirm", place.table.name, "ddb.schema-load", env=place.env
        )
        assert done.returncode == 0, done.stderr
        assert content(place.table)[0][2]["environment"] == {"S": "production"}
        assert run_invoke("ddb.drop", env=place.env).returncode == 1

    def test_is_production_where_it_held_data_and_no_marker(self, run_invoke, place) -> None:
        place.execute("DROP TABLE public.cruddur_ops_environment")
        name = place.address.dbname
        run_invoke("db.drop", "--confirm", name, "db.create", "db.schema-load", env=place.env)
        assert unguarded.state(place.address).environment == "production"


READING = [
    ["ddb.patterns.get-conversation", *PAIR],
    ["ddb.export"],
    ["db.connect"],
]


@pytest.mark.parametrize("command", READING, ids=lambda command: command[0])
class TestAReadingOfProduction:
    """Each task in every state of the stores: tests/access."""

    def test_shows_nothing_without_a_reason(self, run_invoke, talking, command) -> None:
        result = run_invoke(*command, "--prod", env=talking.prod, stdin="SELECT 1;\n")
        assert (result.returncode, result.stdout) == (1, "")
        assert "--reason" in result.stderr.splitlines()[-1]
        assert talking.audited == []

    def test_shows_it_for_a_reason_and_leaves_one_line(self, run_invoke, talking, command) -> None:
        options = ["--prod", "--reason", "ticket 7"]
        result = run_invoke(*command, *options, env=talking.prod, stdin="SELECT 40 + 2;\n")
        assert result.returncode == 0, result.stderr
        assert result.stdout
        (line,) = talking.audited
        assert (line["what"], line["purpose"], line["why"]) == (command[0], "reading", "ticket 7")
        assert line["target"] == "production"
        assert "bayko" not in talking.audit_path.read_text()

    def test_shows_nothing_where_the_audit_file_is_full(self, run_invoke, talking, command) -> None:
        env = talking.prod | {"CRUDDUR_AUDIT_LOG": "/dev/full"}
        result = run_invoke(*command, "--prod", "--reason", "x", env=env, stdin="SELECT 1;\n")
        assert (result.returncode, result.stdout) == (1, "")
        assert "Could not write the audit line to /dev/full" in result.stderr

    def test_shows_nothing_where_standard_error_is_full(self, talking, command, tmp_path) -> None:
        for redirection in ("2>/dev/full", "2>&-"):
            done = subprocess.run(
                [
                    *("sh", "-c", f'exec "$0" -m invoke "$@" {redirection}', sys.executable),
                    *(*command, "--prod", "--reason", "x"),
                ],
                cwd=PROJECT_ROOT,
                env=hermetic_environment(tmp_path) | talking.prod,
                input="SELECT 1;\n",
                stdout=subprocess.PIPE,
                text=True,
            )
            assert done.returncode != 0
            assert done.stdout == ""
            assert talking.audited == []


def read_until(controller: int, text: str) -> None:
    """Read what a terminal shows until it has shown ``text``."""
    shown = b""
    while text.encode() not in shown:
        assert select.select([controller], [], [], 30)[0], shown
        shown += os.read(controller, 65_536)


@pytest.mark.parametrize("task", ["people.show", "people.export"])
def test_who_is_shown_is_whom_the_audit_names_although_another_has_the_handle_since(
    commands, talking, tmp_path, task: str
) -> None:
    talking.mark_database()
    with Database(talking.address) as db:
        bayko = users.find_user(db, "bayko").uuid
    words = [task, "--user", "bayko"]
    words += ["--json"] if task == "people.show" else ["--file", str(tmp_path / "export")]
    environment = hermetic_environment(tmp_path) | {"TERM": "xterm"} | talking.env
    controller, terminal = pty.openpty()
    typing = threading.Thread(
        target=commands.run_on, args=([terminal] * 3, tuple(words), environment)
    )
    typing.start()
    read_until(controller, "Why do you read it?")
    talking.execute(
        "UPDATE public.users SET handle = 'ben' WHERE handle = 'bayko'",
        "UPDATE public.users SET handle = 'bayko' WHERE handle = 'andrewbrown'",
    )
    os.write(controller, b"ticket 7\n")
    if task == "people.show":
        read_until(controller, f'"user_uuid": "{bayko}"')
    typing.join()
    os.close(terminal)
    os.close(controller)
    assert [line["about"] for line in talking.audited] == [[bayko]]
    if task == "people.export":
        assert json.loads((tmp_path / "export" / "profile.json").read_text())["uuid"] == bayko


@pytest.mark.parametrize("dry", [(), ("--dry",)])
@pytest.mark.parametrize(
    "reason", ["bayko asked", "for @BAYKO", "Andrew  Bayko asked", "user {uuid}"]
)
def test_the_audit_never_has_the_reason_of_an_erasure_that_names_the_user(
    run_invoke, talking, dry, reason
) -> None:
    talking.mark_table()
    with Database(talking.address) as db:
        person = users.find_person(db, "bayko")
    assert person.display_name == "Andrew Bayko"
    why = reason.format(uuid=person.uuid)
    before = talking.stored
    confirmed = ("--confirm", talking.table.name)
    for whom in (("--user", "@bayko"), ("--user-uuid", person.uuid)):
        for words, env in ((("--reason", why), {}), ((), {"CRUDDUR_REASON": why})):
            typed = (*dry, "people.erase", *whom, *confirmed, *words)
            refused = run_invoke(*typed, env=talking.env | env)
            assert (refused.returncode, "names the user" in refused.stderr) == (1, True)
    assert (talking.audited, talking.stored) == ([], before)


def test_psql_on_production_changes_nothing_unless_it_is_to_write(run_invoke, talking) -> None:
    def connect(*options: str) -> subprocess.CompletedProcess[str]:
        typed = "DELETE FROM public.activities;\n"
        return run_invoke("db.connect", "--prod", *options, env=talking.prod, stdin=typed)

    before = talking.stored
    assert "read-only" in connect("--reason", "x").stderr
    assert connect("--write").returncode == 1
    assert connect("--write", "--reason", "x").returncode == 1
    assert connect("--write", "--confirm", talking.table.name).returncode == 1
    assert talking.stored == before
    assert connect("--write", "--confirm", talking.address.dbname).returncode == 0
    assert talking.stored != before
    assert [line["purpose"] for line in talking.audited] == ["reading", "writing"]


class TestOneCommandLine:
    @pytest.mark.parametrize(
        "tasks",
        [
            ["start", "--no-admin", "db.seed", "--prod"],
            ["db.seed", "--prod", "start", "--no-admin"],
            ["ddb.scan", "db.seed", "--prod"],
        ],
    )
    def test_has_one_target_or_nothing_of_it_runs(self, run_invoke, place, tasks) -> None:
        before = place.stored
        env = place.prod | {k: place.env[k] for k in ("CONNECTION_URL", "AWS_ENDPOINT_URL")}
        result = run_invoke(*tasks, env=env)
        assert (result.returncode, result.stdout) == (2, "")
        assert "different targets" in result.stderr
        assert place.stored == before

    def test_starts_no_engine_before_it_is_refused(self, run_invoke, tmp_path) -> None:
        env = {"CRUDDUR_ENGINES_DIR": str(tmp_path / "engines"), "PROD_CONNECTION_URL": "x"}
        result = run_invoke("start", "--no-admin", "db.seed", "--prod", env=env)
        assert result.returncode == 2
        assert not (tmp_path / "engines").exists()

    def test_is_refused_as_a_whole_for_a_wrong_name_at_its_end(self, run_invoke, place) -> None:
        before = place.stored
        result = run_invoke("ddb.schema-load", "db.seed", "--confirm", "wrong", env=place.env)
        assert (result.returncode, result.stdout) == (1, "")
        assert place.stored == before


@pytest.mark.parametrize("name", ["wrong", "", "cruddur"])
@pytest.mark.parametrize(
    "command",
    [
        ["db.drop"],
        ["db.setup"],
        ["db.schema-load"],
        ["db.seed"],
        ["db.update-cognito-user-ids"],
        ["db.connect", "--write"],
        ["ddb.drop"],
        ["ddb.seed"],
        ["ddb.import", "--file", "/dev/null"],
        ["ddb.verify", "--repair"],
        ["ddb.follow-stream"],
        *WRITING[:2],
    ],
    ids=lambda command: command[0],
)
def test_a_wrong_name_is_refused_on_a_local_store(run_invoke, talking, command, name) -> None:
    before = talking.stored
    result = run_invoke(*command, "--confirm", name, env=talking.env)
    assert (result.returncode, result.stdout) == (1, "")
    right_name = talking.address.dbname if command[0].startswith("db.") else talking.table.name
    assert f"{name!r} is not the name of the" in result.stderr
    assert result.stderr.endswith(f"It is {right_name}.\n")
    assert talking.stored == before


# Cruddur's own tables, as its scripts leave them before the first user signs up: no marker

CRUDDURS = (
    "CREATE EXTENSION IF NOT EXISTS plpgsql",
    "CREATE TABLE public.users (uuid uuid DEFAULT gen_random_uuid() PRIMARY KEY,"
    " display_name text NOT NULL, handle text NOT NULL, email text NOT NULL,"
    " cognito_user_id text NOT NULL, created_at timestamp DEFAULT current_timestamp NOT NULL)",
    "CREATE TABLE public.activities (uuid uuid DEFAULT gen_random_uuid() PRIMARY KEY,"
    " user_uuid uuid NOT NULL, message text NOT NULL, replies_count integer DEFAULT 0,"
    " reposts_count integer DEFAULT 0, likes_count integer DEFAULT 0,"
    " reply_to_activity_uuid integer, expires_at timestamp,"
    " created_at timestamp DEFAULT current_timestamp NOT NULL)",
)


@pytest.fixture
def bare_place(engines, database_url: str, address: PostgresAddress, tmp_path: Path) -> Place:
    place = Place(
        {
            "CONNECTION_URL": database_url,
            "AWS_ENDPOINT_URL": engines.aws_endpoint_url,
            "DDB_MESSAGE_TABLE": f"messages-{uuid.uuid4().hex[:12]}",
        },
        tmp_path,
    )
    unguarded.create_database(address)
    place.execute(*CRUDDURS)
    place.table.client.create_table(
        TableName=place.table.name, BillingMode="PAY_PER_REQUEST", **_SCHEMA
    )
    return place


class TestCruddursOwnEmptyTables:
    def test_are_marked_before_the_first_seed_so_that_start_works_again(
        self, run_invoke, bare_place
    ) -> None:
        for _ in range(2):
            result = run_invoke("start", "--no-admin", env=bare_place.env)
            assert result.returncode == 0, result.stderr
            assert "The inbox of andrewbrown:" in result.stdout
        assert unguarded.state(bare_place.address).environment == "local"
        assert keys.ENVIRONMENT_KEY["pk"]["S"] in {row[0] for row in content(bare_place.table)}
        assert bare_place.audited == []

    @pytest.mark.parametrize("task", ["db.seed", "ddb.seed"])
    def test_can_be_seeded_twice_by_their_tasks(self, run_invoke, bare_place, task) -> None:
        if task == "ddb.seed":
            assert run_invoke("db.seed", env=bare_place.env).returncode == 0
        for _ in range(2):
            result = run_invoke(task, env=bare_place.env)
            assert result.returncode == 0, result.stderr

    def test_with_data_are_production_and_the_error_names_adopt(
        self, run_invoke, bare_place
    ) -> None:
        bare_place.execute(
            "INSERT INTO public.users (display_name, handle, email, cognito_user_id)"
            " VALUES ('A', 'a', 'a@x.org', 'MOCK')"
        )
        result = run_invoke("start", "--no-admin", env=bare_place.env)
        assert result.returncode == 1
        assert "invoke adopt" in result.stderr
