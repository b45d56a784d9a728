"""Values as lines of JSON: those that orjson writes, and those that it refuses."""

from __future__ import annotations

import json

import pytest

from core import json_lines
from core.json_lines import json_line, parsed_line


@pytest.fixture(params=["orjson", "no orjson"], autouse=True)
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With orjson, and as in the Lambda function, which does not have it."""
    if request.param == "no orjson":
        monkeypatch.setattr(json_lines, "orjson", None)


@pytest.mark.parametrize(
    "value",
    [
        {"S": "heron 🐦, “pier”, עברית"},
        {"S": 'tab\t quote" backslash\\ line\n control\x01'},
        {"N": "1e125", "L": [{"BOOL": True}, {"NULL": True}], "M": {}},
        {"int": 2**64, "text": "é"},
        {"int": -(2**63) - 1},
        {"float": 0.1, "large": 1e22},
        {"half": "a\ud800b", "text": "é"},
    ],
)
@pytest.mark.parametrize("ascii_only", [False, True])
def test_a_line_holds_the_value_without_loss(value: object, ascii_only: bool) -> None:
    line = json_line(value, str, ascii_only=ascii_only)
    assert json.loads(line) == value
    assert "\n" not in line
    assert line.isascii() or not ascii_only
    line.encode()  # a stream can hold it


def test_a_line_of_bytes_is_parsed() -> None:
    assert parsed_line('{"name":"Zoë \\u00e9"}'.encode()) == {"name": "Zoë é"}
    with pytest.raises(json.JSONDecodeError):
        parsed_line(b'{"name":')


@pytest.mark.parametrize("ascii_only", [False, True])
def test_what_json_has_no_form_for_is_replaced(ascii_only: bool) -> None:
    assert json_line({"B": b"ab"}, lambda value: value.hex(), ascii_only=ascii_only) == (
        '{"B":"6162"}'
    )


def test_text_stays_readable(library: None) -> None:
    if json_lines.orjson is not None:
        assert json_line({"name": "Zoë"}, str) == '{"name":"Zoë"}'
