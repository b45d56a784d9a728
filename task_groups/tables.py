"""Lays out a table for a given width: pure text, measured as a terminal shows it.

Where a table is too wide, it first leaves out the columns that hold nothing but uuids, then wraps
long cells between words, and at last becomes one block of lines for each row. A word is only broken
if it is longer than :data:`LONGEST_WORD`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

LONGEST_WORD = 40
"""Cells of a terminal. Longer words are links, keys and text in scripts without blanks."""

_GAP = "   "
_MARGIN = " "
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_SHORT = 20
"""A column of cells that are no longer, such as times, is not wrapped while there is room."""

_BESIDE_ITS_NAME = 20
"""Fewer cells than this beside the longest name, and a block's values go below their names."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The lines of the head (none of blocks), the other lines, and the columns left out."""

    head: Sequence[str]
    body: Sequence[str]
    left_out: Sequence[str] = ()


def lay_out(
    columns: Sequence[str], rows: Sequence[Sequence[str]], width: int | None, *, rule: str = "─"
) -> Layout:
    """The table as it fits ``width`` cells; as wide as it is where that is None."""
    dropped: list[int] = []
    if width is not None and _total(_natural(columns, rows)) > width:
        dropped = [index for index in range(len(columns)) if _is_of_uuids(index, rows)]
        if len(dropped) == len(columns):
            dropped = []
    left_out = [columns[index] for index in dropped]
    columns = _without(columns, dropped)
    rows = [_without(row, dropped) for row in rows]
    widths = _fitted(columns, rows, width)
    if widths is None:
        return Layout((), list(_blocks(columns, rows, width or 0)), left_out)
    head = list(_lines(columns, widths))
    body = [line for row in rows for line in _lines(row, widths)]
    longest = max(map(cells, [*head, *body]))
    return Layout(head, [_MARGIN + rule * (longest - len(_MARGIN)), *body], left_out)


def cells(text: str) -> int:
    """How many cells of a terminal ``text`` takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _is_of_uuids(index: int, rows: Sequence[Sequence[str]]) -> bool:
    return bool(rows) and all(_UUID.fullmatch(row[index]) for row in rows)


def _without(row: Sequence[str], dropped: Sequence[int]) -> list[str]:
    return [cell for index, cell in enumerate(row) if index not in dropped]


def _total(widths: Sequence[int]) -> int:
    return len(_MARGIN) + sum(widths) + len(_GAP) * (len(widths) - 1)


def _natural(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(cells, column)) for column in zip(columns, *rows, strict=True)]


def _fitted(
    columns: Sequence[str], rows: Sequence[Sequence[str]], width: int | None
) -> list[int] | None:
    """The width of each column; None where not even their longest words fit beside each other."""
    natural = _natural(columns, rows)
    if width is None or _total(natural) <= width:
        return natural
    cut = list(zip(columns, *rows, strict=True))
    longest_words = [_longest_word(column) for column in cut]
    whole = [
        size if size <= _SHORT else max(word, _SHORT)
        for size, word in zip(natural, longest_words, strict=True)
    ]
    for least in (whole, longest_words):  # a time or a name stays on a line if there is room
        if _total(least) <= width:
            return _narrowed(cut, natural, least, width)
    return None


def _narrowed(
    cut: Sequence[Sequence[str]], natural: Sequence[int], least: Sequence[int], width: int
) -> list[int]:
    """The widths with the widest columns narrowed together, and none wider than it needs to be."""
    widths = list(natural)
    while _total(widths) > width:
        open_to = [index for index, size in enumerate(widths) if size > least[index]]
        widths[max(open_to, key=widths.__getitem__)] -= 1
    for index, column in enumerate(cut):
        lines = (line for cell in column for line in wrap(cell, widths[index]))
        widths[index] = max(map(cells, lines))
    longest = max(range(len(widths)), key=natural.__getitem__)
    widths[longest] = min(natural[longest], widths[longest] + width - _total(widths))
    return widths


def _longest_word(column: Sequence[str]) -> int:
    longest = max((cells(word) for cell in column for word in cell.split(" ")), default=0)
    return min(longest, LONGEST_WORD)


def _lines(row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    """A row as lines, each cell wrapped to its column's width."""
    wrapped = [wrap(cell, width) for cell, width in zip(row, widths, strict=True)]
    for number in range(max(map(len, wrapped))):
        parts = [lines[number] if number < len(lines) else "" for lines in wrapped]
        padded = (
            part + " " * (width - cells(part)) for part, width in zip(parts, widths, strict=True)
        )
        yield (_MARGIN + _GAP.join(padded)).rstrip()


def wrap(text: str, width: int) -> list[str]:
    """``text`` in lines of at most ``width`` cells, broken between words where that is possible."""
    if cells(text) <= width:
        return [text]
    lines, line = [], ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if cells(longer) <= width:
            line = longer
            continue
        if line:
            lines.append(line)
        *whole, line = _pieces(word, width)
        lines += whole
    return [*lines, line]


def _pieces(word: str, width: int) -> list[str]:
    """``word`` in pieces of at most ``width`` cells; a character may be two cells wide."""
    pieces, piece, size = [], "", 0
    for character in word:
        wide = cells(character)
        if piece and size + wide > width:
            pieces.append(piece)
            piece, size = "", 0
        piece, size = piece + character, size + wide
    return [*pieces, piece]


def _blocks(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    """Each row as lines of a column's name and its cell, with an empty line between two rows."""
    indent = max(map(cells, columns)) + len(_MARGIN + _GAP)
    is_beside = width - indent >= _BESIDE_ITS_NAME
    room = max(1, width - (indent if is_beside else 2 * len(_GAP)))
    for number, row in enumerate(rows):
        if number:
            yield ""
        for name, cell in zip(columns, row, strict=True):
            label = _MARGIN + name
            first, *rest = wrap(cell, room)
            if is_beside:
                yield (label + " " * (indent - cells(label)) + first).rstrip()
            else:
                yield label
                rest = [first, *rest]
            yield from (" " * (width - room) + line for line in rest)
