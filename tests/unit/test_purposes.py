"""What each purpose allows, and what every statement of the project needs."""

from __future__ import annotations

import pytest
from psycopg import sql
from unguarded import Database

from core.errors import NotPermittedError
from core.postgres import statements
from core.postgres.statements import _FOLDER, _NEEDS, load, need_of
from core.purposes import Need, Purpose
from core.targets.postgres import parse_url

ADDRESS = parse_url("postgresql://u@127.0.0.1:9/d", "CONNECTION_URL")

ALLOWED = {
    Purpose.LOOKING: {Need.LOOK},
    Purpose.VERIFYING: {Need.LOOK, Need.READ},
    Purpose.MAKING: {Need.LOOK, Need.MAKE},
    Purpose.READING: {Need.LOOK, Need.READ},
    Purpose.WRITING: {Need.LOOK, Need.READ, Need.MAKE, Need.WRITE},
    Purpose.DESTROYING: {Need.LOOK, Need.READ, Need.MAKE, Need.WRITE, Need.DESTROY},
}

NEEDS = {
    "activities/delete_of_user": Need.DESTROY,
    "activities/of_user": Need.READ,
    "admin/begin_schema_load": Need.MAKE,
    "admin/create_database": Need.MAKE,
    "admin/create_marker_table": Need.MAKE,
    "admin/drop_database": Need.DESTROY,
    "admin/drop_tables": Need.DESTROY,
    "admin/end_session": Need.DESTROY,
    "admin/write_marker": Need.MAKE,
    "cruddur/activity": Need.READ,
    "cruddur/activity_with_replies": Need.READ,
    "cruddur/add_activity": Need.WRITE,
    "cruddur/add_reply": Need.WRITE,
    "cruddur/add_user": Need.WRITE,
    "cruddur/home": Need.READ,
    "cruddur/message_users": Need.READ,
    "cruddur/profile": Need.READ,
    "cruddur/update_profile": Need.WRITE,
    "cruddur/user_by_handle": Need.READ,
    "ledger/add": Need.DESTROY,
    "ledger/back_to_savepoint": Need.MAKE,
    "ledger/create_cruddurs_record": Need.MAKE,
    "ledger/create_table": Need.MAKE,
    "ledger/drop_index": Need.DESTROY,
    "ledger/drop_table": Need.DESTROY,
    "ledger/limit_waiting": Need.MAKE,
    "ledger/lock_table": Need.DESTROY,
    "ledger/remove": Need.DESTROY,
    "ledger/savepoint": Need.MAKE,
    "ledger/stay_open": Need.MAKE,
    "ledger/take_turn": Need.MAKE,
    "ledger/update": Need.DESTROY,
    "ledger/write_cruddurs_record": Need.DESTROY,
    "rehearsal/create_database": Need.DESTROY,
    "rehearsal/drop_database": Need.DESTROY,
    "rehearsal/end_turn": Need.DESTROY,
    "rehearsal/hold_tables": Need.DESTROY,
    "rehearsal/load_sample": Need.DESTROY,
    "rehearsal/sample_activities": Need.READ,
    "rehearsal/sample_users": Need.READ,
    "rehearsal/stand_in_for_uuid_ossp": Need.DESTROY,
    "rehearsal/take_turn": Need.DESTROY,
    "schema": Need.MAKE,
    "seed": Need.WRITE,
    "users/by_bare_handles": Need.READ,
    "users/by_handles": Need.READ,
    "users/by_uuids": Need.READ,
    "users/all_taken": Need.READ,
    "users/beginning": Need.READ,
    "users/copy": Need.WRITE,
    "users/create": Need.WRITE,
    "users/delete": Need.DESTROY,
    "users/lock": Need.WRITE,
    "users/rename": Need.WRITE,
    "users/search": Need.READ,
    "users/set_cognito_user_ids": Need.WRITE,
    "users/taken": Need.READ,
    "users/taken_by_others": Need.READ,
}
"""What every statement needs that shows or changes something; all others only look."""

LOOKS = {
    "activities/count_of_user",
    "admin/columns",
    "admin/count_rows",
    "admin/database_exists",
    "admin/describe_database",
    "admin/greet",
    "admin/holds_rows",
    "admin/unreadable_times",
    "admin/identity",
    "admin/is_reachable",
    "admin/largest_tables",
    "admin/marker_exists",
    "admin/other_sessions",
    "admin/read_marker",
    "admin/session_is_read_only",
    "admin/sessions",
    "admin/system_identifier",
    "admin/tables",
    "ledger/columns",
    "ledger/cruddurs_record_exists",
    "ledger/exists",
    "ledger/index_is_valid",
    "ledger/read_cruddurs_record",
    "ledger/rows",
    "rehearsal/extension_exists",
    "rehearsal/leftovers",
    "rehearsal/locks",
    "rehearsal/locks_of_waiting",
    "rehearsal/relations",
    "rehearsal/schema",
    "users/count",
    "users/none",
    "users/by_digests",
    "users/end_of_stretch",
    "users/people",
    "users/people_beginning",
    "users/people_by_uuids",
    "users/person",
    "users/similar_handles",
    "users/unique_columns",
}


