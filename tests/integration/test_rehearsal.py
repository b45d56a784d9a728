"""A rehearsal shows what migrations will do: it is compared with what they then do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import psycopg
import pytest
from cruddur_checkout import SCHEMA
from test_migrations import Folder
from unguarded import Database

from core.engines import processes, program_folders
from core.postgres import find_programs, migrate, read_migrations, rehearse
from core.postgres.migrations import linting, scratch
from core.postgres.migrations.observing import Lock
from core.postgres.migrations.rehearsal import Rehearsal
from core.postgres.migrations.scratch import scratch_database
from core.settings import PROJECT_ROOT
from core.targets.postgres import PostgresAddress, parse_url


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.fixture(scope="session")
def server(engines) -> PostgresAddress:
    return parse_url(engines.postgres_url, "URL")


def rehearsed(db: Database, server: PostgresAddress, folder: Folder, rows: int = 0) -> Rehearsal:
    programs = find_programs(db, program_folders())
    return rehearse(db, server, programs, folder.read(), rows=rows)


def rehearsals(server: PostgresAddress) -> list[str]:
    with psycopg.connect(server.with_dbname("postgres").conninfo) as connection:
        rows = connection.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE 'cruddur_rehearsal_%'"
        ).fetchall()
    return [name for (name,) in rows]


STATEMENTS = {
    "add": "ALTER TABLE public.users ADD COLUMN mood text",
    "rewrite": "ALTER TABLE public.activities ALTER COLUMN likes_count TYPE bigint",
    "index": "CREATE INDEX moods ON public.users (mood)",
    "key": "ALTER TABLE public.activities ADD CONSTRAINT answers FOREIGN KEY"
    " (reply_to_activity_uuid) REFERENCES public.activities (uuid) NOT VALID",
    "new": "CREATE TABLE public.likes (user_uuid uuid REFERENCES public.users)",
    "rows": "UPDATE public.users SET mood = 'calm'",
}
UNDO = {
    "add": "ALTER TABLE public.users DROP COLUMN mood",
    "rewrite": "ALTER TABLE public.activities ALTER COLUMN likes_count TYPE integer",
    "index": "DROP INDEX public.moods",
    "key": "ALTER TABLE public.activities DROP CONSTRAINT answers",
    "new": "DROP TABLE public.likes",
    "rows": "UPDATE public.users SET mood = NULL",
}


class Watcher:
    """Reads in a second session which locks a run holds after seen of its statements."""

    def __init__(self, db: Database) -> None:
        self.connection = psycopg.connect(db.address.conninfo, autocommit=True)
        self.locks: dict[str, set[Lock]] = {}

    def observe(self, transaction, migration, _):  # type: ignore[no-untyped-def]
        from contextlib import contextmanager

        @contextmanager
        def watching() -> Iterator[None]:
            pid = transaction.query_value("SELECT pg_backend_pid()")
            names = dict(self.connection.execute(
                "SELECT oid, format('%I.%I', relnamespace::regnamespace, relname) FROM pg_class"
            ).fetchall())  # fmt: skip
            before = self._held(pid)
            yield
            self.locks[migration.name] = {
                Lock(names[oid], mode) for oid, mode in self._held(pid) - before if oid in names
            }

        return watching()

    def _held(self, pid: int) -> set[tuple[int, str]]:
        rows = self.connection.execute(
            "SELECT relation, mode FROM pg_locks JOIN pg_class ON pg_class.oid = relation"
            " WHERE pid = %s AND relnamespace = 'public'::regnamespace"
            " AND relname NOT LIKE 'cruddur_ops_%%'",
            (pid,),
        ).fetchall()
        return set(rows)


def test_the_locks_that_it_reports_are_those_that_a_real_run_takes(
    db: Database, server: PostgresAddress, folder: Folder
) -> None:
    for name, statement in STATEMENTS.items():
        folder.add(name, statement, UNDO[name])
    rehearsal = rehearsed(db, server, folder)
    assert rehearsal.is_well, [(tried.problem, tried.left_over) for tried in rehearsal.tried]
    reported = {seen.migration.name: set(seen.locks) for seen in rehearsal.observed}
    watcher = Watcher(db)
    list(migrate(db, folder.read(), observer=watcher.observe))
    watcher.connection.close()
    assert reported == watcher.locks
    assert Lock("public.users", "AccessExclusiveLock") in reported["add"]
    assert Lock("public.users", "ShareLock") in reported["index"]
    assert Lock("public.users", "ShareRowExclusiveLock") in reported["new"]
    rewritten = {seen.migration.name: seen.rewritten for seen in rehearsal.observed}
    assert rewritten == dict.fromkeys(STATEMENTS, ()) | {"rewrite": ("public.activities",)}
    assert rehearsals(server) == []


def test_an_index_that_is_built_beside_writes_is_shown_to_block_none(
    db: Database, server: PostgresAddress, folder: Folder
) -> None:
    folder.add(
        "index",
        "CREATE INDEX CONCURRENTLY moods ON public.users (display_name)",
        "DROP INDEX CONCURRENTLY public.moods",
        "transaction:false",
    )
    rehearsal = rehearsed(db, server, folder)
    assert rehearsal.is_well
    (seen,) = rehearsal.observed
    assert seen.locks == (Lock("public.users", "ShareUpdateExclusiveLock"),)
    assert seen.locks[0].blocks == "changes of the schema, VACUUM"


def test_what_undoing_it_leaves_or_loses_is_reported(
    db: Database, server: PostgresAddress, folder: Folder
) -> None:
    folder.add(
        "replies",
        "ALTER TABLE public.activities DROP COLUMN reply_to_activity_uuid;\n"
        "ALTER TABLE public.activities ADD COLUMN parent uuid",
        "ALTER TABLE public.activities ADD COLUMN reply_to_activity_uuid uuid",
    )
    rehearsal = rehearsed(db, server, folder)
    (tried,) = rehearsal.tried
    assert [line.partition(" USING")[0] for line in tried.left_over] == [
        "lost: index CREATE INDEX activities_replies ON public.activities",
        "left: column public.activities.parent uuid",
    ]
    assert set(rehearsal.broken) == {"answer", "an activity", "an activity with its answers"}
    assert not rehearsal.is_well


@pytest.mark.parametrize(
    ("up", "down", "problem"),
    [
        ("SELECT 1; ALTER TABLE public.users DORP x", "SELECT 1", "syntax error"),
        ("CREATE TABLE a (n int)", "DROP TABLE b", "it cannot be undone: .* does not exist"),
        ("CREATE TABLE a (n int)", "", "it does not say how to undo it"),
    ],
)
def test_what_fails_is_reported_and_the_database_is_as_it_was(
    db: Database, server: PostgresAddress, folder: Folder, up: str, down: str, problem: str
) -> None:
    import re

    folder.add("wrong", up, down)
    (tried,) = rehearsed(db, server, folder).tried
    assert re.search(problem, tried.problem)
    assert not db.query_value("SELECT to_regclass('public.a') IS NOT NULL")
    assert not db.query_value("SELECT to_regclass('public.cruddur_ops_migrations') IS NOT NULL")


def test_it_starts_from_what_the_database_has_had(
    db: Database, server: PostgresAddress, folder: Folder
) -> None:
    """The ledger is copied, and so is Cruddur's record; rows of users are not."""
    folder.add("first", "ALTER TABLE public.users ADD COLUMN mood text")
    list(migrate(db, folder.read()))
    db.query_commit(
        "INSERT INTO public.users (display_name, handle, email) VALUES ('Ana', 'ana', 'a@x.org')"
    )
    folder.add("unique", "ALTER TABLE public.users ADD UNIQUE (mood)",
               "ALTER TABLE public.users DROP CONSTRAINT users_mood_key")  # fmt: skip
    rehearsal = rehearsed(db, server, folder)
    assert [tried.migration.name for tried in rehearsal.tried] == ["unique"]
    assert (rehearsal.is_well, rehearsal.sample) == (True, 0)


