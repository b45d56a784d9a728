"""Cruddur's own code after a removal, a rename, an erasure and an expiry: all of it goes on.

Its requests and statements are rewritten here, with what it reads of each reply: a missing
attribute, another type or a refused statement would be an exception in its app.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from test_beside_cruddur import StreamFunction, listed, message, put, rows
from test_canary import opened
from unguarded import Database

from core.dynamodb.integrity.repairs import repair
from core.dynamodb.integrity.verification import Verification
from core.dynamodb.keys import Item
from core.dynamodb.patterns.removals import remove_message
from core.dynamodb.patterns.sends import Draft, send, start
from core.dynamodb.stream.shards import Follower, open_follower
from core.dynamodb.table import Table
from core.models import Message, Person
from core.postgres import find_people_by_uuid
from core.postgres.users import create_user
from core.usecases import erasure, people, removals

TIME = "%Y-%m-%dT%H:%M:%S.%f%z"

ADD_ACTIVITY = """
INSERT INTO public.activities (user_uuid, message, expires_at) VALUES (
  (SELECT uuid FROM public.users WHERE users.handle = %(handle)s LIMIT 1), %(message)s,
  %(expires_at)s) RETURNING uuid
"""
ADD_REPLY = """
INSERT INTO public.activities (user_uuid, message, reply_to_activity_uuid) VALUES (
  (SELECT uuid FROM public.users WHERE users.cognito_user_id = %(sub)s LIMIT 1), %(message)s,
  %(activity)s) RETURNING uuid
"""
ONE_ACTIVITY = """
SELECT activities.uuid, users.display_name, users.handle, activities.message, activities.created_at
FROM public.activities INNER JOIN public.users ON users.uuid = activities.user_uuid
WHERE activities.uuid = %(activity)s
"""
HOME = """
SELECT activities.uuid, users.display_name, users.handle, activities.message,
  activities.replies_count, activities.reposts_count, activities.likes_count,
  activities.reply_to_activity_uuid, activities.expires_at, activities.created_at
FROM public.activities LEFT JOIN public.users ON users.uuid = activities.user_uuid
ORDER BY activities.created_at DESC
"""
PROFILE = """
SELECT (SELECT COALESCE(row_to_json(object_row), '{}'::json) FROM (
    SELECT users.uuid, users.cognito_user_id, users.handle, users.display_name,
      (SELECT count(true) FROM public.activities WHERE activities.user_uuid = users.uuid)
        AS cruds_count) object_row) AS profile
FROM public.users WHERE users.handle = %(handle)s
"""
SHORT = "SELECT uuid, handle, display_name FROM public.users WHERE handle = %(handle)s"
WHOSE = "SELECT users.uuid FROM public.users WHERE users.cognito_user_id = %(sub)s LIMIT 1"
BOTH = """
SELECT users.uuid, users.display_name, users.handle,
  CASE users.cognito_user_id = %(sub)s WHEN TRUE THEN 'sender' ELSE 'recv' END AS kind
FROM public.users WHERE users.cognito_user_id = %(sub)s OR users.handle = %(handle)s
"""
UPDATE = "UPDATE public.users SET display_name = %(name)s WHERE users.cognito_user_id = %(sub)s"
SET_SUB = "UPDATE public.users SET cognito_user_id = %(sub)s WHERE users.handle = %(handle)s"
ALL_USERS = "SELECT handle, cognito_user_id FROM public.users"


@dataclass
class App:
    """Cruddur's app, its stream function and its scripts."""

    db: Database
    table: Table
    follower: Follower

    def groups(self, user_uuid: str) -> list[dict[str, Any]]:
        """What its page of message groups shows."""
        return [
            {
                "uuid": item["message_group_uuid"]["S"],
                "display_name": item["user_display_name"]["S"],
                "handle": item["user_handle"]["S"],
                "message": item["message"]["S"],
                "created_at": datetime.strptime(item["sk"]["S"], TIME),
            }
            for item in listed(self.table, f"GRP#{user_uuid}", "2")
        ]

    def messages(self, group: str) -> list[dict[str, Any]]:
        """What its page of messages and its script show, oldest first."""
        items = listed(self.table, f"MSG#{group}", "2")
        return [
            {
                "uuid": item["message_uuid"]["S"],
                "display_name": item["user_display_name"]["S"],
                "handle": item["user_handle"]["S"],
                "message": item["message"]["S"],
                "created_at": datetime.strptime(item["sk"]["S"], TIME),
            }
            for item in reversed(items)
        ]

    def scan(self) -> list[Item]:
        """What its script prints."""
        return list(self.table.client.scan(TableName=self.table.name)["Items"])

    def records(self) -> Iterator[Any]:
        for batch in self.follower.poll():
            yield from batch.records
            self.follower.done(batch)

    def run_function(self) -> int:
        """Its function gets each new record alone, until it causes no more of messages."""
        function, count = StreamFunction(self.table), 0
        for record in list(self.records()):
            function([record])
            count += 1
        return count

    def say(self, sender: Person, group: str, text: str) -> None:
        put(self.table, message(sender, datetime.now(UTC), text, group))
        self.run_function()

    def begin(self, one: Person, other: Person, text: str) -> str:
        group, at = str(uuid.uuid4()), datetime.now(UTC)
        put(self.table, *rows(one, other, at, text, group), message(one, at, text, group))
        self.run_function()
        return group

    def run_statements(self, handle: str, other: str, sub: str) -> None:
        """Every statement that it sends for one user, and for what the user sees of another."""
        names = {"handle": handle, "sub": sub}
        self.db.query_commit(SET_SUB, names)
        late = {"expires_at": datetime.now(UTC) + timedelta(hours=1)}
        activity = self.db.query_commit(ADD_ACTIVITY, {**names, **late, "message": "hello"})
        reply = self.db.query_commit(ADD_REPLY, {**names, "message": "yes", "activity": activity})
        (shown,) = self.db.query_rows(ONE_ACTIVITY, {"activity": reply})
        assert (shown["handle"], shown["message"]) == (handle, "yes")
        assert len(self.db.query_rows(HOME)) >= 2
        assert self.db.query_value(PROFILE, names)["cruds_count"] >= 2
        assert str(self.db.query_value(WHOSE, names)) == str(self.db.query_value(SHORT, names))
        kinds = {row["kind"] for row in self.db.query_rows(BOTH, {"handle": other, "sub": sub})}
        assert kinds == {"sender", "recv"}
        self.db.query_commit(UPDATE, {"sub": sub, "name": "Another"})
        assert handle in {row["handle"] for row in self.db.query_rows(ALL_USERS)}