@pytest.mark.parametrize("need", Need)
@pytest.mark.parametrize("purpose", Purpose)
def test_a_purpose_allows_what_the_table_says(purpose: Purpose, need: Need) -> None:
    assert purpose.allows(need) is (need in ALLOWED[purpose])


@pytest.mark.parametrize("other", Purpose)
@pytest.mark.parametrize("purpose", Purpose)
def test_a_purpose_is_within_another_that_allows_all_of_it(
    purpose: Purpose, other: Purpose
) -> None:
    assert purpose.is_within(other) is (ALLOWED[purpose] <= ALLOWED[other])


def test_a_file_begins_with_what_its_statement_needs() -> None:
    for name in statements.names():
        first = (_FOLDER / f"{name}.sql").read_text().splitlines()[0]
        assert _NEEDS.fullmatch(f"{first}\n"), name
        assert "needs:" not in load(name).as_string(None), name


def test_a_statement_needs_what_is_known_of_it() -> None:
    """A new statement is listed above, beside what it needs or with those that only look."""
    assert set(statements.names()) == NEEDS.keys() ^ LOOKS
    assert {name: load(name).need for name in NEEDS} == NEEDS
    assert {load(name).need for name in LOOKS} == {Need.LOOK}


@pytest.fixture(scope="module", params=Purpose)
def handle(request: pytest.FixtureRequest) -> Database:
    """A handle for each purpose."""
    return Database(ADDRESS, request.param)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that would have been sent."""
    statements_sent: list[str] = []

    def keep(self: object, connection: object, statement: object, params: object) -> list[object]:
        statements_sent.append(str(statement))
        return []

    class Nothing:
        def __enter__(self) -> None: ...

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr(Database, "_fetch", keep)
    monkeypatch.setattr(Database, "_in_transaction", lambda self, read_only: Nothing())
    monkeypatch.setattr("core.postgres.connections.Connections.connection", lambda self: Nothing())
    return statements_sent


ASKING = ["query_rows", "query_value", "query_array_json", "query_object_json", "query_commit"]


@pytest.mark.parametrize("way", [*ASKING, "run_alone"])
def test_only_the_purposes_that_allow_a_statement_send_it(
    handle: Database, sent: list[str], way: str
) -> None:
    for name in statements.names():
        statement = load(name)
        sent.clear()
        if statement.need in ALLOWED[handle.purpose]:
            getattr(handle, way)(statement)
            assert len(sent) == 1, name
        else:
            with pytest.raises(NotPermittedError, match=f"opened for {handle.purpose}"):
                getattr(handle, way)(statement)
            assert sent == [], name


def test_a_table_name_in_a_statement_does_not_reduce_its_need() -> None:
    named = load("admin/drop_database").format(name=sql.Identifier("d"))
    assert need_of(named, Need.LOOK) is Need.DESTROY
    assert named.as_string(None).endswith('"d" WITH (FORCE)')


@pytest.mark.parametrize(
    ("way", "need"),
    [*((way, Need.READ) for way in ASKING[:4]), ("query_commit", Need.WRITE)],
)
def test_a_statement_without_a_file_needs_what_its_kind_may_do(
    handle: Database, sent: list[str], way: str, need: Need
) -> None:
    if need in ALLOWED[handle.purpose]:
        getattr(handle, way)("SELECT 1")
        assert sent
        return
    with pytest.raises(NotPermittedError):
        getattr(handle, way)("SELECT 1")
    assert sent == []


@pytest.mark.parametrize("purpose", sorted(set(Purpose) - {Purpose.DESTROYING}))
def test_a_statement_without_a_file_that_runs_alone_needs_everything(purpose: Purpose) -> None:
    with pytest.raises(NotPermittedError):
        Database(ADDRESS, purpose).run_alone("VACUUM")


@pytest.mark.parametrize("purpose", sorted(set(Purpose) - {Purpose.DESTROYING, Purpose.WRITING}))
def test_a_dry_run_is_refused_the_same(purpose: Purpose) -> None:
    lines: list[str] = []
    with pytest.raises(NotPermittedError):
        Database(ADDRESS, purpose, dry=lines.append).query_commit(load("users/create"))
    assert lines == []


def test_another_handle_on_the_same_connections_has_its_own_purpose() -> None:
    db = Database(ADDRESS, Purpose.DESTROYING)
    with pytest.raises(NotPermittedError):
        db.opened_for(Purpose.LOOKING).query_rows("SELECT 1")