def test_a_sample_has_rows_and_says_nothing_of_anybody(
    db: Database, server: PostgresAddress, folder: Folder
) -> None:
    db.query_commit(
        "INSERT INTO public.users (display_name, handle, email, cognito_user_id)"
        " VALUES ('Ana', 'ana', 'ana@example.org', 'sub-1');"
        "INSERT INTO public.activities (user_uuid, message) SELECT uuid, 'secret' FROM public.users"
    )
    private = "Ana|ana@|^ana|sub-1|secret"
    text = "users::text ~ {0} OR EXISTS (SELECT FROM public.activities AS a WHERE a::text ~ {0})"
    folder.add(
        "look",
        f"DO $$ BEGIN IF EXISTS (SELECT FROM public.users WHERE {text.format(repr(private))})"
        " THEN RAISE 'private'; END IF;"
        " IF (SELECT length(message) FROM public.activities) <> 6 THEN RAISE 'no'; END IF; END $$",
        "SELECT 1",
    )
    rehearsal = rehearsed(db, server, folder, rows=5)
    assert [tried.problem for tried in rehearsal.tried] == [""]
    assert rehearsal.sample == 2


def test_a_rehearsal_that_crashed_is_cleared_by_the_next_one_and_one_that_runs_is_not(
    db: Database, server: PostgresAddress, folder: Folder
) -> None:
    with psycopg.connect(server.with_dbname("postgres").conninfo, autocommit=True) as connection:
        connection.execute("CREATE DATABASE cruddur_rehearsal_crashed")
        connection.execute("CREATE DATABASE cruddur_rehearsal_running")
        running = server.with_dbname("cruddur_rehearsal_running")
        try:
            with psycopg.connect(running.conninfo):
                rehearsed(db, server, folder)
                assert rehearsals(server) == ["cruddur_rehearsal_running"]
        finally:
            connection.execute("DROP DATABASE cruddur_rehearsal_running")


