"""Plain tables: CSV, JSON Lines, and the CSV of nbgrader."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal

from grader.exporters.base import Export, Written, read_table, safe, table
from grader.serialise import rounded
from grader.text import storable


class PlainCsv:
    """A row a student, for spreadsheets and scripts."""

    name = "csv"
    suffix = ".csv"
    title = "a row a student, a column a check"
    needs_roster = False

    def write(self, export: Export) -> Written:
        checks = [check.id for check in export.assignment.checks]
        rows = [["student", "name", "points", "possible", "score", "late", "attempt", "notes", *checks]]
        for line in export.lines:
            standing = line.standing
            cells = [standing.checks.get(id) for id in checks]
            rows.append(
                [
                    safe(line.student),
                    safe(line.name),
                    "" if line.points is None else str(rounded(line.points)),
                    str(rounded(line.possible)),
                    "" if standing.result.failure else str(rounded(standing.earned)),
                    "yes" if standing.entry.late else "no",
                    str(standing.entry.attempt),
                    safe(" ".join(line.notes) or standing.result.failure or ""),
                    *("" if cell is None or cell.open else str(rounded(cell.earned)) for cell in cells),
                ]
            )
        return Written(table(rows), _without_mark(export))

    def read(self, content: bytes, export: Export) -> Mapping[str, Decimal | None]:
        keys = {safe(line.student): line.student for line in export.lines}
        header, *rows = read_table(content)
        student, points = header.index("student"), header.index("points")
        return {keys[row[student]]: Decimal(row[points]) if row[points] else None for row in rows}


class JsonLines:
    """A JSON object a student, for programs."""

    name = "jsonl"
    suffix = ".jsonl"
    title = "a JSON object a student"
    needs_roster = False

    def write(self, export: Export) -> Written:
        lines = []
        for line in export.lines:
            standing = line.standing
            document = {
                "student": storable(line.student),
                "name": storable(line.standing.entry.name),
                "points": None if line.points is None else float(rounded(line.points)),
                "possible": float(rounded(line.possible)),
                "late": standing.entry.late,
                "attempt": standing.entry.attempt,
                "notes": [storable(note) for note in line.notes],
                "failure": None if standing.result.failure is None else storable(standing.result.failure),
                "checks": {
                    id: {
                        "status": check.mark.status.value,
                        "earned": None if check.open else float(rounded(check.earned)),
                        "possible": float(rounded(check.mark.possible)),
                        "by_a_person": check.override is not None,
                    }
                    for id, check in standing.checks.items()
                },
            }
            lines.append(json.dumps(document, allow_nan=False))
        return Written("".join(f"{text}\n" for text in lines).encode("ascii"), _without_mark(export))

    def read(self, content: bytes, export: Export) -> Mapping[str, Decimal | None]:
        documents = [json.loads(line, parse_float=Decimal) for line in content.decode("ascii").splitlines()]
        keys = {storable(line.student): line.student for line in export.lines}
        return {keys[d["student"]]: None if d["points"] is None else Decimal(d["points"]) for d in documents}


class NbgraderCsv:
    """The columns of `nbgrader export`."""

    name = "nbgrader"
    suffix = ".csv"
    title = "the columns of `nbgrader export`"
    needs_roster = False

    def write(self, export: Export) -> Written:
        header = [
            "assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email",
            "raw_score", "late_submission_penalty", "score", "max_score",
        ]  # fmt: skip
        rows = [header]
        for line in export.lines:
            score = line.standing.earned
            given = line.points is not None
            rows.append(
                [
                    safe(export.assignment.id),
                    "",
                    safe(line.standing.entry.submitted_at or ""),
                    safe(line.student),
                    safe(line.name),
                    "",
                    "",
                    str(rounded(score)) if given else "",
                    str(rounded(score - line.points)) if line.points is not None else "",
                    str(rounded(line.points)) if line.points is not None else "",
                    str(rounded(line.possible)),
                ]
            )
        return Written(table(rows), _without_mark(export))

    def read(self, content: bytes, export: Export) -> Mapping[str, Decimal | None]:
        keys = {safe(line.student): line.student for line in export.lines}
        header, *rows = read_table(content)
        student, points = header.index("student_id"), header.index("score")
        return {keys[row[student]]: Decimal(row[points]) if row[points] else None for row in rows}


def _without_mark(export: Export) -> dict[str, str]:
    return {line.student: why_blank(line.standing) for line in export.lines if line.points is None}


def why_blank(standing: object) -> str:
    """Why a student has no mark."""
    from grader.gradebook import Standing

    assert isinstance(standing, Standing)
    if standing.result.failure is not None:
        return f"not graded: {standing.result.failure}"
    waiting = ", ".join(standing.open_reviews)
    return f"a person has still to mark {waiting}" if waiting else "some checks failed by our fault"
