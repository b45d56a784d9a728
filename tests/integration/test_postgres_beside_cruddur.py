"""Statements of the kind that Cruddur sends run on our tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from unguarded import Database

from core.errors import PostgresError
from core.postgres.admin import load_schema
from core.postgres.seed import seed_demo_data
from core.settings import Settings
from core.targets import Environment


@pytest.fixture
def seeded(db: Database) -> Database:
    seed_demo_data(db, Settings())
    return db


def post(db: Database, message: str) -> str:
    return str(
        db.query_commit(
            "INSERT INTO public.activities (user_uuid, message, expires_at) VALUES ("
            "(SELECT uuid FROM public.users WHERE users.handle = %(handle)s LIMIT 1),"
            " %(message)s, %(expires_at)s) RETURNING uuid",
            {
                "handle": "andrewbrown",
                "message": message,
                "expires_at": datetime.now(UTC) + timedelta(hours=1),
            },
        )
    )


def test_its_seed_of_users_and_activities_runs(db: Database) -> None:
    db.query_commit(
        "INSERT INTO public.users (display_name, email, handle, cognito_user_id)"
        " VALUES ('A', 'a@example.com', 'a', 'MOCK'), ('B', 'b@example.com', 'b', 'MOCK')"
    )
    db.query_commit(
        "INSERT INTO public.activities (user_uuid, message, expires_at) VALUES ("
        "(SELECT uuid FROM public.users WHERE users.handle = 'a' LIMIT 1), 'seeded',"
        " current_timestamp + interval '10 day')"
    )
    assert db.query_value("SELECT count(*) FROM public.activities") == 1


def test_a_new_activity_is_on_the_home_page(seeded: Database) -> None:
    added = post(seeded, "hello")
    rows = seeded.query_array_json(
        "SELECT activities.uuid, users.display_name, users.handle, activities.message,"
        " activities.replies_count, activities.reposts_count, activities.likes_count,"
        " activities.reply_to_activity_uuid, activities.expires_at, activities.created_at"
        " FROM public.activities LEFT JOIN public.users ON users.uuid = activities.user_uuid"
        " ORDER BY activities.created_at DESC"
    )
    assert (rows[0]["uuid"], rows[0]["handle"]) == (added, "andrewbrown")
    assert rows[0]["likes_count"] == 0


def test_a_reply_points_at_an_activity(seeded: Database) -> None:
    added = post(seeded, "hello")
    seeded.query_commit(
        "INSERT INTO public.activities (user_uuid, message, reply_to_activity_uuid) VALUES ("
        "(SELECT uuid FROM public.users WHERE handle = 'bayko'), 'hello back', %(uuid)s)",
        {"uuid": added},
    )
    replies = "SELECT count(*) FROM public.activities WHERE reply_to_activity_uuid = %(uuid)s"
    assert seeded.query_value(replies, {"uuid": added}) == 1


def test_its_migrations_run_once_and_again_after_a_new_schema(seeded: Database) -> None:
    assert seeded.query_value("SELECT last_successful_run FROM public.schema_information") == "0"
    seeded.query_commit("ALTER TABLE public.users ADD COLUMN bio text")
    seeded.query_commit(
        "UPDATE public.users SET bio = 'b', display_name = 'D' WHERE handle = 'bayko'"
    )
    assert seed_demo_data(seeded, Settings()).users == 0


def test_its_update_of_cognito_ids_runs(seeded: Database) -> None:
    seeded.query_commit(
        "UPDATE public.users SET cognito_user_id = %(sub)s WHERE users.handle = %(handle)s;",
        {"sub": "sub-1", "handle": "bayko"},
    )
    kind = (
        "SELECT CASE users.cognito_user_id = %(sub)s WHEN TRUE THEN 'sender' ELSE 'recv' END"
        " FROM public.users WHERE users.cognito_user_id = %(sub)s"
    )
    assert seeded.query_value(kind, {"sub": "sub-1"}) == "sender"


def test_a_user_that_it_deletes_takes_the_activities_along(seeded: Database) -> None:
    seeded.query_commit("DELETE FROM public.users WHERE handle = 'andrewbrown'")
    seeded.query_commit("DELETE FROM public.users")
    assert seeded.query_value("SELECT count(*) FROM public.activities") == 0


def test_its_schema_runs_on_our_tables_and_ours_after_it(seeded: Database) -> None:
    seeded.query_commit("DROP TABLE IF EXISTS public.users")
    seeded.query_commit("DROP TABLE IF EXISTS public.activities")
    seeded.query_commit(
        "CREATE TABLE public.users (uuid uuid DEFAULT gen_random_uuid() PRIMARY KEY,"
        " display_name text NOT NULL, handle text NOT NULL, email text NOT NULL,"
        " cognito_user_id text NOT NULL, created_at timestamp DEFAULT current_timestamp NOT NULL)"
    )
    seeded.query_commit(
        "CREATE TABLE public.activities (uuid uuid DEFAULT gen_random_uuid() PRIMARY KEY,"
        " user_uuid uuid NOT NULL, message text NOT NULL, replies_count integer DEFAULT 0,"
        " reposts_count integer DEFAULT 0, likes_count integer DEFAULT 0,"
        " reply_to_activity_uuid integer, expires_at timestamp,"
        " created_at timestamp DEFAULT current_timestamp NOT NULL)"
    )
    assert seed_demo_data(seeded, Settings()).users == 3
    load_schema(seeded, Environment.LOCAL)
    assert seed_demo_data(seeded, Settings()).users == 3


def test_an_activity_of_nobody_is_refused(seeded: Database) -> None:
    nobody = {"uuid": "00000000-0000-0000-0000-000000000000"}
    add = "INSERT INTO public.activities (user_uuid, message) VALUES (%(uuid)s, 'hi')"
    with pytest.raises(PostgresError, match="does not exist") as refused:
        seeded.query_commit(add, nobody)
    assert refused.value.sqlstate == "23503"
    with pytest.raises(PostgresError, match="does not exist"):
        seeded.query_commit("UPDATE public.activities SET user_uuid = %(uuid)s", nobody)


def test_a_role_without_rights_on_the_users_may_add_activities(seeded: Database) -> None:
    with seeded.transaction() as transaction:
        transaction.query_commit("CREATE ROLE cruddur_app")
        transaction.query_commit("GRANT SELECT, INSERT ON public.activities TO cruddur_app")
        user = transaction.query_value("SELECT uuid FROM public.users LIMIT 1")
        transaction.query_commit("SET LOCAL ROLE cruddur_app")
        transaction.query_commit(
            "INSERT INTO public.activities (user_uuid, message) VALUES (%(uuid)s, 'hi')",
            {"uuid": user},
        )
        transaction.query_commit("RESET ROLE")
        transaction.query_commit("REVOKE ALL ON public.activities FROM cruddur_app")
        transaction.query_commit("DROP ROLE cruddur_app")
