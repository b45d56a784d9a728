"""Migrations on a real server: applied once, undone in the opposite order, never half."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from unguarded import Database

from core.errors import InputError, PostgresError
from core.postgres import migrate, read_migrations, roll_back
from core.postgres.connections import Connections
from core.postgres.migrations import running
from core.postgres.migrations.ledger import read_ledger
from core.postgres.migrations.running import Limits
from core.targets.postgres import parse_url

HASTY = Limits(lock_timeout_s=0.05, patience_s=0.3, turn_patience_s=0.3)


class Folder:
    """A folder of migrations; each gets the next second as its stamp."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._count = 0

    def add(self, name: str, up: str, down: str = "", options: str = "") -> Path:
        self._count += 1
        path = self.path / f"202601010000{self._count:02}_{name}.sql"
        path.write_text(f"-- migrate:up {options}\n{up}\n\n-- migrate:down {options}\n{down}\n")
        return path

    def read(self) -> running.Files:
        return read_migrations(self.path)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.fixture
def three(folder: Folder) -> Folder:
    for name in ("one", "two", "three"):
        folder.add(name, f"CREATE TABLE public.{name} (n int);", f"DROP TABLE public.{name};")
    return folder


def applied(db: Database) -> list[str]:
    return [row.name for row in read_ledger(db)]


def tables(db: Database) -> set[str]:
    ours = {"users", "activities", "schema_information", "cruddur_ops_environment"}
    names = {row["name"] for row in db.query_rows(
        "SELECT relname AS name FROM pg_class WHERE relkind = 'r'"
        " AND relnamespace = 'public'::regnamespace"
    )}  # fmt: skip
    return names - ours - {"cruddur_ops_migrations"}


def columns(db: Database, table: str) -> dict[str, str]:
    rows = db.query_rows(
        "SELECT attname AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute"
        " WHERE attrelid = %(table)s::regclass AND attnum > 0 AND NOT attisdropped",
        {"table": table},
    )
    return {row["name"]: row["type"] for row in rows}


# Forward and back


def test_what_is_pending_is_applied_once_in_its_order(db: Database, three: Folder) -> None:
    assert [done.migration.name for done in migrate(db, three.read())] == ["one", "two", "three"]
    assert list(migrate(db, three.read())) == []
    assert applied(db) == ["one", "two", "three"]
    assert tables(db) == {"one", "two", "three"}
    assert all(row.duration_ms is not None for row in read_ledger(db))


def test_it_goes_on_to_a_migration_and_from_there(db: Database, three: Folder) -> None:
    assert [done.migration.name for done in migrate(db, three.read(), to="two")] == ["one", "two"]
    assert list(migrate(db, three.read(), to="20260101000002")) == []
    assert [done.migration.name for done in migrate(db, three.read())] == ["three"]


def test_a_rollback_undoes_the_migration_that_was_applied_last(db: Database, three: Folder) -> None:
    older = three.path / "20250101000000_older.sql"
    list(migrate(db, three.read()))
    older.write_text("-- migrate:up\nCREATE TABLE o (n int);\n-- migrate:down\nDROP TABLE o;\n")
    list(migrate(db, three.read()))
    assert [done.migration.name for done in roll_back(db, three.read())] == ["older"]
    assert [done.migration.name for done in roll_back(db, three.read())] == ["three"]
    assert tables(db) == {"one", "two"}
    assert [done.migration.name for done in roll_back(db, three.read(), to="one")] == ["two"]
    assert list(roll_back(db, three.read(), to="one")) == []
    assert list(roll_back(db, three.read()))
    assert list(roll_back(db, three.read())) == []
    assert (tables(db), applied(db)) == (set(), [])


def test_a_name_that_no_migration_has_is_refused(db: Database, three: Folder) -> None:
    with pytest.raises(InputError, match="There is no migration 'four'"):
        list(migrate(db, three.read(), to="four"))
    list(migrate(db, three.read(), to="one"))
    with pytest.raises(InputError, match="two is not applied"):
        list(roll_back(db, three.read(), to="two"))


def test_a_migration_sees_the_public_schema_whatever_the_role_has_set(
    db: Database, folder: Folder
) -> None:
    db.query_commit(f'ALTER DATABASE "{db.address.dbname}" SET search_path = pg_catalog')
    db.close()
    folder.add("bio", "ALTER TABLE users ADD COLUMN bio text")
    assert len(list(migrate(db, folder.read()))) == 1
    assert columns(db, "public.users")["bio"] == "text"


# What goes wrong


