"""How a table is laid out for a width."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from task_groups.tables import LONGEST_WORD, cells, lay_out, wrap

UUID = "6b4d8b0e-0f6c-4d0e-9a1f-2f3b4c5d6e7f"
COLUMNS = ("UTC", "with", "last message", "conversation")
ROWS = [
    ("2026-01-31 18:00:00", "andrewbrown", "The tides of the moon are late again, I fear", UUID),
    ("2026-01-31 17:00:00", "bayko", "Short", UUID),
]


def text_of(width: int | None, rows=ROWS, columns=COLUMNS, **options: str) -> list[str]:
    table = lay_out(columns, rows, width, **options)
    return [*table.head, *table.body]


def test_a_wide_terminal_gets_everything_on_one_line_each() -> None:
    for width in (None, 200):
        head, rule, first, second = text_of(width)
        assert head.split("   ")[0] == " UTC"
        assert first.endswith(UUID)
        assert second.index("bayko") == head.index("with")
        assert len(rule) == max(map(len, (head, first, second)))


@pytest.mark.parametrize("width", [60, 80])
def test_a_narrow_one_leaves_out_the_uuids_and_breaks_no_word(width: int) -> None:
    table = lay_out(COLUMNS, ROWS, width)
    assert table.left_out == ["conversation"]
    lines = [*table.head, *table.body]
    assert max(map(len, lines)) <= width
    assert len(table.body[0]) <= max(map(len, lines[2:]))
    shown = " ".join(lines).split()
    for word in " ".join(cell for row in ROWS for cell in row[:-1]).split():
        assert word in shown


def test_what_has_no_room_side_by_side_becomes_blocks() -> None:
    assert text_of(30, [ROWS[0][:3], ROWS[1][:3]], COLUMNS[:3]) == [
        " UTC",
        "      2026-01-31 18:00:00",
        " with",
        "      andrewbrown",
        " last message",
        "      The tides of the moon",
        "      are late again, I fear",
        "",
        " UTC",
        "      2026-01-31 17:00:00",
        " with",
        "      bayko",
        " last message",
        "      Short",
    ]


def test_a_table_of_uuids_alone_keeps_them() -> None:
    assert UUID in "".join(text_of(40, [(UUID,)], ("id",)))


def test_wide_characters_are_measured_as_a_terminal_shows_them() -> None:
    head, rule, first, second = text_of(None, [("日本", "x"), ("abc", "y")], ("a", "b"))
    assert (cells(first), cells(second), cells(rule)) == (9, 9, 9)
    assert wrap("日本語", 4) == ["日本", "語"]
    assert head == " a      b"


def test_the_rule_may_be_of_another_character() -> None:
    assert text_of(None, [("1",)], ("n",), rule="-") == [" n", " -", " 1"]


words = st.lists(st.text("ab日é", max_size=LONGEST_WORD), max_size=6).map(" ".join)


@given(st.integers(1, 120), st.lists(st.tuples(words, words, words), min_size=1, max_size=4))
def test_every_layout_fits_and_loses_nothing(width: int, rows) -> None:
    table = lay_out(("one", "two", "three"), rows, width)
    lines = [*table.head, *table.body]
    least = 3 + max(cells(name) for name in ("one", "two", "three"))
    assert max(map(cells, lines)) <= max(width, least + 10)
    shown = "".join("".join(lines).split())
    for letter in "ab日é":
        assert shown.count(letter) >= sum(cell.count(letter) for row in rows for cell in row)


@given(words, st.integers(1, 60))
def test_wrapped_text_is_the_same_text(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert all(cells(line) <= max(width, 2) for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())
