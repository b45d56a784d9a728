"""The state that a page expects before its first command."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from integration.cruddur_checkout import Checkout
from unguarded import Database

from core.dynamodb.table import Table
from core.postgres.seed import DemoPerson, demo_people
from core.settings import Settings
from core.targets.postgres import parse_url

from .pages import PAGES
from .readers_own import make_user_pool
from .stand_ins import perform
from .world import World

ONE, OTHER, _ = demo_people(Settings())
GROUP = str(uuid.uuid5(uuid.NAMESPACE_URL, "urn:cruddur:a-conversation"))
TABLE = "cruddur-messages"


def pointed_at_aws(world: World) -> None:
    """The settings of the page about AWS are set."""
    (page,) = (page for page in PAGES if page.name == "docs/how-to/use-aws.md")
    for block in page.blocks():
        for line in block.commands:
            if line.startswith("export "):
                perform(world, line, None)


def production_seeded(world: World) -> None:
    """Production has the demo users and their conversation."""
    for task in ("db.create", "db.schema-load", "db.seed --confirm cruddur"):
        _invoke(world, f"{task} --prod")
    _invoke(world, "ddb.schema-load --prod")
    _invoke(world, f"ddb.seed --confirm {TABLE} --prod")


def made_by_cruddur(world: World) -> None:
    """Production is what Cruddur's own scripts leave: no markers, no stream, filler previews."""
    address = parse_url(world.env["PROD_CONNECTION_URL"], "PROD_CONNECTION_URL")
    _invoke(world, "db.create --prod")
    _invoke(world, "db.schema-load --prod")
    _invoke(world, "db.seed --confirm cruddur --prod")
    with Database(address) as db:
        db.query_commit("DROP TABLE public.cruddur_ops_environment")
    table = _production_table(world)
    table.client.create_table(TableName=TABLE, BillingMode="PAY_PER_REQUEST", **_CRUDDURS_SCHEMA)
    now = datetime.now(UTC)
    for number in range(44):
        sender = (ONE, OTHER)[number % 2]
        _put_message(
            table, sender, now - timedelta(days=1, minutes=44 - number), f"line {number}", GROUP
        )
    for owner, shown in ((ONE, OTHER), (OTHER, ONE)):
        _put(
            table,
            f"GRP#{owner.uuid}",
            now,
            shown,
            message="this is a filler message",
            message_group_uuid=GROUP,
        )


def answered_by_cruddur(world: World) -> None:
    """Cruddur's app has put one more message into the seeded conversation, and nothing else."""
    table = _production_table(world)
    rows = table.client.query(
        TableName=TABLE,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"GRP#{ONE.uuid}"}},
    )["Items"]
    group = rows[0]["message_group_uuid"]["S"]
    _put_message(table, OTHER, datetime.now(UTC), "Sent from Cruddur's own page", group)


def with_a_user_pool(world: World) -> None:
    """The variables that Cruddur's own scripts read are set; the local engine has the pool."""
    world.env["AWS_COGNITO_USER_POOL_ID"] = make_user_pool(world, prod=False)


def with_a_checkout_of_cruddur(world: World) -> None:
    """The folder above holds the app, with the two migrations of its last version."""
    Checkout(world.folder.parent / f"{world.folder.name}-app").add_both()
    world.env["CRUDDUR_APP"] = str(world.folder.parent / f"{world.folder.name}-app")
    folder = world.folder / "sql" / "migrations"
    world.disguises.append((f"{folder}/", "/home/you/cruddur-ops/sql/migrations/"))


PREPARED: dict[str, Sequence[Callable[[World], None]]] = {
    "README.md": [with_a_user_pool],
    "docs/how-to/adopt-a-table.md": [pointed_at_aws, made_by_cruddur],
    "docs/how-to/beside-cruddur.md": [pointed_at_aws, production_seeded, answered_by_cruddur],
    "docs/how-to/migrate-the-database.md": [with_a_checkout_of_cruddur],
    "docs/how-to/move-data.md": [pointed_at_aws, production_seeded],
    "docs/how-to/log-in.md": [pointed_at_aws, production_seeded],
}
"""The preparation before the first command of a page. Every other page begins without any."""


def _invoke(world: World, command: str) -> None:
    done = world.run(f"invoke {command}")
    assert done.code == 0, done.output


def _production_table(world: World) -> Table:
    return Table(world.aws_client("dynamodb", prod=True), TABLE, world.aws_target())


def _put_message(
    table: Table, sender: DemoPerson, sent_at: datetime, text: str, group: str
) -> None:
    """A message as Cruddur's app puts it."""
    _put(table, f"MSG#{group}", sent_at, sender, message=text, message_uuid=str(uuid.uuid4()))


def _put(table: Table, pk: str, sent_at: datetime, person: DemoPerson, **more: str) -> None:
    values = {
        "pk": pk,
        "sk": sent_at.isoformat(timespec="microseconds"),
        "user_uuid": person.uuid,
        "user_display_name": person.display_name,
        "user_handle": person.handle,
    }
    item = {name: {"S": value} for name, value in (values | more).items()}
    table.client.put_item(TableName=table.name, Item=item)


_CRUDDURS_SCHEMA: dict[str, Any] = {
    "AttributeDefinitions": [
        {"AttributeName": name, "AttributeType": "S"} for name in ("message_group_uuid", "pk", "sk")
    ],
    "KeySchema": [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "message-group-sk-index",
            "KeySchema": [
                {"AttributeName": "message_group_uuid", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "ALL"},
        }
    ],
}
