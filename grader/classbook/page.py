"""The class book as one self-contained page, and the same as CSV and JSON."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from grader.classbook.statistics import ClassStatistics
from grader.classroom.policy import Final
from grader.gradebook import Standing
from grader.model import Assignment, Status
from grader.paths import data_root
from grader.render.view import LABELS
from grader.serialise import rounded
from grader.text import one_line, storable

SCHEMA_VERSION = "1.1"
_NAME = 80
_BINS = 20
_WEAK = 0.2
"""Discrimination below which a check tells students hardly apart (Ebel, 1965)."""


@dataclass(frozen=True, slots=True)
class Row:
    """One student in the table."""

    name: str
    link: str | None
    """Relative address of the report; None where there is none."""
    earned: str
    sort: float
    shares: tuple[str, ...]
    """Points of each part, "" where it was not asked."""
    state: str
    late: bool
    mark: Final | None = None
    """What the course makes of the points; None without rules of a course."""


@dataclass(frozen=True, slots=True)
class Bin:
    """One bar of the distribution."""

    x: float
    width: float
    height: float
    """Share of the tallest."""
    count: int
    label: str


def html_page(
    assignment: Assignment,
    statistics: ClassStatistics,
    standings: Mapping[str, Standing],
    reports: Path | None,
    out: Path,
    marks: Mapping[str, Final] | None = None,
) -> Iterator[str]:
    """The page in pieces. `reports`: the folder with a folder of reports a student, linked to from the page `out`.

    marks: by student, what the rules of the course make of the points; the statistics are of the points.
    """
    templates = data_root() / "templates"
    style = (templates / "report.css").read_text("utf-8") + (templates / "class_book.css").read_text("utf-8")
    script = (templates / "class_book.js").read_text("utf-8")
    parts = [part for part in assignment.parts if part.id in statistics.parts]
    titles = {check.id: one_line(check.title) for check in assignment.checks}
    page = _environment().get_template("class_book.html.j2")
    return page.generate(
        title=one_line(assignment.title),
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        version=assignment.version,
        statistics=statistics,
        bins=histogram(statistics.totals, statistics.possible),
        parts=[(part, statistics.parts[part.id]) for part in parts],
        checks=[check for check in statistics.checks if check.statuses],
        titles=titles,
        troubles=_troubles(statistics),
        rows=_rows(standings, [part.id for part in parts], reports, out, marks or {}),
        marked=marks is not None,
        labels={status: LABELS[status] for status in Status},
        weak=_WEAK,
        points=lambda value: str(rounded(value)),
        one_line=one_line,
        style=Markup(style),
        style_hash=_hash(style),
        script=Markup(script),
        script_hash=_hash(script),
    )


def histogram(totals: Sequence[float], possible: float) -> list[Bin]:
    """The distribution of the totals in bins of a round number of points; the last one takes the full mark too."""
    if not totals or possible <= 0:
        return []
    step = _round_up(possible / _BINS)
    number = math.ceil(possible / step)
    counts = [0] * number
    for total in totals:
        counts[min(max(int(total / step), 0), number - 1)] += 1
    tallest = max(counts)
    return [
        Bin(
            x=i / number,
            width=1 / number,
            height=count / tallest,
            count=count,
            label=f"{i * step:g} to {min((i + 1) * step, possible):g}",
        )
        for i, count in enumerate(counts)
    ]


def _round_up(value: float) -> float:
    """The next of 1, 2, 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= value * 0.999)


def _rows(
    standings: Mapping[str, Standing],
    parts: Sequence[str],
    reports: Path | None,
    out: Path,
    marks: Mapping[str, Final],
) -> Iterator[Row]:
    ordered = sorted(standings.values(), key=lambda s: (s.entry.name.casefold(), s.entry.student))
    for standing in ordered:
        failed = standing.result.failure is not None
        yield Row(
            name=one_line(standing.entry.name, _NAME),
            link=None if failed else _link(reports, standing.entry.student, out),
            earned="" if failed else str(rounded(standing.earned)),
            sort=-1.0 if failed else float(standing.earned),
            shares=tuple(_part_points(standing, part) for part in parts),
            state=_state(standing),
            late=standing.entry.late,
            mark=None if failed else marks.get(standing.entry.student),
        )


def _part_points(standing: Standing, part: str) -> str:
    checks = [check for id, check in standing.checks.items() if id.partition(".")[0] == part]
    return str(rounded(sum((check.earned for check in checks), Decimal(0)))) if checks else ""


