"""Downloads open as data, not as formulas."""

from __future__ import annotations

import csv
import io
import json
import re
from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from core.spreadsheets import csv_line, csv_text, json_lines

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


TRAPS = TEXT | st.text(st.sampled_from("=+-@＝＋－＠﹦,;\t\r\n\"' \u00a0\u200b\ufeff\u2028ab1"))


def read_back(text: str) -> str:
    (_, (cell,)) = csv.reader(io.StringIO(csv_text([{"a": text}], ["a"]), newline=""))
    return cell


@pytest.mark.parametrize(
    "text",
    [
        "=cmd()",
        "+1",
        "-1",
        "@SUM(A1)",
        "\thi",
        "  =1+1",
        "\u00a0=1",
        "\u200b=1",
        "\ufeff=1",
        "\x00=1",
        "＝1+1",
        "＋1",
        "－1",
        "＠SUM(A1)",
        "﹦1+1",
    ],
)
def test_a_cell_that_a_spreadsheet_might_run_begins_with_a_quote(text) -> None:
    assert read_back(text) == f"'{text}"


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\r'=1"),
        ("\n=1", "'\n'=1"),
        ("hi;=1+1", "hi;'=1+1"),
        ("hi; =1+1", "hi;' =1+1"),
        ("hi\t=1+1", "hi\t'=1+1"),
        ("hi,@SUM(A1)", "hi,'@SUM(A1)"),
        ("hi|-1", "hi|'-1"),
        ('hi";=1', "hi\";'=1"),
        ('hi"=1', "hi\"'=1"),
        ("=1\n=2", "'=1\n'=2"),
        ("hi\r\n＝1", "hi\r\n'＝1"),
        ("hi\u2028\u200b=1", "hi\u2028'\u200b=1"),
    ],
)
def test_a_cell_that_another_locale_would_split_has_a_quote_there(text, marked) -> None:
    assert read_back(text) == marked


@pytest.mark.parametrize("text", ["a=b", "1 - 2", "bayko@example.com", "10:30; well", "it's"])
def test_a_harmless_cell_is_unchanged(text) -> None:
    assert read_back(text) == text


@pytest.mark.parametrize("number", [-5, -1.5, Decimal("-1.50"), 0])
def test_a_number_stays_a_number(number) -> None:
    mark = "'" if number < 0 else ""
    assert csv_line([number, str(number)]) == f"{number},{mark}{number}\r\n"


@given(st.lists(st.dictionaries(st.sampled_from("abc"), TRAPS)))
def test_csv_reads_back_except_for_the_quotes(rows) -> None:
    header, *read = csv.reader(io.StringIO(csv_text(rows, "abc"), newline=""))
    assert header == ["a", "b", "c"]
    expected = [[row.get(name, "").replace("'", "") for name in "abc"] for row in rows]
    assert [[cell.replace("'", "") for cell in row] for row in read] == expected


@pytest.mark.parametrize("separators", [r"[\r\n]", r"[;\r\n]", r"[\t\r\n]", r"[,\r\n]", r"[|\r\n]"])
@given(st.lists(st.dictionaries(st.sampled_from("abc"), TRAPS), max_size=3))
def test_however_the_file_is_split_no_cell_begins_a_formula(separators, rows) -> None:
    for cell in re.split(separators, csv_text(rows, "abc")):
        shown = re.sub(r"^[\s\"\x00-\x20\u200b\ufeff]*", "", cell)
        assert not re.match("[=+@＝＋－＠﹦-]", shown)


@given(st.lists(st.dictionaries(TEXT, TEXT)))
def test_json_lines_read_back_exactly(rows) -> None:
    lines = json_lines(rows).split("\n")
    assert [json.loads(line) for line in lines[:-1]] == rows