@dataclass
class World:
    """Ana has talked with Ben in our app and with Cleo in Cruddur's; all are in Postgres."""

    app: App
    ana: Person
    ben: Person
    cleo: Person
    group: str
    theirs: str
    last: Message


@pytest.fixture
def world(table: Table, db: Database, tmp_path) -> World:
    ana, ben, cleo = (
        create_user(db, name, name.title(), f"{name}@example.com").person
        for name in ("ana", "ben", "cleo")
    )
    app = App(db, table, open_follower(table, tmp_path))
    first = start(table, Draft(ana, ben, "hi"))[0]
    send(table, first.message_group_uuid, Draft(ben, ana, "hi ana"))
    last = send(table, first.message_group_uuid, Draft(ana, ben, "a password"))
    theirs = app.begin(ana, cleo, "hi cleo")
    app.say(cleo, theirs, "hi ana")
    app.run_function()
    return World(app, ana, ben, cleo, first.message_group_uuid, theirs, last)


def remove(world: World, _: Path) -> None:
    remove_message(world.app.table, world.last)


def rename(world: World, _: Path) -> None:
    stores = opened(world.app.db, world.app.table)
    people.rename(stores, world.ana.uuid, new_handle="ana.maria", display_name="Ana Maria")


def erase(world: World, folder: Path) -> None:
    stores = opened(world.app.db, world.app.table)
    erasure.erase(stores, world.ana.uuid, audit_path=folder / "audit.jsonl")


def expire(world: World, _: Path) -> None:
    removals.expire(world.app.table, datetime.now(UTC) + timedelta(minutes=1))


@pytest.mark.parametrize("act", [remove, rename, erase, expire])
def test_its_code_goes_on_after(
    act: Callable[[World, Path], None], world: World, tmp_path: Path
) -> None:
    app = world.app
    act(world, tmp_path)
    stored = sorted(map(repr, app.scan()))
    assert app.run_function() > 0
    assert sorted(map(repr, app.scan())) == stored
    remaining = find_people_by_uuid(app.db, [p.uuid for p in (world.ana, world.ben, world.cleo)])
    for person in remaining.values():
        assert app.groups(person.uuid)
        assert all(app.messages(group["uuid"]) is not None for group in app.groups(person.uuid))
        other = next(p for p in remaining.values() if p != person)
        app.run_statements(person.handle, other.handle, f"sub of {person.handle}")
    for person, group in ((world.ben, world.group), (world.cleo, world.theirs)):
        app.say(person, group, f"{person.handle} goes on")
        assert app.groups(person.uuid)[0]["message"] == f"{person.handle} goes on"
        assert app.messages(group)[-1]["message"] == f"{person.handle} goes on"
    new = app.begin(world.ben, world.cleo, "hi cleo, hi")
    assert app.groups(world.cleo.uuid)[0]["uuid"] == new
    check_ours(world, act)


def check_ours(world: World, act: Callable[[World, Path], None]) -> None:
    """What its code did brings nothing back, and one repair is enough for the rest."""
    app = world.app
    text = repr(app.scan())
    if act is rename:
        assert {row["handle"] for row in app.groups(world.ben.uuid)} == {"ana.maria", "cleo"}
    else:
        assert {remove: "a password", expire: "a password", erase: world.ana.uuid}[act] not in text
    people_now = partial(find_people_by_uuid, app.db)
    repair(Verification(app.table, people_now))
    assert [str(fault.kind) for fault in Verification(app.table, people_now).findings()] == []
