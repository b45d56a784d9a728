"""A canary: a user whose every attribute is a unique word. After the erasure no word is left.

Small in every run: an erasure that is killed at some of its requests. Complete with ``--deep``: 300
conversations and 5,000 messages on both engines. On dynoxide the erasure is killed before and after
each of its writes. So it is on ministack, with 40 conversations. With all 300 it is killed there
before or after each write as long as an inbox lists the canary, and from then on at every eighth
write: each new run reads the whole table, and ministack sorts all of it for each page.
"""

from __future__ import annotations

import json
import logging
import re
import sqlite3
import time
import uuid
from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import unguarded
from model import memory
from psycopg import sql
from unguarded import Database

from core import engines as embedded
from core.access import Actor, Grant
from core.access.actions import Action, Store
from core.dynamodb.dynamodb_json import raw_item
from core.dynamodb.integrity.repairs import repair
from core.dynamodb.integrity.verification import Verification
from core.dynamodb.items import inbox_row_item, message_item
from core.dynamodb.patterns import reads
from core.dynamodb.patterns.bulk_load import TranscriptMessage, load_transcript
from core.dynamodb.patterns.erasing import erase_user
from core.dynamodb.patterns.sends import Draft, send, start
from core.dynamodb.schema import create_table
from core.dynamodb.stream.handler import project
from core.dynamodb.stream.shards import open_follower
from core.dynamodb.table import Table
from core.dynamodb.transfer.exports import export_file
from core.dynamodb.transfer.imports import import_file
from core.errors import CoreError, PostgresError
from core.models import InboxRow, Message, Person
from core.postgres import admin
from core.postgres.users import create_user
from core.purposes import Purpose
from core.targets import AwsTarget, Environment
from core.targets.postgres import parse_url
from core.timestamps import parse, sort_key
from core.usecases import erasure
from core.usecases.certificates import POSTGRES_CLEARING, Certificate

BATCH = 100
"""Records that AWS hands over at once, unless told otherwise."""

WRITES = ("put_item", "delete_item", "update_item", "transact_write_items")
EPOCH = parse("2026-05-01T12:00:00+00:00")


class KilledError(BaseException):
    """``kill -9``: nothing in the code may catch it."""


@dataclass
class Mortal:
    """A client that is killed at its ``fatal`` request: before it is sent, or after."""

    client: Any
    fatal: int
    after: bool = False
    only: tuple[str, ...] = ()
    requests: int = 0

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.client, name)
        if name not in (*WRITES, "query", "scan", "get_item"):
            return method

        def request(**params: Any) -> Any:
            counts = not self.only or name in self.only
            self.requests += counts
            is_fatal = counts and self.requests == self.fatal
            if is_fatal and not self.after:
                raise KilledError
            reply = method(**params)
            if is_fatal:
                raise KilledError
            return reply

        return request


@dataclass
class World:
    """The canary, her friends and their conversations, as every kind of writer leaves them."""

    table: Table
    canary: Person
    email: str
    friends: list[Person]
    messages: list[Message] = field(default_factory=list)

    @property
    def words(self) -> set[str]:
        """Everything that is hers alone."""
        own = {m.text for m in self.messages if m.sender.uuid == self.canary.uuid}
        return own | {self.canary.uuid, self.canary.handle, self.canary.display_name, self.email}

    def people(self, uuids: Any) -> dict[str, Person]:
        return {person.uuid: person for person in self.friends if person.uuid in set(uuids)}

    def add(self, group: str, friend: Person, count: int, *, written_by_cruddur: bool) -> None:
        pair = (self.canary, friend)
        for number in range(count):
            text = f"word{uuid.uuid4().hex}"
            draft = Draft(pair[number % 2], pair[(number + 1) % 2], text)
            if not written_by_cruddur:
                send_one = start(self.table, draft)[0] if not number else None
                message = send_one or send(self.table, self.messages[-1].message_group_uuid, draft)
            else:
                second = timedelta(seconds=int(group.rpartition("-")[2]))
                key = sort_key(EPOCH + second).replace(".000000", f".{number:06}")
                message = replace(draft.message(group, key))
                self.table.request("put_item", Item=message_item(message))
            self.messages.append(message)
        if written_by_cruddur:
            self._cruddurs_rows(group, pair)

    def _cruddurs_rows(self, group: str, pair: tuple[Person, Person]) -> None:
        """Rows without a pair; every third canary's row is lost, as Cruddur's function loses it."""
        last = self.messages[-1]
        for owner, other in (pair, pair[::-1]):
            if owner is self.canary and group.endswith(("0", "3", "6", "9")):
                continue
            row = InboxRow(group, owner.uuid, other, last.text, last.sort_key, last.created_at)
            self.table.request("put_item", Item=inbox_row_item(row))


