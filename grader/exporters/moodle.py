"""Moodle: the offline grading worksheet, filled in.

Moodle gives it out under "Download grading worksheet", with the columns Identifier, Full name, …, Grade, Maximum Grade,
…, Last modified (grade), Feedback comments, and takes it back under "Upload grading worksheet". "Participant 123" is
the number in the names of the downloaded folders. Rows that were graded in Moodle since are refused there
unless it is told to overwrite. (Moodle documentation, "Assignment settings: feedback types, offline grading worksheet")
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from grader.errors import UsageError
from grader.exporters.base import (
    Export,
    Roster,
    Written,
    a_number,
    column_of,
    read_table,
    roster_from,
    safe,
    table,
    to_two_places,
)
from grader.exporters.tables import why_blank
from grader.serialise import rounded

_NUMBER = re.compile(r"(\d+)\s*$")


class Moodle:
    """Fills in the worksheet that Moodle gave out."""

    name = "moodle"
    suffix = ".csv"
    title = "Moodle's offline grading worksheet, filled in"
    needs_roster = True

    def write(self, export: Export) -> Written:
        if export.roster is None:
            raise UsageError(
                "Moodle takes marks in its own worksheet only.",
                "Download it in Moodle (View all submissions, Download grading worksheet) and give it with --roster.",
            )
        roster = export.roster
        grade = column_of(roster, "Grade")
        lowered = [name.strip().casefold() for name in roster.header]
        feedback = lowered.index("feedback comments") if "feedback comments" in lowered else None
        places = _places(roster, export)
        most = lowered.index("maximum grade") if "maximum grade" in lowered else None
        rows = [list(row) for row in roster.rows]
        left_out = {
            line.student: "not in the worksheet" for line in export.lines if line.student not in places
        }
        for line in export.lines:
            place = places.get(line.student)
            if place is None:
                continue
            if line.points is None:
                left_out[line.student] = why_blank(line.standing)
                continue
            rows[place][grade] = str(to_two_places(line.points))
            if feedback is not None:
                rows[place][feedback] = safe(" ".join([_summary(line.standing.checks), *line.notes]))
        out_of = None if most is None or not rows else a_number(rows[0][most])
        return Written(table([list(roster.header), *rows], bom=True), left_out, out_of)

    def read(self, content: bytes, export: Export) -> Mapping[str, Decimal | None]:
        roster = roster_from(content)
        grade = column_of(roster, "Grade")
        rows = read_table(content)[1:]
        return {
            student: Decimal(rows[place][grade]) if rows[place][grade].strip() else None
            for student, place in _places(roster, replace(export, roster=roster)).items()
        }


def _places(roster: Roster, export: Export) -> dict[str, int]:
    """Row of each student, by the number of the participant."""
    identifier = column_of(roster, "Identifier")
    rows = {}
    for place, row in enumerate(roster.rows):
        number = _NUMBER.search(row[identifier])
        if number:
            rows[number[1]] = place
    found = {}
    for line in export.lines:
        number = _NUMBER.search(line.student)
        if number and number[1] in rows:
            found[line.student] = rows[number[1]]
    return found


def _summary(checks: Mapping[str, object]) -> str:
    """Points of each part, in a line."""
    from grader.gradebook import CheckStanding

    earned: dict[str, Decimal] = {}
    possible: dict[str, Decimal] = {}
    for id, check in checks.items():
        assert isinstance(check, CheckStanding)
        part = id.partition(".")[0]
        earned[part] = earned.get(part, Decimal(0)) + check.earned
        possible[part] = possible.get(part, Decimal(0)) + check.mark.possible
    return "; ".join(f"{part}: {rounded(earned[part])} of {rounded(possible[part])}" for part in earned) + "."
