"""Both stores in every world and state, made quickly and read without the door.

A store is made again only after something in it was changed: the database from a template, the
message table from a handful of items.
"""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from databases import Databases
from psycopg import sql
from unguarded import Database, make_table, open_table_named

from core.aws.clients import make_client
from core.dynamodb.items import message_item
from core.dynamodb.patterns import reads
from core.dynamodb.patterns.sends import Draft, start
from core.dynamodb.table import Table
from core.engines import endpoints
from core.errors import MissingSchemaError
from core.models import Message
from core.postgres import admin, migrate, read_migrations, users
from core.postgres.seed import seed_demo_data
from core.settings import Settings
from core.targets import AwsTarget
from core.targets.postgres import parse_url
from core.timestamps import now, parse, sort_key

from .design import (
    AWS,
    DYNAMODB,
    EMPTY,
    FULL,
    MIGRATED,
    NO_DATABASE,
    NO_TABLE,
    NO_TABLES,
    POSTGRES,
    STORES,
    State,
)

MARKER = "cruddur_ops_environment"
PRIVATE = ("bayko", "andrewbrown", "Andrew", "example.com", "first words", "newest words")
"""Text that is in the stores and must not be in an audit line."""

Snapshot = dict[str, Any]


@dataclass
class Place:
    """The two stores of one state, and what a command needs to reach them.

    ``pristine`` has what each store holds before a command. A store that is not in it is not made.
    """

    world: str
    state: State
    pool_id: str
    table: Table
    dbname: str = ""
    conversation: str = ""
    message: str = ""
    pristine: Snapshot = field(default_factory=dict)


