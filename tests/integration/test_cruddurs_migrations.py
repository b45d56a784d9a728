"""Cruddur's own migrations, both ways, beside its own script and its own record."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from cruddur_checkout import BIO, REPLY, SCHEMA, Checkout, CruddursScript
from test_migrations import columns
from unguarded import Database

from core.errors import InputError, PostgresError
from core.postgres import migrate, read_migrations, roll_back
from core.postgres.migrations.ledger import read_ledger
from core.postgres.migrations.running import Files

NOW = "17958021874501234"


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "app")


@pytest.fixture
def both(checkout: Checkout) -> Checkout:
    checkout.add_both()
    return checkout


@pytest.fixture
def cruddurs(db: Database) -> Database:
    """A database as Cruddur's own schema-load leaves it."""
    db.query_commit(SCHEMA)  # type: ignore[arg-type]
    return db


def files(checkout: Checkout) -> Files:
    """Cruddur's migrations alone."""
    return read_migrations(checkout.folder / "none of ours", checkout.folder)


def record(db: Database) -> str:
    return str(db.query_value("SELECT last_successful_run FROM public.schema_information"))


def write_record(db: Database, value: str) -> None:
    db.query_commit("UPDATE public.schema_information SET last_successful_run = %(v)s",
                    {"v": value})  # fmt: skip


def shape(db: Database) -> tuple[str | None, str]:
    """The type of ``bio``, and of ``reply_to_activity_uuid``."""
    reply = columns(db, "public.activities")["reply_to_activity_uuid"]
    return columns(db, "public.users").get("bio"), reply


def went(steps) -> list[tuple[str, str | None]]:  # type: ignore[no-untyped-def]
    return [(done.migration.stamp, done.state and str(done.state)) for done in steps]


def test_the_two_migrations_of_the_last_cruddur_run_both_ways(
    cruddurs: Database, both: Checkout
) -> None:
    assert went(migrate(cruddurs, files(both))) == [(BIO[0], "applied"), (REPLY[0], "applied")]
    assert shape(cruddurs) == ("text", "uuid")
    assert CruddursScript.would_run(record(cruddurs), [BIO[0], REPLY[0]]) == []
    assert went(roll_back(cruddurs, files(both))) == [(REPLY[0], None)]
    assert shape(cruddurs) == ("text", "integer")
    assert CruddursScript.would_run(record(cruddurs), [BIO[0], REPLY[0]]) == [REPLY[0]]
    assert went(roll_back(cruddurs, files(both))) == [(BIO[0], None)]
    assert shape(cruddurs) == (None, "integer")
    assert (record(cruddurs), list(roll_back(cruddurs, files(both)))) == ("0", [])


@pytest.mark.parametrize("value", [str(int(BIO[0]) + 5), NOW], ids=["then", "now"])
def test_what_cruddurs_script_applied_is_recorded_and_the_rest_applied(
    cruddurs: Database, both: Checkout, value: str
) -> None:
    """Also where its record is later than a migration that it skipped."""
    cruddurs.query_commit("ALTER TABLE public.users ADD COLUMN bio text")
    write_record(cruddurs, value)
    assert went(migrate(cruddurs, files(both))) == [(BIO[0], "by Cruddur"), (REPLY[0], "applied")]
    assert shape(cruddurs) == ("text", "uuid")
    assert CruddursScript.would_run(record(cruddurs), [BIO[0], REPLY[0]]) == []
    assert went(roll_back(cruddurs, files(both), to=BIO[0])) == [(REPLY[0], None)]
    assert went(roll_back(cruddurs, files(both))) == [(BIO[0], None)]
    assert shape(cruddurs) == (None, "integer")


def test_what_cruddurs_script_applied_alone_can_be_undone(
    cruddurs: Database, both: Checkout
) -> None:
    cruddurs.query_commit("ALTER TABLE public.users ADD COLUMN bio text")
    write_record(cruddurs, str(int(BIO[0]) + 5))
    assert went(roll_back(cruddurs, files(both))) == [(BIO[0], None)]
    assert (shape(cruddurs), record(cruddurs)) == ((None, "integer"), "0")


def test_a_migration_whose_whole_effect_is_there_is_recorded_and_changes_nothing(
    db: Database, both: Checkout
) -> None:
    """Our schema has the column as a uuid, with an index that running it would drop."""
    index = "SELECT to_regclass('public.activities_replies')::oid::bigint"
    before = db.query_value(index)
    assert went(migrate(db, files(both))) == [(BIO[0], "applied"), (REPLY[0], "present")]
    assert (db.query_value(index), shape(db)) == (before, ("text", "uuid"))
    assert CruddursScript.would_run(record(db), [BIO[0], REPLY[0]]) == []
    (undone,) = roll_back(db, files(both))
    assert "had changed nothing" in undone.notes[0]
    assert (db.query_value(index), shape(db)) == (before, ("text", "uuid"))


def test_what_cruddurs_rollback_undoes_is_pending_again(cruddurs: Database, both: Checkout) -> None:
    """With both applied its script undoes the first one of the folder, and records that."""
    list(migrate(cruddurs, files(both)))
    cruddurs.query_commit("ALTER TABLE public.users DROP COLUMN bio")
    write_record(cruddurs, BIO[0])
    standings = {entry.key[1]: entry.standing for entry in files(both).survey(cruddurs)}
    assert standings == {BIO[0]: "pending", REPLY[0]: "applied"}
    assert went(migrate(cruddurs, files(both))) == [(BIO[0], "applied")]
    assert shape(cruddurs) == ("text", "uuid")