def world_of(table: Table, conversations: int, messages: int) -> World:
    """Conversations of the canary, half of them Cruddur's, and one that she has no part in."""
    token = uuid.uuid4().hex[:12]
    canary = Person(str(uuid.uuid4()), f"handle{token}", f"Name{token}")
    friends = [Person(str(uuid.uuid4()), f"friend{n}", f"Friend {n}") for n in range(conversations)]
    world = World(table, canary, f"mail{token}@example.com", friends)
    for number, friend in enumerate(friends):
        world.add(f"group-{number}", friend, messages, written_by_cruddur=bool(number % 2))
    between = Draft(friends[0], friends[1], "between friends")
    world.messages.append(start(table, between)[0])
    return world


def items(table: Table) -> list[Any]:
    return sorted(map(raw_item, reads.scan(table)), key=text_of)


def text_of(item: Any) -> str:
    """An item as text: an engine may give its attributes in any order."""
    return json.dumps(item, sort_keys=True, ensure_ascii=False)


def normal(table: Table) -> list[str]:
    """The items without what is random or a time of the erasure."""
    text = text_of(items(table))
    for erased in set(re.findall(r'"replacement_uuid": \{"S": "([^"]+)"', text)):
        text = text.replace(erased, "replacement")
    kept = json.loads(text)
    for item in kept:
        for name in ("removed_at", "begun_at", "reference"):
            item.pop(name, None)
    return sorted(map(text_of, kept))


def texts_of(table: Table, without: Person) -> list[str]:
    return [
        text_of(item)
        for item in items(table)
        if item["pk"]["S"].startswith("MSG#") and item["user_uuid"]["S"] != without.uuid
    ]


def try_everything(world: World, older: Path) -> None:
    """Everything that could bring something back, through our code."""
    records = list(map(insert, world.messages))
    for batch in (*batched(records, BATCH), *([record] for record in reversed(records))):
        assert project(world.table, batch) == {"batchItemFailures": []}
    for message in world.messages[:6]:
        friend = next((f for f in world.friends if f.uuid == message.sender.uuid), world.friends[0])
        uuids = {"message_uuid": message.message_uuid, "tried_from": message.sort_key}
        for pair in ((world.canary, friend), (friend, world.canary)):
            refused(send, world.table, message.message_group_uuid, Draft(*pair, message.text))
            refused(start, world.table, Draft(*pair, message.text))
        mine = Draft(world.canary, friend, message.text, **uuids)
        if message.sender.uuid == world.canary.uuid:
            refused(send, world.table, message.message_group_uuid, mine)
    pair = (world.canary, world.friends[0])
    refused(load_transcript, world.table, pair, [TranscriptMessage(world.canary, "again")])
    import_file(world.table, older, lambda done, total: None)
    repair(Verification(world.table, world.people))


def insert(message: Message) -> dict[str, Any]:
    item = message_item(message)
    change = {"Keys": {"pk": item["pk"], "sk": item["sk"]}, "NewImage": item}
    return {"eventName": "INSERT", "dynamodb": change | {"SequenceNumber": message.message_uuid}}


def batched(records: list[Any], size: int) -> list[list[Any]]:
    return [records[first : first + size] for first in range(0, len(records), size)]


def refused(act: Any, *arguments: Any) -> None:
    with pytest.raises(CoreError):
        act(*arguments)


def check(world: World, kept: list[str]) -> None:
    """No word of the canary's is stored; her friends' messages are, to the byte."""
    text = text_of(items(world.table))
    assert [word for word in world.words if word in text] == []
    assert texts_of(world.table, world.canary) == kept
    findings = [str(f.kind) for f in Verification(world.table, world.people).findings()]
    assert findings == []


def erase_killed_at_each_write(world: World, *, unlisted: int = 1) -> int:
    """Erase the canary; each write is killed before it is sent, and after. Returns the kills.

    When no inbox lists the canary any more, it is each ``unlisted``th write.
    """
    table, canary = world.table, world.canary.uuid
    kills = 0
    while True:
        for after in (False, True):
            is_listed = any(True for _ in reads.walk_inbox(table, canary))
            fatal = 1 if is_listed else unlisted
            mortal = Mortal(table.client, fatal, after, WRITES)
            try:
                erase_user(replace(table, client=mortal), canary)
            except KilledError:
                kills += 1
            else:
                return kills


# In memory: killed at each request, and the result is always the same.