class Places:
    """Makes places on the shared engines, one at a time for each world and state."""

    def __init__(self, engines_folder: Path, databases: Databases, folder: Path) -> None:
        self._databases = databases
        self._engines_folder = engines_folder
        self._engines = engines = endpoints(engines_folder)
        self.folder = folder
        self._target = AwsTarget(
            engines.aws_endpoint_url, "us-east-1", placeholder_credentials=True
        )
        self._templates: dict[tuple[str, str | None], str] = {}
        self._places: dict[tuple[str, str | None, str | None], Place] = {}
        self.aws = _Aws(self._target)

    def close(self) -> None:
        for place in self._places.values():
            self._drop_database(place)
            self._drop_table(place)
        for name in self._templates.values():
            self._databases.drop(name)
        self.aws.close()

    # A place for a cell

    def get(self, world: str, state: State) -> Place:
        """The unchanged place of ``state`` in ``world``."""
        key = world, state.postgres, state.dynamodb
        if key not in self._places:
            self._places[key] = Place(world, state, self.aws.pool_id, self._table(""))
        place = self._places[key]
        self._make_what_is_missing(place)
        return place

    def look(self, place: Place, stores: Iterable[str] = STORES) -> Snapshot:
        """All stored data, by store; None for a missing store."""
        looks: Mapping[str, Callable[[], Any]] = {
            POSTGRES: lambda: self._rows(place.dbname),
            DYNAMODB: lambda: self._items(place.table),
            AWS: self.aws.look,
        }
        return {store: looks[store]() for store in stores}

    def renew(self, place: Place, changed: frozenset[str]) -> None:
        """Put back what was changed."""
        if AWS in changed:
            self.aws.renew()
        for store, drop in ((POSTGRES, self._drop_database), (DYNAMODB, self._drop_table)):
            if store in changed:
                drop(place)
                del place.pristine[store]

    def environment(
        self, place: Place, state: State, settings: Mapping[str, str]
    ) -> dict[str, str]:
        """The variables of a command on ``place``; ``settings`` are those of the command alone."""
        prefix = "PROD_" if state.target == "production" else ""
        if state.target and not prefix:
            file = self._targets_file(place, state.target, settings)
            return self._common(place) | {"CRUDDUR_TARGETS_FILE": file}
        return {
            **self._common(place),
            **self.aws.environment,
            f"{prefix}CONNECTION_URL": self._url(place.dbname),
            f"{prefix}AWS_ENDPOINT_URL": self._engines.aws_endpoint_url,
            "DDB_MESSAGE_TABLE": place.table.name,
        }

    def _common(self, place: Place) -> dict[str, str]:
        return {
            "STREAMLIT_SECRETS_FILES": str(self.folder / f"{place.dbname}.toml"),
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "CRUDDUR_MIGRATIONS_DIR": str(self._migrations),
            "CRUDDUR_ENGINES_DIR": str(self._engines_folder),
        }

    def _targets_file(self, place: Place, name: str, settings: Mapping[str, str]) -> str:
        """A file with one target, which is on ``place``."""
        aws = self.aws.environment | dict(settings)
        values = {
            "connection_url": self._url(place.dbname),
            "endpoint_url": self._engines.aws_endpoint_url,
            "table": place.table.name,
            "user_pool_id": aws["AWS_COGNITO_USER_POOL_ID"],
            "security_group_id": aws["DB_SG_ID"],
            "security_group_rule_id": aws["DB_SG_RULE_ID"],
        }
        lines = [f"{key} = {json.dumps(value)}\n" for key, value in values.items() if value]
        path = self.folder / "targets.toml"
        path.write_text(f"[{name}]\n{''.join(lines)}")
        return str(path)

    def words(self, place: Place, state: State) -> Mapping[str, str]:
        """The values for the names in braces in a row's words."""
        return {
            "folder": str(self.folder),
            "environment": state.target or "production",
            "fresh": uuid.uuid4().hex,
            "conversation": place.conversation,
            "message": place.message,
            "import_file": str(self._import_file),
            "users_file": str(self._users_file),
            "dump": str(self._dump),
        }

    # Making

    def _make_what_is_missing(self, place: Place) -> None:
        missing = [store for store in STORES if store not in place.pristine]
        if POSTGRES in missing:
            place.dbname = f"matrix-{uuid.uuid4().hex[:12]}"
            if place.world != NO_DATABASE:
                template = self._template(place.world, place.state.postgres)
                self._databases.copy(template, place.dbname)
        if DYNAMODB in missing:
            place.table = self._table(f"messages-{uuid.uuid4().hex[:12]}")
            if place.world != NO_TABLE:
                self._fill_table(place)
        place.pristine |= self.look(place, missing)

    def _table(self, name: str) -> Table:
        return open_table_named(name, self._target)

    def _fill_table(self, place: Place) -> None:
        make_table(place.table, place.state.dynamodb)
        if place.world != EMPTY:
            place.conversation, place.message = self._converse(place.table)

    def _converse(self, table: Table) -> tuple[str, str]:
        """A conversation with a message of other software that no inbox shows yet.

        Returns its id, and the uuid of its first message.
        """
        ana, ben = self._people
        message, _ = start(table, Draft(ana, ben, "first words"))
        key = sort_key(now())
        group = message.message_group_uuid
        plain = Message(group, str(uuid.uuid4()), ben, "newest words", key, parse(key))
        table.request("put_item", Item=message_item(plain))
        return group, message.message_uuid

    @cached_property
    def _people(self) -> Any:
        self._template(FULL, "local")
        return self._known_people

    @cached_property
    def _dump(self) -> Path:
        """A file that begins as a dump does; what reads it is stood in for."""
        path = self.folder / "users.dump"
        path.write_bytes(b"PGDMP")
        return path

    @cached_property
    def _migrations(self) -> Path:
        """A folder with one migration."""
        folder = self.folder / "migrations"
        folder.mkdir()
        (folder / "20260101000000_add_mood.sql").write_text(
            "-- migrate:up\nALTER TABLE public.users ADD COLUMN mood text;\n"
            "-- migrate:down\nALTER TABLE public.users DROP COLUMN mood;\n"
        )
        return folder

    @cached_property
    def _users_file(self) -> Path:
        """A user that is in no place."""
        path = self.folder / "users.csv"
        name = uuid.uuid4().hex
        path.write_text(f"handle,display_name,email\n{name},New,{name}@example.com\n")
        return path

    @cached_property
    def _import_file(self) -> Path:
        """An export of one message that is in no place."""
        ana, _ = self._people
        created_at = "2026-01-02T03:04:05.000006+00:00"
        item = message_item(
            Message(
                str(uuid.uuid4()),
                str(uuid.uuid4()),
                ana,
                "moved here",
                created_at,
                parse(created_at),
            )
        )
        path = self.folder / "one-item.jsonl"
        path.write_text(json.dumps(item) + "\n")
        return path

    def _template(self, world: str, marker: str | None) -> str:
        """A template database with the users except ``londo``, so that a seed has a user to add."""
        kind = world if world in (NO_TABLES, EMPTY, MIGRATED) else FULL
        if (kind, marker) not in self._templates:
            name = self._templates[kind, marker] = f"template-{uuid.uuid4().hex[:12]}"
            self._databases.copy("template1", name)
            with Database(parse_url(self._url(name), "URL")) as db:
                admin.load_schema(db, marker or "local")
                if kind == MIGRATED:
                    list(migrate(db, read_migrations(self._migrations)))
                if kind in (FULL, MIGRATED):
                    seed_demo_data(db, Settings())
                    people = [users.find_person(db, handle) for handle in ("andrewbrown", "bayko")]
                    self._known_people = people
            with psycopg.connect(self._url(name), autocommit=True) as connection:
                connection.execute("DELETE FROM public.users WHERE handle = 'londo'")
                if marker is None:
                    connection.execute(f"DROP TABLE public.{MARKER}")
                if kind == EMPTY:
                    connection.execute("DELETE FROM public.schema_information")
                if kind == NO_TABLES:
                    connection.execute(
                        "DROP TABLE public.users, public.activities, public.schema_information"
                    )
        return self._templates[kind, marker]

    def _drop_database(self, place: Place) -> None:
        self._databases.drop(place.dbname)

    def _drop_table(self, place: Place) -> None:
        client = place.table.client
        with contextlib.suppress(client.exceptions.ResourceNotFoundException):
            client.delete_table(TableName=place.table.name)

    def _url(self, dbname: str) -> str:
        return urlsplit(self._engines.postgres_url)._replace(path=f"/{dbname}").geturl()

    # Looking

    def _rows(self, dbname: str) -> Any:
        """The rows of every table, and the database's oid, which changes if it is created again."""
        try:
            connection = psycopg.connect(self._url(dbname), autocommit=True)
        except psycopg.OperationalError as error:
            if "does not exist" not in str(error):
                raise
            return None
        with connection:
            relations = connection.execute(
                "SELECT relname, relkind, oid FROM pg_class"
                " WHERE relnamespace = 'public'::regnamespace ORDER BY 1"
            ).fetchall()
            rows_of_a_table = sql.SQL("SELECT {}, t::text FROM {} AS t")
            tables = [
                rows_of_a_table.format(sql.Literal(name), sql.Identifier("public", name))
                for name, kind, _ in relations
                if kind == "r"
            ]
            rows = connection.execute(sql.SQL(" UNION ALL ").join(tables)) if tables else ()
            return relations, sorted(rows)

    def _items(self, table: Table) -> Any:
        try:
            items = list(reads.scan(table))
        except MissingSchemaError:
            return None
        return sorted(items, key=lambda item: (item["pk"]["S"], item["sk"]["S"]))


