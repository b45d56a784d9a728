"""JSON that a person may have edited: a name that occurs twice is refused, at any depth."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, strategies as st

from core.dynamodb.dynamodb_json import parsed_item
from core.json_objects import RepeatedNameError, parse

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('{"pk": 1, "pk": 1}', "pk"),
        ('{"a": {"S": "x", "S": "y"}}', "S"),
        ('{"a": [0, {"b": {"c": 1, "d": 2, "c": 3}}]}', "c"),
        (r'{"pk": 1, "\u0070k": 2}', "pk"),
        ('{"": 1, "": 2}', ""),
    ],
)
def test_a_name_that_occurs_twice_is_refused(text: str, name: str) -> None:
    with pytest.raises(RepeatedNameError) as caught:
        parse(text)
    assert caught.value.name == name
    assert str(caught.value) == f'"{name}" occurs more than once'


@given(JSON)
def test_everything_else_reads_as_python_reads_it(value: object) -> None:
    text = json.dumps(value)
    assert parse(text) == parse(text.encode()) == json.loads(text)


@pytest.mark.parametrize(
    "line",
    [
        '{"pk":{"S":"MSG#1"},"sk":{"S":"1"},"pk":{"S":"MSG#2"}}',
        '{"pk":{"S":"MSG#1","S":"MSG#2"},"sk":{"S":"1"}}',
        '{"pk":{"S":"MSG#1"},"sk":{"S":"1"},"a":{"M":{"b":{"N":"1"},"b":{"N":"1"}}}}',
    ],
)
def test_an_item_with_an_attribute_twice_is_refused(line: str) -> None:
    with pytest.raises(RepeatedNameError):
        parsed_item(line.encode())