def test_a_syntax_error_in_the_third_of_five_leaves_the_first_two(
    db: Database, three: Folder
) -> None:
    three.path.joinpath("20260101000003_three.sql").write_text(
        "-- migrate:up\nCREATE TABLE public.three (n int);\n\nALTER TABLE\n  public.three DORP n;\n"
    )
    three.add("four", "CREATE TABLE public.four (n int)")
    three.add("five", "CREATE TABLE public.five (n int)")
    with pytest.raises(PostgresError) as caught:
        list(migrate(db, three.read()))
    assert str(caught.value) == (
        "20260101000003_three.sql, line 5: Postgres refused the statement (42601): syntax error at"
        ' or near "DORP". Nothing of this migration was kept.'
    )
    assert (applied(db), tables(db)) == (["one", "two"], {"one", "two"})


def test_a_migration_that_was_edited_after_it_was_applied_is_refused(
    db: Database, three: Folder
) -> None:
    list(migrate(db, three.read(), to="two"))
    path = three.path / "20260101000001_one.sql"
    path.write_text(path.read_text().replace("n int", "n bigint"))
    for act in (migrate, roll_back):
        with pytest.raises(InputError, match="one was changed after it was applied"):
            list(act(db, three.read()))
    assert applied(db) == ["one", "two"]


def test_how_to_undo_it_may_still_be_corrected(db: Database, folder: Folder) -> None:
    path = folder.add("one", "CREATE TABLE public.one (n int)", "DROP TABLE public.two")
    list(migrate(db, folder.read()))
    with pytest.raises(PostgresError, match=r'line 5: .*table "two" does not exist'):
        list(roll_back(db, folder.read()))
    assert tables(db) == {"one"}
    path.write_text(path.read_text().replace("public.two", "public.one").replace("\n", "  \r\n"))
    assert len(list(roll_back(db, folder.read()))) == 1
    assert tables(db) == set()


def test_a_migration_whose_file_is_missing_is_refused(db: Database, three: Folder) -> None:
    list(migrate(db, three.read(), to="two"))
    three.path.joinpath("20260101000001_one.sql").unlink()
    for act in (migrate, roll_back):
        with pytest.raises(InputError, match="one was applied, but its file is missing"):
            list(act(db, three.read()))
    assert applied(db) == ["one", "two"]


def test_what_does_not_say_how_to_undo_it_stays(db: Database, folder: Folder) -> None:
    folder.add("one", "CREATE TABLE public.one (n int)", "-- by hand")
    list(migrate(db, folder.read()))
    with pytest.raises(InputError, match="does not say how to undo it"):
        list(roll_back(db, folder.read()))
    assert (tables(db), applied(db)) == ({"one"}, ["one"])