class _Aws:
    """A user pool with one user, and a security group's rule that lets another address in."""

    def __init__(self, target: AwsTarget) -> None:
        self._cognito = make_client(target, "cognito-idp")
        self._ec2 = make_client(target, "ec2")
        pool = self._cognito.create_user_pool(PoolName=f"pool-{uuid.uuid4().hex[:8]}")
        self.pool_id = pool["UserPool"]["Id"]
        handle = {"Name": "preferred_username", "Value": "bayko"}
        self._cognito.admin_create_user(
            UserPoolId=self.pool_id, Username="bayko", UserAttributes=[handle]
        )
        group = self._ec2.create_security_group(GroupName=uuid.uuid4().hex, Description="db")
        self._group_id = group["GroupId"]
        source = {"CidrIp": "203.0.113.7/32", "Description": "GITPOD"}
        permission = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "IpRanges": [source]}
        self._ec2.authorize_security_group_ingress(
            GroupId=self._group_id, IpPermissions=[permission]
        )
        (self._rule,) = self._rules()

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AWS_COGNITO_USER_POOL_ID": self.pool_id,
            "DB_SG_ID": self._group_id,
            "DB_SG_RULE_ID": self._rule["SecurityGroupRuleId"],
        }

    def look(self) -> Any:
        in_pool = self._cognito.list_users(UserPoolId=self.pool_id)["Users"]
        groups = self._cognito.list_groups(UserPoolId=self.pool_id)["Groups"]
        made = [group["GroupName"] for group in groups], self._app_clients()
        return self._rules(), [user["Username"] for user in in_pool], made

    def _app_clients(self) -> list[str]:
        clients = self._cognito.list_user_pool_clients(UserPoolId=self.pool_id, MaxResults=60)
        return [client["ClientId"] for client in clients["UserPoolClients"]]

    def renew(self) -> None:
        for client_id in self._app_clients():
            self._cognito.delete_user_pool_client(UserPoolId=self.pool_id, ClientId=client_id)
        for group in self._cognito.list_groups(UserPoolId=self.pool_id)["Groups"]:
            self._cognito.delete_group(UserPoolId=self.pool_id, GroupName=group["GroupName"])
        wanted = {
            name: self._rule[name]
            for name in ("IpProtocol", "FromPort", "ToPort", "CidrIpv4", "Description")
        }
        rule = {"SecurityGroupRuleId": self._rule["SecurityGroupRuleId"]}
        self._ec2.modify_security_group_rules(
            GroupId=self._group_id, SecurityGroupRules=[rule | {"SecurityGroupRule": wanted}]
        )

    def _rules(self) -> list[dict[str, Any]]:
        here = [{"Name": "group-id", "Values": [self._group_id]}]
        rules = self._ec2.describe_security_group_rules(Filters=here)["SecurityGroupRules"]
        return [rule for rule in rules if not rule["IsEgress"]]

    def close(self) -> None:
        self._cognito.delete_user_pool(UserPoolId=self.pool_id)
        self._ec2.delete_security_group(GroupId=self._group_id)
        self._cognito.close()
        self._ec2.close()


@contextlib.contextmanager
def places_on(engines_folder: Path, databases: Databases, folder: Path) -> Iterator[Places]:
    """Places that are dropped when the block ends."""
    places = Places(engines_folder, databases, folder)
    try:
        yield places
    finally:
        places.close()
