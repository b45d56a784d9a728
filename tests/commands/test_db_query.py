"""``invoke db.query``: one statement that only reads."""

from __future__ import annotations

import csv
import io
import json
import re

import psycopg
import pytest

from core.postgres.typed_queries import _first_word


@pytest.fixture
def env(seeded_database_url: str) -> dict[str, str]:
    return {"CONNECTION_URL": seeded_database_url}


def test_prints_a_table(run_invoke, env) -> None:
    result = run_invoke("db.query", "--sql", "SELECT 1 AS one, NULL AS none, true AS yes", env=env)
    head, _, row = result.stdout.splitlines()
    assert (head.split(), row.split()) == (["one", "none", "yes"], ["1", "true"])


EVERY_TYPE = """
SELECT 1 AS one, 1 AS one, 2.50 AS price, 12345678901234567890.123 AS exact, 'NaN'::float8 AS nan,
       '{"a": [1]}'::jsonb AS object, '{1,2}'::int[] AS list, 'infinity'::timestamptz AS never,
       timestamptz '2026-01-31 18:00+01' AS at, '\\x00ff'::bytea AS bytes, NULL AS none
"""
PLAIN = {
    "one": 1,
    "one_2": 1,
    "price": 2.5,
    "exact": "12345678901234567890.123",
    "nan": "nan",
    "object": {"a": [1]},
    "list": "{1,2}",
    "never": "infinity",
    "at": "2026-01-31 17:00:00+00",
    "bytes": "\\x00ff",
    "none": None,
}


def test_prints_json_with_the_values_as_postgres_shows_them(run_invoke, env) -> None:
    result = run_invoke("db.query", "--sql", EVERY_TYPE, "--json", env=env)
    assert json.loads(result.stdout) == [PLAIN]
    none = run_invoke("db.query", "--sql", "SELECT 1 WHERE false", "--json", env=env)
    assert json.loads(none.stdout) == []


DEEP = 2000
BEYOND_PYTHON = f"""
SELECT 1e5000::numeric AS big, (repeat('[', {DEEP}) || repeat(']', {DEEP}))::json AS deep,
       ('[' || repeat('9', 5000) || ']')::jsonb AS long, '{{"a":1e400,\n"é":1.50}}'::json AS object
"""


def test_prints_what_python_cannot_hold_as_postgres_shows_it(run_invoke, env) -> None:
    big, deep, long = f"1{'0' * 5000}", "[" * DEEP + "]" * DEEP, f"[{'9' * 5000}]"
    result = run_invoke("db.query", "--sql", BEYOND_PYTHON, "--json", env=env)
    parts = (
        f'"big": "{big}"',
        f'"deep": {deep}',
        f'"long": {long}',
        '"object": {"a":1e400, "é":1.50}',
    )
    assert result.stdout == f"[\n  {{{', '.join(parts)}}}\n]\n", result.stderr
    shown = run_invoke("db.query", "--sql", BEYOND_PYTHON, "--csv", env=env)
    (_, row) = csv.reader(io.StringIO(shown.stdout))
    assert row == [big, deep, long, '{"a":1e400,\n"é":1.50}']
    assert deep in run_invoke("db.query", "--sql", BEYOND_PYTHON, env=env).stdout


def test_prints_json_for_what_reads_ascii(run_invoke, env) -> None:
    ascii_only = env | {"PYTHONIOENCODING": "ascii"}
    sql = 'SELECT \'é\' AS "ü", \'{"ß": "😀"}\'::jsonb AS object'
    result = run_invoke("db.query", "--sql", sql, "--json", env=ascii_only)
    assert result.stdout.isascii()
    assert json.loads(result.stdout) == [{"ü": "é", "object": {"ß": "😀"}}]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ('"=x"', "'=x"),
        ("-5", "-5"),
        ("-1e99999999999999999999", "'-1e99999999999999999999"),
        ("true", "true"),
        ("null", ""),
        ('{"a": -1}', '{"a": -1}'),
    ],
)
def test_a_json_value_is_a_cell(run_invoke, env, value, shown) -> None:
    sql = f"SELECT '{value}'::json AS value, 1 AS one"
    result = run_invoke("db.query", "--sql", sql, "--csv", env=env)
    assert list(csv.reader(io.StringIO(result.stdout)))[1:] == [[shown, "1"]], result.stderr


def test_prints_csv_in_which_nothing_is_a_formula(run_invoke, env) -> None:
    sql = "SELECT '=1+1' AS \"=x\", E'a\\nb' AS lines, -5 AS n FROM generate_series(1, 2000)"
    result = run_invoke("db.query", "--sql", sql, "--csv", env=env)
    rows = list(csv.reader(io.StringIO(result.stdout)))
    assert rows[0] == ["'=x", "lines", "n"]
    assert rows[1:] == [["'=1+1", "a\nb", "-5"]] * 2000


@pytest.mark.parametrize(
    ("form", "shown"),
    [
        ((), "2 rows without columns\n"),
        (("--json",), "[\n  {},\n  {}\n]\n"),
        (("--csv",), "\n" * 3),
    ],
)
def test_rows_without_columns_are_counted(run_invoke, env, form, shown) -> None:
    sql = "SELECT FROM generate_series(1, 2)"
    result = run_invoke("db.query", "--sql", sql, *form, env=env)
    assert (result.returncode, result.stdout) == (0, shown)


