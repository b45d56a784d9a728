"""A user's names change in the inboxes of others, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.dynamodb import keys
from core.dynamodb.integrity.verification import Verification
from core.dynamodb.patterns import reads
from core.dynamodb.patterns.renames import rename_in_inboxes
from core.dynamodb.patterns.sends import Draft, start
from core.errors import InputError
from core.models import Person
from core.postgres import create_user, find_people_by_uuid, find_user, rename_user

CLEO = Person("c1e0c1e0-0000-4000-8000-000000000001", "cleo", "Cleo")


def test_the_rows_of_others_show_the_new_names_and_messages_stay(table, ana, ben) -> None:
    start(table, Draft(ana, ben, "hi"))
    start(table, Draft(CLEO, ana, "hello"))
    before = [item for item in reads.scan(table) if item["pk"]["S"][:4] != "GRP#"]
    renamed = replace(ana, handle="ana.maria", display_name="Ana Maria")
    done = rename_in_inboxes(table, renamed)
    assert (done.conversations, done.changed) == (2, 2)
    for person in (ben, CLEO):
        (row,) = reads.list_inbox(table, person.uuid, limit=9).entries
        assert row.other == renamed
    assert [item for item in reads.scan(table) if item["pk"]["S"][:4] != "GRP#"] == before
    people = {person.uuid: person for person in (renamed, ben, CLEO)}
    assert list(Verification(table, lambda uuids: people).findings()) == []
    assert rename_in_inboxes(table, renamed).changed == 0


def test_a_row_that_moves_meanwhile_gets_the_names_too(table, ana, ben, monkeypatch) -> None:
    """The index shows it at its old place."""
    group = start(table, Draft(ana, ben, "hi"))[0].message_group_uuid
    (row,) = reads.list_inbox(table, ben.uuid, limit=1).entries
    update = table.client.update_item
    later = "2999-01-01T00:00:00.000000+00:00"

    def moved_first(**params):
        monkeypatch.undo()
        (item,) = [i for i in reads.scan(table) if i["pk"]["S"] == keys.inbox_pk(ben.uuid)]
        table.request("delete_item", Key=keys.key(keys.inbox_pk(ben.uuid), row.sort_key))
        table.request("put_item", Item=item | {"sk": {"S": later}})
        return update(**params)

    monkeypatch.setattr(table.client, "update_item", moved_first)
    assert rename_in_inboxes(table, replace(ana, handle="ana.maria")).changed == 1
    moved = reads.inbox_row(table, ben.uuid, group)
    assert moved is not None
    assert (moved.sort_key, moved.other.handle) == (later, "ana.maria")


def test_a_rename_costs_three_read_units_and_two_write_units_a_conversation(
    table, ana, ben
) -> None:
    start(table, Draft(ana, ben, "hi"))
    table = table.metered()
    rename_in_inboxes(table, replace(ana, handle="ana.maria"))
    assert (table.capacity.read_units, table.capacity.write_units) == (3, 2)


class TestInPostgres:
    @pytest.fixture
    def two(self, db) -> None:
        create_user(db, "ana", "Ana", "ana@example.com")
        create_user(db, "ben", "Ben", "ben@example.com")

    def test_what_is_given_changes_and_the_rest_stays(self, db, two) -> None:
        user = rename_user(db, find_user(db, "ana").uuid, new_handle="@ana.maria")
        assert (user.handle, user.display_name) == ("ana.maria", "Ana")
        assert find_user(db, "ana.maria") == user
        assert find_people_by_uuid(db, [user.uuid, "nonsense"]) == {user.uuid: user.person}

    @pytest.mark.parametrize(
        "values", [{"new_handle": "ben"}, {"email": "ben@example.com"}, {"email": "x"}]
    )
    def test_what_another_has_or_is_invalid_is_refused(self, db, two, values) -> None:
        before = find_user(db, "ana")
        with pytest.raises(InputError):
            rename_user(db, before.uuid, **values)
        assert find_user(db, "ana") == before

    @pytest.mark.parametrize("handle", ["@zed", "zed the cat"])
    def test_a_stored_handle_that_nobody_can_type_stays_or_changes(self, db, two, handle) -> None:
        """Cruddur's sign-up stores any."""
        uuid = create_user(db, "zed", "Zed", "zed@example.com").uuid
        db.query_commit(
            "UPDATE public.users SET handle = %(handle)s WHERE uuid = %(uuid)s",
            {"handle": handle, "uuid": uuid},
        )
        assert rename_user(db, uuid, email="z@example.com").email == "z@example.com"
        assert find_user(db, handle).email == "z@example.com"
        with pytest.raises(InputError, match="contains a blank or an @"):
            rename_user(db, uuid, new_handle="a b")
        assert rename_user(db, uuid, new_handle="zed").handle == "zed"
