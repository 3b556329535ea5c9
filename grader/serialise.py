"""GradeReport <-> report.json, documented field by field in docs/report.md, described by report.schema.json.

Every export passes here: hidden checks lose their reference values (`disclosed`), points are rounded, here
and nowhere else (`rounded`), and numbers that JSON cannot hold become strings.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from numbers import Real
from typing import Any, cast

from grader.document import NON_FINITE, Node
from grader.errors import GraderError
from grader.latest import latest
from grader.model import (
    SCHEMA_VERSION,
    CheckResult,
    Diagnosis,
    Evidence,
    GradeReport,
    Isolation,
    Part,
    Plot,
    Points,
    Score,
    Status,
    Visibility,
)
from grader.text import storable

POINT_STEP = Decimal("0.001")
"""Points are given to three decimals; halves are rounded up, in the student's favour."""
EXACT_LIMIT = Decimal(10) ** 12
"""Above this a float no longer holds three decimals exactly."""


@latest
def disclosed(report: GradeReport) -> GradeReport:
    """The report without any reference value of a hidden check; every rendering and export starts from it.

    The expected value goes, and with it what would give it away next to the obtained one: the largest
    difference and the plots. The place of the difference stays, and so does what the student's code produced.
    """
    return replace(report, checks=tuple(_disclosed_check(check) for check in report.checks))


def _disclosed_check(check: CheckResult) -> CheckResult:
    if check.visibility is not Visibility.HIDDEN:
        return check
    return replace(check, evidence=replace(check.evidence, expected=None, largest_difference=None, plots=()))


def rounded(points: Decimal) -> Decimal:
    """Points as they are shown and exported: three decimals at most, no trailing zeros, never an exponent."""
    if not points.is_finite():
        raise ValueError(f"points must be a number, not {points}")
    short = points.quantize(POINT_STEP, rounding=ROUND_HALF_UP)
    return short.quantize(Decimal(1)) if short == short.to_integral_value() else short.normalize()


_FLOAT = {float}

# ---------------------------------------------------------------- report -> document


def to_document(report: GradeReport) -> dict[str, Any]:
    """A JSON-ready document of dicts with string keys, lists, str, int, finite float, bool and None."""
    report = disclosed(report)
    return {
        "schema_version": report.schema_version,
        "submission": {"name": storable(report.submission_name), "sha256": report.submission_sha256},
        "assignment": {
            "id": report.assignment_id,
            "title": report.assignment_title,
            "version": report.assignment_version,
            "sha256": report.assignment_sha256,
        },
        "parts": [{"id": part.id, "title": part.title, "asks": part.asks} for part in report.parts],
        "score": _score(report.score),
        "checks": [_check(check) for check in report.checks],
        "environment": {storable(key): storable(value) for key, value in report.environment.items()},
        "isolation": {
            "level": report.isolation.level,
            "guarantees": list(report.isolation.guarantees),
            "caveats": list(report.isolation.caveats),
        },
        "seed": report.seed,
        "public_only": report.public_only,
        "complete": report.complete,
        "notes": [storable(note) for note in report.notes],
        "created": report.created,
        "duration_s": _real(report.duration_s),
    }


def _score(score: Score) -> dict[str, Any]:
    return {
        "earned": _points(score.earned),
        "possible": _points(score.possible),
        "automatic": {
            "earned": _points(score.automatic_earned),
            "possible": _points(score.automatic_possible),
        },
        "awaiting_review": _points(score.awaiting_review),
        "excused": _points(score.excused),
    }


def _check(check: CheckResult) -> dict[str, Any]:
    return {
        "id": check.id,
        "part": check.part,
        "title": storable(check.title),
        "visibility": check.visibility.value,
        "status": check.status.value,
        "points": {"earned": _points(check.points.earned), "possible": _points(check.points.possible)},
        "message": storable(check.message),
        "hint": storable(check.hint),
        "evidence": _evidence(check.evidence),
        "duration_s": _real(check.duration_s),
        "diagnosis": None if check.diagnosis is None else _diagnosis(check.diagnosis),
    }


def _diagnosis(diagnosis: Diagnosis) -> dict[str, Any]:
    return {
        "id": storable(diagnosis.id),
        "title": storable(diagnosis.title),
        "evidence": storable(diagnosis.evidence),
        "hint": storable(diagnosis.hint),
    }


def _evidence(evidence: Evidence) -> dict[str, Any]:
    difference = evidence.largest_difference
    return {
        "asked": storable(evidence.asked),
        "expected": _maybe(evidence.expected),
        "obtained": _maybe(evidence.obtained),
        "largest_difference": None if difference is None else _real(difference),
        "where": _maybe(evidence.where),
        "location": _maybe(evidence.location),
        "output": _maybe(evidence.output),
        "notes": [storable(note) for note in evidence.notes],
        "plots": [_plot(plot) for plot in evidence.plots],
    }


def _plot(plot: Plot) -> dict[str, Any]:
    return {
        "kind": plot.kind,
        "title": storable(plot.title),
        "x_label": storable(plot.x_label),
        "y_label": storable(plot.y_label),
        "series": {storable(str(name)): _values(values) for name, values in plot.series.items()},
    }