def _state(standing: Standing) -> str:
    if standing.result.failure is not None:
        return f"not graded: {one_line(standing.result.failure, 160)}"
    if standing.open_reviews:
        return f"{len(standing.open_reviews)} to review"
    return "final" if standing.final else "in part"


def _link(reports: Path | None, student: str, out: Path) -> str | None:
    if reports is None:
        return None
    page = reports / student / "report.html"
    if not page.is_file():
        return None
    try:
        return quote(page.resolve().relative_to(out.resolve().parent).as_posix())
    except ValueError:  # the reports are elsewhere
        return page.resolve().as_uri()


def _troubles(statistics: ClassStatistics) -> list[tuple[str, int]]:
    """How often each way of not giving a value came about, over all checks."""
    bad = (Status.TIMEOUT, Status.OUT_OF_MEMORY, Status.CRASHED, Status.GRADER_ERROR, Status.MISSING)
    counts = [(LABELS[s], sum(c.statuses.get(s, 0) for c in statistics.checks)) for s in bad]
    return [(label, count) for label, count in counts if count]


# ---------------------------------------------------------------- the same as data


def as_json(
    assignment: Assignment,
    statistics: ClassStatistics,
    standings: Mapping[str, Standing],
    marks: Mapping[str, Final] | None = None,
) -> str:
    """Everything of the page, for programs; docs/class-book.md explains every field."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "assignment": {"id": assignment.id, "title": assignment.title, "version": assignment.version},
        "students": statistics.students,
        "failed": statistics.failed,
        "possible": statistics.possible,
        "mean": statistics.mean,
        "median": statistics.median,
        "standard_deviation": statistics.deviation,
        "cronbach_alpha": statistics.alpha,
        "open_reviews": statistics.open_reviews,
        "parts": dict(statistics.parts),
        "checks": [
            {
                "id": check.id,
                "students": check.students,
                "full_points": check.passed,
                "difficulty": check.difficulty,
                "discrimination": check.discrimination,
                "statuses": {status.value: count for status, count in check.statuses.items()},
                "median_s": check.median_s,
            }
            for check in statistics.checks
        ],
        "misconceptions": [
            {"id": m.id, "title": storable(m.title), "students": m.students, "checks": list(m.checks)}
            for m in statistics.misconceptions
        ],
        "table": [_record(standing, marks) for standing in standings.values()],
    }
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


def _record(standing: Standing, marks: Mapping[str, Final] | None = None) -> dict[str, Any]:
    failed = standing.result.failure is not None
    mark = None if failed or marks is None else marks[standing.entry.student]
    return {
        "student": storable(standing.entry.student),
        "name": storable(standing.entry.name),
        "earned": None if failed else float(rounded(standing.earned)),
        "possible": None if failed else float(rounded(standing.possible)),
        "final": standing.final,
        "late": standing.entry.late,
        "attempt": standing.entry.attempt,
        "failure": None if standing.result.failure is None else storable(standing.result.failure),
        "mark": None if mark is None else float(rounded(mark.points)),
        "rules": [] if mark is None else list(mark.notes),
    }


def as_csv(
    standings: Mapping[str, Standing], checks: Sequence[str], marks: Mapping[str, Final] | None = None
) -> str:
    """A row a student, a column a check; texts that a spreadsheet would take for a formula are neutralised."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    ruled = [] if marks is None else ["mark", "rules"]
    head = ["student", "name", "earned", "possible", "final", "late", "attempt", "failure", *ruled]
    writer.writerow([*head, *checks])
    for standing in standings.values():
        record = _record(standing, marks)
        cells = [standing.checks.get(id) for id in checks]
        writer.writerow(
            [
                plain_cell(record["student"]),
                plain_cell(record["name"]),
                "" if record["earned"] is None else str(rounded(standing.earned)),
                "" if record["possible"] is None else str(rounded(standing.possible)),
                "yes" if record["final"] else "no",
                "yes" if record["late"] else "no",
                record["attempt"],
                plain_cell(record["failure"] or ""),
                *(
                    ["" if record["mark"] is None else record["mark"], " ".join(record["rules"])]
                    if ruled
                    else []
                ),
                *("" if cell is None or cell.open else str(rounded(cell.earned)) for cell in cells),
            ]
        )
    return text.getvalue()


def plain_cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula: with an apostrophe before = + - @ tab and carriage return."""
    line = one_line(text, 500)
    return f"'{line}" if line[:1] in tuple("=+-@\t\r") else line


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(data_root() / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