def memory_table() -> Table:
    nowhere = AwsTarget("http://memory", "us-east-1", placeholder_credentials=True)
    return Table(memory.Client(memory.Table()), "messages", nowhere, purpose=Purpose.DESTROYING)


def test_an_erasure_that_is_killed_at_any_request_and_run_again_has_the_same_result() -> None:
    world = world_of(memory_table(), 4, 4)
    stored = world.table.client.table
    before = dict(stored.items)
    whole = Mortal(world.table.client, 0)
    erase_user(replace(world.table, client=whole), world.canary.uuid)
    wanted = normal(world.table)
    for fatal in range(1, whole.requests + 1):
        for after in (False, True):
            stored.items = dict(before)
            mortal = Mortal(world.table.client, fatal, after)
            with pytest.raises(KilledError):
                erase_user(replace(world.table, client=mortal), world.canary.uuid)
            erase_user(world.table, world.canary.uuid)
            assert normal(world.table) == wanted, (fatal, after)


# On engines, with Postgres and files.


@dataclass
class Opened:
    """Both stores as the door gives them to an erasure."""

    db: Database
    table: Table
    target: Any
    grant: Grant


class Target:
    table_name = "messages"

    def describe_postgres(self) -> str:
        return "Postgres"

    def describe_dynamodb(self) -> str:
        return "DynamoDB"


def opened(db: Database, table: Table) -> Any:
    action = Action("people.erase", {Store.DYNAMODB: Purpose.DESTROYING})
    return Opened(db, table, Target(), Grant(action, reason="request 1", actor=Actor(uid=1)))


def rows_of(db: Database) -> str:
    """All rows of all tables, as text."""
    names = db.query_rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    whole = sql.SQL("SELECT t::text FROM {} AS t")
    rows = [
        db.query_rows(whole.format(sql.Identifier("public", row["tablename"]))) for row in names
    ]
    return json.dumps(rows, default=str)


def populate(db: Database, world: World) -> list[str]:
    """The canary in Postgres with two activities; returns their words."""
    create_user(
        db, world.canary.handle, world.canary.display_name, world.email, user_uuid=world.canary.uuid
    )
    words = [f"post{uuid.uuid4().hex}" for _ in range(2)]
    for word in words:
        db.query_commit(  # type: ignore[call-overload]
            "INSERT INTO public.activities (user_uuid, message) VALUES (%(user)s, %(word)s)",
            {"user": world.canary.uuid, "word": word},
        )
    with pytest.raises(PostgresError):  # which its log would show, with the email
        db.query_commit(  # type: ignore[call-overload]
            "INSERT INTO public.users (display_name, handle, email, cognito_user_id)"
            " VALUES ('x', 'x', %(email)s, 'MOCK')",
            {"email": world.email},
        )
    return words


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder whose engines run, for this test alone: it stops them to see what they leave."""
    folder = tmp_path / "engines"
    embedded.start(folder)
    yield folder
    embedded.stop(folder)


@pytest.fixture
def own_table(folder: Path) -> Iterator[Table]:
    endpoint = embedded.endpoints(folder).aws_endpoint_url
    target = AwsTarget(endpoint, "us-east-1", placeholder_credentials=True)
    table = unguarded.open_table_named("cruddur-messages", target)
    create_table(table, Environment.LOCAL)
    yield table
    table.client.close()


@pytest.fixture
def own_db(folder: Path) -> Iterator[Database]:
    server = parse_url(embedded.endpoints(folder).postgres_url, "CONNECTION_URL")
    address = server.with_dbname("canary")
    unguarded.create_database(address)
    with Database(address) as db:
        admin.load_schema(db, Environment.LOCAL)
        yield db


def words_in(folder: Path, words: Collection[str]) -> dict[str, list[str]]:
    """The words in each file of a folder."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    contents = ((path.relative_to(folder), path.read_bytes()) for path in files)
    by_file = {str(name): [w for w in words if w.encode() in content] for name, content in contents}
    return {name: present for name, present in by_file.items() if present}


