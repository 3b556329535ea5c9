"""report.json: the schema holds, the way back is exact, hidden values stay out, a malformed document is named."""

import copy
import json
import math
import operator
from dataclasses import replace
from decimal import Decimal
from functools import reduce
from importlib import resources
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from grader.errors import GraderError
from grader.model import (
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
from grader.serialise import disclosed, from_document, rounded, to_document
from tests.tool import reports

SCHEMA = json.loads(resources.files("grader").joinpath("report.schema.json").read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)
BUILDERS = [
    reports.full_marks,
    reports.slips,
    reports.every_status,
    reports.public_only,
    reports.hostile,
]

texts = st.text(max_size=30)
names = st.text(min_size=1, max_size=10)
hashes = st.text("0123456789abcdef", min_size=64, max_size=64)
points = st.decimals(0, 1000, places=3, allow_nan=False, allow_infinity=False)
reals = st.floats(allow_nan=False)
numbers = st.none() | reals
maybe_texts = st.none() | texts
sentences = st.lists(texts, max_size=2).map(tuple)
plots = st.builds(
    Plot,
    kind=st.sampled_from(["heatmap", "curves"]),
    title=texts,
    x_label=texts,
    y_label=texts,
    series=st.dictionaries(texts, st.lists(numbers | st.lists(numbers, max_size=3), max_size=3), max_size=2),
)
evidences = st.builds(
    Evidence,
    asked=texts,
    expected=maybe_texts,
    obtained=maybe_texts,
    largest_difference=numbers,
    where=maybe_texts,
    location=maybe_texts,
    output=maybe_texts,
    notes=sentences,
    plots=st.lists(plots, max_size=2).map(tuple),
)
checks = st.builds(
    CheckResult,
    id=names,
    part=names,
    title=texts,
    visibility=st.sampled_from(Visibility),
    status=st.sampled_from(Status),
    points=st.builds(Points, points, points),
    message=texts,
    hint=texts,
    evidence=evidences,
    duration_s=reals,
    diagnosis=st.none() | st.builds(Diagnosis, texts, texts, texts, texts),
)
grade_reports = st.builds(
    GradeReport,
    submission_name=texts,
    submission_sha256=hashes,
    assignment_id=names,
    assignment_title=texts,
    assignment_version=names,
    assignment_sha256=hashes,
    parts=st.lists(st.builds(Part, id=names, title=texts, asks=texts), max_size=2).map(tuple),
    checks=st.lists(checks, max_size=3).map(tuple),
    score=st.builds(Score, points, points, points, points, points, points),
    environment=st.dictionaries(texts, texts, max_size=2),
    isolation=st.builds(Isolation, st.sampled_from(["strict", "container", "none"]), sentences, sentences),
    seed=st.integers(),
    public_only=st.booleans(),
    complete=st.booleans(),
    notes=sentences,
    created=texts,
    duration_s=reals,
)


@settings(max_examples=60)
@given(grade_reports)
def test_round_trip_is_exact_and_strict_json_and_follows_the_schema(report: GradeReport) -> None:
    document = to_document(report)
    text = json.dumps(document, allow_nan=False)
    VALIDATOR.validate(document)
    assert from_document(json.loads(text)) == disclosed(report)
    assert from_document(json.loads(text, parse_float=Decimal)) == disclosed(report)


@pytest.mark.parametrize("build", BUILDERS)
def test_reports_follow_the_schema(build: Any) -> None:
    document = json.loads(json.dumps(to_document(build()), allow_nan=False))
    VALIDATOR.validate(document)
    assert to_document(from_document(document)) == document


def test_the_schema_is_itself_valid_and_refuses_a_hidden_reference_value() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    document = to_document(reports.slips())
    hidden = next(check for check in document["checks"] if check["visibility"] == "hidden")
    hidden["evidence"]["expected"] = "0.5"
    assert not VALIDATOR.is_valid(document)


def test_hidden_checks_lose_every_reference_value_and_public_ones_none() -> None:
    before, after = reports.slips(), disclosed(reports.slips())
    for old, new in zip(before.checks, after.checks, strict=True):
        if old.visibility is Visibility.PUBLIC:
            assert new == old
        else:
            evidence = new.evidence
            assert (evidence.expected, evidence.largest_difference, evidence.plots) == (None, None, ())
            assert evidence.obtained == old.evidence.obtained
            assert (new.status, new.points, new.message) == (old.status, old.points, old.message)


@pytest.mark.parametrize(
    ("exact", "shown"),
    [
        ("2", "2"),
        ("2.50", "2.5"),
        ("0.125", "0.125"),
        ("1.6666", "1.667"),
        ("0.0005", "0.001"),
        ("1E+2", "100"),
    ],
)
def test_points_are_rounded_once_to_three_decimals(exact: str, shown: str) -> None:
    assert f"{rounded(Decimal(exact)):f}" == shown


@pytest.mark.parametrize("points", ["NaN", "Infinity", "1E+15"])
def test_points_that_are_none_are_refused(points: str) -> None:
    check = replace(reports.result("2a.shape"), points=Points(Decimal(points), Decimal(1)))
    with pytest.raises(ValueError, match="points"):
        to_document(replace(reports.full_marks(), checks=(check,)))


def test_whole_points_are_integers_in_the_text() -> None:
    check = replace(reports.result("2a.shape"), points=Points(Decimal("1.50"), Decimal("2.000")))
    text = json.dumps(to_document(reports.report_of([check]))["checks"][0]["points"])
    assert text == '{"earned": 1.5, "possible": 2}'


def test_numbers_that_json_does_not_have_come_back() -> None:
    plot = Plot("curves", "t", series={"a": [math.nan, math.inf, -math.inf, None, 1, True, "x", 10**400]})
    check = reports.result("2a.shape", evidence=Evidence(largest_difference=math.nan, plots=(plot,)))
    document = to_document(reports.report_of([check]))
    evidence = document["checks"][0]["evidence"]
    assert evidence["largest_difference"] == "nan"
    assert evidence["plots"][0]["series"]["a"] == ["nan", "inf", "-inf", None, 1.0, 1.0, None, "inf"]
    back = from_document(document).checks[0].evidence
    assert back.largest_difference is not None
    assert math.isnan(back.largest_difference)
    assert back.plots[0].series["a"][1:4] == [math.inf, -math.inf, None]


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        (("schema_version",), "9.0", "9.0"),
        (("schema_version",), 1.0, "schema_version"),
        (("submission",), None, "submission"),
        (("submission", "name"), 3, "submission.name"),
        (("checks",), {}, "checks"),
        (("checks", 1, "status"), "pased", "passed"),
        (("checks", 1, "status"), None, "checks[1].status"),
        (("checks", 0, "points", "earned"), "2", "checks[0].points.earned"),
        (("checks", 0, "points", "earned"), math.nan, "checks[0].points.earned"),
        (("checks", 0, "points", "earned"), True, "checks[0].points.earned"),
        (("checks", 0, "duration_s"), "soon", "checks[0].duration_s"),
        (("checks", 0, "diagnosis"), "scale", "checks[0].diagnosis"),
        (("checks", 0, "diagnosis"), {"id": 1}, "checks[0].diagnosis.id"),
        (("checks", 0, "duration_s"), 10**400, "checks[0].duration_s"),
        (("checks", 0, "evidence", "notes"), ["a", 1], "checks[0].evidence.notes[1]"),
        (("seed",), 1.5, "seed"),
        (("seed",), True, "seed"),
        (("complete",), 1, "complete"),
        (("environment", "cpu"), None, "environment.cpu"),
    ],
)
def test_a_malformed_document_is_refused_by_the_name_of_the_field(
    path: Any, value: Any, complaint: str
) -> None:
    document = copy.deepcopy(to_document(reports.every_status()))
    reduce(operator.getitem, path[:-1], document)[path[-1]] = value
    with pytest.raises(GraderError) as caught:
        from_document(document)
    assert complaint in caught.value.message
    assert caught.value.next_step


@pytest.mark.parametrize("document", [[], None, "report", {}])
def test_what_is_no_document_at_all_is_refused(document: Any) -> None:
    with pytest.raises(GraderError, match="grade report"):
        from_document(document)


@given(st.data())
def test_a_document_with_any_field_missing_is_refused(data: st.DataObject) -> None:
    document = to_document(reports.every_status())
    node: Any = document
    while True:
        key = data.draw(st.sampled_from(sorted(node)))
        if node is document["environment"] or not isinstance(node[key], dict) or data.draw(st.booleans()):
            break
        if not node[key]:
            break
        node = node[key]
    if node is not document["environment"]:
        del node[key]
        with pytest.raises(GraderError, match="has no"):
            from_document(document)