def test_a_rehearsal_that_has_just_begun_is_not_dropped_by_the_next_one(
    server: PostgresAddress,
) -> None:
    with scratch_database(server) as first, scratch_database(server) as second:
        assert set(rehearsals(server)) == {first.address.dbname, second.address.dbname}
    assert rehearsals(server) == []


def test_a_rehearsal_waits_until_the_one_that_begins_has_a_session(
    server: PostgresAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its database is there before the session, and looks like one that was left behind."""
    connect = scratch.Database.session_pid
    others: list[Thread] = []

    def is_waiting() -> bool:
        with psycopg.connect(server.with_dbname("postgres").conninfo) as connection:
            query = "SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            return connection.execute(query).rowcount == 1

    def slowly(database: Database) -> int:
        if not others:
            others.append(Thread(target=begin))
            others[0].start()
            assert processes.wait_until(is_waiting, 10)
        return connect(database)

    def begin() -> None:
        with scratch_database(server):
            pass

    monkeypatch.setattr(scratch.Database, "session_pid", slowly)
    with scratch_database(server) as database:
        others[0].join()
        assert rehearsals(server) == [database.address.dbname]


def test_cruddurs_first_schema_with_its_extension_can_be_rehearsed(
    db: Database, server: PostgresAddress
) -> None:
    """The function stands for the extension, which the embedded server does not have."""
    db.query_commit(SCHEMA)  # type: ignore[arg-type]
    ours = Folder(PROJECT_ROOT / "sql" / "migrations")
    rehearsal = rehearsed(db, server, ours)
    assert rehearsal.is_well
    assert [seen.rewritten for seen in rehearsal.observed] == [(), ()]
    assert "a profile" in rehearsal.failing_before


SQUAWK = """#!/bin/sh
text=$(cat)
case "$text" in *"ADD COLUMN"*)
echo '[{"line": 2, "rule_name": "a-rule", "message": "Careful.", "help": "Do it so."}]';;
*) echo '[]';; esac
exit 1
"""


def test_what_squawk_says_has_the_line_of_the_file(tmp_path: Path, monkeypatch, folder) -> None:
    program = tmp_path / "squawk"
    program.write_text(SQUAWK)
    program.chmod(0o755)
    monkeypatch.setattr(linting, "squawk_path", lambda: str(program))
    folder.add("bio", "SELECT 1;\nALTER TABLE a ADD COLUMN b text")
    (migration,) = read_migrations(tmp_path).migrations
    assert linting.advice_on(migration) == (linting.Advice(3, "a-rule", "Careful. Do it so."),)
    monkeypatch.setattr(linting, "squawk_path", lambda: None)
    assert linting.advice_on(migration) == ()
