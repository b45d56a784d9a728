"""Unknown handles: the suggestion of similar ones, and when the demo users are suggested."""

from __future__ import annotations

from dataclasses import replace

import pytest
from unguarded import Database

from core.errors import NotFoundError
from core.postgres import users
from core.postgres.handles import lacks_demo_users, similar_handles
from core.postgres.seed import seed_demo_data
from core.settings import Settings

AS_STORED = ["@percy", "trailing ", " leading", "MiXed", "o'brien", "perc%nt_", "élodie", "日本語"]


@pytest.fixture
def seeded(db: Database) -> Database:
    seed_demo_data(db, Settings())
    return db


def store(db: Database, *handles: str) -> None:
    """Users with any handles, as other programs may have stored them."""
    db.query_commit(
        "INSERT INTO public.users (handle, display_name, email)"
        " SELECT handle, handle, handle || '@example.com'"
        " FROM unnest(%(handles)s::text[]) AS handle",
        {"handles": list(handles)},
    )


@pytest.mark.parametrize(
    "typed",
    [
        "Bayko",
        "BAYKO",
        "@Bayko",
        " bayKO ",
        "bayk",
        "baykoo",
        "byako",
        "bako",
        "bayco",
        "baykö",
        "baykooo",
    ],
)
def test_for_a_mistyped_handle_the_right_one_is_suggested(seeded: Database, typed: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        users.find_user(seeded, typed)
    assert str(caught.value) == (
        f"There is no user with the handle {users.bare_handle(typed)!r}. Did you mean bayko?"
    )


@pytest.mark.parametrize("typed", ["nosuch", "", "@", "x" * 5_000, "a\0b", "\ud800", "%", "_____"])
def test_for_text_unlike_any_handle_nothing_is_suggested(seeded: Database, typed) -> None:
    assert similar_handles(seeded, typed) == []
    with pytest.raises(NotFoundError) as caught:
        users.find_user(seeded, typed)
    assert caught.value.hint == "Check how it is spelled."


@pytest.mark.parametrize("handle", AS_STORED)
def test_a_handle_is_found_as_it_is_stored(db: Database, handle: str) -> None:
    store(db, *AS_STORED)
    assert users.find_user(db, handle).handle == handle


def test_the_handle_as_it_was_typed_comes_before_the_one_without_its_at(db: Database) -> None:
    store(db, "@percy", "percy")
    assert users.find_user(db, "@percy").handle == "@percy"
    assert users.find_user(db, "percy").handle == "percy"
    assert users.find_user(db, " @percy").handle == "@percy"


@pytest.mark.parametrize(
    ("typed", "meant"), [("percy", "@percy"), ("trailing", "trailing "), ("leading", " leading")]
)
def test_an_at_or_a_blank_that_is_stored_is_suggested(db: Database, typed, meant) -> None:
    store(db, *AS_STORED)
    assert similar_handles(db, typed)[0] == meant


def test_a_handle_among_very_many_is_found_by_a_bounded_look_at_the_index(db: Database) -> None:
    store(db, "bayko", "Bayko2")
    db.query_commit(
        "INSERT INTO public.users (handle, display_name, email)"
        " SELECT 'u' || n, 'U', n || '@example.com' FROM generate_series(1, 50000) AS n"
    )
    db.query_commit("ANALYZE public.users")
    before = rows_looked_at(db)
    assert similar_handles(db, "byako") == ["bayko", "Bayko2"]
    assert 0 < rows_looked_at(db) - before < 500


def rows_looked_at(db: Database) -> int:
    """How many rows and index entries Postgres has read of the users so far."""
    db.query_rows("SELECT pg_stat_force_next_flush()")
    return db.query_value(
        "SELECT sum(t.seq_tup_read + i.idx_tup_read)::bigint"
        " FROM pg_stat_user_tables AS t JOIN pg_stat_user_indexes AS i USING (relid)"
        " WHERE t.relname = 'users'"
    )


def test_only_an_empty_local_table_suggests_the_demo_users(db: Database) -> None:
    with pytest.raises(NotFoundError, match=r"run: invoke db\.seed"):
        users.find_user(db, "bayko")
    store(db, "somebody")
    with pytest.raises(NotFoundError) as caught:
        users.find_user(db, "bayko")
    assert "seed" not in str(caught.value)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE public.cruddur_ops_environment SET environment = 'production'",
        "DELETE FROM public.cruddur_ops_environment",
        "DROP TABLE public.cruddur_ops_environment",
    ],
)
def test_an_empty_table_that_is_not_marked_local_suggests_no_seed(db: Database, statement) -> None:
    db.query_commit(statement)
    with pytest.raises(NotFoundError) as caught:
        users.find_user(db, "bayko")
    assert "seed" not in str(caught.value)


def test_production_never_suggests_a_seed_whatever_its_marker_says(db: Database) -> None:
    assert lacks_demo_users(db)
    with Database(replace(db.address, is_production=True)) as production:
        assert not lacks_demo_users(production)