def _values(values: Any) -> Any:
    """Nested lists of numbers; anything else is a gap, for a picture is no reason to lose a report."""
    if isinstance(values, (list, tuple)):
        if _FLOAT.issuperset(map(type, values)) and all(map(math.isfinite, values)):
            return list(values)  # nearly every row
        return [_values(value) for value in values]
    return _real(cast("float", values)) if isinstance(values, Real) else None


def _real(number: float) -> float | str:
    try:
        value = float(number)
    except OverflowError:  # a whole number beyond the range of a float
        value = math.inf if number > 0 else -math.inf
    if math.isfinite(value):
        return value
    return next(name for name, special in NON_FINITE.items() if repr(special) == repr(value))


def _points(points: Decimal) -> int | float:
    value = rounded(points)
    if abs(value) >= EXACT_LIMIT:
        raise ValueError(f"{points} points are out of all proportion")
    return int(value) if value == value.to_integral_value() else float(value)


def _maybe(text: str | None) -> str | None:
    return None if text is None else storable(text)


# ---------------------------------------------------------------- document -> report


def upgraded(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same report in today's version; as it is where it is that, of an unknown version, or malformed."""
    while isinstance(document, Mapping) and document.get("schema_version") in _UPGRADES:
        document = _UPGRADES[document["schema_version"]](document)
    return document


def _from_1_0(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """1.1 added the diagnosis of each check."""
    checks = document.get("checks")
    if isinstance(checks, list):
        checks = [{"diagnosis": None, **check} if isinstance(check, Mapping) else check for check in checks]
    return {**document, "schema_version": "1.1", "checks": checks}


_UPGRADES = {"1.0": _from_1_0}


def from_document(document: Mapping[str, Any]) -> GradeReport:
    """The report that `document` was made from: exact for everything `to_document` writes.

    A document of an older version is read as what it would be today, see `upgraded`. Raises GraderError, which names
    the field, where the document is malformed or of an unknown version.
    """
    top = Node(upgraded(document), "")
    version = top["schema_version"].text()
    if version != SCHEMA_VERSION:
        known = ", ".join([*_UPGRADES, SCHEMA_VERSION])
        raise GraderError(
            f"This report has schema_version {version!r}; this grader reads {known}.",
            "Read it with the grader that wrote it, or grade the submission again.",
        )
    submission, assignment, isolation = top["submission"], top["assignment"], top["isolation"]
    return GradeReport(
        submission_name=submission["name"].text(),
        submission_sha256=submission["sha256"].text(),
        assignment_id=assignment["id"].text(),
        assignment_title=assignment["title"].text(),
        assignment_version=assignment["version"].text(),
        assignment_sha256=assignment["sha256"].text(),
        parts=top["parts"].each(_read_part),
        checks=top["checks"].each(_read_check),
        score=_read_score(top["score"]),
        environment={key: node.text() for key, node in top["environment"].entries()},
        isolation=Isolation(
            level=isolation["level"].text(),
            guarantees=isolation["guarantees"].each(Node.text),
            caveats=isolation["caveats"].each(Node.text),
        ),
        seed=top["seed"].integer(),
        public_only=top["public_only"].flag(),
        complete=top["complete"].flag(),
        notes=top["notes"].each(Node.text),
        created=top["created"].text(),
        duration_s=top["duration_s"].real(),
        schema_version=version,
    )


def _read_part(node: Node) -> Part:
    return Part(id=node["id"].text(), title=node["title"].text(), asks=node["asks"].text())


def _read_score(node: Node) -> Score:
    return Score(
        earned=node["earned"].points(),
        possible=node["possible"].points(),
        automatic_earned=node["automatic"]["earned"].points(),
        automatic_possible=node["automatic"]["possible"].points(),
        awaiting_review=node["awaiting_review"].points(),
        excused=node["excused"].points(),
    )


def _read_check(node: Node) -> CheckResult:
    points = node["points"]
    return CheckResult(
        id=node["id"].text(),
        part=node["part"].text(),
        title=node["title"].text(),
        visibility=node["visibility"].member(Visibility),
        status=node["status"].member(Status),
        points=Points(earned=points["earned"].points(), possible=points["possible"].points()),
        message=node["message"].text(),
        hint=node["hint"].text(),
        evidence=_read_evidence(node["evidence"]),
        duration_s=node["duration_s"].real(),
        diagnosis=node["diagnosis"].maybe(_read_diagnosis),
    )


def _read_diagnosis(node: Node) -> Diagnosis:
    return Diagnosis(
        id=node["id"].text(),
        title=node["title"].text(),
        evidence=node["evidence"].text(),
        hint=node["hint"].text(),
    )


def _read_evidence(node: Node) -> Evidence:
    return Evidence(
        asked=node["asked"].text(),
        expected=node["expected"].maybe(Node.text),
        obtained=node["obtained"].maybe(Node.text),
        largest_difference=node["largest_difference"].maybe(Node.real),
        where=node["where"].maybe(Node.text),
        location=node["location"].maybe(Node.text),
        output=node["output"].maybe(Node.text),
        notes=node["notes"].each(Node.text),
        plots=node["plots"].each(_read_plot),
    )


def _read_plot(node: Node) -> Plot:
    return Plot(
        kind=node["kind"].text(),
        title=node["title"].text(),
        x_label=node["x_label"].text(),
        y_label=node["y_label"].text(),
        series={name: values.numbers() for name, values in node["series"].entries()},
    )
