"""Items as lines of DynamoDB JSON, and back: every type kept, everything else refused."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, strategies as st

from core.dynamodb.dynamodb_json import item_of_strings, parsed_item, raw_item, same_item

NUMBERS = st.builds(
    lambda digits, exponent: f"{digits}E{exponent}",
    st.integers(-(10**38) + 1, 10**38 - 1),
    st.integers(-130, 88),
)
TEXTS = st.text()
VALUES: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.one_of(
        st.builds(lambda text: {"S": text}, TEXTS),
        st.builds(lambda number: {"N": number}, NUMBERS),
        st.builds(lambda binary: {"B": binary}, st.binary()),
        st.builds(lambda texts: {"SS": texts}, st.lists(TEXTS, min_size=1, unique=True)),
        st.builds(
            lambda numbers: {"NS": numbers}, st.lists(NUMBERS, min_size=1, unique_by=Decimal)
        ),
        st.builds(lambda members: {"BS": members}, st.lists(st.binary(), min_size=1, unique=True)),
        st.builds(lambda value: {"BOOL": value}, st.booleans()),
        st.just({"NULL": True}),
    ),
    lambda inner: st.one_of(
        st.builds(lambda values: {"L": values}, st.lists(inner, max_size=4)),
        st.builds(lambda values: {"M": values}, st.dictionaries(TEXTS, inner, max_size=4)),
    ),
    max_leaves=10,
)
KEYS = st.text(min_size=1).map(lambda text: {"S": text})
ITEMS = st.builds(
    lambda attributes, pk, sk: attributes | {"pk": pk, "sk": sk},
    st.dictionaries(TEXTS.filter(lambda name: name != "message_group_uuid"), VALUES, max_size=4),
    KEYS,
    KEYS,
)


@pytest.mark.parametrize("ascii_only", [True, False])
@given(item=ITEMS)
def test_what_is_written_is_read_back(ascii_only: bool, item: dict[str, Any]) -> None:
    line = json.dumps(raw_item(item), ensure_ascii=ascii_only).encode()
    assert b"\n" not in line
    assert parsed_item(line) == item


@pytest.mark.parametrize(
    "value",
    [
        None,
        "text",
        [],
        {},
        {"S": "a", "N": "1"},
        {"Q": 1},
        {"S": 1},
        {"S": None},
        {"S": "\ud800"},
        {"N": 1},
        {"N": ""},
        {"N": "abc"},
        {"N": "NaN"},
        {"N": "-Infinity"},
        {"N": "1_000"},
        {"N": " 1"},
        {"N": "\u0661"},
        {"N": "Infinity"},
        {"N": "1e126"},
        {"N": "-1e126"},
        {"N": "9e-131"},
        {"N": "1e99999"},
        {"N": "1e999999999"},
        {"N": "1e-999999999"},
        {"N": "1e" + "9" * 30},
        {"N": "1" * 39},
        {"N": "1" * 38 + ".01"},
        {"B": "%"},
        {"B": "eA"},
        {"B": 1},
        {"SS": "abc"},
        {"SS": []},
        {"SS": ["a", "a"]},
        {"SS": ["a", 1]},
        {"NS": ["1", "x"]},
        {"NS": ["1", "1e126"]},
        {"NS": ["1", "1.0"]},
        {"L": [{"N": "1e126"}]},
        {"M": {"a": {"NS": ["1e126"]}}},
        {"BS": ["%"]},
        {"L": {"S": "a"}},
        {"L": ["a"]},
        {"M": []},
        {"M": {"a": 1}},
        {"BOOL": "true"},
        {"BOOL": 1},
        {"NULL": False},
        {"NULL": None},
    ],
    ids=str,
)
def test_values_that_no_attribute_can_have_are_refused(value) -> None:
    item = {"pk": {"S": "a"}, "sk": {"S": "b"}, "x": value}
    with pytest.raises(ValueError, match="invalid item"):
        parsed_item(json.dumps(item).encode())


def test_a_long_text_is_quickly_rejected_as_a_number() -> None:
    item = {"pk": {"S": "a"}, "sk": {"S": "b"}, "x": {"N": "1" * 200_000 + "x"}}
    with pytest.raises(ValueError, match="invalid item"):
        parsed_item(json.dumps(item).encode())


@pytest.mark.parametrize(
    "number",
    [
        "0",
        "-0.00",
        "0e999",
        "1.10",
        "1e-130",
        "-9.9999999999999999999999999999999999999E+125",
        "1" + "0" * 125,
        "0." + "0" * 129 + "1",
        "000" + "1" * 38 + "0" * 60 + ".000",
    ],
)
def test_a_number_that_dynamodb_can_store_is_kept_as_written(number) -> None:
    item = {"pk": {"S": "a"}, "sk": {"S": "b"}, "x": {"N": number}, "y": {"NS": [number]}}
    assert parsed_item(json.dumps(item).encode()) == item


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {"S": "x"}
    for _ in range(levels // 2):
        value = {"L": [{"M": {"deep": value}}]}
    return {"pk": {"S": "a"}, "sk": {"S": "b"}, "x": value}


def test_an_item_is_nested_as_deeply_as_dynamodb_allows_and_no_deeper() -> None:
    assert parsed_item(json.dumps(nested(32)).encode()) == nested(32)
    with pytest.raises(ValueError, match="invalid item"):
        parsed_item(json.dumps(nested(34)).encode())


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]",
        b'"x"',
        b"\xff",
        b'{"pk": {"S": "a"}}',
        b'{"pk": {"S": ""}, "sk": {"S": "b"}}',
        b'{"pk": {"S": "a"}, "sk": {"N": "1"}}',
        b'{"pk": {"S": "a"}, "sk": {"S": "b"}, "message_group_uuid": {"S": ""}}',
        b'{"pk": {"S": "a"}, "sk": {"S": "b"}, "message_group_uuid": {"N": "1"}}',
        b'{"pk": {"S": "a"}, "sk": {"S": "b"}, "\\ud800": {"S": "half a character is its name"}}',
        b'{"pk": {"S": "a"}, "sk": {"S": "b"}, "x": {"M": {"\\ud800": {"S": "and in a map"}}}}',
        b'{"pk": {"S": "a"}, "sk": {"S": "b"}, "x": ' + b'{"L": [' * 100_000,
        b'{"pk": {"S": "a"}, "sk": {"S": "b"}, "x": ' + b"[" * 100_000,
    ],
)
def test_a_line_that_is_not_an_item_is_refused(line) -> None:
    with pytest.raises(ValueError, match="invalid item"):
        parsed_item(line)


def test_binary_is_base64_and_nothing_else_changes() -> None:
    item = {"a": {"N": "1.10"}, "b": {"BS": [b"x", b"y"]}, "c": {"L": [{"M": {"d": {"B": b"z"}}}]}}
    assert raw_item(item) == {
        "a": {"N": "1.10"},
        "b": {"BS": ["eA==", "eQ=="]},
        "c": {"L": [{"M": {"d": {"B": "eg=="}}}]},
    }


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"N": "1"}, {"N": "1.0"}),
        ({"N": "1000"}, {"N": "1e3"}),
        ({"N": "0"}, {"N": "-0.0"}),
        ({"N": "0"}, {"N": "0e9"}),
        ({"N": "1" * 38 + "0" * 80}, {"N": "1" * 38 + "e80"}),
        ({"NS": ["1000", "2.5"]}, {"NS": ["2.50", "1e3"]}),
        ({"SS": ["a", "b"]}, {"SS": ["b", "a"]}),
        ({"BS": [b"a", b"b"]}, {"BS": [b"b", b"a"]}),
        ({"L": [{"M": {"N": {"N": "1"}}}]}, {"L": [{"M": {"N": {"N": "1.0"}}}]}),
        ({"N": "1e999999999"}, {"N": "10e999999998"}),
        ({"N": "NaN"}, {"N": "NaN"}),
        ({"N": "no number"}, {"N": "no number"}),
    ],
    ids=str,
)
def test_a_set_has_no_order_and_a_number_no_form(one, other) -> None:
    assert same_item({"x": one}, {"x": other})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"N": "1"}, {"N": "2"}),
        ({"N": "1"}, {"S": "1"}),
        ({"N": "1" * 38}, {"N": "1" * 37 + "2"}),
        ({"N": "1e-999999999"}, {"N": "0"}),
        ({"NS": ["1"]}, {"NS": ["1", "2"]}),
        ({"S": "1"}, {"S": "1.0"}),
        ({"L": [{"S": "a"}, {"S": "b"}]}, {"L": [{"S": "b"}, {"S": "a"}]}),
    ],
    ids=str,
)
def test_what_differs_is_not_the_same(one, other) -> None:
    assert not same_item({"x": one}, {"x": other})


@pytest.mark.parametrize("name", ["SS", "NS", "BS", "N", "L", "M"])
def test_an_attribute_may_be_called_what_a_type_is_called(name) -> None:
    left, right = {name: {"S": "mine"}}, {name: {"S": "theirs"}}
    assert not same_item(left, right)
    assert not same_item({"x": {"M": left}}, {"x": {"M": right}})
    assert same_item({"x": {"M": left}}, {"x": {"M": dict(left)}})


STRINGS = b'{"pk":{"S":"a"},"sk":{"S":"b"},"x":{"S":"c"}}'


@pytest.mark.parametrize(
    "line",
    [
        STRINGS,
        STRINGS.replace(b'"c"', b'""'),
        STRINGS.replace(b'"c"', '"ж 日本 \U0001f600"'.encode()),
        STRINGS.replace(b":", b" : "),
        b"  " + STRINGS + b" \n",
    ],
)
def test_an_item_of_strings_is_recognised_at_once(line) -> None:
    assert item_of_strings(line) == parsed_item(line)


@pytest.mark.parametrize(
    "line",
    [
        STRINGS.replace(b'"x"', b'"sk"'),
        STRINGS.replace(b'"x":{"S":"c"}', b'"x":{"S":"c","S":"d"}'),
        STRINGS.replace(b'"x":{"S":"c"}', b'"x":{"S":"c","N":1}'),
        STRINGS.replace(b'"x":{"S":"c"}', b'"x":{"L":[{"S":"c"}]}'),
        STRINGS.replace(b'"c"', b'"\\ud800"'),
        STRINGS.replace(b'"c"', b'"\xff"'),
        STRINGS.replace(b'"c"', b'"a\\"b"'),
        STRINGS.replace(b'"c"', b"1"),
        STRINGS.replace(b'"a"', b'""'),
        STRINGS.replace(b'"x"', b'"message_group_uuid"').replace(b'"c"', b'""'),
        STRINGS.replace(b'"pk"', b'"pq"'),
        b"[]",
        b"{",
        b'"a"',
        b"[" * 100_000,
    ],
)
def test_any_other_line_is_left_to_the_complete_check(line) -> None:
    assert item_of_strings(line) is None
