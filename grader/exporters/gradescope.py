"""Gradescope: results.json, as an autograder there writes it.

Fields as in Gradescope's documentation, "Autograder Specifications, Output Format": a test has score, max_score,
status, name, number, output, tags, visibility; the whole has score, execution_time, output, visibility and
stdout_visibility.
A hidden check is "hidden" until the instructor decides otherwise. A test without a score counts nothing, so what a
person has still to mark has none.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from grader.exporters.base import Export, Written
from grader.exporters.tables import why_blank
from grader.model import CheckResult, GradeReport, Status, Visibility
from grader.serialise import disclosed, rounded
from grader.text import clean, one_line

_OPEN = {Status.NEEDS_REVIEW, Status.GRADER_ERROR}
EPOCH = (1980, 1, 1, 0, 0, 0)
"""Time of every file in an archive: the same class gives the same bytes."""


def results_json(
    report: GradeReport, points: Decimal | None = None, notes: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The document for one report. `points`: a final mark in place of the sum of the checks."""
    report = disclosed(report)
    document: dict[str, Any] = {
        "execution_time": round(report.duration_s, 3),
        "output": "\n".join(map(clean, (*report.notes, *notes))),
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [_test(check) for check in report.checks],
        "extra_data": {
            "assignment": report.assignment_id,
            "version": report.assignment_version,
            "seed": report.seed,
        },
    }
    if points is not None:
        document["score"] = float(rounded(points))
    return document


def _test(check: CheckResult) -> dict[str, Any]:
    said = [check.message, check.hint, *check.evidence.notes]
    if check.diagnosis is not None:
        said.insert(1, f"{check.diagnosis.title} ({check.diagnosis.evidence}).")
    if check.evidence.expected is not None:
        said.append(f"expected: {check.evidence.expected}")
    if check.evidence.obtained is not None and check.status is not Status.PASSED:
        said.append(f"yours: {check.evidence.obtained}")
    test: dict[str, Any] = {
        "number": check.id,
        "name": one_line(f"{check.id} {check.title}"),
        "output": "\n".join(clean(text) for text in said if text),
        "output_format": "text",
        "tags": [check.part],
        "visibility": "hidden" if check.visibility is Visibility.HIDDEN else "visible",
        "extra_data": {"status": check.status.value},
    }
    if check.status not in _OPEN:
        test |= {
            "score": float(rounded(check.points.earned)),
            "max_score": float(rounded(check.points.possible)),
            "status": "passed" if check.status is Status.PASSED else "failed",
        }
    return test


class Gradescope:
    """A results.json a student."""

    name = "gradescope"
    suffix = ".zip"
    title = "a results.json a student, as an autograder of Gradescope writes it"
    needs_roster = False

    def write(self, export: Export) -> Written:
        content, left_out = io.BytesIO(), {}
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
            for line in export.lines:
                if line.standing.result.failure is not None:
                    left_out[line.student] = why_blank(line.standing)
                    continue
                document = results_json(export.report_of(line), line.points, line.notes)
                add(archive, f"{line.student}/results.json", json.dumps(document, indent=1, allow_nan=False))
        return Written(content.getvalue(), left_out)

    def read(self, content: bytes, export: Export) -> Mapping[str, Decimal | None]:
        marks: dict[str, Decimal | None] = {}
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                document = json.loads(archive.read(name), parse_float=Decimal)
                score = document.get("score")
                marks[name.partition("/")[0]] = None if score is None else Decimal(score)
        return marks


def add(archive: zipfile.ZipFile, name: str, text: str) -> None:
    """One file with a fixed time."""
    info = zipfile.ZipInfo(name, EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    archive.writestr(info, text.encode())
