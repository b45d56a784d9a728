"""Finding, searching and adding users, and the demo data."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from unguarded import Database

from core.errors import InputError, NotFoundError
from core.models import User
from core.postgres import searches, users
from core.postgres.seed import Seeded, demo_people, seed_demo_data
from core.settings import Settings

HERS = {"user1_username": "ana", "user1_name": "Ana Lima", "user1_email": "ana@example.com"}


@pytest.fixture
def seeded(db: Database) -> Database:
    seed_demo_data(db, Settings())
    return db


def add(db: Database, *handles: str) -> list[User]:
    return [
        users.create_user(db, handle, handle.title(), f"{handle}@example.com") for handle in handles
    ]


def test_the_seed_adds_the_demo_users_and_some_activities(db: Database) -> None:
    added = seed_demo_data(db, Settings())
    assert added.users == 3
    assert added.activities >= 3
    assert users.find_user(db, "andrewbrown").uuid == demo_people(Settings())[0].uuid
    assert users.find_user(db, "bayko").cognito_user_id == "MOCK"


def test_seeding_twice_changes_nothing(seeded: Database) -> None:
    dump = "SELECT u.*, a.* FROM public.users u JOIN public.activities a ON a.user_uuid = u.uuid"
    before = seeded.query_array_json(f"{dump} ORDER BY a.uuid")
    assert seed_demo_data(seeded, Settings()) == Seeded(0, 0)
    assert seeded.query_array_json(f"{dump} ORDER BY a.uuid") == before


def test_a_seed_during_another_waits_and_adds_the_rest(db: Database) -> None:
    waiting = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    with ThreadPoolExecutor(1) as threads, db.transaction() as transaction:
        transaction.query_commit(
            "INSERT INTO public.users (display_name, email, handle)"
            " VALUES ('B', 'bayko@example.com', 'bayko')"
        )
        second = threads.submit(seed_demo_data, db, Settings())
        while not second.done() and not db.query_value(waiting):
            time.sleep(0.01)
    assert second.result(timeout=10).users == 2


def test_the_settings_replace_a_demo_user(db: Database) -> None:
    seed_demo_data(db, Settings(**HERS))
    stored = users.find_users_by_handle(db, ["ana", "bayko", "andrewbrown"])
    assert set(stored) == {"ana", "bayko"}
    assert users.list_activities(db, stored["ana"].uuid).entries


def test_a_user_that_cruddur_seeded_stays_as_it_is(db: Database) -> None:
    own = db.query_commit(
        "INSERT INTO public.users (display_name, email, handle, cognito_user_id)"
        " VALUES ('Andrew', 'a@b', 'andrewbrown', 'sub') RETURNING uuid"
    )
    assert seed_demo_data(db, Settings()).users == 2
    kept = users.find_user(db, "andrewbrown")
    assert (kept.uuid, kept.email, kept.cognito_user_id) == (str(own), "a@b", "sub")
    assert users.list_activities(db, kept.uuid).entries


def test_an_email_that_is_taken_stops_the_seed_before_anything_is_added(db: Database) -> None:
    users.create_user(db, "other", "Other", "bayko@example.com")
    with pytest.raises(InputError, match=r"The email 'bayko@example\.com'"):
        seed_demo_data(db, Settings())
    assert users.count_users(db) == 1


def test_a_handle_may_be_given_with_an_at_sign_and_blanks(seeded: Database) -> None:
    assert users.find_user(seeded, " @bayko ").handle == "bayko"
    assert set(users.find_users_by_handle(seeded, ["@bayko", "londo"])) == {"@bayko", "londo"}


@pytest.mark.parametrize("handle", ["nobody", "", "a\0b", "\udcff", "' OR 1=1", "%"])
def test_an_unknown_handle_is_named(seeded: Database, handle: str) -> None:
    with pytest.raises(NotFoundError, match="Check how it is spelled") as raised:
        users.find_user(seeded, handle)
    assert repr(handle) in str(raised.value)


def test_uuids_of_any_spelling_are_found_and_garbage_is_left_out(seeded: Database) -> None:
    known = users.find_user(seeded, "bayko").uuid
    uuids = [known, known.upper(), str(uuid.uuid4()), "garbage", "", "\0", "\udcff", "a" * 10_000]
    assert set(users.find_users_by_uuid(seeded, uuids)) == {known, known.upper()}


def test_an_empty_request_finds_nobody(db: Database) -> None:
    assert users.find_users_by_uuid(db, []) == users.find_users_by_handle(db, []) == {}


@pytest.fixture
def far_from_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_cruddurs_own_tables_are_read_as_they_are(db: Database, far_from_utc: None) -> None:
    db.query_commit("DROP TABLE public.activities, public.users")
    db.query_commit(
        "CREATE TABLE public.users (uuid uuid DEFAULT gen_random_uuid(), display_name text,"
        " handle text, email text, cognito_user_id text, created_at timestamp)"
    )
    db.query_commit(
        "INSERT INTO public.users (handle, email, created_at) VALUES (NULL, 'n@x', '2023-01-01'),"
        " ('ana', 'new@x', '2024-01-01'), ('ana', 'old@x', '2023-01-01')"
    )
    ana = users.find_user(db, "ana")
    assert ana.email == "old@x"
    assert (ana.display_name, ana.cognito_user_id) == ("ana", "MOCK")
    assert ana.created_at == datetime(2023, 1, 1, tzinfo=UTC)
    assert [user.email for user in users.search_users(db, "x").entries] != []
    with pytest.raises(InputError, match="handle 'ana'"):
        users.create_user(db, "ana", "Ana", "third@x")


@pytest.mark.parametrize("text", ["andrew", "ANDREW", "@andrew", "  andrew ", "ndrewb"])
def test_search_finds_part_of_a_handle_in_any_case(seeded: Database, text: str) -> None:
    assert "andrewbrown" in [user.handle for user in users.search_users(seeded, text).entries]


def test_search_looks_at_display_names_and_emails_too(seeded: Database) -> None:
    assert [u.handle for u in users.search_users(seeded, "mollari").entries] == ["londo"]
    assert [u.handle for u in users.search_users(seeded, "Andrew B").entries] == [
        "andrewbrown",
        "bayko",
    ]
    assert [u.handle for u in users.search_users(seeded, "bayko@").entries] == ["bayko"]


@pytest.mark.parametrize("text", ["%", "_", "\\", "100%", "\0", "\udcff", "' OR 1=1 --"])
def test_search_treats_typed_text_literally(seeded: Database, text: str) -> None:
    assert users.search_users(seeded, text).entries in ((), [])


def test_a_percent_sign_is_found_where_it_stands(db: Database) -> None:
    users.create_user(db, "sale", "100% off", "sale@example.com")
    assert [user.handle for user in users.search_users(db, "0% o").entries] == ["sale"]


def test_search_pages_through_all_users_once_and_in_order(db: Database) -> None:
    handles = [f"u{number:02}" for number in range(25)]
    add(db, *reversed(handles))
    seen, cursor, pages = [], None, 0
    while pages == 0 or cursor is not None:
        page = users.search_users(db, "", limit=10, after=cursor)
        seen += [user.handle for user in page.entries]
        cursor, pages = page.cursor, pages + 1
    assert (seen, pages) == (handles, 3)


def test_a_handle_comes_first_then_what_begins_with_it_then_what_contains_it(db: Database) -> None:
    add(db, "aana", "ana", "anabel", "Anatol", "zoe.ana", "b")
    expected = ["ana", "Anatol", "anabel", "aana", "zoe.ana"]
    page = users.search_users(db, "ANA")
    assert ([user.handle for user in page.entries], page.cursor) == (expected, None)
    for limit in (1, 2, 3, 4, 5):
        seen, cursor = [], None
        while not seen or cursor is not None:
            people = users.search_people(db, "@ana", limit=limit, after=cursor)
            seen += [person.handle for person in people.entries]
            cursor = people.cursor
        assert seen[0] == "ana"
        assert sorted(seen) == sorted(expected)


def test_a_search_for_any_text_looks_at_a_stretch_and_its_cursor_continues(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searches, "STRETCH", 4)
    handles = [f"u{number:02}" for number in range(10)]
    add(db, *handles, "x-needle")
    sizes, matches, cursor = [], [], None
    while not sizes or cursor is not None:
        page = users.search_people(db, "needle", after=cursor)
        sizes.append(len(page.entries))
        matches += [person.handle for person in page.entries]
        cursor = page.cursor
    assert (sizes, matches) == ([0, 0, 1], ["x-needle"])


def test_a_last_page_that_is_full_has_no_cursor(seeded: Database) -> None:
    assert users.search_users(seeded, "", limit=3).cursor is None


@pytest.mark.parametrize("cursor", ["", "x", "[]", '["a"]', '["a","b"]', "[1,2]", '["\\u0000",""]'])
def test_a_cursor_of_another_search_is_refused(seeded: Database, cursor: str) -> None:
    with pytest.raises(InputError, match="cursor"):
        users.search_users(seeded, "", after=cursor)


def test_a_new_user_is_found_and_waits_for_cognito(db: Database) -> None:
    created = users.create_user(db, "@zoe", " Zoë 🦜 ", "zoe@example.com")
    assert (created.handle, created.display_name) == ("zoe", "Zoë 🦜")
    assert created.cognito_user_id == "MOCK"
    assert users.find_user(db, "zoe") == created


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        (("bayko", "B", "new@example.com"), "The handle 'bayko' belongs"),
        (("new", "N", "bayko@example.com"), "The email 'bayko@example.com' belongs"),
        (("", "N", "n@example.com"), "The handle is empty"),
        (("@", "N", "n@example.com"), "The handle is empty"),
        (("a b", "N", "n@example.com"), "contains a blank"),
        (("n", " ", "n@example.com"), "The display name is empty"),
        (("n", "N", ""), "The email is empty"),
        (("n", "N", "nobody"), "not an email"),
        (("n", "N\0", "n@example.com"), "cannot be stored"),
        (("n\udcff", "N", "n@example.com"), "cannot be stored"),
    ],
)
def test_an_invalid_new_user_is_refused_by_field(
    seeded: Database, given: tuple[str, str, str], complaint: str
) -> None:
    with pytest.raises(InputError, match=complaint):
        users.create_user(seeded, *given)
    assert users.count_users(seeded) == 3


def test_of_many_requests_for_one_handle_one_succeeds(db: Database) -> None:
    def create(number: int) -> bool:
        try:
            users.create_user(db, "wanted", "W", f"w{number}@example.com")
        except InputError as error:
            assert "The handle 'wanted'" in str(error)  # noqa: PT017 - the others succeed
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(create, range(8))).count(True) == 1


def test_cognito_ids_are_set_by_uuid_and_only_changes_are_counted(seeded: Database) -> None:
    bayko, londo = (users.find_user(seeded, handle).uuid for handle in ("bayko", "londo"))
    ids = {bayko: "sub-b", londo: "sub-l", str(uuid.uuid4()): "sub-u"}
    assert users.set_cognito_user_ids(seeded, ids) == 2
    assert users.set_cognito_user_ids(seeded, ids | {bayko: "sub-2"}) == 1
    assert users.find_user(seeded, "bayko").cognito_user_id == "sub-2"
    assert users.set_cognito_user_ids(seeded, {}) == 0


def test_activities_are_newest_first_and_paged(seeded: Database) -> None:
    user = users.find_user(seeded, "andrewbrown")
    everything = users.list_activities(seeded, user.uuid).entries
    first = users.list_activities(seeded, user.uuid, limit=2)
    rest = users.list_activities(seeded, user.uuid, limit=2, after=first.cursor)
    assert [*first.entries, *rest.entries] == list(everything)
    assert rest.cursor is None
    times = [activity.created_at for activity in everything]
    assert times == sorted(times, reverse=True)
    assert datetime.now(UTC) - timedelta(days=9) < times[-1] < times[0] < datetime.now(UTC)


def test_a_user_without_activities_has_an_empty_page(db: Database) -> None:
    assert users.list_activities(db, str(uuid.uuid4())).entries == []
    assert not users.list_activities(db, "garbage").entries