def test_a_later_migration_that_drops_the_column_leaves_the_first_one_applied(
    cruddurs: Database, both: Checkout
) -> None:
    both.add("1690000000123456", "drop_bio", "ALTER TABLE users DROP COLUMN bio")
    cruddurs.query_commit(
        "ALTER TABLE activities DROP COLUMN reply_to_activity_uuid,"
        " ADD COLUMN reply_to_activity_uuid uuid"
    )
    write_record(cruddurs, NOW)
    assert {state for _, state in went(migrate(cruddurs, files(both)))} == {"by Cruddur"}
    assert shape(cruddurs) == (None, "uuid")


def test_an_empty_migration_is_recorded(cruddurs: Database, checkout: Checkout) -> None:
    checkout.add("1683578209210722", "add_bio_column", "\n    ", "\n    ")
    assert went(migrate(cruddurs, files(checkout))) == [("1683578209210722", "present")]
    assert int(record(cruddurs)) > 1683578209210722


def test_a_rollback_that_is_not_sql_leaves_everything_as_it_was(
    cruddurs: Database, checkout: Checkout
) -> None:
    path = checkout.add(*BIO, "ALTER TABLE public.users ADD COLUMN bio text;",
                        "ALTER TABLE public.users DROP COLUMN;")  # fmt: skip
    list(migrate(cruddurs, files(checkout)))
    before = record(cruddurs)
    with pytest.raises(PostgresError, match=rf"{path.name}, line 8: .*syntax error"):
        list(roll_back(cruddurs, files(checkout)))
    assert (shape(cruddurs)[0], record(cruddurs)) == ("text", before)
    assert [row.state for row in read_ledger(cruddurs)] == ["applied"]


def stamps_of_all_lengths(count: int) -> list[str]:
    """Stamps as ``time.time()`` prints them: ten digits of seconds, and any fraction."""
    chosen = random.Random(16)
    second, stamps = 1_680_000_000, []
    for _ in range(count):
        second += chosen.randrange(3)
        digits = chosen.randrange(8)
        fraction = "".join(chosen.choices("0123456789", k=digits)).rstrip("0")
        stamps.append(f"{second}{fraction}")
    return sorted(set(stamps), key=lambda stamp: float(f"{stamp[:10]}.{stamp[10:] or 0}"))


def test_200_stamps_of_all_lengths_are_applied_in_the_order_in_which_they_were_made(
    cruddurs: Database, checkout: Checkout
) -> None:
    stamps = stamps_of_all_lengths(230)[:200]
    assert len(stamps) == 200
    assert {len(stamp) for stamp in stamps} > {10, 12, 15, 17}
    cruddurs.query_commit("CREATE TABLE public.ran (position serial, stamp text)")
    for number, stamp in enumerate(stamps):
        checkout.add(stamp, f"m{number}", f"INSERT INTO ran (stamp) VALUES ('{stamp}')", "SELECT 1")
    list(migrate(cruddurs, files(checkout)))
    rows = cruddurs.query_rows("SELECT stamp FROM public.ran ORDER BY position")
    assert [row["stamp"] for row in rows] == stamps
    assert CruddursScript.would_run(record(cruddurs), stamps) == []
    assert list(migrate(cruddurs, files(checkout))) == []


def test_what_cruddurs_script_would_skip_is_reported(
    cruddurs: Database, checkout: Checkout
) -> None:
    checkout.add("16811528612904313", "long", "SELECT 1", "SELECT 1")
    list(migrate(cruddurs, files(checkout)))
    checkout.add("1690000000", "short", "SELECT 1", "SELECT 1")
    checkout.add("17000000000000001", "longer", "SELECT 1", "SELECT 1")
    (short, longer) = migrate(cruddurs, files(checkout))
    assert (short.notes, longer.notes) == ((), ())
    (undone, _) = roll_back(cruddurs, files(checkout), to="long")
    assert undone.notes == ()
    assert list(files(checkout).survey(cruddurs))[1].standing == "pending"
    (again,) = migrate(cruddurs, files(checkout), to="short")
    assert again.notes == ()
    list(roll_back(cruddurs, files(checkout)))
    (last, *_) = roll_back(cruddurs, files(checkout))
    assert last.migration.name == "long"


def test_both_kinds_are_applied_in_the_order_of_their_times(
    cruddurs: Database, both: Checkout, tmp_path: Path
) -> None:
    (tmp_path / "20230501000000_between.sql").write_text("-- migrate:up\nSELECT 1\n")
    merged = read_migrations(tmp_path, both.folder)
    assert [done.migration.name for done in migrate(cruddurs, merged)] == [
        BIO[1], "between", REPLY[1],
    ]  # fmt: skip
    # Without the checkout the ledger is believed.
    alone = read_migrations(tmp_path)
    assert [entry.standing for entry in alone.survey(cruddurs)] == ["applied"] * 3
    assert list(migrate(cruddurs, alone)) == []
    with pytest.raises(InputError, match="is a migration of Cruddur's"):
        list(roll_back(cruddurs, alone))


def test_what_was_undone_is_left_out_where_its_file_is_not_read(
    cruddurs: Database, both: Checkout, tmp_path: Path
) -> None:
    list(migrate(cruddurs, files(both)))
    list(roll_back(cruddurs, files(both), to=BIO[0]))
    without = read_migrations(tmp_path / "none")
    assert [entry.key[1] for entry in without.survey(cruddurs)] == [BIO[0]]
    assert list(migrate(cruddurs, without)) == []
    assert went(migrate(cruddurs, files(both))) == [(REPLY[0], "applied")]


def test_a_database_without_cruddurs_record_gets_one(db: Database, both: Checkout) -> None:
    db.query_commit("DROP TABLE public.schema_information")
    list(migrate(db, files(both)))
    assert CruddursScript.would_run(record(db), [BIO[0], REPLY[0]]) == []
