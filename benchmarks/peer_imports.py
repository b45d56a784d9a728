"""Imports a file of items with a peer, as often as it is asked to, and prints how long each took.

Runs in the peers' own environment, so it imports nothing of this project::

    python peer_imports.py LIBRARY ENDPOINT FILE < names of tables

Each line of standard input is the name of an empty table; each line of output is the milliseconds
of the import and those of the processor. The items are in memory before: reading the file is no
part of a peer's time.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

REGION, ACCESS_KEY, SECRET_KEY = "us-east-1", "local", "local"
ATTRIBUTES = (
    "message_group_uuid",
    "message",
    "message_uuid",
    "user_uuid",
    "user_display_name",
    "user_handle",
    "group_uuid",
)

Import = Callable[[str], None]


def with_batch_writer(endpoint: str, items: list[dict[str, str]]) -> Import:
    import boto3

    dynamodb = boto3.resource(
        "dynamodb",
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
    )

    def write(name: str) -> None:
        with dynamodb.Table(name).batch_writer() as writer:
            for item in items:
                writer.put_item(Item=item)

    return write


def with_pynamodb(endpoint: str, items: list[dict[str, str]]) -> Import:
    from pynamodb.attributes import UnicodeAttribute
    from pynamodb.models import Model

    def write(name: str) -> None:
        meta = type(
            "Meta",
            (),
            {
                "table_name": name,
                "host": endpoint,
                "region": REGION,
                "aws_access_key_id": ACCESS_KEY,
                "aws_secret_access_key": SECRET_KEY,
            },
        )
        attributes: dict[str, Any] = {key: UnicodeAttribute(null=True) for key in ATTRIBUTES}
        keys = {"pk": UnicodeAttribute(hash_key=True), "sk": UnicodeAttribute(range_key=True)}
        stored: Any = type("Stored", (Model,), {"Meta": meta, **keys, **attributes})
        with stored.batch_write() as batch:
            for item in items:
                batch.save(stored(**item))

    return write


def with_pydynox(endpoint: str, items: list[dict[str, str]]) -> Import:
    from pydynox import DynamoDBClient

    client = DynamoDBClient(
        region=REGION, access_key=ACCESS_KEY, secret_key=SECRET_KEY, endpoint_url=endpoint
    )

    def write(name: str) -> None:
        client.sync_batch_write(name, put_items=items)

    return write


LIBRARIES = {
    "batch_writer": with_batch_writer,
    "pynamodb": with_pynamodb,
    "pydynox": with_pydynox,
}


def main() -> None:
    library, endpoint, path = sys.argv[1:]
    lines = Path(path).read_text().splitlines()
    items = [
        {name: value["S"] for name, value in json.loads(line).items()} for line in lines if line
    ]
    write = LIBRARIES[library](endpoint, items)
    for line in sys.stdin:
        began, began_processor = time.perf_counter(), time.process_time()
        write(line.strip())
        processor = time.process_time() - began_processor
        print((time.perf_counter() - began) * 1000, processor * 1000, flush=True)


main()