def test_no_word_of_an_erased_user_is_left_anywhere(
    folder, own_table, own_db, tmp_path, caplog, monkeypatch
) -> None:
    """Nor in a file that the engines have written, once those of Postgres are cleared."""
    caplog.set_level(logging.DEBUG, logger="cruddur")
    table, db = own_table, own_db
    world = world_of(table, 4, 4)
    words = [*world.words, *populate(db, world)]
    older, since = tmp_path / "older.jsonl", tmp_path / "since"
    export_file(table, older, lambda done, total: None)
    kept = texts_of(table, world.canary)
    certificate = erase_killed_now_and_then(table, db, world.canary, tmp_path, monkeypatch)
    assert certificate.removed["messages"] == 8
    assert (certificate.removed["profiles"], certificate.removed["activities"]) == (1, 2)
    check(world, kept)
    try_everything(world, older)
    follow(table, since)
    check(world, kept)
    export_file(table, since / "since.jsonl", lambda done, total: None)
    (since / "certificate.txt").write_text(certificate.as_text())
    (since / "certificate.json").write_text(json.dumps(certificate.as_json()))
    (since / "log").write_text(caplog.text)
    assert words_in(since, words) == {}
    assert [word for word in words if word in rows_of(db)] == []
    clean(db)
    embedded.stop(folder)
    assert (folder / "dynamodb/state/dynamodb.json").exists()
    assert words_in(folder, words) == {}


def erase_killed_now_and_then(table, db, canary: Person, folder: Path, monkeypatch) -> Certificate:
    """Erase the canary from both stores, killed at some requests and after Postgres forgot."""
    delete = erasure.delete_user

    def killed(*arguments: Any) -> None:
        monkeypatch.setattr(erasure, "delete_user", delete)
        delete(*arguments)
        raise KilledError

    monkeypatch.setattr(erasure, "delete_user", killed)
    kills, certificate = 0, None
    for fatal in (2, 9, 10, 11, 12, 13, 1000, 1000):
        mortal = replace(table, client=Mortal(table.client, fatal, bool(fatal % 2)))
        try:
            certificate = erasure.erase(
                opened(db, mortal), canary.uuid, audit_path=folder / "audit.jsonl"
            )
        except KilledError:
            kills += 1
    assert certificate is not None
    assert kills >= 5
    return certificate


def follow(table: Table, folder: Path) -> None:
    """Follow the stream from its beginning to its end; the place in it is kept in ``folder``."""
    follower = open_follower(table, folder)
    for batch in follower.poll():
        assert project(table, batch.records) == {"batchItemFailures": []}
        follower.done(batch)
    follower.client.close()


def clean(db: Database) -> None:
    """Clear what Postgres keeps of deleted rows, as the certificate says."""
    with psycopg.connect(db.address.conninfo, autocommit=True) as connection:
        for command in POSTGRES_CLEARING.rstrip(";").split("; "):
            connection.execute(command)


@pytest.mark.deep
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("conversations", "unlisted"), [(40, 1), (300, 8)])
def test_no_word_is_left_on_ministack(
    folder, own_table, tmp_path, lines, conversations: int, unlisted: int
) -> None:
    world = world_of(own_table, conversations, 17)
    lines(f"ministack: {erased_and_tried(world, tmp_path, unlisted)}")
    embedded.stop(folder)
    assert words_in(folder, world.words) == {}


@pytest.mark.deep
@pytest.mark.timeout(3600)
def test_no_word_is_left_on_dynoxide(durable_table, dynoxide, tmp_path, lines) -> None:
    """Nor in its file, once it is compacted: its free pages keep old data until then."""
    world = world_of(durable_table, 300, 17)
    kept = texts_of(durable_table, world.canary)
    lines(f"dynoxide: {erased_and_tried(world, tmp_path, 1)}")
    dynoxide.stop()
    with closing(sqlite3.connect(dynoxide.path)) as connection:
        connection.execute("VACUUM")
    files = dynoxide.path.parent.glob(f"{dynoxide.path.name}*")
    content = b"".join(path.read_bytes() for path in files)
    assert [word for word in world.words if word.encode() in content] == []
    dynoxide.start()
    check(world, kept)


def erased_and_tried(world: World, folder: Path, unlisted: int) -> str:
    """Erase the canary in spite of kills, try to bring her back, and say what was done."""
    older, since = folder / "older.jsonl", folder / "since.jsonl"
    export_file(world.table, older, lambda done, total: None)
    kept = texts_of(world.table, world.canary)
    began = time.monotonic()
    kills = erase_killed_at_each_write(world, unlisted=unlisted)
    took_s = time.monotonic() - began
    assert kills > 1.5 * len(world.friends)
    check(world, kept)
    try_everything(world, older)
    check(world, kept)
    export_file(world.table, since, lambda done, total: None)
    assert [word for word in world.words if word in since.read_text()] == []
    older.unlink()
    count = f"{len(world.messages):,} messages in {len(world.friends):,} conversations"
    return f"{count}, erased in spite of {kills:,} kills in {took_s:.0f} s"


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch) -> None:
    monkeypatch.setattr("core.dynamodb.retries.random.uniform", lambda low, high: low)
