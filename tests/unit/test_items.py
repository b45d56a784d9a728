"""Items as they are stored and read back, also those of other software."""

import json

import pytest

from core.dynamodb.items import (
    inbox_row_from,
    inbox_row_item,
    message_from,
    message_item,
    plain_item,
    text_of,
)
from core.models import InboxRow, Message, Person
from core.timestamps import parse

KEY = "2026-03-01T12:00:00.000000+00:00"
ANA = Person("u-1", "ana", "Ana")


def test_a_message_item_has_the_contract_s_attributes_and_no_other() -> None:
    item = message_item(Message("g", "m", ANA, "hi", KEY, parse(KEY)))
    assert item == {
        "pk": {"S": "MSG#g"},
        "sk": {"S": KEY},
        "message_uuid": {"S": "m"},
        "message": {"S": "hi"},
        "user_uuid": {"S": "u-1"},
        "user_display_name": {"S": "Ana"},
        "user_handle": {"S": "ana"},
    }


def test_a_group_item_names_the_other_member() -> None:
    item = inbox_row_item(InboxRow("g", "u-2", ANA, "hi", KEY, parse(KEY)))
    assert item["pk"] == {"S": "GRP#u-2"}
    assert item["user_uuid"] == {"S": "u-1"}
    assert set(item) == {
        "pk",
        "sk",
        "message_group_uuid",
        "message",
        "user_uuid",
        "user_display_name",
        "user_handle",
    }


def test_messages_and_rows_are_read_as_they_were_written() -> None:
    message = Message("g", "m", ANA, "hi 🙂", KEY, parse(KEY))
    row = InboxRow("g", "u-2", ANA, "hi", KEY, parse(KEY))
    assert message_from(message_item(message)) == message
    assert inbox_row_from(inbox_row_item(row)) == row


@pytest.mark.parametrize(
    "item",
    [
        {},
        {"pk": {"S": "MSG#g"}},
        {"pk": {"N": "1"}, "sk": {"BOOL": True}, "message": {"M": {"a": {"L": []}}}},
        {"pk": {"S": "GRP#u#x"}, "message": {"NULL": True}, "user_uuid": {"SS": ["a", "b"]}},
    ],
)
def test_an_item_with_attributes_missing_or_of_the_wrong_type_is_still_read(item: dict) -> None:
    assert isinstance(message_from(item).text, str)
    assert isinstance(inbox_row_from(item).preview, str)


def test_plain_values_are_what_json_can_say() -> None:
    item = {
        "n": {"N": "3"},
        "f": {"N": "2.5"},
        "big": {"N": "12345678901234567890.12345"},
        "b": {"B": b"\x00\xff"},
        "ss": {"SS": ["b", "a"]},
        "l": {"L": [{"N": "1"}, {"NULL": True}]},
        "m": {"M": {"x": {"BOOL": False}}},
    }
    assert plain_item(item) == {
        "n": 3,
        "f": 2.5,
        "big": "12345678901234567890.12345",
        "b": "AP8=",
        "ss": ["a", "b"],
        "l": [1, None],
        "m": {"x": False},
    }


def test_a_number_that_an_engine_writes_out_in_full_is_read() -> None:
    item = {"n": {"N": "1" + "0" * 125}, "ns": {"NS": ["1" + "0" * 100]}, "m": {"N": "-1E-130"}}
    assert plain_item(item) == {"n": 10**125, "ns": [10**100], "m": -1e-130}


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("1e99999", "1E+99999"),
        ("-1e999999999", "-1E+999999999"),
        ("1e-999999999", "1E-999999999"),
        ("0e999999999", "0"),
        ("1" * 5000, "1" * 5000),
        ("1" * 400 + ".5", "1" * 400 + ".5"),
        ("1e" + "9" * 30, "1e" + "9" * 30),
        ("NaN", "NaN"),
        ("sNaN", "sNaN"),
        ("-Infinity", "-Infinity"),
        ("no number", "no number"),
    ],
    ids=lambda text: text[:12],
)
def test_a_number_that_dynamodb_cannot_store_is_text(number: str, text: str) -> None:
    assert text_of({"n": {"N": number}}, "n") == text
    plain = plain_item({"n": {"N": number}, "ns": {"NS": [number]}, "l": {"L": [{"N": number}]}})
    assert str(plain["n"]) == text
    assert plain["ns"] == plain["l"] == [plain["n"]]
    json.dumps(plain)
