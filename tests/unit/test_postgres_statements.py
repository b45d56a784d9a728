"""SQL files are loaded by name, and a dry run shows them with their values."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from psycopg import sql

from core.postgres import statements
from core.settings import PROJECT_ROOT

PYTHON = "\n".join(path.read_text("utf-8") for path in (PROJECT_ROOT / "core").rglob("*.py"))


@pytest.mark.parametrize("name", statements.names())
def test_every_sql_file_is_used_and_says_what_it_is_for(name: str) -> None:
    assert f'"{name}"' in PYTHON
    assert statements.load(name).as_string(None).startswith("-- ")


def test_every_statement_asked_for_is_a_file() -> None:
    asked_for = set(re.findall(r'(?:load|_naming|_rows_of|_search)\((?:db, )?"([a-z_/]+)"', PYTHON))
    assert asked_for == set(statements.names())


def test_a_rendered_statement_has_its_values_quoted() -> None:
    text = statements.rendered(
        "SELECT %(name)s, %(at)s, %(count)s, %(none)s, '100 %%';",
        {
            "name": "O'Hara %(count)s",
            "at": datetime(2026, 1, 2, tzinfo=UTC),
            "count": 3,
            "none": None,
        },
    )
    assert text == (
        "SELECT 'O''Hara %(count)s', '2026-01-02 00:00:00+00:00'::timestamptz, 3, NULL, '100 %';"
    )


def test_an_identifier_is_composed_and_never_ends_its_quotes() -> None:
    statement = statements.load("admin/drop_database").format(name=sql.Identifier('a"; DROP --'))
    assert '"a""; DROP --" WITH (FORCE);' in statements.rendered(statement)


def test_json_is_asked_for_around_a_statement_that_ends_in_a_comment() -> None:
    wrapped = statements.as_json("SELECT 1 AS one -- the first").as_string(None)
    assert wrapped.endswith("SELECT 1 AS one -- the first\n) AS answer")