@pytest.fixture
def powerless(db: Database) -> Iterator[Database]:
    """The same database for a role that may read and nothing else."""
    role = f"reader_{os.urandom(4).hex()}"
    db.query_commit(f"CREATE ROLE {role} LOGIN PASSWORD 'secret'")
    info = psycopg.conninfo.conninfo_to_dict(db.address.conninfo)
    url = f"postgresql://{role}:secret@{info['host']}:{info['port']}/{db.address.dbname}"
    with Database(parse_url(url, "CONNECTION_URL")) as reader:
        yield reader
    db.query_commit(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_a_role_without_rights_gets_one_line_and_changes_nothing(
    db: Database, powerless: Database, three: Folder
) -> None:
    with pytest.raises(PostgresError, match=r"\(42501\).*Connect as the owner"):
        list(migrate(powerless, three.read()))
    list(migrate(db, three.read(), to="one"))
    with pytest.raises(PostgresError, match=r"\(42501\).*cruddur_ops_migrations"):
        list(migrate(powerless, three.read()))
    assert tables(db) == {"one"}


def test_a_statement_that_takes_no_transaction_says_what_to_write(
    db: Database, folder: Folder
) -> None:
    folder.add("index", "CREATE INDEX CONCURRENTLY i ON public.users (display_name)")
    with pytest.raises(PostgresError, match="Write -- migrate:up transaction:false"):
        list(migrate(db, folder.read()))
    assert applied(db) == []


def test_a_failing_migration_never_says_to_load_the_schema(db: Database, folder: Folder) -> None:
    folder.add("gone", "ALTER TABLE public.gone ADD COLUMN n int")
    with pytest.raises(PostgresError) as caught:
        list(migrate(db, folder.read()))
    assert "schema-load" not in str(caught.value)


# Two at once, and killed


def test_eight_runs_at_once_apply_each_migration_once(db: Database, three: Folder) -> None:
    three.add("index", "CREATE INDEX CONCURRENTLY i ON public.one (n)", options="transaction:false")
    three.add("data", "INSERT INTO public.one SELECT 1", "DELETE FROM public.one")
    files = three.read()
    together, counts, failures = threading.Barrier(8), [], []

    def run() -> None:
        with Database(db.address) as own:
            together.wait()
            try:
                counts.append(len(list(migrate(own, files))))
            except Exception as error:  # noqa: BLE001 - shown below
                failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (failures, sum(counts)) == ([], 5)
    assert applied(db) == ["one", "two", "three", "index", "data"]
    assert db.query_value("SELECT count(*) FROM public.one") == 1


def dies_at(number: int, act: Callable[[], object], *, after: bool) -> bool:
    """Whether ``act``, in a process of its own, was killed at its statement of that number."""
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
    count = 0
    execute = psycopg.Connection.execute

    def counted(connection, *args, **options):  # type: ignore[no-untyped-def]
        nonlocal count
        count += 1
        if count == number and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        cursor = execute(connection, *args, **options)
        if count == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return cursor

    psycopg.Connection.execute = counted  # type: ignore[method-assign]
    try:
        act()
    finally:
        os._exit(0)


@pytest.mark.parametrize(
    ("every", "after"),
    [
        pytest.param(5, True, id="a few"),
        pytest.param(1, True, id="after each", marks=pytest.mark.deep),
        pytest.param(1, False, id="before each", marks=pytest.mark.deep),
    ],
)
def test_after_a_kill_at_any_statement_the_ledger_is_right(
    db: Database, folder: Folder, every: int, after: bool, figures: Callable[[str], None]
) -> None:
    folder.add("one", "CREATE TABLE public.one (n int); INSERT INTO public.one SELECT 1",
               "DROP TABLE public.one")  # fmt: skip
    folder.add(
        "index",
        "CREATE INDEX CONCURRENTLY i ON public.users (display_name);\n"
        "CREATE INDEX CONCURRENTLY j ON public.users (display_name)",
        "DROP INDEX CONCURRENTLY i; DROP INDEX CONCURRENTLY j",
        "transaction:false",
    )
    files = folder.read()

    def there_and_back() -> None:
        with Database(db.address) as own:
            list(migrate(own, files))
            list(roll_back(own, files, to="one"))
            list(roll_back(own, files))

    number = 1
    while dies_at(number, there_and_back, after=after):
        assert_ledger_is_right(db)
        there_and_back_from_anywhere(db, files)
        number += every
    figures(f"{number // every} kills {'after' if after else 'before'} a statement")
    assert number > 40


def assert_ledger_is_right(db: Database) -> None:
    rows = {row.name: row for row in read_ledger(db)}
    assert ("one" in rows) == ("one" in tables(db))
    indexes = {row["name"]: row["valid"] for row in db.query_rows(
        "SELECT indexrelid::regclass::text AS name, indisvalid AS valid FROM pg_index"
        " WHERE indexrelid::regclass::text IN ('i', 'j')"
    )}  # fmt: skip
    state = rows["index"].state if "index" in rows else None
    if state == "applied":
        assert indexes == {"i": True, "j": True}
    if state is None:
        assert indexes == {}


def there_and_back_from_anywhere(db: Database, files: running.Files) -> None:
    """Finish what was begun, in whichever direction, and end where nothing is applied."""
    if any(row.state == "half undone" for row in read_ledger(db)):
        list(roll_back(db, files, to="one"))
    list(migrate(db, files))
    assert [row.state for row in read_ledger(db)] == ["applied", "applied"]
    assert_ledger_is_right(db)
    list(roll_back(db, files, to="one"))
    list(roll_back(db, files))
    assert read_ledger(db) == []


# Without a transaction


def test_an_index_that_cannot_be_built_leaves_nothing(db: Database, folder: Folder) -> None:
    db.query_commit(
        "INSERT INTO public.users (display_name, handle, email)"
        " VALUES ('same', 'a', 'a@x.org'), ('same', 'b', 'b@x.org')"
    )
    folder.add(
        "unique",
        "CREATE UNIQUE INDEX CONCURRENTLY u ON public.users (display_name)",
        options="transaction:false",
    )
    with pytest.raises(PostgresError, match=r"line 2: .*Nothing of this migration was kept"):
        list(migrate(db, folder.read()))
    assert applied(db) == []
    assert db.query_value("SELECT to_regclass('public.u') IS NULL")


def test_a_second_statement_that_fails_is_half_applied_and_goes_on_when_it_is_corrected(
    db: Database, folder: Folder
) -> None:
    path = folder.add(
        "two_steps",
        "CREATE INDEX CONCURRENTLY i ON public.users (display_name);\n"
        "CREATE INDEX CONCURRENTLY j ON public.users (nothing)",
        options="transaction:false",
    )
    with pytest.raises(PostgresError, match="It is half applied, by 1 of its statements"):
        list(migrate(db, folder.read()))
    (row,) = read_ledger(db)
    assert (row.state, row.steps_done) == ("half applied", 1)
    path.write_text(path.read_text().replace("nothing", "handle"))
    assert len(list(migrate(db, folder.read()))) == 1
    assert list(migrate(db, folder.read())) == []
    assert [entry.standing for entry in folder.read().survey(db)] == ["applied"]


# Behind a pooler


class TransactionPooler(Connections):
    """Gives every transaction another session, as a pooler in transaction mode may."""

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection]:
        with psycopg.connect(self.address.conninfo, **self._options()) as connection:
            yield connection


