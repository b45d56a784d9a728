"""Rows of Postgres with values that Python cannot hold: they are shown, and named."""

from __future__ import annotations

import pytest
from unguarded import Database

from core.dynamodb.integrity.faults import FaultKind
from core.postgres import users
from core.postgres.health import list_unreadable_times
from core.usecases import integrity

UNREADABLE = ("infinity", "-infinity", "20260-01-01", "0044-03-15 BC")


@pytest.fixture(params=["timestamptz", "timestamp"])
def strange(request, db: Database) -> Database:
    """Users and activities with such times, on our columns and on ones like Cruddur's."""
    for table, column in (("users", "created_at"), ("activities", "created_at, expires_at")):
        for name in column.split(", "):
            db.query_commit(
                f"ALTER TABLE public.{table} ALTER COLUMN {name} TYPE {request.param}"  # type: ignore[arg-type]
            )
    for n, time in enumerate(UNREADABLE):
        add = "INSERT INTO public.users (handle, display_name, email, created_at) VALUES"
        values = {"handle": f"u{n}", "time": time}
        db.query_commit(add + " (%(handle)s, 'U', %(handle)s, %(time)s)", values)  # type: ignore[arg-type]
        db.query_commit(
            "INSERT INTO public.activities (user_uuid, message, created_at, expires_at)"
            " SELECT uuid, 'hello', %(time)s, %(time)s FROM public.users WHERE handle = 'u0'",
            values,
        )
    return db


def test_the_rows_are_shown_without_their_times(strange: Database) -> None:
    listed = users.search_users(strange, "", limit=2)
    rest = users.search_users(strange, "", limit=2, after=listed.cursor)
    listed_users = [*listed.entries, *rest.entries]
    assert [(user.handle, user.created_at) for user in listed_users] == [
        (f"u{n}", None) for n in range(4)
    ]
    assert users.find_user(strange, "u1").created_at is None


def test_activities_with_such_times_are_listed_page_by_page(strange: Database) -> None:
    author = users.find_user(strange, "u0").uuid
    seen, cursor = [], None
    for _ in UNREADABLE:
        page = users.list_activities(strange, author, limit=1, after=cursor)
        seen += [(entry.uuid, entry.created_at, entry.expires_at) for entry in page.entries]
        cursor = page.cursor
    assert cursor is None
    assert len({uuid for uuid, *_ in seen}) == len(UNREADABLE)
    assert {time for _, *times in seen for time in times} == {None}


def test_each_of_them_is_named(strange: Database, table) -> None:
    rows = list_unreadable_times(strange)
    assert len(rows) == 3 * len(UNREADABLE)
    assert {row.value.split(" ")[0] for row in rows if row.table == "users"} == {
        "infinity",
        "-infinity",
        "20260-01-01",
        "0044-03-15",
    }
    summary = integrity.check(strange, table).summary
    assert summary.counts[FaultKind.UNREADABLE_TIME] == len(rows)
    assert summary.samples[FaultKind.UNREADABLE_TIME][0].pk.startswith("public.users ")
