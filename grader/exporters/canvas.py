"""Canvas: the gradebook's CSV, filled in.

Canvas exports `Student, ID, SIS User ID, SIS Login ID, Section, <assignments…>` with a row "    Points Possible" below
the header, and imports the same. A blank cell changes nothing there, "EX" excuses; marks have two decimals. Students
are joined by the ID in the name of what they handed in, by SIS ID or by login.
(Canvas Instructor Guide, "How do I import grades in the Gradebook?")
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from grader.errors import UnknownName, UsageError
from grader.exporters.base import (
    Export,
    Roster,
    Written,
    a_number,
    column_of,
    read_table,
    table,
    to_two_places,
)
from grader.exporters.tables import why_blank

_EXCUSED = "EX"
"""Of whom Canvas asks no mark: the instructor said so there, and it stays."""
_POINTS_POSSIBLE = "points possible"
_FIXED = {"student", "id", "sis user id", "sis login id", "integration id", "root account", "section"}
_TRAILING_NUMBER = re.compile(r"_(\d+)$")


class Canvas:
    """Fills in the table that Canvas exported."""

    name = "canvas"
    suffix = ".csv"
    title = "the gradebook that Canvas exported, filled in"
    needs_roster = True

    def write(self, export: Export) -> Written:
        roster = _roster(export)
        column, places = _column(export, roster), _places(roster, export)
        by_row = {place: student for student, place in places.items()}
        lines = {line.student: line for line in export.lines}
        # Only what identifies a student goes back, so that no other mark is imported a second time.
        kept = [place for place, name in enumerate(roster.header) if name.strip().casefold() in _FIXED]
        rows = [[roster.header[place] for place in kept] + [roster.header[column]]]
        out_of = None
        left_out = {s: "not in the roster" for s in lines if s not in places}
        for place, row in enumerate(roster.rows):
            cells = [row[k] for k in kept]
            if place in by_row:
                line = lines[by_row[place]]
                if line.points is None:
                    left_out[line.student] = why_blank(line.standing)
                excused = row[column].strip().upper() == _EXCUSED
                mark = "" if line.points is None else str(to_two_places(line.points))
                rows.append([*cells, _EXCUSED if excused else mark])
            elif _is_points_possible(row):
                rows.append([*cells, row[column]])
                out_of = a_number(row[column])
            else:
                rows.append([*cells, ""])
        return Written(table(rows), left_out, out_of)

    def read(self, content: bytes, export: Export) -> Mapping[str, Decimal | None]:
        header, *rows = read_table(content)
        read_back = Roster(tuple(header), tuple(map(tuple, rows)))
        places = _places(read_back, export)
        cells = {student: rows[place][-1].strip() for student, place in places.items()}
        return {student: a_number(cell) for student, cell in cells.items() if cell.upper() != _EXCUSED}


def _roster(export: Export) -> Roster:
    if export.roster is None:
        raise UsageError(
            "Canvas takes marks in its own table only.",
            "Export the gradebook in Canvas (Grades, Export) and give the file with --roster.",
        )
    return export.roster


def _column(export: Export, roster: Roster) -> int:
    """Where the marks go: the column that was named, or the only one with the assignment's title."""
    names = [name for name in roster.header if name.strip().casefold() not in _FIXED]
    if export.column is not None:
        matching = [name for name in names if export.column in (name, _without_id(name))]
        if len(matching) != 1:
            raise UnknownName("column", export.column, names)
        return roster.header.index(matching[0])
    title = export.assignment.title.casefold()
    matching = [name for name in names if _without_id(name).casefold() == title]
    if len(matching) != 1:
        raise UsageError(
            f"The roster has {len(matching) or 'no'} columns called {export.assignment.title!r}.",
            f"Name one with --column; it has {', '.join(names[:12])}.",
        )
    return roster.header.index(matching[0])


def _without_id(name: str) -> str:
    """ "Coursework (4711)" -> "Coursework": Canvas puts the assignment's number behind its title."""
    return re.sub(r"\s*\(\d+\)\s*$", "", name).strip()


def _places(roster: Roster, export: Export) -> dict[str, int]:
    """Row of each student that the roster knows."""
    ids = column_of(roster, "ID")
    lowered = [name.strip().casefold() for name in roster.header]
    others = [lowered.index(name) for name in ("sis user id", "sis login id") if name in lowered]
    rows: dict[str, int] = {}
    known: dict[str, int] = {}
    for at, row in enumerate(roster.rows):
        if _is_points_possible(row):
            continue
        if row[ids].strip():
            rows[row[ids].strip()] = at
        for other in others:
            if row[other].strip():
                known.setdefault(row[other].strip().casefold(), at)
    found = {}
    for line in export.lines:
        number = _TRAILING_NUMBER.search(line.student)
        place: int | None = rows.get(number[1]) if number else None
        if place is None:
            place = rows.get(line.student, known.get(line.student.casefold()))
        if place is not None:
            found[line.student] = place
    return found


def _is_points_possible(row: tuple[str, ...]) -> bool:
    return row[0].strip().casefold() == _POINTS_POSSIBLE
