"""invoke db.kill-all, db.dump and db.restore"""

from __future__ import annotations

import stat
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import unguarded
from unguarded import Database

from core.commands import shell_word
from core.errors import PostgresError
from core.postgres import admin, migrate, read_migrations, restore_database
from core.postgres.migrations.ledger import read_ledger
from core.postgres.programs import Programs, find_programs
from core.settings import Settings
from core.targets.postgres import PostgresAddress, parse_url


@pytest.fixture
def other_url(database_url: str) -> Iterator[str]:
    """The URL of another database that nobody has created yet."""
    url = urlsplit(database_url)._replace(path=f"/copy-{uuid.uuid4().hex[:12]}").geturl()
    yield url
    unguarded.drop_database(parse_url(url, "CONNECTION_URL"))


@pytest.fixture
def full(address: PostgresAddress) -> PostgresAddress:
    """A database that is marked production, with a user, and with its migrations applied."""
    unguarded.create_database(address)
    with Database(address) as db:
        admin.load_schema(db, "production")
        list(migrate(db, read_migrations(Settings().migrations_path)))
        db.query_commit(
            "INSERT INTO public.users (display_name, handle, email, bio)"
            " VALUES ('Ana', 'ana', 'ana@example.com', 'é')"
        )
    return address


def dumped(run_invoke, env, path: Path):  # type: ignore[no-untyped-def]
    return run_invoke("db.dump", "--file", str(path), "--reason", "a copy", env=env)


def test_a_dump_goes_back_into_an_empty_database_whose_marker_stays(
    run_invoke, postgres_env, full, other_url, tmp_path
) -> None:
    path = tmp_path / "all.dump"
    assert (
        "no reason was given" in run_invoke("db.dump", "--file", str(path), env=postgres_env).stderr
    )
    assert not path.exists()
    done = dumped(run_invoke, postgres_env, path)
    assert done.stdout == f"wrote {path.stat().st_size:,} bytes to {path}\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    other = parse_url(other_url, "CONNECTION_URL")
    unguarded.create_database(other)
    env = {"CONNECTION_URL": other_url}
    back = run_invoke("db.restore", "--file", str(path), env=env)
    assert back.stdout == f"restored {path} into the database {other.dbname}\n"
    assert unguarded.state(other).environment == "local"
    with Database(other) as db:
        assert db.query_value("SELECT bio FROM public.users") == "é"
        assert len(read_ledger(db)) == 2
    again = run_invoke("db.restore", "--file", str(path), env=env)
    assert f"--confirm {shell_word(other.dbname)}" in again.stderr
    assert again.returncode == 1
    with Database(other) as db:  # a guard of others, which our own transactions pass as well
        db.query_commit(f'ALTER DATABASE "{other.dbname}" SET default_transaction_read_only = on')
    over = run_invoke("db.restore", "--file", str(path), "--confirm", other.dbname, env=env)
    assert (over.returncode, unguarded.state(other).environment) == (0, "local")


def test_a_dump_that_fails_leaves_no_file(run_invoke, postgres_env, full, tmp_path) -> None:
    nowhere = tmp_path / "none" / "all.dump"
    failed = dumped(run_invoke, postgres_env, nowhere)
    assert "Could not write" in failed.stderr
    assert failed.returncode == 1
    for folder in (tmp_path, Path(), Path("/")):
        failed = dumped(run_invoke, postgres_env, folder)
        assert f"{folder} is not a regular file. " in failed.stderr


@pytest.fixture
def programs(full: PostgresAddress) -> Programs:
    from core.engines import program_folders

    with Database(full) as db:
        return find_programs(db, program_folders())


def ignore(*_: object) -> None: ...


def test_a_restore_that_fails_changes_nothing(full, programs, tmp_path) -> None:
    """Half of a file, and a table that something else depends on."""
    from core.postgres import dump_database

    path = tmp_path / "all.dump"
    with Database(full) as db:
        dump_database(db, programs, path, ignore)
        half = tmp_path / "half.dump"
        half.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        with pytest.raises(PostgresError, match="pg_restore failed"):
            restore_database(db, programs, half, "local", ignore)
        db.query_commit("CREATE VIEW public.handles AS SELECT handle FROM public.users")
        with pytest.raises(PostgresError, match=r"pg_restore failed: .*depend"):
            restore_database(db, programs, path, "local", ignore)
        assert db.query_value("SELECT handle FROM public.handles") == "ana"
    assert unguarded.state(full).environment == "production"


def test_a_dump_without_a_ledger_takes_that_of_the_database_along(full, programs, tmp_path) -> None:
    """What the ledger says is true of the tables that the restore replaces."""
    from core.postgres import dump_database

    path = tmp_path / "all.dump"
    with Database(full) as db:
        rows = read_ledger(db)
        db.query_commit("DROP TABLE public.cruddur_ops_migrations")
        dump_database(db, programs, path, ignore)
        assert len(list(migrate(db, read_migrations(Settings().migrations_path)))) == len(rows)
        restore_database(db, programs, path, "local", ignore)
        assert read_ledger(db) == []


def test_what_is_no_dump_is_refused_at_once(run_invoke, postgres_env, full, tmp_path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("hello")
    env = postgres_env
    refused = run_invoke("db.restore", "--file", str(path), "--confirm", full.dbname, env=env)
    assert "is not a dump in Postgres's custom format" in refused.stderr
    assert run_invoke("db.restore", env=env).returncode == 2
    missing = run_invoke("db.restore", "--file", str(tmp_path / "none"), env=env)  # no --confirm
    assert (missing.returncode, len(missing.stderr.splitlines())) == (1, 1)
    assert missing.stderr.endswith("No such file or directory. Name another file with --file.\n")


def test_the_other_sessions_are_listed_and_ended(run_invoke, postgres_env, full) -> None:
    with psycopg.connect(full.conninfo, application_name="the app") as other:
        pid = other.info.backend_pid
        refused = run_invoke("db.kill-all", env=postgres_env)
        assert f"--confirm {shell_word(full.dbname)}" in refused.stderr
        other.execute("SELECT 1")
        env = postgres_env
        ended = run_invoke("db.kill-all", "--confirm", full.dbname, env=env)
        lines = ended.stdout.splitlines()
        assert [line.split()[0] for line in lines if "the app" in line] == [str(pid)]
        assert lines[-1] == "ended 1 session"
        with pytest.raises(psycopg.OperationalError):
            other.execute("SELECT 1")
    alone = run_invoke("db.kill-all", "--confirm", full.dbname, env=env)
    assert (alone.stdout, alone.returncode) == ("", 0)
    assert "No other sessions are connected" in alone.stderr