def test_a_table_ends_at_its_limit_and_says_so(run_invoke, env) -> None:
    sql = "SELECT generate_series(1, 1000000000) AS n"  # the rest is never read
    for limit, count in ((("--limit", "3"), 3), ((), 1000)):
        result = run_invoke("db.query", "--sql", sql, *limit, env=env)
        assert len(result.stdout.splitlines()) == count + 2
        assert "There are more rows: raise --limit" in result.stderr
    exact = run_invoke("db.query", "--sql", "VALUES (1), (2)", "--limit", "2", env=env)
    assert "more rows" not in exact.stderr


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO public.users (handle) VALUES ('x')",
        "COPY public.users TO PROGRAM 'touch /tmp/x'",
        "DO $$ BEGIN PERFORM 1; END $$",
        "COMMIT",
        "SET TRANSACTION READ WRITE",
        "/* SELECT */ DROP TABLE public.users",
        "-- SELECT\nTRUNCATE public.users",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity",
        'SELECT "pg_catalog"."pg_cancel_backend"(1)',
        "SELECT PG_Reload_Conf()",
        "SELECT pg_create_physical_replication_slot('x')",
        "SELECT lo_import('/etc/passwd')",
        "SELECT pg_stat_reset_shared('wal')",
        "",
    ],
)
def test_what_does_not_begin_like_a_read_or_acts_at_once_is_a_usage_error(
    run_invoke, env, sql: str
) -> None:
    result = run_invoke("db.query", "--sql", sql, env=env)
    assert result.returncode == 2
    assert result.stdout == ""


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1; DROP TABLE public.users",
        "SELECT 1; COMMIT; DROP TABLE public.users",
        "EXPLAIN SELECT 1; COMMIT; DROP TABLE public.users",
        "WITH gone AS (DELETE FROM public.users RETURNING 1) SELECT * FROM gone",
        "EXPLAIN ANALYZE DELETE FROM public.users",
        "SELECT * INTO public.copy FROM public.users",
        "SELECT * FROM public.users FOR UPDATE",
    ],
)
def test_what_would_change_something_is_refused_by_postgres(run_invoke, env, sql: str) -> None:
    with psycopg.connect(env["CONNECTION_URL"]) as connection:
        count = "SELECT count(*) FROM public.users"
        before = connection.execute(count).fetchone()
        connection.rollback()
        result = run_invoke("db.query", "--sql", sql, env=env)
        assert result.returncode == 1
        line = result.stderr.splitlines()[-1]
        assert line.startswith("Postgres refused the statement")
        assert ("(42601)" in line) == ("Give one statement that only reads" in line)
        assert connection.execute(count).fetchone() == before


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        ("SHOW transaction_read_only", "on"),
        ("(SELECT 7)", "7"),
        ("EXPLAIN SELECT 1", "Result"),
        ("SELECT count(*) AS slots FROM pg_replication_slots", "slots"),
        ("SELECT stats_reset FROM pg_stat_bgwriter", "stats_reset"),
    ],
)
def test_other_statements_that_read(run_invoke, env, sql: str, shown: str) -> None:
    result = run_invoke("db.query", "--sql", sql, env=env)
    assert shown in result.stdout, result.stderr


@pytest.mark.parametrize(
    "sql",
    [
        "EXPLAIN ANALYZE CREATE TABLE public.kept AS SELECT * FROM public.users",
        "EXPLAIN (ANALYZE) CREATE MATERIALIZED VIEW public.kept AS SELECT 1 AS one",
    ],
)
def test_what_explaining_makes_is_not_kept(run_invoke, env, sql: str) -> None:
    run_invoke("db.query", "--sql", sql, env=env)
    with psycopg.connect(env["CONNECTION_URL"]) as connection:
        kept = connection.execute("SELECT to_regclass('public.kept')").fetchone()
    assert kept == (None,)


def test_a_misspelt_table_is_no_reason_to_load_the_schema_first(run_invoke, env) -> None:
    result = run_invoke("db.query", "--sql", "SELECT * FROM public.user_s", env=env)
    assert result.returncode == 1
    assert 'relation "public.user_s" does not exist. Check the name. ' in result.stderr


def test_a_statement_that_takes_too_long_is_ended(run_invoke, env) -> None:
    result = run_invoke("db.query", "--sql", "SELECT pg_sleep(50)", "--timeout", "1", env=env)
    assert (result.returncode, result.stderr.splitlines()[-1]) == (
        1,
        "The statement took longer than 1 s. Raise --timeout.",
    )


def test_wrong_options_are_usage_errors(run_invoke, env) -> None:
    for options in (
        (),
        ("--sql", "SELECT 1", "--json", "--csv"),
        ("--sql", "SELECT 1", "--limit", "x"),
        ("--sql", "SELECT 1", "--timeout", "0"),
    ):
        assert run_invoke("db.query", *options, env=env).returncode == 2


def test_the_audit_has_no_text_of_the_statement(run_invoke, seeded_database_url, tmp_path) -> None:
    env = {
        "PROD_CONNECTION_URL": seeded_database_url,
        "CRUDDUR_AUDIT_LOG": str(tmp_path / "audit.jsonl"),
    }
    sql = "SELECT 'bayko'"
    refused = run_invoke("db.query", "--prod", "--sql", sql, env=env)
    assert refused.returncode == 1
    result = run_invoke("db.query", "--prod", "--sql", sql, "--reason", "ticket 7", env=env)
    assert "bayko" in result.stdout
    (line,) = (tmp_path / "audit.jsonl").read_text().splitlines()
    assert re.search('"what": "db.query".*"why": "ticket 7"', line)
    assert "bayko" not in line


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("select 1", "select"),
        ("  -- a\n /* b */ ((\n SELECT", "select"),
        ("/* /* nested */ */ select", "*/ select"),
        ("/* * ** */values", "values"),
        ("-- select", ""),
        ("", ""),
    ],
)
def test_the_first_word(text: str, word: str) -> None:
    assert _first_word(text) == word
