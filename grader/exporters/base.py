"""What an exporter gets, and what it is."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Protocol

from grader.errors import UsageError
from grader.gradebook import Standing
from grader.model import Assignment, GradeReport
from grader.text import one_line

CELL_LIMIT = 30_000
"""Characters of one cell; spreadsheets take 32,767."""


@dataclass(frozen=True, slots=True)
class Line:
    """One student's mark, ready to go."""

    standing: Standing
    points: Decimal | None
    """The final mark, exact; None where there is none to give (not graded, or a person has still to mark something)."""
    possible: Decimal
    notes: tuple[str, ...] = ()
    """What the course's rules did to the score."""

    @property
    def student(self) -> str:
        """Stable key."""
        return self.standing.entry.student

    @property
    def name(self) -> str:
        """For people, on one line."""
        return one_line(self.standing.entry.name, 200)


class Reports(Protocol):
    """Where the final reports come from, one at a time."""

    def __call__(self, line: Line) -> GradeReport: ...


@dataclass(frozen=True, slots=True)
class Roster:
    """A table that the platform exported, to be filled in and given back."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Export:
    """A class, ready to go."""

    assignment: Assignment
    lines: tuple[Line, ...]
    report_of: Reports
    roster: Roster | None = None
    column: str | None = None
    """Which column of the roster takes the marks; None lets the exporter find it."""


@dataclass(frozen=True, slots=True)
class Written:
    """What an exporter made."""

    content: bytes
    left_out: Mapping[str, str] = field(default_factory=dict)
    """By student key: why the student has no mark in it."""
    out_of: Decimal | None = None
    """Points that the platform shows the marks out of, where it says so."""


class Exporter(Protocol):
    """One format. Register a class of your own under the entry point group "grader.exporters"."""

    name: str
    """As in `grade export NAME`."""
    suffix: str
    """Of the file, with the dot."""
    title: str
    """What it is for, in a few words."""
    needs_roster: bool

    def write(self, export: Export) -> Written:
        """The file's content; raises UsageError for a roster that does not fit."""

    def read(self, content: bytes, export: Export) -> Mapping[str, Decimal | None]:
        """The marks that the file holds, by student key, as the platform would read them; None for a blank."""


def to_two_places(points: Decimal) -> Decimal:
    """As the platforms have marks: two decimals, halves up, in the student's favour."""
    return points.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


def a_number(cell: str) -> Decimal | None:
    """What a platform wrote into a cell; None where that is no finite number."""
    try:
        number = Decimal(cell.strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def table(rows: Sequence[Sequence[str]], *, bom: bool = False) -> bytes:
    """CSV as the platforms write it: commas, CRLF, UTF-8; no text in it is taken for a formula."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode("utf-8-sig" if bom else "utf-8")


def safe(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    line = one_line(text, CELL_LIMIT)
    return f"'{line}" if line[:1] in tuple("=+-@\t\r") else line


def read_table(content: bytes) -> list[list[str]]:
    """Rows of a CSV file in UTF-8, with or without a mark at its beginning; raises UsageError."""
    try:
        text = content.decode("utf-8-sig")
        return [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(
            f"This is no CSV in UTF-8: {error}.", "Give the file as the platform exported it."
        ) from None


def roster_from(content: bytes) -> Roster:
    """The table that a platform exported; raises UsageError."""
    rows = read_table(content)
    if not rows:
        raise UsageError("The roster is empty.", "Give the file as the platform exported it.")
    width = len(rows[0])
    return Roster(tuple(rows[0]), tuple(tuple((row + [""] * width)[:width]) for row in rows[1:]))


def column_of(roster: Roster, *names: str) -> int:
    """The place of the first of these columns that the roster has; raises UsageError."""
    lowered = [name.strip().casefold() for name in roster.header]
    for name in names:
        if name.casefold() in lowered:
            return lowered.index(name.casefold())
    raise UsageError(
        f"The roster has no column {' or '.join(map(repr, names))}; it has {', '.join(roster.header[:12])}.",
        "Export the gradebook of the course once more, and give that file.",
    )
