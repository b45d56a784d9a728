"""What is downloaded opens as the data it is."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.sheets import csv_text, json_lines

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@pytest.mark.parametrize(
    "text", ["=cmd()", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1+1", "=1\n=2"]
)
def test_what_a_spreadsheet_might_run_is_neutralised(text) -> None:
    (_, (cell,)) = csv.reader(io.StringIO(csv_text([{"a": text}], ["a"]), newline=""))
    assert cell == f"'{text}"


@given(st.lists(st.dictionaries(st.sampled_from("abc"), TEXT)))
def test_csv_reads_back_but_for_the_marks(rows) -> None:
    header, *read = csv.reader(io.StringIO(csv_text(rows, "abc"), newline=""))
    assert header == ["a", "b", "c"]
    wanted = [[row.get(name, "") for name in "abc"] for row in rows]
    found = [[cell.removeprefix("'") for cell in row] for row in read]
    assert found == [[cell.removeprefix("'") for cell in row] for row in wanted]
    for row in read:
        assert not any(cell.lstrip(" ").startswith(("=", "+", "-", "@")) for cell in row)


@given(st.lists(st.dictionaries(TEXT, TEXT)))
def test_json_lines_read_back_exactly(rows) -> None:
    lines = json_lines(rows).split("\n")
    assert [json.loads(line) for line in lines[:-1]] == rows
