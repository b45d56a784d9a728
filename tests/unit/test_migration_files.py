"""The project's migrations: how a file is read, split and refused, and how one is made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.errors import CoreError, InputError
from core.postgres import generate_migration, read_migrations
from core.postgres.migrations.effects import Column, effect_of
from core.postgres.migrations.files import Script, checksum_of
from core.postgres.migrations.splitting import split_statements

NOW = datetime(2026, 11, 27, 18, 40, 5, 999_999, UTC)
STEM = "20261127184005_add_bio_column"


def read(folder: Path, text: str, name: str = f"{STEM}.sql"):  # type: ignore[no-untyped-def]
    (folder / name).write_text(text, "utf-8")
    (migration,) = read_migrations(folder).migrations
    return migration


# Statements


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        ("SELECT 1; SELECT 2", ["SELECT 1", "SELECT 2"]),
        ("  ;; \n-- nothing; here\n/* nor; /* here; */ */", []),
        ("SELECT 'a;''b', E'\\';', \"c;d\"; X", ["SELECT 'a;''b', E'\\';', \"c;d\"", "X"]),
        ("DO $x$ BEGIN; $y$; END $x$; SELECT 2", ["DO $x$ BEGIN; $y$; END $x$", "SELECT 2"]),
        ("SELECT $1, a$b$c; SELECT 2", ["SELECT $1, a$b$c", "SELECT 2"]),
        (
            "CREATE FUNCTION f() BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; END; X",
            ["CREATE FUNCTION f() BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; END", "X"],
        ),
        ("CREATE RULE r AS ON x DO (A; B); C", ["CREATE RULE r AS ON x DO (A; B)", "C"]),
        ("SELECT 1 -- one; more\n, 2; SELECT 3", ["SELECT 1 -- one; more\n, 2", "SELECT 3"]),
        ("SELECT 'é;ü'; SELECT tür", ["SELECT 'é;ü'", "SELECT tür"]),
    ],
)  # fmt: skip
def test_a_semicolon_ends_a_statement_only_where_postgres_says(
    text: str, statements: list[str]
) -> None:
    assert [statement.text for statement in split_statements(text)] == statements


@pytest.mark.parametrize("text", ["SELECT\n 'a", "X;\n$$ a", "\n/* a /* b */", '\n"x'])
def test_what_does_not_end_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(InputError, match="line 2: what begins with"):
        split_statements(text)


def test_a_statement_has_the_line_of_its_first_word() -> None:
    text = "-- a comment\n\nSELECT\n 1;\n/* b */ SELECT 2;"
    assert [statement.line for statement in split_statements(text, first_line=10)] == [12, 14]


# Files


def test_both_parts_of_a_file_are_read_with_their_lines(tmp_path: Path) -> None:
    migration = read(
        tmp_path,
        "-- needs: destroy\n-- present: SELECT\n-- present: true\n-- migrate:up\n\nSELECT 1;\n"
        "-- migrate:down transaction:false\nSELECT 2;\nSELECT 3;\n",
    )
    assert [(statement.text, statement.line) for statement in migration.up.statements] == [
        ("SELECT 1", 6)
    ]
    assert [statement.line for statement in migration.down.statements] == [8, 9]
    assert (migration.up.in_transaction, migration.down.in_transaction) == (True, False)
    assert migration.present_if == "SELECT true"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("SELECT 1;", "needs one line -- migrate:up"),
        ("-- migrate:down\n-- migrate:up\nSELECT 1", "needs one line"),
        ("-- migrate:up\nSELECT 1\n-- migrate:up\nSELECT 1", "needs one line"),
        ("SELECT 1;\n-- migrate:up\nSELECT 1", "has a statement above"),
        ("-- migrate:up transaction:no\nSELECT 1", "line 1: unknown option transaction:no"),
        ("-- migrate:up\nSELECT 1;\nCOMMIT", "line 3: COMMIT is refused"),
        ("-- migrate:up\nBEGIN;SELECT 1", "line 2: BEGIN is refused"),
        ("-- migrate:up\nROLLBACK", "line 2: ROLLBACK is refused"),
        ("-- migrate:up\nSET search_path = x", "line 2: SET is refused.*Write SET LOCAL"),
        ("-- migrate:up\nSELECT 'x", "line 2: what begins with ' does not end"),
    ],
)
def test_a_file_that_cannot_be_a_migration_is_refused(
    tmp_path: Path, text: str, problem: str
) -> None:
    with pytest.raises(InputError, match=problem):
        read(tmp_path, text)


def test_what_stays_within_the_transaction_is_allowed(tmp_path: Path) -> None:
    text = "SET LOCAL search_path = x; SAVEPOINT a; ROLLBACK TO a; SET CONSTRAINTS ALL DEFERRED"
    assert len(read(tmp_path, f"-- migrate:up\n{text}").up.statements) == 4


@pytest.mark.parametrize("name", ["bio.sql", "1_bio.sql", "20261399000000_bio.sql", "x_1.sql"])
def test_a_file_without_a_time_as_its_stamp_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="is not the name of a migration"):
        read(tmp_path, "-- migrate:up\nSELECT 1", name)


def test_two_files_of_one_stamp_are_refused(tmp_path: Path) -> None:
    (tmp_path / "20261127184005_other.sql").write_text("-- migrate:up\nSELECT 1")
    with pytest.raises(InputError, match="have the same stamp"):
        read(tmp_path, "-- migrate:up\nSELECT 1")


def test_bytes_that_are_not_utf_8_and_a_folder_for_a_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / f"{STEM}.sql").write_bytes(b"-- migrate:up\nSELECT '\xff'")
    with pytest.raises(InputError, match="is not UTF-8"):
        read_migrations(tmp_path)
    (tmp_path / f"{STEM}.sql").unlink()
    (tmp_path / f"{STEM}.sql").mkdir()
    with pytest.raises(InputError, match="Could not read"):
        read_migrations(tmp_path)


def test_the_checksum_ignores_line_ends_and_nothing_else() -> None:
    assert checksum_of("SELECT 1;\n\nSELECT 2;") == checksum_of("\nSELECT 1;  \r\n\r\nSELECT 2;\n")
    assert checksum_of("SELECT 1") != checksum_of("SELECT  1")


# A new one


def test_a_new_migration_has_both_parts_and_the_next_stamp(tmp_path: Path) -> None:
    folder = tmp_path / "made"
    path = generate_migration(folder, "Add-bio_column", NOW)
    assert path.name == f"{STEM}.sql"
    assert "-- migrate:up\n" in path.read_text()
    assert "-- migrate:down\n" in path.read_text()
    # A clock that stands still or steps back does not put one before another.
    again = generate_migration(folder, "more", NOW - timedelta(hours=1))
    assert again.name == "20261127184006_more.sql"


def test_a_dry_run_writes_no_file(tmp_path: Path) -> None:
    assert not generate_migration(tmp_path, "a", NOW, dry=True).exists()


@pytest.mark.parametrize("name", ["", "a b", "../a", "_a", "é", "a" * 101, "a.sql", "a\n"])
def test_a_name_that_would_make_no_file_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(CoreError, match="cannot be the name"):
        generate_migration(tmp_path, name, NOW)


# Effects

TEXT = Column("text")


@pytest.mark.parametrize(
    ("statement", "effect"),
    [
        ("ALTER TABLE public.users ADD COLUMN bio text", {("public.users", "bio"): TEXT}),
        ("alter table if exists only users add bio TEXT null", {("public.users", "bio"): TEXT}),
        (
            "ALTER TABLE a ADD IF NOT EXISTS b timestamp with time zone NOT NULL DEFAULT 'x'",
            {("public.a", "b"): Column("timestamp with time zone", True, "'x'")},
        ),
        (
            "ALTER TABLE a DROP COLUMN IF EXISTS b CASCADE, ADD COLUMN b uuid",
            {("public.a", "b"): Column("uuid")},
        ),
        ("ALTER TABLE a ALTER b SET DATA TYPE int USING f(b)", {("public.a", "b"): Column("int")}),
        ("ALTER TABLE a DROP b; ALTER TABLE a ADD b text", {("public.a", "b"): TEXT}),
        ("", {}),
    ],
)  # fmt: skip
def test_changes_of_columns_are_understood(statement: str, effect: object) -> None:
    assert effect_of(Script(tuple(split_statements(statement)))) == effect


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE users SET bio = ''",
        "ALTER TABLE a ADD CONSTRAINT c UNIQUE (b)",
        "ALTER TABLE a ADD COLUMN b text REFERENCES c",
        "ALTER TABLE a ADD COLUMN b varchar(3)",
        "ALTER TABLE a ADD COLUMN b int GENERATED ALWAYS AS IDENTITY",
        "ALTER TABLE a ALTER b SET NOT NULL",
        "ALTER TABLE a RENAME b TO c",
        "ALTER TABLE a ADD COLUMN b text; SELECT 1",
        "ALTER TABLE",
        "ALTER TABLE a ADD b",
        "ALTER TABLE a DROP b, DROP",
    ],
)
def test_what_else_a_migration_does_is_not(statement: str) -> None:
    assert effect_of(Script(tuple(split_statements(statement)))) is None
