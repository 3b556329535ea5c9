"""The lines of one report, whatever it was written in, as the later steps see them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum

MOST_CHARACTERS = 500_000
"""Of one report that are read."""
MOST_LINES = 20_000
LONGEST_LINE = 4_000
"""Characters of one line; what is longer is cut into pieces of this length."""


_COMMA = re.compile(r"(?<![0-9,.])(?:0,[0-9]+|[0-9]{1,3},(?:[0-9]{1,2}|[0-9]{4,}))(?![0-9,])")
_POINT = re.compile(r"(?<![0-9.,])[0-9]+\.[0-9]+(?![0-9.])")
_AMBIGUOUS = re.compile(r"(?<![0-9,.])([1-9][0-9]{0,2}),([0-9]{3})(?![0-9,.])")
_MANY = 3


class Shape(Enum):
    """What a line is."""

    TEXT = "running text"
    HEADING = "a heading"
    ROW = "a row of a table"
    GAP = "an empty line, the end of what stands together"


@dataclass(frozen=True, slots=True)
class Line:
    """One line."""

    shape: Shape
    text: str
    """Without markup; of a row, its cells joined by " | "."""
    place: str
    """For example "report.md, line 12"."""
    cells: tuple[str, ...] = ()
    """Of a row of a table."""
    fresh: bool = False
    """It begins something: an item of a list, a line of a formula. It is not the rest of the line above."""
    firm: bool = False
    """A heading marked as one, not only one by its looks."""
    width: int = 0
    """Characters of the line as it stands in the file: whether it was full."""
    printed: bool = False
    """The output of a program or source code, in which line ends and runs of spaces mean something."""


def row(cells: list[str], place: str) -> Line:
    """A row of a table; an empty line where all cells are empty."""
    kept = tuple(cell.strip() for cell in cells)
    if not any(kept):
        return Line(Shape.GAP, "", place)
    return Line(Shape.ROW, " | ".join(kept), place, kept)


def with_decimal_points(lines: list[Line]) -> list[Line]:
    """In a report that writes decimal commas ("71,39 %") and no decimal points, "1,016" is a decimal number too."""
    text = "\n".join(line.text for line in lines)
    commas = len(_COMMA.findall(text))
    if commas < _MANY or len(_POINT.findall(text)) > commas // 10:
        return lines
    return [
        replace(
            line,
            text=_AMBIGUOUS.sub(r"\1.\2", line.text),
            cells=tuple(_AMBIGUOUS.sub(r"\1.\2", c) for c in line.cells),
        )
        for line in lines
    ]


def bounded(text: str) -> list[str]:
    """The text cut to size, as lines of bounded length."""
    lines: list[str] = []
    for line in text[:MOST_CHARACTERS].split("\n", MOST_LINES)[:MOST_LINES]:
        for at in range(0, max(len(line), 1), LONGEST_LINE):
            lines.append(line[at : at + LONGEST_LINE])
            if len(lines) >= MOST_LINES:
                return lines
    return lines
