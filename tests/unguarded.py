"""The stores as tests use them: opened for everything, without the door.

Only tests may do this: they prepare data for a command, and check what it stored.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable
from typing import Any

from core import postgres
from core.aws.services import AwsServices
from core.dynamodb import schema, table as tables
from core.dynamodb.keys import Item
from core.dynamodb.marker import write_marker
from core.postgres.admin import Session, Survey
from core.postgres.database import Database as OpenedDatabase
from core.purposes import Purpose
from core.targets import AwsTarget, Environment, StoreState, Target
from core.targets.postgres import PostgresAddress


class Database(OpenedDatabase):
    """A database that is opened for everything, unless a test says otherwise."""

    def __init__(
        self, address: PostgresAddress, purpose: Purpose = Purpose.DESTROYING, **options: Any
    ) -> None:
        super().__init__(address, purpose, **options)


@functools.cache
def open_client(target: AwsTarget) -> Any:
    """One client of ``target`` for all: it takes as long to make as several requests."""
    return tables.open_client(target, "dynamodb", Purpose.DESTROYING)


def open_table(target: Target) -> tables.Table:
    """The message table of ``target``."""
    return open_table_named(target.table_name, target.dynamodb)


def open_table_named(name: str, target: AwsTarget) -> tables.Table:
    return tables.Table(open_client(target), name, target, purpose=Purpose.DESTROYING)


def make_table(table: tables.Table, environment: str | None = Environment.LOCAL) -> None:
    """Create ``table`` as ``ddb.schema-load`` does, in two requests instead of five.

    ``environment`` None leaves it without a marker.
    """
    assert schema._create(table)
    if environment is not None:
        write_marker(table, environment)


def put_items(table: tables.Table, items: Iterable[Item]) -> None:
    """Put items as another app would, 25 in a request."""
    rest = iter(items)
    while batch := list(itertools.islice(rest, 25)):
        puts = [{"PutRequest": {"Item": item}} for item in batch]
        table.client.batch_write_item(RequestItems={table.name: puts})


def create_database(address: PostgresAddress, dry: Callable[[str], None] | None = None) -> bool:
    with Database(address, dry=dry) as db:
        return postgres.create_database(db)


def drop_database(
    address: PostgresAddress, dry: Callable[[str], None] | None = None
) -> tuple[Session, ...] | None:
    with Database(address, dry=dry) as db:
        return postgres.drop_database(db)


def database_exists(address: PostgresAddress) -> bool:
    with Database(address) as db:
        return postgres.database_exists(db)


def survey(address: PostgresAddress) -> Survey:
    with Database(address) as db:
        return postgres.survey(db)


def state(address: PostgresAddress) -> StoreState:
    with Database(address) as db:
        return postgres.read_state(db)


def services(target: AwsTarget, purpose: Purpose = Purpose.DESTROYING) -> AwsServices:
    return AwsServices(target, purpose)
