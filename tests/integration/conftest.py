"""Fixtures over the engines that the whole test run shares."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator

import pytest
from databases import Databases
from dynoxide import find_binary
from unguarded import Database, make_table, open_table_named

from core.dynamodb.marker import write_marker
from core.dynamodb.schema import _SCHEMA
from core.dynamodb.table import Table
from core.models import Person
from core.targets import AwsTarget, Environment
from core.targets.postgres import PostgresAddress, parse_url


@pytest.fixture(scope="session")
def aws_target(engines) -> AwsTarget:
    return AwsTarget(engines.aws_endpoint_url, "us-east-1", placeholder_credentials=True)


@pytest.fixture
def no_table(aws_target) -> Iterator[Table]:
    """A name that is not used yet."""
    table = open_table_named(f"messages-{uuid.uuid4().hex[:12]}", aws_target)
    yield table
    with contextlib.suppress(table.client.exceptions.ResourceNotFoundException):
        table.client.delete_table(TableName=table.name)


@pytest.fixture
def table(no_table: Table) -> Table:
    """A message table for one test, empty except for its marker, its meter at zero."""
    make_table(no_table)
    return no_table.metered()


@pytest.fixture
def durable_table(dynoxide) -> Iterator[Table]:
    """A message table on dynoxide, without a stream: its records would slow down the writes."""
    table = open_table_named("cruddur-messages", dynoxide.target)
    table.client.create_table(TableName=table.name, BillingMode="PAY_PER_REQUEST", **_SCHEMA)
    write_marker(table, Environment.LOCAL)
    yield table.metered()
    table.client.close()


@pytest.fixture
def busy_table(request: pytest.FixtureRequest) -> Table:
    """A message table for hundreds of writes: on dynoxide where it is installed, which takes half
    of the processor's time.
    """
    engine_s_table: Table = request.getfixturevalue("durable_table" if find_binary() else "table")
    return engine_s_table


@pytest.fixture
def ana() -> Person:
    return Person(str(uuid.uuid4()), "ana", "Ana")


@pytest.fixture
def ben() -> Person:
    return Person(str(uuid.uuid4()), "ben", "Ben")


@pytest.fixture
def no_database(engines, databases: Databases) -> Iterator[PostgresAddress]:
    """A database name that is not used yet on the shared server."""
    server = parse_url(engines.postgres_url, "CONNECTION_URL")
    address = server.with_dbname(f"Test-{uuid.uuid4().hex[:12]}")
    yield address
    databases.drop(address.dbname)


@pytest.fixture
def db(no_database: PostgresAddress, databases: Databases) -> Iterator[Database]:
    """A database for one test with the schema loaded, marked local, without a user."""
    databases.create_loaded(no_database.dbname)
    with Database(no_database) as database:
        yield database
