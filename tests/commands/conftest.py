"""Fixtures for tests that type real commands."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from databases import Databases
from unguarded import Database, make_table, open_table, put_items

from commands import typed
from core import transcripts
from core.dynamodb.keys import Item
from core.dynamodb.patterns import reads
from core.dynamodb.table import Table
from core.engines import Endpoints
from core.postgres import demo_people, migrate, read_migrations
from core.settings import PROJECT_ROOT, Settings
from core.targets import resolve
from core.targets.postgres import PostgresAddress, parse_url
from core.usecases.conversations import load_conversation

RunInvoke = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run_invoke(commands: typed.Commands, tmp_path: Path) -> RunInvoke:
    """``run_invoke("db.seed", "--prod", env={…}, stdin="…")``: what the command printed.

    The command sees nothing of the developer's own environment: no AWS variables, no ``.env``, no
    engines.
    """

    def run(
        *args: str, env: Mapping[str, str] | None = None, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        environment = hermetic_environment(tmp_path) | dict(env or {})
        if typed.needs_an_interpreter(environment):
            result = subprocess.run(
                [sys.executable, "-m", "invoke", *args],
                cwd=PROJECT_ROOT,
                env=environment,
                input=stdin,
                capture_output=True,
                encoding="utf-8",
                timeout=60,
                check=False,
            )
        else:
            result = commands.run(args, environment, stdin)
        assert "Traceback" not in result.stderr, result.stderr
        return result

    return run


def hermetic_environment(folder: Path) -> dict[str, str]:
    # A variable that is set but empty counts as unset, and keeps a .env file from setting it.
    unset = {name: "" for setting in fields(Settings) for name in setting.metadata["names"]}
    return {
        **unset,
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "AWS_CONFIG_FILE": str(folder / "no-aws-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "no-aws-credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "CRUDDUR_ENGINES_DIR": str(folder / "no engines"),
    }


@pytest.fixture
def database_url(engines, databases: Databases) -> Iterator[str]:
    """The URL of a database that does not exist yet, on the shared server."""
    server = urlsplit(engines.postgres_url)
    url = server._replace(path="/" + quote(f"It's-{uuid.uuid4().hex[:12]}")).geturl()
    yield url
    databases.drop(parse_url(url, "CONNECTION_URL").dbname)


@pytest.fixture
def address(database_url: str) -> PostgresAddress:
    """The address in ``database_url``."""
    return parse_url(database_url, "CONNECTION_URL")


@pytest.fixture
def postgres_env(database_url: str) -> dict[str, str]:
    """The environment of a command that works on that database."""
    return {"CONNECTION_URL": database_url}


@pytest.fixture(scope="session")
def seeded_database_url(engines, databases: Databases) -> str:
    """A database with the schema and the demo users, shared: tests do not change its users."""
    server = urlsplit(engines.postgres_url)
    url = server._replace(path=f"/seeded-{uuid.uuid4().hex[:12]}").geturl()
    address = parse_url(url, "CONNECTION_URL")
    databases.create_seeded(address.dbname)
    with Database(address) as db:
        list(migrate(db, read_migrations(Settings().migrations_path)))
    return url


@pytest.fixture
def bare_env(engines, seeded_database_url: str) -> dict[str, str]:
    """The environment of a command with seeded users and no message table yet."""
    return environment_of_stores(engines, seeded_database_url)


def environment_of_stores(engines: Endpoints, database_url: str) -> dict[str, str]:
    return {
        "CONNECTION_URL": database_url,
        "AWS_ENDPOINT_URL": engines.aws_endpoint_url,
        "DDB_MESSAGE_TABLE": f"messages-{uuid.uuid4().hex[:12]}",
    }


@pytest.fixture
def messages(bare_env: dict[str, str]) -> Table:
    """The message table of ``table_env``, to check what a command stored."""
    return open_table(resolve(Settings.from_env(bare_env), prod=False))


@pytest.fixture
def table_env(bare_env: dict[str, str], messages: Table) -> dict[str, str]:
    """The environment of a command with seeded users and an empty message table."""
    make_table(messages)
    return bare_env


@pytest.fixture(scope="session")
def demo_items(engines, seeded_database_url: str) -> list[Item]:
    """What ``ddb.seed`` stores in an empty table."""
    env = environment_of_stores(engines, seeded_database_url)
    table = open_table(resolve(Settings.from_env(env), prod=False))
    make_table(table)
    first, second = (person.handle for person in demo_people(Settings())[:2])
    with Database(parse_url(seeded_database_url, "CONNECTION_URL")) as db:
        load_conversation(db, table, first, second, transcripts.read_demo())
    return list(reads.scan(table))


@pytest.fixture
def seeded(demo_items: list[Item], table_env: dict[str, str], messages: Table) -> dict[str, str]:
    """The same, with the demo conversation in the table."""
    put_items(messages, demo_items)
    return table_env


def content(table: Table) -> list:
    """All stored items, in a fixed order."""
    return sorted((item["pk"]["S"], item["sk"]["S"], item) for item in reads.scan(table))
