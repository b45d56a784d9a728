"""A canary: a user whose every attribute is a unique word. After the erasure no word is left.

Small in every run: an erasure that is killed at some of its requests. Complete with ``--deep``: 300
conversations and 5,000 messages on both engines, killed before and after each of its writes.
"""

from __future__ import annotations

import json
import logging
import re
import sqlite3
import uuid
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from model import memory
from psycopg import sql
from unguarded import Database

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
from core.dynamodb.stream.handler import project
from core.dynamodb.table import Table
from core.dynamodb.transfer.exports import export_file
from core.dynamodb.transfer.imports import import_file
from core.errors import CoreError
from core.models import InboxRow, Message, Person
from core.postgres.users import create_user
from core.purposes import Purpose
from core.targets import AwsTarget
from core.timestamps import parse, sort_key
from core.usecases import erasure

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
                key = sort_key(EPOCH).replace(".000000", f".{number:06}")
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
    for message in [*world.messages, *reversed(world.messages)]:
        item = message_item(message)
        change = {"Keys": {"pk": item["pk"], "sk": item["sk"]}, "NewImage": item}
        record = {"eventName": "INSERT", "dynamodb": change | {"SequenceNumber": "1"}}
        assert project(world.table, [record]) == {"batchItemFailures": []}
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


def erase_killed_at_each_write(world: World) -> int:
    """Erase the canary; each write is killed before it is sent, and after. Returns the kills."""
    kills = 0
    while True:
        for after in (False, True):
            mortal = Mortal(world.table.client, 1, after, WRITES)
            try:
                erase_user(replace(world.table, client=mortal), world.canary.uuid)
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
    return words


def test_no_word_of_an_erased_user_is_left_anywhere(
    table, db, tmp_path, caplog, monkeypatch
) -> None:
    caplog.set_level(logging.DEBUG, logger="cruddur")
    world = world_of(table, 4, 4)
    words = populate(db, world)
    export_file(table, tmp_path / "older.jsonl", lambda done, total: None)
    kept = texts_of(table, world.canary)
    delete = erasure.delete_user

    def killed(*arguments: Any) -> None:
        monkeypatch.setattr(erasure, "delete_user", delete)
        delete(*arguments)
        raise KilledError

    monkeypatch.setattr(erasure, "delete_user", killed)
    kills, certificate = 0, None
    for fatal in (2, 9, 10, 11, 12, 13, 1000, 1000):
        mortal = replace(table, client=Mortal(table.client, fatal, bool(fatal % 2)))
        stores = opened(db, mortal)
        try:
            certificate = erasure.erase(
                stores, world.canary.uuid, audit_path=tmp_path / "audit.jsonl"
            )
        except KilledError:
            kills += 1
    assert certificate is not None
    assert kills >= 5
    assert certificate.removed["messages"] == 8
    assert (certificate.removed["profiles"], certificate.removed["activities"]) == (1, 2)
    check(world, kept)
    try_everything(world, tmp_path / "older.jsonl")
    check(world, kept)
    export_file(table, tmp_path / "since.jsonl", lambda done, total: None)
    everywhere = [
        rows_of(db),
        caplog.text,
        certificate.as_text(),
        json.dumps(certificate.as_json()),
        (tmp_path / "since.jsonl").read_text(),
    ]
    left = [word for word in (*world.words, *words) if any(word in text for text in everywhere)]
    assert left == []


@pytest.mark.deep
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("engine", ["table", "durable_table"])
def test_no_word_is_left_of_a_user_with_many_conversations(
    request, engine, tmp_path, lines
) -> None:
    table = request.getfixturevalue(engine)
    world = world_of(table, 300, 17)
    export_file(table, tmp_path / "older.jsonl", lambda done, total: None)
    kept = texts_of(table, world.canary)
    kills = erase_killed_at_each_write(world)
    lines(f"{engine}: {len(world.messages):,} messages, erased in spite of {kills:,} kills")
    assert kills > 600
    check(world, kept)
    try_everything(world, tmp_path / "older.jsonl")
    check(world, kept)
    export_file(table, tmp_path / "since.jsonl", lambda done, total: None)
    since = (tmp_path / "since.jsonl").read_text()
    assert [word for word in world.words if word in since] == []
    if engine == "durable_table":
        assert words_in(request.getfixturevalue("dynoxide").path, tmp_path, world.words) == []


def words_in(database: Path, folder: Path, words: set[str]) -> list[str]:
    """The words in dynoxide's file after its compaction: free pages keep old data until then."""
    compact = folder / "compact.db"
    with sqlite3.connect(database) as connection:
        connection.execute("VACUUM INTO ?", (str(compact),))
    content = compact.read_bytes()
    return [word for word in words if word.encode() in content]


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch) -> None:
    monkeypatch.setattr("core.dynamodb.retries.random.uniform", lambda low, high: low)