def test_everything_works_where_each_transaction_has_another_session(
    db: Database, three: Folder
) -> None:
    three.add(
        "index",
        "CREATE INDEX CONCURRENTLY i ON public.one (n)",
        "DROP INDEX CONCURRENTLY i",
        "transaction:false",
    )
    pooled = Database(db.address, connections=TransactionPooler(db.address))
    assert len(list(migrate(pooled, three.read()))) == 4
    assert len(list(roll_back(pooled, three.read(), to="one"))) == 3
    assert (applied(db), tables(db)) == (["one"], {"one"})


# Beside others


def test_a_lock_that_stays_taken_ends_the_run_with_nothing_done(
    db: Database, folder: Folder
) -> None:
    folder.add("bio", "ALTER TABLE public.users ADD COLUMN bio text")
    with psycopg.connect(db.address.conninfo) as other:
        other.execute("SELECT FROM public.users")
        with pytest.raises(PostgresError, match="55P03"):
            list(migrate(db, folder.read(), limits=HASTY))
    assert applied(db) == []


def test_a_lock_that_is_freed_in_time_is_waited_for(db: Database, folder: Folder) -> None:
    folder.add("bio", "ALTER TABLE public.users ADD COLUMN bio text")
    with psycopg.connect(db.address.conninfo) as other:
        other.execute("SELECT FROM public.users")
        release = threading.Timer(0.3, other.rollback)
        release.start()
        assert len(list(migrate(db, folder.read(), limits=Limits(lock_timeout_s=0.05)))) == 1
        release.join()


def test_a_run_that_never_ends_is_not_waited_for_for_ever(db: Database, folder: Folder) -> None:
    folder.add("bio", "ALTER TABLE public.users ADD COLUMN bio text")
    with psycopg.connect(db.address.conninfo) as other:
        other.execute("SELECT pg_advisory_xact_lock(hashtext('cruddur-ops schema'))")
        with pytest.raises(PostgresError, match="Another session has been changing this schema"):
            list(migrate(db, folder.read(), limits=HASTY))


READING = "SELECT count(*) FROM public.activities JOIN public.users ON users.uuid = user_uuid"
WRITING = (
    "INSERT INTO public.activities (user_uuid, message)"
    " SELECT uuid, 'hello' FROM public.users WHERE handle = 'ana'"
)


def test_nobody_waits_longer_than_the_lock_timeout_and_nothing_fails(
    db: Database, folder: Folder, figures: Callable[[str], None]
) -> None:
    """Cruddur's statements go on while a migration needs both tables, again and again."""
    db.query_commit(
        "INSERT INTO public.users (display_name, handle, email) VALUES ('Ana', 'ana', 'a@x.org')"
    )
    for number in range(3):
        folder.add(
            f"column_{number}",
            f"ALTER TABLE public.users ADD COLUMN c{number} text;\n"
            f"ALTER TABLE public.activities ADD COLUMN c{number} text",
        )
    over, waits, failures = threading.Event(), [], []

    def use(statement: str) -> None:
        with psycopg.connect(db.address.conninfo, autocommit=True) as own:
            while not over.is_set():
                started = time.perf_counter()
                try:
                    with own.transaction():
                        own.execute(statement)  # type: ignore[arg-type]
                        own.execute("SELECT pg_sleep(0.01)")
                        own.execute(READING)
                except psycopg.Error as error:
                    failures.append(str(error))
                waits.append(time.perf_counter() - started)

    users = [
        threading.Thread(target=use, args=(statement,)) for statement in (READING, WRITING) * 3
    ]
    for thread in users:
        thread.start()
    try:
        limits = Limits(lock_timeout_s=0.4)
        assert len(list(migrate(db, folder.read(), limits=limits))) == 3
    finally:
        over.set()
        for thread in users:
            thread.join()
    assert failures == []
    # Beside the wait each measures its own work on a machine that others use.
    assert max(waits) < 2 * limits.lock_timeout_s
    figures(f"{len(waits)} uses, the longest took {max(waits) * 1000:.0f} ms")
