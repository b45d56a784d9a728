"""Cruddur's Python migrations are read, and never run."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from core.errors import InputError
from core.postgres.migrations.cruddur import read_checkout, read_file
from core.postgres.migrations.stamps import cruddur_instant

HEAD = "from lib.db import db\n\nclass M:\n"
UP = "  def migrate_sql():\n    data = 'SELECT 1'\n    return data\n"
DOWN = "  def rollback_sql():\n    return 'SELECT 2'\n"


def written(folder: Path, text: str, name: str = "16811528612904313_a.py") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


FORMS = {
    "as it is generated": f"{HEAD}{UP}{DOWN}\nmigration = M\n",
    "an instance": f"{HEAD}{UP}{DOWN}\nmigration = M()\n",
    "without the last line": f"{HEAD}{UP}{DOWN}",
    "static, with types": (
        f"{HEAD}  @staticmethod\n  def migrate_sql() -> str:\n    '''Doc.'''\n"
        f"    data: str = 'SELECT ' '1'\n    return data\n{DOWN}migration = M\n"
    ),
    "with self": HEAD + UP.replace("()", "(self)") + DOWN.replace("()", "(self)") + "migration=M",
    "another class beside it": f"class Other:\n  pass\n\n{HEAD}{UP}{DOWN}migration = M\n",
    "with a byte order mark": f"\ufeff{HEAD}{UP}{DOWN}migration = M\n",
}


@pytest.mark.parametrize("form", FORMS)
def test_a_literal_is_read_in_every_form_that_is_in_use(tmp_path: Path, form: str) -> None:
    migration = read_file(written(tmp_path, FORMS[form]))
    assert [statement.text for statement in migration.up.statements] == ["SELECT 1"]
    assert [statement.text for statement in migration.down.statements] == ["SELECT 2"]
    assert (migration.stamp, migration.name) == ("16811528612904313", "a")


def test_a_statement_knows_its_line_in_the_python_file(tmp_path: Path) -> None:
    text = '"""\n    SELECT 1;\n\n    SELECT 2;\n    """'
    up = f"  def migrate_sql():\n    data = {text}\n    return data\n"
    migration = read_file(written(tmp_path, f"{HEAD}{up}{DOWN}"))
    assert [statement.line for statement in migration.up.statements] == [6, 8]


def test_a_percent_sign_that_is_written_twice_is_one(tmp_path: Path) -> None:
    migration = read_file(written(tmp_path, HEAD + UP.replace("1", "5 %% 2") + DOWN))
    assert migration.up.statements[0].text == "SELECT 5 % 2"


NO_LITERALS = {
    "f-string": "return f'SELECT {x}'",
    "addition": "return 'SELECT ' + x",
    "call": "return open('/etc/passwd').read()",
    "method": "return 'SELECT 1'.upper()",
    "name": "return data",
    "number": "return 1",
    "bytes": "return b'SELECT 1'",
    "condition": "if x: return 'a'",
    "nothing": "pass",
    "assigned call": "data = get()",
    "global": "global data",
}


@pytest.mark.parametrize("kind", NO_LITERALS)
def test_what_is_not_a_literal_is_refused_with_its_line(tmp_path: Path, kind: str) -> None:
    body = f"  def migrate_sql():\n    {NO_LITERALS[kind]}\n"
    path = written(tmp_path, HEAD + body + DOWN)
    with pytest.raises(InputError, match=r"_a\.py, line 5: the SQL is not a literal text"):
        read_file(path)


def test_a_function_that_returns_nothing_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, f"{HEAD}  def migrate_sql():\n    data = 'SELECT 1'\n{DOWN}")
    with pytest.raises(InputError, match="line 4: the SQL is not a literal"):
        read_file(path)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (HEAD + DOWN, "has no function migrate_sql"),
        (HEAD + UP, "has no function rollback_sql"),
        ("x = 1\n", "has no class"),
        (f"{HEAD}{UP}{DOWN}migration = Gone\n", "has no class"),
        (f"{HEAD}{UP}{DOWN}class N:\n  pass\n", "has no class"),
        ("class M:\n  def (\n", "line 2: Python does not read it"),
        ("class M:\n\0", "Python"),
        (HEAD + UP.replace("SELECT 1", "SELECT $$") + DOWN, r"line 5: what begins with \$\$"),
        (HEAD + UP.replace("SELECT 1", "SELECT 1; COMMIT") + DOWN, "line 5: COMMIT is refused"),
    ],
)
def test_a_file_that_is_no_migration_says_what_is_wrong(
    tmp_path: Path, text: str, problem: str
) -> None:
    with pytest.raises(InputError, match=problem):
        read_file(written(tmp_path, text))


def test_nothing_of_a_file_is_run(tmp_path: Path) -> None:
    trap = tmp_path / "ran"
    text = f"open({str(trap)!r}, 'w')\n{HEAD}  open({str(trap)!r}, 'w')\n{UP}{DOWN}migration = M\n"
    read_file(written(tmp_path, text))
    assert not trap.exists()


def test_every_file_is_read_before_any_is_returned(tmp_path: Path) -> None:
    folder = tmp_path / "backend-flask/db/migrations"
    folder.mkdir(parents=True)
    written(folder, FORMS["as it is generated"])
    written(folder, "no", "17000000000000000_b.py")
    written(folder, "not a migration", "README.md")
    (folder / "__pycache__").mkdir()
    with pytest.raises(InputError, match="17000000000000000_b"):
        read_checkout(tmp_path)
    (folder / "17000000000000000_b.py").unlink()
    assert [migration.name for migration in read_checkout(tmp_path)] == ["a"]
    written(folder, FORMS["an instance"], "16811528612904313_again.py")
    with pytest.raises(InputError, match="have the same stamp"):
        read_checkout(tmp_path)
    with pytest.raises(InputError, match="There is no folder"):
        read_checkout(tmp_path / "elsewhere")


@given(st.integers(10**15, 2 * 10**16 - 1), st.integers(10**15, 2 * 10**16 - 1))
def test_stamps_compare_as_the_times_that_they_were_made_of(one: int, other: int) -> None:
    """Ten digits of seconds and seven of a fraction, whose zeros at the end Python leaves out."""

    def stamp(ten_millionths: int) -> str:
        seconds, fraction = divmod(ten_millionths, 10**7)
        return f"{seconds:010}{fraction:07}".rstrip("0").ljust(11, "0")

    assert (cruddur_instant(stamp(one)) < cruddur_instant(stamp(other))) is (one < other)
