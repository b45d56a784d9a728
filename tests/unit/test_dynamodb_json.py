"""Items as lines of DynamoDB JSON, and back: every type kept, everything else refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.dynamodb.dynamodb_json import parsed_item, raw_item

NUMBERS = st.decimals(allow_nan=False, allow_infinity=False).map(str)
TEXTS = st.text()
VALUES: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.one_of(
        st.builds(lambda text: {"S": text}, TEXTS),
        st.builds(lambda number: {"N": number}, NUMBERS),
        st.builds(lambda binary: {"B": binary}, st.binary()),
        st.builds(lambda texts: {"SS": texts}, st.lists(TEXTS, min_size=1, unique=True)),
        st.builds(lambda numbers: {"NS": numbers}, st.lists(NUMBERS, min_size=1, unique=True)),
        st.builds(lambda each: {"BS": each}, st.lists(st.binary(), min_size=1, unique=True)),
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
def test_what_goes_out_comes_in_again(ascii_only: bool, item: dict[str, Any]) -> None:
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
        {"B": "%"},
        {"B": "eA"},
        {"B": 1},
        {"SS": "abc"},
        {"SS": []},
        {"SS": ["a", "a"]},
        {"SS": ["a", 1]},
        {"NS": ["1", "x"]},
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
def test_what_no_attribute_holds_is_refused(value) -> None:
    item = {"pk": {"S": "a"}, "sk": {"S": "b"}, "x": value}
    with pytest.raises(ValueError, match="no item"):
        parsed_item(json.dumps(item).encode())


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
        b'{"pk": {"S": "a"}, "sk": {"S": "b"}, "x": ' + b'{"L": [' * 100_000,
        b'{"pk": {"S": "a"}, "sk": {"S": "b"}, "x": ' + b"[" * 100_000,
    ],
)
def test_a_line_that_is_no_item_is_refused(line) -> None:
    with pytest.raises(ValueError, match="no item"):
        parsed_item(line)


def test_binary_is_base64_and_nothing_else_changes() -> None:
    item = {"a": {"N": "1.10"}, "b": {"BS": [b"x", b"y"]}, "c": {"L": [{"M": {"d": {"B": b"z"}}}]}}
    assert raw_item(item) == {
        "a": {"N": "1.10"},
        "b": {"BS": ["eA==", "eQ=="]},
        "c": {"L": [{"M": {"d": {"B": "eg=="}}}]},
    }
