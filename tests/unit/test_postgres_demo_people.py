"""The demo users: Cruddur's handles, unless the settings name others."""

from __future__ import annotations

import pytest

from core.errors import SettingsError
from core.postgres.seed import demo_people
from core.settings import Settings

FIRST = {"user1_username": "ana", "user1_name": "Ana Lima", "user1_email": "ana@example.com"}
SECOND = {"user2_username": "@ben", "user2_name": "Ben Ode", "user2_email": "ben@example.com"}


def test_the_first_two_are_the_ones_that_cruddurs_scripts_name() -> None:
    people = demo_people(Settings())
    assert [person.handle for person in people] == ["andrewbrown", "bayko", "londo"]


def test_every_demo_email_is_one_that_cannot_exist() -> None:
    assert all(person.email.endswith("@example.com") for person in demo_people(Settings()))


def test_a_handle_always_gets_the_same_uuid() -> None:
    assert [person.uuid for person in demo_people(Settings())] == [
        "eba6c10a-4bef-5622-8f77-14761edfbb30",
        "fbaf02a8-23ca-51d6-b0a6-a6d92aa33516",
        "8d81b291-cac8-5625-ae5e-8a28fbd8129e",
    ]


def test_settings_replace_the_first_two() -> None:
    people = demo_people(Settings(**FIRST, **SECOND))
    assert [person.handle for person in people] == ["ana", "ben", "londo"]
    assert (people[0].display_name, people[0].email) == ("Ana Lima", "ana@example.com")


def test_one_may_be_replaced_without_the_other() -> None:
    assert [p.handle for p in demo_people(Settings(**SECOND))] == ["andrewbrown", "ben", "londo"]


@pytest.mark.parametrize("left_out", FIRST)
def test_an_incomplete_replacement_names_what_is_missing(left_out: str) -> None:
    values = {name: value for name, value in FIRST.items() if name != left_out}
    with pytest.raises(SettingsError, match=f"^{left_out} not set"):
        demo_people(Settings(**values))


@pytest.mark.parametrize(
    ("change", "shared"),
    [
        ({"user1_username": "bayko"}, "handle 'bayko'"),
        ({"user1_email": "londo.mollari@example.com"}, "email 'londo.mollari@example.com'"),
    ],
)
def test_two_of_them_cannot_share_a_handle_or_an_email(change: dict[str, str], shared: str) -> None:
    with pytest.raises(SettingsError, match=shared):
        demo_people(Settings(**(FIRST | change)))
